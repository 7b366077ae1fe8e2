"""How a real token tells where its key was made, from there through the tool's request to what the signer does."""

from base64 import b64decode
from pathlib import Path

import pytest

from ca.domain.certificates import CertificateStatus
from ca.domain.errors import KeyNotBornOnDevice
from ca.domain.key_birth import KeyBirth
from ca.domain.requests import CertificationRequest
from ca.domain.stock import AlarmKind
from tests.fakes.bank import Bank as Signer
from tests.fakes.enrolment import PASSWORD, REFERENCE, Bank, Computer

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]

IMPORTED = Path(__file__).with_name("imported.py")


@pytest.fixture
def signer() -> Signer:
    return Signer()


def kinds(signer: Signer) -> list[AlarmKind]:
    return [one.kind for one in signer.stored.alarms.values()]


def imported(computer: Computer, algorithm: str, extractable: str) -> bytes:
    """The U-Shield has its own password and, under the name of the download, a key by C_CreateObject."""
    assert computer.interrupted_after("OPEN").status == 77
    ran = computer.python(IMPORTED, computer.token_dir, PASSWORD, REFERENCE, algorithm, extractable)
    assert ran.status == 0, ran
    return b64decode(ran.out)


@pytest.mark.parametrize(("algorithm", "mechanism"), [("ec-p256", 0x1040), ("rsa-2048", 0x0)])
def test_a_key_made_by_the_token_is_certified_without_an_alarm(
    computer: Computer, bank: Bank, signer: Signer, algorithm: str, mechanism: int
) -> None:
    bank.key_algorithms = [algorithm]
    assert computer.download().status == 0
    (request,) = set(bank.requests)

    certificate = signer.download(signer.codes(), request)

    assert certificate.status is CertificateStatus.UNCONFIRMED
    assert CertificationRequest.parse(request).birth == KeyBirth(
        local=True, always_sensitive=True, never_extractable=True, extractable=False, mechanism=mechanism
    )
    assert kinds(signer) == []


@pytest.mark.parametrize("extractable", ["yes", "no"])
@pytest.mark.parametrize("algorithm", ["ec-p256", "rsa-2048"])
def test_an_imported_key_is_refused_by_the_signer_and_an_alarm(
    computer: Computer, signer: Signer, algorithm: str, extractable: str
) -> None:
    request = imported(computer, algorithm, extractable)

    with pytest.raises(KeyNotBornOnDevice, match="not made on the U-Shield"):
        signer.download(signer.codes(), request)

    birth = CertificationRequest.parse(request).birth
    assert birth is not None
    assert (birth.local, birth.extractable, birth.mechanism) == (False, extractable == "yes", None)
    assert signer.signatures == []
    assert kinds(signer) == [AlarmKind.NOT_BORN_HERE]


def test_the_tool_itself_asks_for_nothing_with_an_imported_key(computer: Computer, bank: Bank) -> None:
    bank.key_algorithms = ["ec-p256"]
    imported(computer, "ec-p256", "no")

    ran = computer.download()

    assert (ran.status, ran.json["error"]) == (3, "D-32")
    assert bank.requests == []
