"""A revocation by two officers in the running system: real seals, real passkeys, and what relying parties see."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ca import certificate_operations as own
from ca import operations as ops
from ca.demo.authenticator import SoftwareAuthenticator
from ca.demo.officers import CHECKER, MAKER
from ca.domain.errors import InvalidTransition, NotAllowed, Tampered
from ca.dossier_operations import ShowDossier
from relying_party import verify_dossier
from tests.integration.system.clients import ask_ocsp, issue, serial_of
from tests.integration.system.running import REPOSITORY, Demo, stopping

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]


@pytest.fixture(scope="module")
def bank(stopped_demo: Demo, short_directory: Path) -> Iterator[Demo]:
    """One whose profile of machines asks for two officers."""
    place = Path(tempfile.mkdtemp(dir=short_directory))
    shutil.copytree(REPOSITORY / "config" / "profiles", place / "profiles")
    with (place / "profiles" / "machine.toml").open("a") as profile:
        profile.write("\n[revocation]\nby_two = true\n")
    demo = stopped_demo.copy(place / "s")
    settings = demo.state / "settings.toml"
    settings.write_text(f'profiles = "{place / "profiles"}"\n' + settings.read_text("utf-8"), "utf-8")
    with stopping(demo) as running:
        yield running.start()


def proposed(bank: Demo, directory: Path) -> tuple[Path, str, str]:
    """A certificate in use whose revocation the maker proposed: its file, its serial number, the case."""
    (codes,) = bank.codes("machine")
    certificate = issue(bank, directory, codes)
    serial = serial_of(certificate).lower().lstrip("0")
    assert f"{certificate}: good" in ask_ocsp(bank, directory, "-cert", certificate)
    asked = {"serial": serial, "reason": "cessationOfOperation", "why": "the machine is gone"}
    assert bank.maker.call(ops.Revoke, **asked) == {"serial": serial, "status": "on-hold"}
    ((case,),) = bank.rows("SELECT id FROM revocation_cases WHERE serial = ?", serial)
    return certificate, serial, str(case)


def approve(bank: Demo, case: str, person: str) -> dict[str, str]:
    """Look and sign, as the console does."""
    officer = bank.officers[person]
    shown = officer.call(own.ShowRevocation, case=case)
    signed = SoftwareAuthenticator.load(bank.state / "demo" / f"{person}.json").sign(
        ops.decode_base64(shown["challenge"])
    )
    assertion = ops.AssertionMessage(
        credential_id=signed.credential_id,
        client_data=signed.client_data,
        authenticator_data=signed.authenticator_data,
        signature=signed.signature,
    )
    digest = ops.decode_base64(shown["digest"])
    return officer.call(own.ApproveRevocation, case=case, digest=digest, assertion=assertion)


def test_it_is_on_hold_for_relying_parties_at_once_and_ends_by_the_second(bank: Demo, tmp_path: Path) -> None:
    certificate, serial, case = proposed(bank, tmp_path)
    assert "certificateHold" in ask_ocsp(bank, tmp_path, "-cert", certificate)
    with pytest.raises(NotAllowed, match="another officer"):
        approve(bank, case, MAKER)
    with pytest.raises(InvalidTransition, match="waits for another officer"):
        bank.checker.call(ops.Release, serial=serial)

    assert approve(bank, case, CHECKER) == {"serial": serial, "status": "revoked"}

    assert "cessationOfOperation" in ask_ocsp(bank, tmp_path, "-cert", certificate)
    assert bank.rows("SELECT act, person FROM evidence WHERE application = ?", case) == [
        ("approve-revocation", CHECKER)
    ]
    with pytest.raises(InvalidTransition, match="approved cannot become"):
        bank.checker.call(own.RejectRevocation, case=case, reason="too late")
    assert bank.pki("audit", "verify").status == 0

    second = bank.checker.call(own.ExamineCertificate, serial=serial)["ended_by_two"]
    assert (second["case"], second["person"], second["wrong"]) == (case, CHECKER, "")
    packed = bank.checker.call(ShowDossier, serial=serial)["files"]
    files = {name: ops.decode_base64(content) for name, content in packed.items()}
    key = verify_dossier.load_key((bank.state / "trust" / "audit.spki").read_bytes())
    told = list(verify_dossier.verify_dossier(key, files))
    assert [line.split(" at ")[0] for line in told if line.startswith("its end")] == [
        f"its end: proposed by {MAKER}",
        f"its end: approved by {CHECKER} with a passkey",
    ]


def test_a_row_written_into_the_database_ends_nothing(bank: Demo, tmp_path: Path) -> None:
    certificate, serial, case = proposed(bank, tmp_path)
    bank.write("UPDATE revocation_cases SET proposed_by = ? WHERE id = ?", CHECKER, case)
    with pytest.raises(Tampered):
        approve(bank, case, MAKER)
    assert "certificateHold" in ask_ocsp(bank, tmp_path, "-cert", certificate)

    # Nor does such a row keep a compromised key good.
    bank.write("UPDATE revocation_cases SET reason = 1 WHERE id = ?", case)
    asked = {"serial": serial, "reason": "keyCompromise"}
    assert bank.checker.call(ops.Revoke, **asked)["status"] == "revoked"
    assert "keyCompromise" in ask_ocsp(bank, tmp_path, "-cert", certificate)
