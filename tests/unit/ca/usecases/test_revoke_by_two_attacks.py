"""ca/usecases/revoke_by_two.py: what may change between a proposal and a decision, and who may try (THREATS 2 to 4)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import InvalidTransition, NotAllowed, NotAuthenticated, Tampered
from ca.domain.officers import TrustedRole
from ca.domain.revocation import RevocationReason
from ca.domain.revocation_cases import CASE_LIFE, RevocationCase, RevocationCaseState
from ca.usecases.second_officer import WantedRevocation
from tests.fakes.bank import MARIA, PAVEL, SUPERVISOR, Bank
from tests.fakes.revocation_cases import FakeRevocationCases
from tests.fakes.revoking import OTHER, REASON, WHY, a_bank_of_two, approve, kept, propose, view

HOUR = timedelta(hours=1)
COMPROMISE = RevocationReason.KEY_COMPROMISE
_S, _C = RevocationCaseState, CertificateStatus


@pytest.fixture
def bank() -> Bank:
    return a_bank_of_two()


@pytest.fixture
def certificate(bank: Bank) -> Certificate:
    return bank.active()


def _suspended(bank: Bank) -> None:
    bank.suspend(PAVEL)


def _no_approver_any_more(bank: Bank) -> None:
    bank.officer(PAVEL, frozenset({TrustedRole.RA_OPERATOR}))


def _at_another_branch(bank: Bank) -> None:
    bank.officer(PAVEL, frozenset({TrustedRole.RA_APPROVER}), branch="minhang")


@pytest.mark.parametrize("change", [_suspended, _no_approver_any_more, _at_another_branch])
def test_who_lost_the_role_since_is_not_one_of_the_two(
    bank: Bank, certificate: Certificate, change: Callable[[Bank], None]
) -> None:
    case = propose(bank, certificate)
    change(bank)
    with pytest.raises(InvalidTransition, match="may not revoke any more"):
        approve(bank, case)
    assert bank.status(certificate.serial) is _C.ON_HOLD


def test_an_approver_who_lost_the_role_since_the_page_was_shown(bank: Bank, certificate: Certificate) -> None:
    case, before = propose(bank, certificate), bank[SUPERVISOR]
    challenge = view(bank, case).challenge
    bank.officer(SUPERVISOR, frozenset({TrustedRole.HOTLINE}), passkey=before.passkey)
    with pytest.raises(NotAllowed):
        bank.revoking.approve(
            before.session, case.id, case_digest=case.digest(), assertion=before.passkey.sign(challenge)
        )


def test_a_hold_is_not_released_while_a_revocation_waits(bank: Bank, certificate: Certificate) -> None:
    propose(bank, certificate)
    with pytest.raises(InvalidTransition, match="waits for another officer"):
        bank.change_status.release(bank.session(SUPERVISOR), certificate.serial)
    with pytest.raises(NotAllowed, match="own hold"):
        bank.change_status.undo_hold(bank.session(PAVEL), certificate.serial)
    assert bank.status(certificate.serial) is _C.ON_HOLD


def test_a_certificate_that_ended_in_between_is_not_ended_again(bank: Bank, certificate: Certificate) -> None:
    case = propose(bank, certificate)
    held = bank.certificate(certificate.serial)
    bank.stored.certificates[certificate.serial] = held.revoke(RevocationReason.SUPERSEDED, at=bank.clock.now())
    assert (view(bank, case).is_changed, view(bank, case).may_approve) == (True, False)
    with pytest.raises(InvalidTransition, match="changed since this was proposed"):
        approve(bank, case)


def test_another_hold_is_not_the_one_it_was_about(bank: Bank, certificate: Certificate) -> None:
    case = propose(bank, certificate)
    bank.clock.tick(HOUR)
    released = bank.certificate(certificate.serial).resume()
    bank.stored.certificates[certificate.serial] = released.suspend(at=bank.clock.now())
    with pytest.raises(InvalidTransition, match="changed since this was proposed"):
        approve(bank, case)


def test_what_was_shown_is_what_is_approved(bank: Bank, certificate: Certificate) -> None:
    case = propose(bank, certificate)
    with pytest.raises(InvalidTransition, match="not what was shown"):
        approve(bank, case, digest=bytes(32))


def test_an_assertion_for_another_case_ends_nothing(bank: Bank, certificate: Certificate) -> None:
    case, other = propose(bank, certificate), propose(bank, bank.active())
    supervisor = bank[SUPERVISOR]
    assertion = supervisor.passkey.sign(view(bank, other).challenge)
    with pytest.raises(NotAuthenticated):
        bank.revoking.approve(supervisor.session, case.id, case_digest=case.digest(), assertion=assertion)
    assert (kept(bank, case), bank.status(certificate.serial)) == (case, _C.ON_HOLD)


def test_nobody_decides_twice(bank: Bank, certificate: Certificate) -> None:
    case, supervisor = propose(bank, certificate), bank[SUPERVISOR]
    assertion = supervisor.passkey.sign(view(bank, case).challenge)
    asked: dict[str, Any] = {"case_digest": case.digest(), "assertion": assertion}
    bank.revoking.approve(supervisor.session, case.id, **asked)
    events = len(bank.event_names)
    for again in (
        lambda: bank.revoking.approve(supervisor.session, case.id, **asked),
        lambda: approve(bank, case, bank.officer(OTHER, frozenset({TrustedRole.RA_APPROVER}))),
        lambda: bank.revoking.reject(supervisor.session, case.id, reason="no"),
    ):
        with pytest.raises(InvalidTransition, match="approved cannot become"):
            again()
    assert [name for name in bank.event_names[events:] if name.startswith(("revocation", "certificate"))] == []


@pytest.mark.parametrize("forged", [
    {"proposed_by": MARIA}, {"reason": RevocationReason.SUPERSEDED}, {"state": _S.REJECTED},
    {"expires_at": None}, {"branch": "minhang"},
])  # fmt: skip
def test_a_row_that_somebody_changed_ends_nothing_and_releases_nothing(
    bank: Bank, certificate: Certificate, forged: dict[str, Any]
) -> None:
    case = propose(bank, certificate)
    changes = {"expires_at": case.expires_at + CASE_LIFE} if "expires_at" in forged else forged
    _case, seal = bank.stored.revocation_cases[case.id]
    bank.stored.revocation_cases[case.id] = (replace(case, **changes), seal)
    for attempt in (
        lambda: view(bank, case, PAVEL),
        lambda: bank.revoking.approve(
            bank.session(SUPERVISOR), case.id, case_digest=case.digest(),
            assertion=bank[SUPERVISOR].passkey.sign(bytes(32)),
        ),
        lambda: bank.revoking.reject(bank.session(SUPERVISOR), case.id, reason="no"),
        lambda: bank.change_status.release(bank.session(SUPERVISOR), certificate.serial),
    ):  # fmt: skip
        with pytest.raises(Tampered):
            attempt()
    assert bank.status(certificate.serial) is _C.ON_HOLD


def test_a_table_that_cannot_be_read_keeps_no_certificate_good(
    bank: Bank, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(_cases: FakeRevocationCases, _serial: int) -> list[tuple[RevocationCase, bytes]]:
        raise Tampered("somebody changed the record")

    bank.change_status.hold(bank.session(SUPERVISOR), certificate.serial)
    monkeypatch.setattr(FakeRevocationCases, "list_of", unreadable)
    with pytest.raises(Tampered):
        bank.change_status.release(bank.session(SUPERVISOR), certificate.serial)
    assert bank.change_status.revoke(bank.session(PAVEL), certificate.serial, COMPROMISE).status is _C.REVOKED


def test_only_what_is_on_hold_waits_and_only_what_ended_is_recorded_so(bank: Bank, certificate: Certificate) -> None:
    officer, now = bank[PAVEL].officer, bank.clock.now()
    with bank.unit_of_work() as work:
        with pytest.raises(InvalidTransition, match="on hold waits"):
            bank.revoking.second.open_case(work, certificate, WantedRevocation(REASON, None, WHY), officer, now)
        with pytest.raises(InvalidTransition, match="recorded as ended"):
            bank.change_status.record_end(work, certificate, officer, now)
