"""What must be nowhere: PINs, authorization codes and session tokens; and who may read what is there."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ca import case_operations as case_ops
from ca import operations as ops
from ca.adapters.hsm.tokens import find_module
from tests.integration.system.clients import enroll, issue
from tests.integration.system.running import Demo, processes_of, run

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.openssl, pytest.mark.curl]


def files_of(demo: Demo) -> Iterator[Path]:
    yield from (path for path in demo.state.rglob("*") if path.is_file())
    yield demo.output_file


def holders(demo: Demo, secret: str) -> list[str]:
    """Files that hold it in clear, without those whose purpose it is."""
    spellings = {secret.encode(), secret.replace("-", "").encode(), secret.lower().encode()}
    return [
        str(path.relative_to(demo.state.parent))
        for path in files_of(demo)
        if any(spelling in content(path) for spelling in spellings)
    ]


def content(path: Path) -> bytes:
    """Nothing of a file that the running system has replaced since it was listed."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def test_pins_are_in_their_files_and_nowhere_else(demo: Demo) -> None:
    for token in ("root", "issuing"):
        for name in ("pin", "so-pin"):
            file = demo.state / "hsm" / token / name
            secret = file.read_text().strip()

            assert stat.S_IMODE(file.stat().st_mode) == 0o400
            assert holders(demo, secret) == [str(file.relative_to(demo.state.parent))]
            for pid in processes_of(demo.state):
                seen = b"".join(Path(f"/proc/{pid}/{part}").read_bytes() for part in ("environ", "cmdline"))
                assert secret.encode() not in seen


def test_authorization_codes_are_written_down_nowhere(demo: Demo, tmp_path: Path) -> None:
    used, wrong, open_ = demo.codes("machine", 3)
    issue(demo, tmp_path, used)
    enroll(demo, tmp_path, wrong, secret=open_["authorization_code"])

    found = {code["reference_number"]: holders(demo, code["authorization_code"]) for code in (used, wrong, open_)}

    assert set(map(tuple, found.values())) == {()}, found


def test_a_code_that_goes_by_message_is_in_the_outbox_and_nowhere_else(demo: Demo, tmp_path: Path) -> None:
    maker, address = demo.maker, "operations@bank.example"
    customer = maker.call(
        ops.RegisterCustomer, kind="system", number="D78", name="Payments", document_number="ID78", email=address
    )["customer"]
    hosts = ["payments.bank.example"]
    application = maker.call(case_ops.SubmitApplication, customer=customer, profile="machine", host_names=hosts)
    demo.checker.approve(application["application"])

    handed_out = maker.call(ops.HandOutCodes, application=application["application"], by="message")

    (mail,) = (path for path in (demo.state / "outbox").glob("*.eml") if address in path.read_text())
    (code,) = re.findall("[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", mail.read_text())
    assert (handed_out["sent_to"], "authorization_code" in handed_out) == (["o•••@bank.example"], False)
    assert handed_out["reference_number"] not in mail.read_text()
    assert holders(demo, code) == [str(mail.relative_to(demo.state.parent))]
    assert stat.S_IMODE(mail.stat().st_mode) == 0o600
    issue(demo, tmp_path, {**handed_out, "authorization_code": code})


def test_session_tokens_are_written_down_nowhere(demo: Demo) -> None:
    checker = demo.checker
    checker.call(ops.WhoAmI)

    assert holders(demo, checker.session) == []


def test_invitation_codes_are_only_where_the_demo_shows_them_again(demo: Demo) -> None:
    codes = re.findall(r"/admin/invitation/[0-9a-f]+#(\S+)", demo.output)

    assert codes
    for code in codes:
        assert set(holders(demo, code)) <= {
            f"{demo.state.name}/demo/links.json",
            demo.output_file.name,
        }


def test_environments_carry_nothing_but_names_of_places(demo: Demo) -> None:
    known = {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "PYTHONPATH", "PYTHONUNBUFFERED"}
    known |= {"VERMILION_STATE", "SERVER_SOFTWARE"}
    assert demo.process is not None
    for pid in processes_of(demo.state):
        if pid == demo.process.pid:
            continue
        names = {entry.split(b"=")[0].decode() for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")}
        assert {name for name in names if name} <= known


def test_what_others_may_not_read_they_cannot(demo: Demo) -> None:
    state = demo.state
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    private = [state / "hsm" / "root", state / "hsm" / "issuing", state / "run", state / "log", state / "demo"]
    private += [state / "secrets", state / "tls", state / "hsm" / "issuing" / "tokens"]
    assert {str(path): stat.S_IMODE(path.stat().st_mode) for path in private} == {str(path): 0o700 for path in private}
    for path in (*(state / "demo").iterdir(), *(state / "secrets").iterdir(), state / "tls" / "server.key"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    for path in (state / "run").glob("*.sock"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_only_the_signer_has_the_module_and_the_token_open(demo: Demo) -> None:
    module = find_module().name
    loaded = {
        pid: command
        for pid, command in processes_of(demo.state).items()
        if module in Path(f"/proc/{pid}/maps").read_text()
    }

    assert len(loaded) == 1, loaded
    assert "wsgi:signer()" in next(iter(loaded.values()))


@pytest.mark.opensc
@pytest.mark.parametrize("token", ["root", "issuing"])
def test_no_key_of_the_ca_can_leave_its_token(stopped_demo: Demo, token: str) -> None:
    directory = stopped_demo.state / "hsm" / token
    ran = run(
        *("pkcs11-tool", "--module", find_module(), "--login", "--pin", (directory / "pin").read_text().strip(), "-O"),
        SOFTHSM2_CONF=str(directory / "softhsm2.conf"),
    )

    assert ran.status == 0, ran
    objects = re.split(r"\n(?=\S+ (?:Key|Object))", ran.out)
    keys = [one for one in objects if one.startswith(("Private Key", "Secret Key"))]
    assert len(keys) == {"root": 1, "issuing": 8}[token], ran.out
    for key in keys:
        assert "never extractable" in key, key
        assert "local" in key, key
        assert "sensitive" in key, key
