"""Passkeys: what the signer accepts as an officer's word (WebAuthn level 2, sections 7.1 and 7.2; THREATS 46)."""

import base64
import dataclasses
import hashlib
import json
import os

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from webauthn.helpers import encode_cbor

from ca.adapters.webauthn import WebAuthnAuthenticators
from ca.demo.authenticator import SoftwareAuthenticator
from ca.domain.decisions import Assertion
from ca.domain.errors import NotAuthenticated

ORIGIN = "http://localhost:8081"
RELYING_PARTY = "localhost"
CHALLENGE = bytes(range(32))


def _b64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture
def authenticators():
    return WebAuthnAuthenticators(RELYING_PARTY, ("https://localhost:8443", ORIGIN))


@pytest.fixture
def passkey(tmp_path):
    passkey = SoftwareAuthenticator.create(tmp_path / "passkey.json")
    passkey.register(CHALLENGE, ORIGIN, RELYING_PARTY)
    return passkey


@pytest.fixture
def public_key(authenticators, passkey):
    registration = passkey.register(CHALLENGE, ORIGIN, RELYING_PARTY)
    return authenticators.verify_registration(registration, challenge=CHALLENGE, label="office").public_key


class HandMadeKey:
    """A passkey whose every field can be bent."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        numbers = self.key.public_key().public_numbers()
        self.cose = encode_cbor(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        )

    def client_data(self, **changes):
        fields = {"type": "webauthn.get", "challenge": _b64url(CHALLENGE), "origin": ORIGIN, "crossOrigin": False}
        return json.dumps(fields | changes).encode()

    def assertion(self, *, flags=0x05, count=0, relying_party=RELYING_PARTY, **client_data):
        data = self.client_data(**client_data)
        body = hashlib.sha256(relying_party.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")
        signature = self.key.sign(body + hashlib.sha256(data).digest(), ec.ECDSA(hashes.SHA256()))
        return Assertion(b"id", data, body, signature)


def _registration(cose_key, *, flags=0x45, fmt="none", relying_party=RELYING_PARTY, **client_data):
    identifier = b"credential"
    fields = {"type": "webauthn.create", "challenge": _b64url(CHALLENGE), "origin": ORIGIN} | client_data
    authenticator_data = (
        hashlib.sha256(relying_party.encode()).digest()
        + bytes([flags])
        + bytes(4)
        + bytes(16)
        + len(identifier).to_bytes(2, "big")
        + identifier
        + cose_key
    )
    attestation = encode_cbor({"fmt": fmt, "attStmt": {}, "authData": authenticator_data})
    return json.dumps(
        {
            "id": _b64url(identifier),
            "rawId": _b64url(identifier),
            "type": "public-key",
            "response": {
                "clientDataJSON": _b64url(json.dumps(fields).encode()),
                "attestationObject": _b64url(attestation),
            },
        }
    )


def test_a_registered_passkey_signs_a_challenge(authenticators, passkey, public_key):
    count = authenticators.verify_assertion(passkey.sign(b"c" * 32), challenge=b"c" * 32, public_key=public_key)

    assert count == 0


def test_a_registered_passkey_keeps_its_label_and_id(authenticators, passkey):
    registration = passkey.register(CHALLENGE, ORIGIN, RELYING_PARTY)

    credential = authenticators.verify_registration(registration, challenge=CHALLENGE, label="office")

    assert (credential.id, credential.label, credential.sign_count) == (passkey.credential_id, "office", 0)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"origin": "https://evil.example"}, id="another origin"),
        pytest.param({"origin": "http://localhost:8081/"}, id="an origin that only looks alike"),
        pytest.param({"challenge": _b64url(b"x" * 32)}, id="another challenge"),
        pytest.param({"type": "webauthn.create"}, id="a registration"),
        pytest.param({"crossOrigin": True}, id="a frame of another site"),
        pytest.param({"origin": ["http://localhost:8081"]}, id="an origin that is no text"),
        pytest.param({"challenge": 5}, id="a challenge that is no text"),
        pytest.param({"flags": 0x01}, id="a user who was not verified"),
        pytest.param({"flags": 0x04}, id="a user who was not there"),
        pytest.param({"relying_party": "evil.example"}, id="another relying party"),
    ],
)
def test_an_assertion_counts_only_here_and_for_this_challenge(authenticators, changes):
    key = HandMadeKey()

    with pytest.raises(NotAuthenticated):
        authenticators.verify_assertion(key.assertion(**changes), challenge=CHALLENGE, public_key=key.cose)


def test_an_unchanged_hand_made_assertion_is_accepted(authenticators):
    key = HandMadeKey()

    assert authenticators.verify_assertion(key.assertion(count=7), challenge=CHALLENGE, public_key=key.cose) == 7


@pytest.mark.parametrize("field", ["client_data", "authenticator_data", "signature"])
@pytest.mark.parametrize("junk", [b"", b"\xff" * 40, b"[" * 5000], ids=["nothing", "bytes", "deep JSON"])
def test_a_malformed_assertion_is_refused_as_a_wrong_one(authenticators, field, junk):
    key = HandMadeKey()
    assertion = dataclasses.replace(key.assertion(), **{field: junk})

    with pytest.raises(NotAuthenticated):
        authenticators.verify_assertion(assertion, challenge=CHALLENGE, public_key=key.cose)


def test_the_word_of_another_key_is_refused(authenticators):
    with pytest.raises(NotAuthenticated):
        authenticators.verify_assertion(HandMadeKey().assertion(), challenge=CHALLENGE, public_key=HandMadeKey().cose)


@pytest.mark.parametrize("count", [0, 3, 7])
def test_a_sign_count_that_does_not_grow_is_refused(authenticators, count):
    key = HandMadeKey()

    with pytest.raises(NotAuthenticated):
        authenticators.verify_assertion(
            key.assertion(count=count), challenge=CHALLENGE, public_key=key.cose, previous_sign_count=7
        )


def test_evidence_is_still_good_when_the_passkey_was_used_since(authenticators):
    key = HandMadeKey()

    assert authenticators.verify_assertion(key.assertion(count=3), challenge=CHALLENGE, public_key=key.cose) == 3


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"origin": "https://evil.example"}, id="another origin"),
        pytest.param({"challenge": _b64url(b"x" * 32)}, id="another challenge"),
        pytest.param({"type": "webauthn.get"}, id="a signature"),
        pytest.param({"crossOrigin": True}, id="a frame of another site"),
        pytest.param({"flags": 0x41}, id="a user who was not verified"),
        pytest.param({"flags": 0x44}, id="a user who was not there"),
        pytest.param({"relying_party": "evil.example"}, id="another relying party"),
        pytest.param({"fmt": "android-safetynet"}, id="an attestation not asked for"),
        pytest.param({"fmt": "tpm"}, id="another attestation not asked for"),
        pytest.param({"fmt": 5}, id="an attestation without a name"),
    ],
)
def test_a_passkey_is_registered_only_here_and_for_this_challenge(authenticators, changes):
    with pytest.raises(NotAuthenticated):
        authenticators.verify_registration(
            _registration(HandMadeKey().cose, **changes), challenge=CHALLENGE, label="office"
        )


def _rsa_cose(bits, algorithm=-257):
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    return encode_cbor({1: 3, 3: algorithm, -1: numbers.n.to_bytes(bits // 8, "big"), -2: b"\x01\x00\x01"})


def test_an_rsa_passkey_of_2048_bits_is_accepted(authenticators):
    assert authenticators.verify_registration(_registration(_rsa_cose(2048)), challenge=CHALLENGE, label="Hello")


@pytest.mark.parametrize(
    "cose_key",
    [
        pytest.param(_rsa_cose(1024), id="RSA of 1024 bits"),
        pytest.param(_rsa_cose(2048, -65535), id="RSA with SHA-1"),
        pytest.param(encode_cbor({1: 2, 3: -7, -1: 1, -2: b"\x01" * 32, -3: b"\x02" * 32}), id="a point off the curve"),
        pytest.param(encode_cbor({1: 1, 3: -8, -1: 6, -2: b"\x01" * 32}), id="an algorithm we did not offer"),
        pytest.param(encode_cbor({1: 2}), id="a key that lacks everything"),
        pytest.param(encode_cbor([]), id="no key at all"),
    ],
)
def test_weak_and_broken_passkeys_are_refused(authenticators, cose_key):
    with pytest.raises(NotAuthenticated):
        authenticators.verify_registration(_registration(cose_key), challenge=CHALLENGE, label="office")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "[" * 20_000, '{"id":"!","rawId":"!","type":"public-key","response":{}}', "\ud800"]
)
def test_a_registration_that_is_no_registration_is_refused(authenticators, text):
    with pytest.raises(NotAuthenticated):
        authenticators.verify_registration(text, challenge=CHALLENGE, label="office")


def test_rs256_assertions_are_verified(authenticators):
    key = rsa.generate_private_key(65537, 2048)
    numbers = key.public_key().public_numbers()
    cose = encode_cbor({1: 3, 3: -257, -1: numbers.n.to_bytes(256, "big"), -2: b"\x01\x00\x01"})
    plain = HandMadeKey().assertion(count=1)
    signed = plain.authenticator_data + hashlib.sha256(plain.client_data).digest()
    assertion = dataclasses.replace(plain, signature=key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))

    assert authenticators.verify_assertion(assertion, challenge=CHALLENGE, public_key=cose) == 1


def test_random_bytes_never_pass_for_an_assertion(authenticators):
    key = HandMadeKey()
    assertion = Assertion(os.urandom(8), os.urandom(200), os.urandom(37), os.urandom(70))

    with pytest.raises(NotAuthenticated):
        authenticators.verify_assertion(assertion, challenge=CHALLENGE, public_key=key.cose)
