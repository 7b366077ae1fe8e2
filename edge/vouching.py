"""The key by which the edge vouches for officers' certificates (ca/domain/vouchers.py); it signs nothing else."""

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ca.domain.errors import NotReady


def open_key(file: Path) -> Callable[[bytes], bytes]:
    """What signs with the key in this PEM file: ECDSA with SHA-256 on P-256. Raises NotReady."""
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except OSError as error:
        raise NotReady(f"{file} cannot be read; make it as deploy/README.md says under “second door”") from error
    except (ValueError, TypeError) as error:
        raise NotReady(f"{file} is no private key; make it as deploy/README.md says under “second door”") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise NotReady(f"{file} is no key on the curve P-256; make it as deploy/README.md says under “second door”")
    signs: ec.EllipticCurvePrivateKey = key

    def vouch(message: bytes) -> bytes:
        return signs.sign(message, ec.ECDSA(SHA256()))

    return vouch
