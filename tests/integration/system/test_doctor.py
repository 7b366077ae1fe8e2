"""`./pki doctor` says in words what is wrong, and nothing when nothing is."""

import shutil
from collections.abc import Callable

import pytest

from tests.integration.system.running import Demo

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]


def findings(demo: Demo) -> dict[str, str]:
    """What is bad, by subject."""
    lines = demo.pki("doctor").out.splitlines()
    return dict(line.removeprefix("BAD  ").split(": ", 1) for line in lines if line.startswith("BAD"))


def test_a_running_system_has_nothing_wrong(demo: Demo) -> None:
    ran = demo.pki("doctor")
    assert "BAD" not in ran.out
    assert ran.status == 0, ran


def test_a_stopped_one_lacks_its_signer_and_nothing_else(copy_of_demo: Callable[[], Demo]) -> None:
    demo = copy_of_demo()
    assert list(findings(demo)) == ["signer"]
    assert demo.pki("doctor").status == 1


def test_each_part_that_is_wrong_is_named(copy_of_demo: Callable[[], Demo]) -> None:
    demo = copy_of_demo()
    (demo.state / "trust" / "root.cer").unlink()
    (demo.state / "hsm" / "issuing" / "pin").chmod(0o644)
    (demo.state / "hsm" / "issuing").chmod(0o755)
    demo.database.write_bytes(b"no database" * 500)

    found = findings(demo)

    assert {"trust/root.cer", "PIN file", "secrets", "database", "signer"} <= set(found)
    assert "restore" in found["trust/root.cer"]
    assert "chmod" in found["secrets"]


def test_a_lost_token_and_settings_nobody_can_read_are_named(copy_of_demo: Callable[[], Demo]) -> None:
    demo = copy_of_demo()
    shutil.rmtree(demo.state / "hsm" / "issuing" / "tokens")
    assert any("token" in subject.lower() for subject in findings(demo))

    (demo.state / "settings.toml").write_text("demo = maybe")
    assert list(findings(demo)) == ["settings"]
