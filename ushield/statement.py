"""A statement to the bank, signed on the U-Shield: "I sign in", "I cancel this certificate", an administrator's act.

What is signed begins with fixed octets and is bound to the operation, the bank's origin, the job's nonce and the
certificate, so it is of no use anywhere else (docs/protocols/bridge.md). What an administrator of a company signs
covers the text that the window showed, too.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ushield.errors import NothingThere
from ushield.inventory import Entry
from ushield.jobs import Job
from ushield.keys import DeviceKey

CONTEXT = b"vermilion statement v1\x00"


def statement(job: Job, certificate: x509.Certificate) -> bytes:
    """The octets that the key signs."""
    der = certificate.public_bytes(Encoding.DER)
    bound = sha256(job.origin.encode()).digest() + job.nonce + sha256(der).digest()
    if job.text:
        bound += sha256(job.text.encode()).digest()
    return CONTEXT + job.operation.value.encode() + b"\x00" + bound


def signer_of(found: Sequence[Entry], serial: str) -> tuple[x509.Certificate, DeviceKey]:
    """Certificate and key of this serial number; without one, the youngest that has not ended. Raises NothingThere."""
    now = datetime.now(UTC)
    usable = [
        (entry.certificate, entry.key)
        for entry in found
        if entry.certificate is not None and entry.key is not None and entry.matches
        if entry.certificate.not_valid_after_utc > now
        if serial in {"", f"{entry.certificate.serial_number:x}"}
    ]
    if not usable:
        raise NothingThere(
            "The U-Shield that is plugged in does not hold this certificate with its key. Nothing was signed. "
            "Plug in the other one, and press the button on the page again."
        )
    return max(usable, key=lambda pair: pair[0].not_valid_before_utc)
