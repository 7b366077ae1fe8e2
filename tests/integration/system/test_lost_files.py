"""A state directory that lost something or lies open: what is made anew, what refused; no CA is founded twice."""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from ca.adapters.db.engine import open_database
from ca.adapters.db.schema import migrate
from tests.integration.system.clients import ask_ocsp
from tests.integration.system.fixtures import CopyOfDemo
from tests.integration.system.running import Demo, processes_of, stopping
from tests.integration.system.test_start import require_one_sentence

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]


def empty_the_database(demo: Demo) -> None:
    demo.database.write_bytes(b"")


def put_a_new_database_in_its_place(demo: Demo) -> None:
    demo.database.unlink()
    engine = open_database(demo.database, create=True)
    migrate(engine)
    engine.dispose()


def spoil_the_pin(demo: Demo) -> None:
    pin = demo.state / "hsm" / "issuing" / "pin"
    pin.chmod(0o600)
    pin.write_bytes(b"\xff\xfe" * 16)


def spoil_the_appointments(demo: Demo) -> None:
    (demo.state / "demo" / "appointments.json").write_bytes(b"\xff[]")


def spoil_the_links(demo: Demo) -> None:
    (demo.state / "demo" / "links.json").write_text("rubbish")


def empty_the_consoles_key(demo: Demo) -> None:
    (demo.state / "secrets" / "console-key").write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (empty_the_database, "database is empty though its keys are here; restore"),
        (put_a_new_database_in_its_place, "database knows nothing of the key ceremony .* restore"),
        (spoil_the_pin, "something else than a PIN"),
        pytest.param(spoil_the_appointments, "appointments.json is damaged", marks=pytest.mark.campaign),
        pytest.param(empty_the_consoles_key, "console-key is cut short", marks=pytest.mark.campaign),
        pytest.param(spoil_the_links, "links.json is damaged", marks=pytest.mark.campaign),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_damage_is_said_in_one_sentence_and_no_other_ca_is_founded(
    copy_of_demo: CopyOfDemo, damage: Callable[[Demo], None], words: str
) -> None:
    demo = copy_of_demo()
    root = demo.root_pem.read_bytes()
    damage(demo)

    ran = demo.start_in_vain()

    require_one_sentence(ran, words)
    assert processes_of(demo.state) == {}
    assert demo.root_pem.read_bytes() == root
    assert not (demo.state / "unfinished").exists()


@pytest.mark.openssl
def test_a_lost_public_place_is_complete_after_the_next_start(copy_of_demo: CopyOfDemo, tmp_path: Path) -> None:
    demo = copy_of_demo()
    # What no job signs anew.
    lasting = [demo.state / "publication" / name for name in ("ca/root.cer", "ca/issuing.cer", "crl/root.crl")]
    content = [path.read_bytes() for path in lasting]
    shutil.rmtree(demo.state / "publication")
    assert "Restart the signer" in demo.pki("doctor").out

    demo.start()

    assert [path.read_bytes() for path in lasting] == content
    assert "server.pem: good" in ask_ocsp(demo, tmp_path, "-cert", demo.state / "tls" / "server.pem")


@pytest.mark.parametrize("spoilt", ["server.pem", pytest.param("server.key", marks=pytest.mark.campaign)])
def test_a_damaged_tls_pair_is_made_anew(copy_of_demo: CopyOfDemo, spoilt: str) -> None:
    demo = copy_of_demo()
    file = demo.state / "tls" / spoilt
    content = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(content[:100])

    demo.start()

    assert "TLS certificate issued by our own CA" in demo.output


def test_a_used_link_is_not_shown_again(copy_of_demo: CopyOfDemo) -> None:
    demo = copy_of_demo()
    used, unused = (row["invitation"] for row in json.loads((demo.state / "demo" / "links.json").read_text()))
    demo.write("UPDATE invitations SET state = 'redeemed' WHERE id = ?", used)

    demo.start()

    assert f"/admin/invitation/{used}#" not in demo.output
    assert f"/admin/invitation/{unused}#" in demo.output


# What processes of other users read in a bank's set-up (deploy/README.md); nothing in it is secret or about customers.
PUBLIC = ("settings.toml", "trust", "publication", "tls/server.pem", "ceremony")


def open_to_others(directory: Path) -> list[str]:
    found = []
    for path in (directory, *directory.rglob("*")):
        # What is being written comes and goes while we look.
        with suppress(FileNotFoundError):
            if not path.is_symlink() and path.stat().st_mode & 0o077:
                found.append(str(path.relative_to(directory)))
    return [name for name in found if not name.startswith(PUBLIC)]


def test_nothing_secret_and_nobodys_data_is_for_others_to_read(stopped_demo: Demo) -> None:
    assert open_to_others(stopped_demo.state) == []


def test_an_empty_directory_that_others_may_enter_is_closed_to_them_first(short_directory: Path) -> None:
    demo = Demo(short_directory / "open")
    demo.state.mkdir()
    demo.state.chmod(0o755)
    with stopping(demo):
        demo.launch()
        demo.wait_for_line(" 3/")

        assert open_to_others(demo.state) == []


def test_a_directory_with_something_else_in_it_is_not_ours_to_close(short_directory: Path) -> None:
    demo = Demo(short_directory / "full")
    demo.state.mkdir()
    (demo.state / "letter").write_text("mine")
    demo.state.chmod(0o755)

    require_one_sentence(demo.start_in_vain(), "others can enter .*chmod go=")

    assert [path.name for path in demo.state.iterdir()] == ["letter"]
