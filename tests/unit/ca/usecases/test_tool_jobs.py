"""ca/usecases/tool_jobs.py: what a page may have the tool do is signed, narrow and short-lived (docs/adr/0026)."""

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, NotReady, SigningRefused
from ca.domain.keys import KeyAlgorithm
from ca.usecases.tool_jobs import TOOL_JOB_KEY, OrderToolJob
from tests.fakes.clock import FakeClock
from tests.fakes.key_store import FakeKeyStore
from tests.fakes.work import FakeUnitOfWork

ORIGIN = "https://bank.example:8443"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def decoded(part: str) -> bytes:
    assert "=" not in part
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.fixture
def key_store() -> FakeKeyStore:
    store = FakeKeyStore()
    store.generate(TOOL_JOB_KEY, "tool-jobs-1", KeyAlgorithm.EC_P256)
    return store


@pytest.fixture
def order(key_store: FakeKeyStore) -> OrderToolJob:
    drawn = iter(range(1, 256))
    return OrderToolJob(
        FakeUnitOfWork(), FakeClock(NOW), lambda length: bytes([next(drawn)]) * length, key_store, ORIGIN
    )


def test_a_job_is_a_jws_that_names_operation_origin_and_five_minutes(
    order: OrderToolJob, key_store: FakeKeyStore
) -> None:
    header, payload, signature = order("download", reference="1234 567-894").split(".")

    key = load_der_public_key(key_store.public_key(TOOL_JOB_KEY))
    raw = decoded(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(der, f"{header}.{payload}".encode(), ec.ECDSA(SHA256()))
    named, claims = json.loads(decoded(header)), json.loads(decoded(payload))
    assert (named["alg"], named["typ"], len(raw)) == ("ES256", "vermilion-job", 64)
    assert (claims["op"], claims["origin"], claims["reference"]) == ("download", ORIGIN, "1234567894")
    assert (claims["iat"], claims["exp"] - claims["iat"]) == (int(NOW.timestamp()), 300)
    assert len(decoded(claims["nonce"])) == 32


def test_a_job_names_the_pages_language_and_no_other(order: OrderToolJob, key_store: FakeKeyStore) -> None:
    claims = [json.loads(decoded(order("check", language=one).split(".")[1])) for one in ("en", "zh")]

    assert [one["lang"] for one in claims] == ["en", "zh"]
    signed = len(key_store.signed)
    for odd in ("", "tlh", "EN", "zh-CN"):
        with pytest.raises(InvalidRequest):
            order("check", language=odd)
    assert len(key_store.signed) == signed


def test_no_two_jobs_are_the_same(order: OrderToolJob) -> None:
    ids = {json.loads(decoded(order("check").split(".")[1]))["id"] for _ in range(20)}

    assert len(ids) == 20


@pytest.mark.parametrize(
    ("operation", "reference"),
    [
        ("sign", ""), ("", ""), ("DOWNLOAD", "1234567894"), ("download", ""), ("download", "123456789"),
        ("download", "1234567890"),
        ("download", "１２３４５６７８９０"), ("download", "12345678901"), ("check", "1234567894"),
    ],
)  # fmt: skip
def test_what_is_not_one_of_the_operations_is_not_signed(
    order: OrderToolJob, key_store: FakeKeyStore, operation: str, reference: str
) -> None:
    with pytest.raises(InvalidRequest):
        order(operation, reference=reference)

    assert key_store.signed == []


def test_a_bank_whose_ceremony_made_no_key_for_jobs_says_so() -> None:
    order = OrderToolJob(FakeUnitOfWork(), FakeClock(NOW), bytes, FakeKeyStore(), ORIGIN)

    with pytest.raises(NotReady, match="tool-jobs-1"):
        order("check")


def test_an_hsm_that_is_away_signs_nothing(order: OrderToolJob, key_store: FakeKeyStore) -> None:
    key_store.away = True

    with pytest.raises(KeyStoreUnavailable):
        order("check")


class Swapped(FakeKeyStore):
    """An HSM that signs with another key than it shows."""

    def public_key(self, key):
        other = FakeKeyStore()
        other.generate(key, "", KeyAlgorithm.EC_P256)
        return other.public_key(key)


def test_what_the_key_does_not_verify_never_leaves() -> None:
    store = Swapped()
    store.generate(TOOL_JOB_KEY, "tool-jobs-1", KeyAlgorithm.EC_P256)

    with pytest.raises(SigningRefused):
        OrderToolJob(FakeUnitOfWork(), FakeClock(NOW), bytes, store, ORIGIN)("check")
