"""What is on a U-Shield, and whether it belongs together: for `show` and `test`."""

import secrets
from dataclasses import dataclass

from cryptography import x509

from ushield.errors import NothingThere, TestFailed
from ushield.keys import DeviceKey
from ushield.token import StoredCertificate, Token, certificate_of

_TEST_OCTETS = 32
# Never the start of anything a bank would take for a signature of the customer.
_TEST_CONTEXT = b"ushield test v1\x00"


@dataclass(frozen=True, slots=True)
class Entry:
    """A certificate, a key pair, or both under one identifier."""

    id: bytes
    certificate: x509.Certificate | None
    key: DeviceKey | None

    @property
    def matches(self) -> bool | None:
        """Whether the certificate is for the key; None when one of them is missing or not visible."""
        if self.certificate is None or self.key is None:
            return None
        return self.certificate.public_key() == self.key.public_key


def entries(certificates: list[StoredCertificate], keys: list[DeviceKey]) -> list[Entry]:
    readable = [(stored.id, certificate_of(stored)) for stored in certificates]
    by_id = {key.id: key for key in keys}
    with_certificate = [Entry(id_, found, by_id.get(id_)) for id_, found in readable if found is not None]
    covered = {entry.id for entry in with_certificate}
    return with_certificate + [Entry(key.id, None, key) for key in keys if key.id not in covered]


def prove(token: Token, serial: str | None) -> x509.Certificate:
    """Sign random bytes with the key on the open U-Shield and check them with the certificate beside it.

    Raise NothingThere or TestFailed; otherwise answer the certificate that was proved: the one with this serial
    number, else the youngest, because after a renewal the old one stays until it ends.
    """
    wanted = None if serial is None else "".join(serial.split()).casefold().lstrip("0")
    candidates = [
        (entry.certificate, entry.key)
        for entry in entries(token.certificates(), token.keys())
        if entry.certificate is not None and wanted in {None, f"{entry.certificate.serial_number:x}"}
    ]
    if not candidates:
        raise NothingThere(
            "There is no such certificate on this U-Shield, so there is nothing to test. "
            "Download it first, or plug in another U-Shield."
        )
    certificate, key = max(candidates, key=lambda pair: pair[0].not_valid_before_utc)
    if key is None or certificate.public_key() != key.public_key:
        raise TestFailed(
            "The certificate on the U-Shield has no matching key beside it: nothing can be signed with it. "
            "Bring the U-Shield to your branch."
        )
    # Token.sign checks the signature with the key's public half, which is the certificate's, as was just compared.
    token.sign(key, _TEST_CONTEXT + secrets.token_bytes(_TEST_OCTETS))
    return certificate


def own_texts(token: Token) -> list[str]:
    """What is written on the U-Shield or can be read from it by anybody: nothing that a password may be part of."""
    found = [certificate_of(stored) for stored in token.certificates()]
    return [token.serial, token.label, *(one.subject.rfc4514_string() for one in found if one is not None)]
