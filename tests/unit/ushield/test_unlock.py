"""ushield/unlock.py: an answer that is not the bank's, for this U-Shield and reference, changes nothing."""

import json
from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from ca.domain.unlocking import envelope_info
from tests.fakes.jobs import bank_file, signed
from ushield.errors import AnswerNotOurs
from ushield.unlock import Answer, Envelope

KEY, OTHER_KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
BANK = bank_file(KEY)
TOKEN, REFERENCE = "0A1B", "1000000005"
SO = {"now": "first", "next": "second"}


def claims(envelope: Envelope) -> dict[str, Any]:
    public = X25519PublicKey.from_public_bytes(envelope.public_key)
    info = envelope_info(BANK.origin, REFERENCE, TOKEN)
    closed = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM).encrypt(json.dumps(SO).encode(), public, info)
    return {
        "v": 1, "origin": BANK.origin, "reference": REFERENCE, "token": TOKEN,
        "nonce": "A" * 43, "envelope": b64encode(closed).decode(),
    }  # fmt: skip


def opened(envelope: Envelope, answer: str, *, token: str = TOKEN, reference: str = REFERENCE) -> Answer:
    return envelope.open(answer, BANK, token_serial=token, reference=reference)


def answer(told: dict[str, Any], key: ec.EllipticCurvePrivateKey = KEY, kind: str = "vermilion-unlock") -> str:
    return signed(key, told, {"alg": "ES256", "typ": kind, "kid": "00"})


def test_the_banks_answer_for_this_u_shield_opens() -> None:
    envelope = Envelope()
    assert opened(envelope, answer(claims(envelope))) == Answer("first", "second", bytes(32))


@pytest.mark.parametrize(
    "changed",
    [
        {"v": 2}, {"origin": "https://evil.example"}, {"reference": "2000000003"}, {"token": "FF00"},
        {"envelope": "AAAA"}, {"envelope": 1}, {"nonce": "?"}, {"more": "x"},
    ],
)  # fmt: skip
def test_an_answer_for_another_opens_nothing(changed: dict[str, Any]) -> None:
    envelope = Envelope()
    with pytest.raises(AnswerNotOurs, match="Nothing was changed"):
        opened(envelope, answer(claims(envelope) | changed))


def test_an_answer_that_the_bank_did_not_sign_opens_nothing() -> None:
    envelope = Envelope()
    told = claims(envelope)
    for bad in ("", "a.b.c", answer(told, OTHER_KEY), answer(told, kind="vermilion-job")):
        with pytest.raises(AnswerNotOurs):
            opened(envelope, bad)


def test_an_answer_for_another_envelope_token_or_reference_opens_nothing() -> None:
    envelope = Envelope()
    right = answer(claims(envelope))
    with pytest.raises(AnswerNotOurs):
        opened(Envelope(), right)
    with pytest.raises(AnswerNotOurs):
        opened(envelope, right, token="FF00")
    with pytest.raises(AnswerNotOurs):
        opened(envelope, right, reference="2000000003")
