"""ocsp/responder.py: kept answers are given only while the certificate stands as they say."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from cryptography.x509 import ocsp as judge

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, NotFound, NotReady, PKIError, SigningRefused
from ca.domain.ocsp import CertId, ErrorStatus, issuer_keys
from ca.domain.standings import Standing
from ocsp.request import parse_request
from ocsp.responder import MustAskError, Responder
from tests.fakes.ocsp_requests import build, nonce
from tests.fakes.status_world import StatusWorld

HALF = timedelta(minutes=30)


class World(StatusWorld):
    """The responder's ports over the fakes: issuers, statuses and the signer in one."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_signer: list[tuple[Sequence[bytes], bytes | None]] = []
        self.refusal: PKIError | None = None
        self.unreadable = False
        self.meanwhile: Certificate | None = None
        self.front = Responder(issuers=self, statuses=self, signer=self, now=self.clock.now, kept_answers=10)  # type: ignore[arg-type]  # find is told apart by its argument

    def find(self, what: CertId | bytes) -> str | bytes | None:
        if isinstance(what, CertId):
            known = issuer_keys(self.issuing.certificate_der)
            return "issuing" if what.issuer_key in known else None
        if self.unreadable:
            raise NotReady("the map cannot be read")
        found = self.unit_of_work.certificates.get(int.from_bytes(what, "big"))
        return None if found is None else Standing.of(found).pack()

    def answer(self, cert_ids: Sequence[bytes], nonce: bytes | None) -> bytes:
        self.asked_signer.append((cert_ids, nonce))
        if self.refusal:
            raise self.refusal
        if self.meanwhile:
            self._change(self.meanwhile)
            self.meanwhile = None
        return self.answer_ocsp(cert_ids, nonce)

    def ask(self, serial: int) -> judge.OCSPResponse:
        return judge.load_der_ocsp_response(self.front.answer(self.asked(serial)).der)

    def status(self, serial: int) -> str:
        return self.ask(serial).certificate_status.name


@pytest.fixture
def world() -> World:
    return World()


def test_an_answer_is_signed_once_and_kept(world: World) -> None:
    world.issue(0xA1)
    first = world.front.answer(world.asked(0xA1))
    second = world.front.answer(world.asked(0xA1))
    assert second is first
    assert len(world.asked_signer) == 1
    assert first.fresh is not None
    assert first.fresh.next_update == world.clock.now() + world.answer_ocsp.life


def test_where_nobody_may_be_asked_only_what_is_kept_and_young_is_given(world: World) -> None:
    world.issue(0xA1)
    with pytest.raises(MustAskError):
        world.front.answer_kept(world.asked(0xA1))
    first = world.front.answer(world.asked(0xA1))
    assert world.front.answer_kept(world.asked(0xA1)) is first
    world.revoke(0xA1)
    with pytest.raises(MustAskError):
        world.front.answer_kept(world.asked(0xA1))
    assert world.front.answer_kept(b"junk").error is ErrorStatus.MALFORMED_REQUEST
    assert len(world.asked_signer) == 1


def test_a_revocation_shows_in_the_very_next_answer(world: World) -> None:
    world.issue(0xA1)
    assert world.status(0xA1) == "GOOD"
    world.revoke(0xA1)
    assert world.status(0xA1) == "REVOKED"


def test_so_does_every_other_change(world: World) -> None:
    assert world.status(0xA1) == "UNKNOWN"
    world.issue(0xA1, CertificateStatus.UNCONFIRMED)
    assert world.status(0xA1) == "REVOKED"
    world.confirm(0xA1)
    assert world.status(0xA1) == "GOOD"
    world.suspend(0xA1)
    assert world.status(0xA1) == "REVOKED"
    world.resume(0xA1)
    assert world.status(0xA1) == "GOOD"


def test_an_answer_overtaken_by_a_change_is_given_but_not_kept(world: World) -> None:
    certificate = world.issue(0xA1)
    world.meanwhile = certificate.suspend(at=world.clock.now())
    assert world.status(0xA1) == "REVOKED"
    world.resume(0xA1)
    assert world.status(0xA1) == "GOOD"


def test_a_certificate_of_another_issuer_is_unknown_and_kept(world: World) -> None:
    world.issue(0xA1, issuer="root")
    assert world.status(0xA1) == "UNKNOWN"
    assert world.status(0xA1) == "UNKNOWN"
    assert len(world.asked_signer) == 1


def test_after_half_its_life_an_answer_is_signed_anew(world: World) -> None:
    world.issue(0xA1)
    world.ask(0xA1)
    world.clock.tick(HALF)
    assert world.ask(0xA1).this_update_utc == world.clock.now()


@pytest.mark.parametrize("refusal", [NotReady("away"), KeyStoreUnavailable("away")])
def test_without_the_signer_a_kept_answer_serves_until_its_end(world: World, refusal: PKIError) -> None:
    world.issue(0xA1)
    world.ask(0xA1)
    world.refusal = refusal
    world.clock.tick(2 * HALF - timedelta(seconds=1))
    assert world.status(0xA1) == "GOOD"
    world.clock.tick()
    assert world.front.answer(world.asked(0xA1)).error is ErrorStatus.TRY_LATER


def test_without_the_signer_a_revoked_certificate_is_not_good(world: World) -> None:
    world.issue(0xA1)
    world.ask(0xA1)
    world.revoke(0xA1)
    world.refusal = NotReady("away")
    assert world.front.answer(world.asked(0xA1)).error is ErrorStatus.TRY_LATER


def test_when_the_clock_went_back_a_kept_answer_is_not_given(world: World) -> None:
    world.issue(0xA1)
    world.ask(0xA1)
    world.clock.tick(timedelta(seconds=-61))
    assert world.front.answer(world.asked(0xA1)).error is ErrorStatus.TRY_LATER


def test_standings_that_cannot_be_read_mean_try_later(world: World) -> None:
    world.issue(0xA1)
    world.ask(0xA1)
    world.unreadable = True
    assert world.front.answer(world.asked(0xA1)).error is ErrorStatus.TRY_LATER


def test_a_nonce_is_answered_freshly_even_with_an_answer_kept(world: World) -> None:
    world.issue(0xA1)
    world.ask(0xA1)
    cert_id = parse_request(world.asked(0xA1)).cert_ids[0].der
    for value in (b"1" * 16, b"2" * 32):
        reply = world.front.answer(build(cert_id, extensions=(nonce(value),)))
        assert value in reply.der
        assert reply.fresh is None
    assert len(world.asked_signer) == 3


def test_several_at_once_are_answered_and_not_kept(world: World) -> None:
    cert_ids = [parse_request(world.asked(serial)).cert_ids[0].der for serial in (1, 2)]
    reply = world.front.answer(build(*cert_ids))
    assert len(list(judge.load_der_ocsp_response(reply.der).responses)) == 2
    assert reply.fresh is None


def test_the_memory_is_bounded_and_strangers_do_not_push_out_the_others(world: World) -> None:
    world.issue(0xA1)
    world.ask(0xA1)
    for serial in range(0x100, 0x140):
        world.ask(serial)
    asked = len(world.asked_signer)
    assert world.status(0xA1) == "GOOD"
    assert len(world.asked_signer) == asked
    assert (len(world.front._issued._kept), len(world.front._unknown._kept)) == (1, 1)


def test_the_oldest_answer_is_forgotten_first(world: World) -> None:
    for serial in range(1, 12):
        world.issue(serial)
        world.ask(serial)
    asked = len(world.asked_signer)
    world.ask(11)
    assert len(world.asked_signer) == asked
    world.ask(1)
    assert len(world.asked_signer) == asked + 1


def test_a_foreign_issuer_is_unauthorized_without_asking_the_signer(world: World) -> None:
    stranger = StatusWorld()
    assert world.front.answer(stranger.asked(1)).error is ErrorStatus.UNAUTHORIZED
    mixed = [parse_request(each.asked(1)).cert_ids[0].der for each in (world, stranger)]
    assert world.front.answer(build(*mixed)).error is ErrorStatus.UNAUTHORIZED
    assert world.asked_signer == []


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (NotFound("foreign"), ErrorStatus.UNAUTHORIZED),
        (InvalidRequest("bad"), ErrorStatus.MALFORMED_REQUEST),
        (SigningRefused("wrong key"), ErrorStatus.INTERNAL_ERROR),
        (PKIError("broken"), ErrorStatus.INTERNAL_ERROR),
    ],
)
def test_what_the_signer_refuses_becomes_an_error_of_the_standard(
    world: World, refusal: PKIError, status: ErrorStatus
) -> None:
    world.refusal = refusal
    reply = world.front.answer(world.asked(1))
    assert reply.error is status
    assert judge.load_der_ocsp_response(reply.der).response_status.value == status


def test_junk_is_a_malformed_request(world: World) -> None:
    assert world.front.answer(b"junk").error is ErrorStatus.MALFORMED_REQUEST
