"""ushield/statement.py: what the tool signs is what the bank verifies, and nothing without a right key is signed."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from ca.domain import tool_jobs
from ushield.errors import NothingThere
from ushield.inventory import Entry
from ushield.jobs import Job, Operation
from ushield.keys import DeviceKey
from ushield.statement import signer_of, statement

NOW = datetime.now(UTC)
ORIGIN, NONCE = "https://bank.example:8443", bytes(range(32))


def entry(serial: int, *, days: int = 30, begun: int = 1, key: bool = True, same: bool = True) -> Entry:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=x")
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
        .serial_number(serial).not_valid_before(NOW - timedelta(days=begun + 400))
        .not_valid_after(NOW + timedelta(days=days)).sign(private, SHA256())
    )  # fmt: skip
    public = private.public_key() if same else ec.generate_private_key(ec.SECP256R1()).public_key()
    made = DeviceKey(b"1", "k", public, local=True, sensitive=True, always_sensitive=True, extractable=False,
                     never_extractable=True, mechanism=None)  # fmt: skip
    return Entry(b"1", certificate, made if key else None)


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (Operation.SIGN_IN, ""),
        (Operation.CANCEL, ""),
        (Operation.COMPANY_APPLY, "Operator: 李强"),
        (Operation.COMPANY_HOLD, "Certificate: a1"),
    ],
)
def test_tool_and_bank_mean_the_same_octets(operation: Operation, text: str) -> None:
    certificate = entry(7).certificate
    assert certificate is not None
    der = certificate.public_bytes(Encoding.DER)
    job = Job("00", operation, 0, ORIGIN, NONCE, text=text)

    theirs = tool_jobs.statement(tool_jobs.ToolOperation(operation.value), ORIGIN, NONCE, der, text)
    assert statement(job, certificate) == theirs


def test_the_one_that_was_named_signs_else_the_youngest() -> None:
    found = [entry(1, begun=9), entry(2, begun=2), entry(3, begun=5)]

    assert signer_of(found, "1")[0].serial_number == 1
    assert signer_of(found, "")[0].serial_number == 2


@pytest.mark.parametrize("found", [[], [entry(1, key=False)], [entry(1, same=False)], [entry(1, days=-1)], [entry(2)]])
def test_without_the_certificate_and_its_key_nothing_is_signed(found: list[Entry]) -> None:
    with pytest.raises(NothingThere):
        signer_of(found, "1")
