"""OCSP requests as clients send them, and as no client should."""

import hashlib

from ca.domain import der

SHA1 = der.sequence(der.oid("1.3.14.3.2.26"), der.null())
SHA256_WITHOUT_PARAMETERS = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))
NONCE = "1.3.6.1.5.5.7.48.1.2"
A_CERT_ID = der.sequence(SHA1, der.octet_string(b"n" * 20), der.octet_string(b"k" * 20), der.integer(0xA1))


def cert_id(serial: int, *, algorithm: bytes = SHA1, name: bytes = b"name", key: bytes = b"key") -> bytes:
    """A CertID whose hashes are SHA-1 of `name` and `key`."""
    hashes = (der.octet_string(hashlib.sha1(part, usedforsecurity=False).digest()) for part in (name, key))
    return der.sequence(algorithm, *hashes, der.integer(serial))


def extension(oid: str, value: bytes, *, critical: bool | None = None) -> bytes:
    flag = b"" if critical is None else der.boolean(critical)
    return der.sequence(der.oid(oid), flag, der.octet_string(value))


def nonce(value: bytes) -> bytes:
    return extension(NONCE, der.octet_string(value))


def build(
    *cert_ids: bytes,
    extensions: tuple[bytes, ...] = (),
    single_extensions: tuple[bytes, ...] = (),
    before: bytes = b"",
    after: bytes = b"",
    signature: bytes = b"",
) -> bytes:
    """An OCSPRequest; `before` and `after` go around the requestList."""
    single = der.explicit(0, der.sequence(*single_extensions)) if single_extensions else b""
    listed = der.sequence(*(der.sequence(each, single) for each in cert_ids))
    tagged = der.explicit(2, der.sequence(*extensions)) if extensions else b""
    return der.sequence(der.sequence(before, listed, tagged, after), signature)
