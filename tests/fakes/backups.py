"""A backup as octets, and a signer that signs its manifest, without a state directory."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca.adapters.backup.age import SealedWriter
from ca.adapters.backup.archive import ArchiveWriter
from ca.backup_operations import SignBackup
from ca.domain.audit import Head
from ca.domain.backups import Manifest, backup_message
from ca.domain.errors import PKIError
from ca.operations import Operation, encode_base64


@dataclass
class FakeSigner:
    """Signs every backup with an audit key of its own; `down` is what it answers instead."""

    asked: list[Operation] = field(default_factory=list)
    down: PKIError | None = None

    def __post_init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        self.spki = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.spki).hexdigest()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, ECDSA(SHA256()))

    def call(self, operation: Operation) -> dict[str, Any]:
        if self.down is not None:
            raise self.down
        self.asked.append(operation)
        if isinstance(operation, SignBackup):
            head = Head(operation.number, operation.hash)
            return {"signature": encode_base64(self.sign(backup_message(operation.digest, head)))}
        return {"hsm": "ok"}


def sealed(content: bytes, *recipients: X25519PublicKey) -> bytes:
    """Encrypted, as a file would hold it."""
    file = io.BytesIO()
    writer = SealedWriter(file, recipients)
    writer.write(content)
    writer.finish()
    return file.getvalue()


def archived(parts: Mapping[str, bytes], *, listed: Mapping[str, bytes] | None = None, **changes: Any) -> bytes:
    """A tar with a manifest that lists these parts, or others."""
    stream = io.BytesIO()
    archive = ArchiveWriter(stream)
    for name, content in parts.items():
        archive.add_bytes(name, content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in (listed or parts).items()}
    at = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
    values: dict[str, Any] = {"schema": "0001", "database": "sqlite", "journal": Head(1, bytes(32))} | changes
    archive.finish(Manifest(at, last_act=at, parts=digests, **values).content(), b"signature")
    return stream.getvalue()
