"""ocsp/responder.py: kept answers are given only while the certificate stands as they say."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.x509 import ocsp as judge

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, NotFound, NotReady, PKIError, SigningRefused
from ca.domain.ocsp import CertId, ErrorStatus, Question, issuer_keys
from ca.domain.serials import SERIAL_OCTETS
from ca.domain.standings import Standing
from ocsp.kept import KeptAnswers
from ocsp.request import parse_request
from ocsp.responder import Reply, Responder, Wanted
from tests.fakes.ocsp_requests import build, nonce
from tests.fakes.status_world import StatusWorld

HALF = timedelta(minutes=30)


OURS = (1 << 8 * (SERIAL_OCTETS - 1)) + 0xA1
"""A serial number of the length that ours have."""


class World(StatusWorld):
    """The responder's ports over the fakes: issuers and statuses in one; `answer` also asks the signer."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.asked_signer = 0
        self.refusal: PKIError | None = None
        self.unreadable = False
        self.meanwhile: Certificate | None = None
        self.refreshed: list[Wanted] = []
        self.kept = KeptAnswers(directory, limit=100)
        self.front = Responder(
            issuers=self,
            statuses=self,  # type: ignore[arg-type]  # find is told apart by its argument
            kept=self.kept,
            now=self.clock.now,
            refresh=self.refreshed.append,
            strangers=3,
        )

    def answer(self, blob: bytes) -> Reply:
        replied = self.front.reply(blob)
        if isinstance(replied, Reply):
            return replied
        return self.front.finish(replied, self.sign(replied.question))

    def sign(self, question: Question) -> bytes | PKIError:
        self.asked_signer += 1
        if self.meanwhile:
            self._change(self.meanwhile)
            self.meanwhile = None
        if self.refusal:
            return self.refusal
        try:
            return self.answer_ocsp([each.der for each in question.cert_ids], question.nonce)
        except PKIError as error:
            return error

    def quick(self, blob: bytes) -> bytes | None:
        kept = self.front.quick(blob, int(self.clock.now().timestamp()))
        return kept and kept.der

    def find(self, what: CertId | bytes) -> str | bytes | None:
        if isinstance(what, CertId):
            known = issuer_keys(self.issuing.certificate_der)
            return "issuing" if what.issuer_key in known else None
        if self.unreadable:
            raise NotReady("the map cannot be read")
        found = self.unit_of_work.certificates.get(int.from_bytes(what, "big"))
        return None if found is None else Standing.of(found).pack()

    def ask(self, serial: int) -> judge.OCSPResponse:
        return judge.load_der_ocsp_response(self.answer(self.asked(serial)).der)

    def status(self, serial: int) -> str:
        return self.ask(serial).certificate_status.name


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.kept.environment.close()


def test_an_answer_is_signed_once_and_kept(world: World) -> None:
    world.issue(0xA1)
    first = world.answer(world.asked(0xA1))
    second = world.answer(world.asked(0xA1))
    assert second == first
    assert world.asked_signer == 1
    assert first.fresh is not None
    assert first.fresh.next_update == int((world.clock.now() + world.answer_ocsp.life).timestamp())


def test_a_request_of_a_known_shape_is_answered_without_being_read(world: World) -> None:
    world.issue(OURS)
    world.issue(OURS + 1)
    assert world.quick(world.asked(OURS)) is None
    first = world.answer(world.asked(OURS))
    second = world.answer(world.asked(OURS + 1))

    assert world.quick(world.asked(OURS)) == first.der
    assert world.quick(world.asked(OURS + 1)) == second.der
    assert world.asked_signer == 2


@pytest.mark.parametrize("change", ["revoke", "suspend", "forget"])
def test_no_change_is_overlooked_on_the_quick_way(world: World, change: str) -> None:
    world.issue(OURS)
    world.answer(world.asked(OURS))

    getattr(world, change)(OURS)

    assert world.quick(world.asked(OURS)) is None


def test_on_the_quick_way_nothing_is_given_that_is_old_or_not_to_be_read(world: World) -> None:
    world.issue(OURS)
    request = world.asked(OURS)
    world.answer(request)
    assert world.quick(request[:-SERIAL_OCTETS] + b"\x02" + request[-SERIAL_OCTETS + 1 :]) is None
    assert world.quick(request[:-1]) is None
    assert world.quick(b"") is None
    world.unreadable = True
    assert world.quick(request) is None
    world.unreadable = False
    world.clock.tick(HALF)
    assert world.quick(request) is None
    world.clock.tick(-HALF - timedelta(seconds=61))
    assert world.quick(request) is None


def test_a_nonce_of_a_known_shape_is_asked_about_without_being_read(world: World) -> None:
    world.issue(OURS)
    cert_id = parse_request(world.asked(OURS)).cert_ids[0].der
    first, second = (build(cert_id, extensions=(nonce(octet * 32),)) for octet in (b"1", b"2"))
    assert world.front.quick_asked(first) is None
    world.answer(first)

    asked = world.front.quick_asked(second)

    assert asked is not None
    wanted = world.front.reply(second)
    assert isinstance(wanted, Wanted)
    assert (asked.question, asked.shape.issuer) == (wanted.question, wanted.issuer)
    reply = world.front.finish(wanted, world.sign(wanted.question))
    assert b"2" * 32 in reply.der
    assert reply.fresh is None


def test_what_cannot_be_answered_at_once_is_wanted(world: World) -> None:
    world.issue(0xA1)
    wanted = world.front.reply(world.asked(0xA1))
    assert isinstance(wanted, Wanted)
    assert (wanted.kept, wanted.is_for_keeping) == (None, True)
    world.answer(world.asked(0xA1))
    assert isinstance(world.front.reply(world.asked(0xA1)), Reply)
    world.revoke(0xA1)
    assert isinstance(world.front.reply(world.asked(0xA1)), Wanted)


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
    assert world.asked_signer == 1


def test_after_half_its_life_an_answer_is_still_given_and_signed_anew_meanwhile(world: World) -> None:
    world.issue(0xA1)
    first = world.answer(world.asked(0xA1))
    world.clock.tick(HALF)

    assert world.answer(world.asked(0xA1)).der == first.der
    assert world.asked_signer == 1
    (wanted,) = world.refreshed
    world.front.finish(wanted, world.sign(wanted.question))
    assert world.ask(0xA1).this_update_utc == world.clock.now()
    assert world.asked_signer == 2


def test_near_its_end_an_answer_is_signed_anew_before_anything_is_given(world: World) -> None:
    world.issue(0xA1)
    world.ask(0xA1)
    world.clock.tick(HALF * 3 / 2)
    assert world.ask(0xA1).this_update_utc == world.clock.now()


@pytest.mark.parametrize("refusal", [NotReady("away"), KeyStoreUnavailable("away")])
def test_without_the_signer_a_kept_answer_serves_until_its_end(world: World, refusal: PKIError) -> None:
    world.issue(0xA1)
    world.ask(0xA1)
    world.refusal = refusal
    world.clock.tick(2 * HALF - timedelta(seconds=1))
    assert world.status(0xA1) == "GOOD"
    world.clock.tick()
    assert world.answer(world.asked(0xA1)).error is ErrorStatus.TRY_LATER


def test_without_the_signer_a_revoked_certificate_is_not_good(world: World) -> None:
    world.issue(0xA1)
    world.ask(0xA1)
    world.revoke(0xA1)
    world.refusal = NotReady("away")
    assert world.answer(world.asked(0xA1)).error is ErrorStatus.TRY_LATER


def test_when_the_clock_went_back_a_kept_answer_is_not_given(world: World) -> None:
    world.issue(0xA1)
    world.ask(0xA1)
    world.clock.tick(timedelta(seconds=-61))
    assert world.answer(world.asked(0xA1)).error is ErrorStatus.TRY_LATER


def test_standings_that_cannot_be_read_mean_try_later(world: World) -> None:
    world.issue(0xA1)
    world.ask(0xA1)
    world.unreadable = True
    assert world.answer(world.asked(0xA1)).error is ErrorStatus.TRY_LATER


def test_a_nonce_is_answered_freshly_even_with_an_answer_kept(world: World) -> None:
    world.issue(0xA1)
    world.ask(0xA1)
    cert_id = parse_request(world.asked(0xA1)).cert_ids[0].der
    for value in (b"1" * 16, b"2" * 32):
        reply = world.answer(build(cert_id, extensions=(nonce(value),)))
        assert value in reply.der
        assert reply.fresh is None
    assert world.asked_signer == 3


def test_several_at_once_are_answered_and_not_kept(world: World) -> None:
    cert_ids = [parse_request(world.asked(serial)).cert_ids[0].der for serial in (1, 2)]
    reply = world.answer(build(*cert_ids))
    assert len(list(judge.load_der_ocsp_response(reply.der).responses)) == 2
    assert reply.fresh is None


def test_strangers_are_kept_few_and_the_oldest_is_forgotten(world: World) -> None:
    for serial in range(0x100, 0x140):
        world.ask(serial)
    assert len(world.front._strangers._kept) == 3
    assert world.kept.count() == 0
    asked = world.asked_signer
    assert world.status(0x13F) == "UNKNOWN"
    assert world.asked_signer == asked
    world.ask(0x100)
    assert world.asked_signer == asked + 1


def test_a_foreign_issuer_is_unauthorized_without_asking_the_signer(world: World) -> None:
    stranger = StatusWorld()
    assert world.answer(stranger.asked(1)).error is ErrorStatus.UNAUTHORIZED
    mixed = [parse_request(each.asked(1)).cert_ids[0].der for each in (world, stranger)]
    assert world.answer(build(*mixed)).error is ErrorStatus.UNAUTHORIZED
    assert world.asked_signer == 0


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
    reply = world.answer(world.asked(1))
    assert reply.error is status
    assert judge.load_der_ocsp_response(reply.der).response_status.value == status


def test_junk_is_a_malformed_request(world: World) -> None:
    assert world.answer(b"junk").error is ErrorStatus.MALFORMED_REQUEST


def test_what_is_no_answer_is_an_internal_error(world: World) -> None:
    wanted = world.front.reply(world.asked(1))
    assert isinstance(wanted, Wanted)
    assert world.front.finish(wanted, b"junk").error is ErrorStatus.INTERNAL_ERROR
