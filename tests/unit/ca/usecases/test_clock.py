"""ca/usecases/clock.py: a clock that went backwards issues, confirms and answers nothing (DESIGN invariant 11)."""

from datetime import timedelta

import pytest

from ca.domain.codes import CodeState
from ca.domain.errors import KeyStoreUnavailable, NotAuthenticated, NotReady
from ca.domain.times import CLOCK_TOLERANCE
from tests.drafts import a_request
from tests.fakes.bank import Bank, new_key
from tests.fakes.ceremony import ISSUING
from tests.fakes.status_world import StatusWorld
from tests.unit.ca.usecases.test_answer_ocsp import cert_id

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def bank() -> Bank:
    """Open for a month already, so that there is a past to go back to."""
    bank = Bank()
    bank.clock.tick(30 * DAY)
    return bank


def test_a_clock_behind_the_last_crl_issues_nothing(bank: Bank) -> None:
    codes = bank.codes()
    bank.publish_crl(ISSUING)
    signed = len(bank.signatures)
    bank.clock.tick(-CLOCK_TOLERANCE - SECOND)

    with pytest.raises(NotReady, match="the clock is behind 23 Dec 2026 12:00 UTC"):
        bank.download(codes, a_request(new_key()))

    assert (len(bank.signatures), bank.customer_certificates) == (signed, [])
    assert (bank.pair(codes).state, bank.pair(codes).attempts_left) == (CodeState.OPEN, 5)


def test_nothing_that_was_recorded_is_signed_while_the_clock_is_behind(bank: Bank) -> None:
    bank.key_store.away = True
    with pytest.raises(KeyStoreUnavailable):
        bank.issued()
    bank.key_store.away = False
    (intent,) = bank.stored.intents.values()
    bank.clock.tick(-DAY)

    with pytest.raises(NotReady, match="clock"):
        bank.issuance.finish(intent, bank.stored.issuers[ISSUING], "signer")

    assert bank.signatures == []


def test_no_responder_is_certified_while_the_clock_is_behind(bank: Bank) -> None:
    bank.publish_crl(ISSUING)
    signed = len(bank.signatures)
    bank.clock.tick(-DAY)

    with pytest.raises(NotReady, match="clock"):
        bank.responder(ISSUING)

    assert len(bank.signatures) == signed


def test_expired_codes_do_not_revive_when_the_clock_goes_back(bank: Bank) -> None:
    codes = bank.codes()
    bank.clock.tick(20 * DAY)
    with pytest.raises(NotAuthenticated):
        bank.download(codes, a_request(new_key()))
    bank.clock.tick(-10 * DAY)

    with pytest.raises(NotReady, match="clock"):
        bank.enrol.hints(codes.reference, codes.code)

    assert bank.pair(codes).attempts_left == 4


def test_clocks_that_differ_a_little_issue(bank: Bank) -> None:
    codes = bank.codes()
    bank.publish_crl(ISSUING)
    bank.clock.tick(-CLOCK_TOLERANCE)

    assert bank.download(codes, a_request(new_key())) in bank.customer_certificates


def test_a_restart_does_not_forget_the_clock() -> None:
    world = StatusWorld()
    world.issue(0xA1)
    world.clock.tick(DAY / 4)
    world.publish_crl(ISSUING)
    world.clock.tick(-DAY / 8)

    with pytest.raises(NotReady, match="clock"):
        world.answer_ocsp([cert_id(world, 0xA1)])  # the first question since the signer's start
