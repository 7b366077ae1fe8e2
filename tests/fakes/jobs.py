"""A bank that signs jobs for the U-Shield tool, as right or as wrong as a test wants them."""

import json
from base64 import b64encode, urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ushield.bank_file import BankFile, parse

ORIGIN = "https://bank.example:8443"
NOW = 1_795_000_000
EXTENSION, FIREFOX = "abcdefghijklmnopabcdefghijklmnop", "ushield@bank.example"


def bank_text(key: ec.EllipticCurvePrivateKey, **changes: Any) -> str:
    """The file that is packed with the tool."""
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    packed = {
        "version": 2, "name": "Fake Bank", "origin": ORIGIN, "hotline": "95588", "root_pem": "", "ocsp": "http://localhost:9/ocsp",
        "job_key": b64encode(spki).decode(), "release_key": b64encode(spki).decode(),
        "extension": EXTENSION, "firefox_extension": FIREFOX,
        "providers": [{"name": "softhsm", "title": "SoftHSM", "linux": ["/usr/lib/softhsm/libsofthsm2.so"]}],
    }  # fmt: skip
    return json.dumps(packed | changes)


def bank_file(key: ec.EllipticCurvePrivateKey) -> BankFile:
    return parse(bank_text(key))


def job(operation: str, **more: Any) -> dict[str, Any]:
    """Claims."""
    return {
        "v": 1, "id": "00" * 16, "op": operation, "origin": ORIGIN, "lang": "en", "iat": NOW, "exp": NOW + 300,
        "nonce": "A" * 43,
    } | more  # fmt: skip


def signed(key: ec.EllipticCurvePrivateKey, claims: object, header: dict[str, Any] | None = None) -> str:
    parts = [header or {"alg": "ES256", "typ": "vermilion-job", "kid": "00"}, claims]
    text = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA256())))
    return f"{text}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
