"""ocsp/memory_key.py: a key that never leaves the process answers as the signer does, and no longer than it may."""

import base64
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import ocsp as judge

from ca.domain.certificates import Certificate
from ca.domain.errors import NotFound, NotReady, PKIError
from ca.domain.ocsp import PLAIN, Question
from ca.domain.responders import memory_key_proof
from ca.domain.revocation import RevocationReason
from ca.domain.serials import SERIAL_OCTETS
from ca.domain.standings import Standing
from ocsp.memory_key import MemorySigner
from ocsp.request import parse_request
from ocsp.shapes import Asked, Shape
from tests.fakes.status_world import DAY, StatusWorld

HOUR = timedelta(hours=1)
OURS = 1 << 8 * (SERIAL_OCTETS - 1)
"""The first serial number of the length that ours have."""


class Host(StatusWorld):
    """The signer and the standings on one host, with a signer in memory beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.refusal: PKIError | None = None
        self.given: dict[str, Any] = {}
        self.made: Certificate | None = None
        self.signer = MemorySigner(self, self, now=self.clock.now, policy=PLAIN, life=HOUR)  # type: ignore[arg-type]  # find alone

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert path == "ocsp/certify-key"
        if self.refusal:
            raise self.refusal
        spki, proof = (base64.b64decode(body[name]) for name in ("public_key", "proof"))
        key = load_der_public_key(spki)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(proof, memory_key_proof(spki), ec.ECDSA(SHA256()))
        self.made = self.certify_key(key, life=2 * DAY)
        return {
            "certificate": base64.b64encode(self.made.der).decode(),
            "issuer_certificate": base64.b64encode(self.issuing.certificate_der).decode(),
            "issuer": "issuing",
        } | self.given

    def answer(self, questions: Sequence[Question]) -> list[bytes | PKIError]:
        return [b"by the signer"] * len(questions)

    def find(self, key: bytes) -> bytes | None:
        found = self.unit_of_work.certificates.get(int.from_bytes(key, "big"))
        return None if found is None else Standing.of(found).pack()

    def question(self, *serials: int, nonce: bytes | None = None) -> Question:
        return Question(tuple(parse_request(self.asked(serial)).cert_ids[0] for serial in serials), nonce)

    def quick(self, serial: int, nonce: bytes = b"n" * 32) -> bytes | PKIError | None:
        (cert_id,) = self.question(serial).cert_ids
        asked = Asked(Shape.of("issuing", cert_id), cert_id.serial_octets, nonce)
        return self.signer.answer_asked(asked, int(self.clock.now().timestamp()))

    def ask_quickly(self, serial: int, nonce: bytes = b"n" * 32) -> judge.OCSPResponse:
        answer = self.quick(serial, nonce)
        assert isinstance(answer, bytes)
        response = judge.load_der_ocsp_response(answer)
        assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce
        key = response.certificates[0].public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(SHA256()))
        return response

    def ask(self, *serials: int, nonce: bytes | None = None) -> judge.OCSPResponse:
        answer = self.signer.answer_now(self.question(*serials, nonce=nonce))
        assert isinstance(answer, bytes)
        return judge.load_der_ocsp_response(answer)


@pytest.fixture
def host() -> Host:
    host = Host()
    host.issue(0xA1)
    return host


def test_until_it_is_certified_the_signer_answers(host: Host) -> None:
    assert host.signer.answer_now(host.question(0xA1)) is None
    assert host.signer.answer([host.question(0xA1)]) == [b"by the signer"]


def test_certified_it_answers_itself_in_the_name_of_its_own_certificate(host: Host) -> None:
    host.signer.renew()
    answer = host.ask(0xA1, nonce=b"n" * 32)

    assert answer.certificate_status is judge.OCSPCertStatus.GOOD
    assert answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32
    (certificate,) = answer.certificates
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(host.issuing.certificate_der))
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(SHA256()))
    assert host.signer.answer([host.question(0xA1)]) != [b"by the signer"]


def test_it_says_what_the_standings_say(host: Host) -> None:
    host.signer.renew()
    host.issue(0xA2)
    host.revoke(0xA2)
    host.issue(0xA3, issuer="root")

    said = [each.certificate_status.name for each in host.ask(0xA1, 0xA2, 0xA3, 0xFFFF).responses]

    assert said == ["GOOD", "REVOKED", "UNKNOWN", "UNKNOWN"]


def test_it_speaks_for_no_other_issuer_and_never_for_a_standing_it_cannot_read(host: Host) -> None:
    host.signer.renew()
    stranger = StatusWorld()
    other = Question(parse_request(stranger.asked(1)).cert_ids)
    assert isinstance(host.signer.answer_now(other), NotFound)

    found = host.find

    def unreadable(key: bytes) -> bytes | None:
        if int.from_bytes(key, "big") == 0xA1:
            raise NotReady("the map cannot be read")
        return found(key)

    host.find = unreadable  # type: ignore[method-assign]
    assert isinstance(host.signer.answer_now(host.question(0xA1)), NotReady)


def test_nothing_it_says_outlives_its_certificate(host: Host) -> None:
    host.signer.renew()
    assert host.made
    host.clock.set(host.made.not_after - timedelta(minutes=10))
    assert host.ask(0xA1).next_update_utc == host.made.not_after
    host.clock.set(host.made.not_after - timedelta(seconds=59))
    assert host.signer.answer_now(host.question(0xA1)) is None


def test_a_key_that_was_revoked_or_is_not_on_record_says_nothing_more(host: Host) -> None:
    host.signer.renew()
    assert host.made
    host.revoke(host.made.serial, RevocationReason.KEY_COMPROMISE)
    assert host.signer.answer_now(host.question(0xA1)) is None
    host.forget(host.made.serial)
    assert host.signer.answer_now(host.question(0xA1)) is None


def test_a_clock_that_went_back_signs_nothing(host: Host) -> None:
    host.signer.renew()
    host.clock.tick(HOUR)
    host.ask(0xA1)
    host.clock.tick(timedelta(seconds=-61))
    assert isinstance(host.signer.answer_now(host.question(0xA1)), NotReady)


def test_it_is_renewed_with_an_overlap_by_another_key(host: Host) -> None:
    host.signer.renew()
    first = host.made
    host.signer.renew()
    assert host.made is first
    assert first
    host.clock.set(first.not_after - (first.not_after - first.not_before) / 3)
    assert host.ask(0xA1).certificate_status is judge.OCSPCertStatus.GOOD

    host.signer.renew()

    assert host.made
    assert host.made.public_key != first.public_key
    assert host.ask(0xA1).certificates[0].serial_number == host.made.serial


@pytest.mark.parametrize(("refusal", "rest"), [(NotReady("away"), 30.0), (PKIError("too many"), 300.0)])
def test_when_it_is_not_certified_the_old_one_goes_on(host: Host, refusal: PKIError, rest: float) -> None:
    host.signer.renew()
    host.clock.tick(1.5 * DAY)
    host.refusal = refusal

    assert host.signer.renew() == rest
    assert host.ask(0xA1).certificate_status is judge.OCSPCertStatus.GOOD


@pytest.mark.parametrize("given", [{"certificate": None}, {"certificate": "junk"}, {"certificate": "AAAA"}])
def test_what_is_no_certificate_of_this_key_is_not_used(host: Host, given: dict[str, Any]) -> None:
    host.given = given
    assert host.signer.renew() == 300.0
    assert host.signer.answer_now(host.question(0xA1)) is None


def test_a_certificate_of_another_key_is_not_used(host: Host) -> None:
    host.given = {"certificate": base64.b64encode(host.responder.der).decode()}
    assert host.signer.renew() == 300.0


def test_its_thread_certifies_and_ends_when_told(host: Host) -> None:
    certified, renew = threading.Event(), host.signer.renew

    def watched() -> float:
        rest = renew()
        certified.set()
        return rest

    host.signer.renew = watched  # type: ignore[method-assign]
    host.signer.start(None)
    assert certified.wait(20)
    host.signer.stop()
    (thread,) = [each for each in threading.enumerate() if each.name == "certify"] or [None]
    if thread is not None:
        thread.join(20)
        assert not thread.is_alive()
    assert host.signer.answer_now(host.question(0xA1)) is not None


@pytest.fixture
def quick(host: Host) -> Host:
    """Certified, and asked in this second about certificates of a known shape."""
    host.signer.renew()
    for serial in (OURS, OURS + 1):
        host.issue(serial)
        host.ask_quickly(serial)
    return host


def test_what_needs_not_be_read_is_answered_as_what_was_read(quick: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {
        (serial, nonce): quick.ask(serial, nonce=nonce).tbs_response_bytes
        for serial in (OURS, OURS + 1)
        for nonce in (b"m" * 32, b"o" * 32)
    }
    # From here on nothing is built.
    monkeypatch.setattr(quick.signer, "answer_now", None)
    for (serial, nonce), data in expected.items():
        assert quick.ask_quickly(serial, nonce).tbs_response_bytes == data


def test_the_quick_way_too_says_what_the_standings_say_now(quick: Host) -> None:
    quick.issue(OURS + 2, issuer="root")
    quick.revoke(OURS)
    said = [quick.ask_quickly(OURS + number).certificate_status.name for number in range(4)]
    assert said == ["REVOKED", "GOOD", "UNKNOWN", "UNKNOWN"]


def test_the_quick_way_gives_no_answer_of_another_second(quick: Host) -> None:
    before = quick.ask_quickly(OURS)
    quick.clock.tick(timedelta(seconds=1))
    after = quick.ask_quickly(OURS)
    assert (before.produced_at_utc, after.produced_at_utc) == (
        quick.clock.now() - timedelta(seconds=1),
        quick.clock.now(),
    )


def test_the_quick_way_ends_with_the_key_too(quick: Host) -> None:
    assert quick.made
    quick.revoke(quick.made.serial, RevocationReason.KEY_COMPROMISE)
    assert quick.quick(OURS) is None
    quick.signer.renew()
    quick.clock.set(quick.made.not_after - timedelta(seconds=59))
    assert quick.quick(OURS) is None


def test_the_quick_way_signs_nothing_when_the_clock_went_back(quick: Host) -> None:
    quick.clock.tick(HOUR)
    quick.ask_quickly(OURS)
    quick.clock.tick(timedelta(seconds=-61))
    assert isinstance(quick.quick(OURS), NotReady)


def test_the_quick_way_uses_the_new_key_at_once(quick: Host) -> None:
    assert quick.made
    quick.clock.set(quick.made.not_after - (quick.made.not_after - quick.made.not_before) / 3)
    quick.ask_quickly(OURS)
    quick.signer.renew()
    assert quick.ask_quickly(OURS).certificates[0].serial_number == quick.made.serial


def test_the_quick_way_never_says_good_of_a_standing_it_cannot_read(quick: Host) -> None:
    found = quick.find

    def unreadable(key: bytes) -> bytes | None:
        if int.from_bytes(key, "big") == OURS:
            raise NotReady("the map cannot be read")
        return found(key)

    quick.find = unreadable  # type: ignore[method-assign]
    assert isinstance(quick.quick(OURS), NotReady)
