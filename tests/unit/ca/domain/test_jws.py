"""ca/domain/jws.py: a statement of ours is read in one form only (RFC 7515; THREATS 43)."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca.domain.errors import InvalidRequest
from ca.domain.jws import compact, encoded, verified

KEY = ec.generate_private_key(ec.SECP256R1())
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
KIND = "vermilion-job"
HEADER = {"alg": "ES256", "typ": KIND}


def signed(header: Any, claims: Any) -> str:
    message = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims)).encode()
    return compact(message, KEY.sign(message, ec.ECDSA(SHA256())))


def test_what_our_key_signed_as_this_kind_is_read() -> None:
    assert verified(KIND, signed(HEADER, {"serial": "a1"}), SPKI) == {"serial": "a1"}


@pytest.mark.parametrize(
    "header",
    [
        HEADER | {"alg": "none"},
        HEADER | {"alg": "HS256"},
        HEADER | {"typ": "vermilion-release"},
        HEADER | {"crit": ["exp"]},
        ["ES256"],
        {},
    ],
    ids=str,
)
def test_another_header_is_refused_though_the_signature_holds(header: Any) -> None:
    with pytest.raises(InvalidRequest):
        verified(KIND, signed(header, {}), SPKI)


@pytest.mark.parametrize("claims", [[], "serial", 1, None])
def test_claims_are_an_object(claims: Any) -> None:
    with pytest.raises(InvalidRequest):
        verified(KIND, signed(HEADER, claims), SPKI)


def test_one_statement_has_one_spelling() -> None:
    good = signed(HEADER, {})
    for spelled in (
        f"{good}=",
        f"{good}\n",
        good.replace(".", "..", 1),
        f"{good}.",
        good + "A",
        good[:-4],
        "x" * 10**6,
    ):
        with pytest.raises(InvalidRequest):
            verified(KIND, spelled, SPKI)


def test_another_key_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    with pytest.raises(InvalidRequest):
        verified(KIND, signed(HEADER, {}), other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
