"""edge/vouching.py: the key by which the edge gives its word."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ca.domain.errors import NotReady
from ca.domain.keys import PublicKey
from edge.vouching import open_key


def written(directory: Path, curve: ec.EllipticCurve) -> tuple[Path, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(curve)
    file = directory / "officers-door.key"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file, key


def test_what_it_signs_the_signer_can_check(tmp_path: Path) -> None:
    file, key = written(tmp_path, ec.SECP256R1())

    voucher = open_key(file)(b"message")

    PublicKey.from_spki(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).verify(
        voucher, b"message"
    )


def test_a_key_that_is_not_there_or_of_another_kind_is_told_at_the_start(tmp_path: Path) -> None:
    other, _ = written(tmp_path, ec.SECP384R1())
    (garbage := tmp_path / "garbage").write_bytes(b"no key")

    for file, wrong in ((tmp_path / "none", "cannot be read"), (garbage, "no private key"), (other, "P-256")):
        with pytest.raises(NotReady, match=wrong):
            open_key(file)
