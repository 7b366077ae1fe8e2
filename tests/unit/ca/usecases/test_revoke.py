"""ca/usecases/revoke.py: who may hold, release and revoke what, and what never comes back (CPS section 4.9)."""

from datetime import timedelta

import pytest

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import InvalidTransition, KeyStoreUnavailable, NotAllowed, NotFound, NotReady
from ca.domain.officers import TrustedRole
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.serials import serial_text
from tests.fakes.bank import (
    AUDITOR,
    ELSEWHERE,
    HOTLINE,
    MARIA,
    PAVEL,
    SECURITY,
    STRANGER,
    SUPERVISOR,
    Bank,
    new_key,
    request_like,
)
from tests.fakes.ceremony import ISSUING

HOUR = timedelta(hours=1)
REASON = RevocationReason.CESSATION_OF_OPERATION


@pytest.fixture
def certificate(bank: Bank) -> Certificate:
    return bank.active()


@pytest.fixture
def held(bank: Bank, certificate: Certificate) -> Certificate:
    return bank.change_status.hold(bank.session(SUPERVISOR), certificate.serial)


@pytest.mark.parametrize("person", [MARIA, PAVEL, SUPERVISOR, HOTLINE])
def test_who_takes_the_customers_call_can_hold(bank: Bank, certificate: Certificate, person: str) -> None:
    held = bank.change_status.hold(bank.session(person), certificate.serial)
    assert held == bank.certificate(certificate.serial)
    assert held.revocation == Revocation(RevocationReason.CERTIFICATE_HOLD, bank.clock.now())
    assert (bank.unit_of_work.events[-1].name, bank.unit_of_work.events[-1].actor) == ("certificate.held", person)
    assert bank.stored.crl_due[ISSUING]
    assert bank.published[-1] == ISSUING


@pytest.mark.parametrize("person", [SECURITY, AUDITOR])
def test_nobody_else_can_hold(bank: Bank, certificate: Certificate, person: str) -> None:
    with pytest.raises(NotAllowed):
        bank.change_status.hold(bank.session(person), certificate.serial)


@pytest.mark.parametrize("person", [MARIA, PAVEL, HOTLINE, SECURITY, AUDITOR])
def test_only_a_supervisor_releases(bank: Bank, held: Certificate, person: str) -> None:
    with pytest.raises(NotAllowed, match="ra-supervisor"):
        bank.change_status.release(bank.session(person), held.serial)


def test_a_released_certificate_holds_as_before(bank: Bank, held: Certificate) -> None:
    released = bank.change_status.release(bank.session(SUPERVISOR), held.serial)
    assert (released.status, released.revocation) == (CertificateStatus.ACTIVE, None)
    assert bank.event_names[-1] == "certificate.released"
    assert bank.published[-1] == ISSUING


@pytest.mark.parametrize("person", [HOTLINE, SECURITY, AUDITOR])
def test_who_may_not_revoke_does_not(bank: Bank, certificate: Certificate, person: str) -> None:
    with pytest.raises(NotAllowed):
        bank.change_status.revoke(bank.session(person), certificate.serial, REASON)


@pytest.mark.parametrize("person", [PAVEL, SUPERVISOR])
def test_approvers_and_supervisors_revoke(bank: Bank, certificate: Certificate, person: str) -> None:
    revoked = bank.change_status.revoke(bank.session(person), certificate.serial, REASON)
    assert revoked.revocation == Revocation(REASON, bank.clock.now())
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.actor, event.details) == (
        "certificate.revoked",
        person,
        {"reason": "cessationOfOperation"},
    )
    assert bank.stored.crl_due[ISSUING]


def test_an_operator_who_is_no_approver_cannot_revoke(bank: Bank, certificate: Certificate) -> None:
    operator = bank.officer("E1060", frozenset({TrustedRole.RA_OPERATOR}))
    with pytest.raises(NotAllowed):
        bank.change_status.revoke(operator.session, certificate.serial, REASON)


# Branches


@pytest.mark.parametrize("act", ["hold", "release", "revoke"])
def test_another_branchs_certificate_does_not_exist(bank: Bank, held: Certificate, act: str) -> None:
    arguments = (REASON,) if act == "revoke" else ()
    answers = set()
    for serial in (held.serial, 0xDEAD):
        with pytest.raises(NotFound) as error:
            getattr(bank.change_status, act)(bank.session(STRANGER), serial, *arguments)
        answers.add(str(error.value))
    assert len(answers) == 1
    assert bank.certificate(held.serial) == held


def test_the_hotline_holds_at_every_branch(bank: Bank) -> None:
    theirs = bank.active()
    assert theirs.branch != bank[HOTLINE].officer.branch
    assert bank.change_status.hold(bank.session(HOTLINE), theirs.serial).status is CertificateStatus.ON_HOLD


@pytest.mark.parametrize("act", ["release", "revoke"])
def test_working_for_the_hotline_too_opens_no_other_branch_for_more(bank: Bank, held: Certificate, act: str) -> None:
    roles = frozenset({TrustedRole.HOTLINE, TrustedRole.RA_SUPERVISOR})
    both = bank.officer("E1103", roles, branch=ELSEWHERE)
    arguments = (REASON,) if act == "revoke" else ()
    with pytest.raises(NotFound):
        getattr(bank.change_status, act)(both.session, held.serial, *arguments)


# What cannot be ended here


@pytest.mark.parametrize("act", ["hold", "release", "revoke"])
@pytest.mark.parametrize("profile", ["issuing-ca", "ocsp-responder"])
def test_the_cas_own_certificates_are_not_ended_here(bank: Bank, act: str, profile: str) -> None:
    bank.responder(ISSUING)
    (own,) = [each for each in bank.stored.certificates.values() if each.profile == profile]
    arguments = (REASON,) if act == "revoke" else ()
    with pytest.raises(NotAllowed, match="ceremony"):
        getattr(bank.change_status, act)(bank.session(SUPERVISOR), own.serial, *arguments)
    assert bank.certificate(own.serial) == own


def test_an_unconfirmed_certificate_is_revoked_but_not_held(bank: Bank) -> None:
    unconfirmed = bank.issued()
    with pytest.raises(InvalidTransition):
        bank.change_status.hold(bank.session(HOTLINE), unconfirmed.serial)
    bank.revoked(unconfirmed)
    assert bank.status(unconfirmed.serial) is CertificateStatus.REVOKED


def test_a_hold_is_no_reason_to_revoke(bank: Bank, certificate: Certificate) -> None:
    with pytest.raises(InvalidTransition, match="hold the certificate"):
        bank.change_status.revoke(bank.session(PAVEL), certificate.serial, RevocationReason.CERTIFICATE_HOLD)


# What stays


@pytest.mark.parametrize("act", ["hold", "release", "revoke"])
def test_revoked_stays_revoked(bank: Bank, certificate: Certificate, act: str) -> None:
    bank.revoked(certificate)
    before = bank.certificate(certificate.serial)
    bank.clock.tick(HOUR)
    arguments = (REASON,) if act == "revoke" else ()
    with pytest.raises(InvalidTransition):
        getattr(bank.change_status, act)(bank.session(SUPERVISOR), certificate.serial, *arguments)
    assert bank.certificate(certificate.serial) == before


def test_a_hold_that_becomes_final_keeps_its_time(bank: Bank, held: Certificate) -> None:
    since = bank.clock.now()
    bank.clock.tick(HOUR)
    bank.revoked(held, RevocationReason.KEY_COMPROMISE)
    assert bank.certificate(held.serial).revocation == Revocation(RevocationReason.KEY_COMPROMISE, since)


def test_a_lifted_hold_leaves_no_time_behind(bank: Bank, held: Certificate) -> None:
    bank.change_status.release(bank.session(SUPERVISOR), held.serial)
    bank.clock.tick(HOUR)
    bank.revoked(held)
    revocation = bank.certificate(held.serial).revocation
    assert revocation is not None
    assert revocation.revoked_at == bank.clock.now()


def test_a_compromised_key_is_blocked_and_others_are_not(bank: Bank) -> None:
    compromised, closed = new_key(), new_key()
    bank.revoked(bank.active(key=compromised), RevocationReason.KEY_COMPROMISE)
    bank.revoked(bank.active(key=closed), RevocationReason.CESSATION_OF_OPERATION)
    assert set(bank.stored.blocked_keys) == {compromised.public.fingerprint}


def renewed(bank: Bank, certificate: Certificate) -> Certificate:
    return bank.re_enrol(certificate.der, request_like(certificate.der, new_key()))


def test_key_compromise_takes_the_successors_too(bank: Bank) -> None:
    first = bank.active(profile="machine")
    second = renewed(bank, first)
    third = renewed(bank, second)

    bank.revoked(first, RevocationReason.KEY_COMPROMISE)

    chain = (first, second, third)
    assert {bank.certificate(one.serial).revocation for one in chain} == {
        Revocation(RevocationReason.KEY_COMPROMISE, bank.clock.now())
    }
    assert set(bank.stored.blocked_keys) == {one.public_key for one in chain}
    told = [event for event in bank.unit_of_work.events if event.name == "certificate.revoked"]
    assert {event.subject: event.details.get("predecessor") for event in told} == {
        serial_text(first.serial): None,
        serial_text(second.serial): serial_text(first.serial),
        serial_text(third.serial): serial_text(second.serial),
    }


def test_a_successor_that_ended_before_keeps_its_reason(bank: Bank) -> None:
    first = bank.active(profile="machine")
    second = renewed(bank, first)
    bank.revoked(second, RevocationReason.SUPERSEDED)
    bank.revoked(first, RevocationReason.KEY_COMPROMISE)
    revocation = bank.certificate(second.serial).revocation
    assert revocation is not None
    assert revocation.reason is RevocationReason.SUPERSEDED


def test_another_reason_leaves_the_successor_alone(bank: Bank) -> None:
    first = bank.active(profile="machine")
    second = renewed(bank, first)
    bank.revoked(first, RevocationReason.SUPERSEDED)
    assert bank.status(second.serial) is CertificateStatus.ACTIVE


def test_a_successor_signed_after_the_compromise_never_holds(bank: Bank) -> None:
    first = bank.active(profile="machine")
    bank.key_store.away = True
    with pytest.raises(KeyStoreUnavailable):
        renewed(bank, first)
    bank.key_store.away = False
    bank.revoked(first, RevocationReason.KEY_COMPROMISE)
    bank.stored.crl_due.clear()

    (serial,) = bank.reconcile()

    assert bank.certificate(serial).is_compromised
    assert bank.event_names[-2:] == ["certificate.issued", "certificate.revoked"]
    assert bank.stored.crl_due[ISSUING]


@pytest.mark.parametrize("act", ["hold", "revoke"])
def test_without_its_event_no_status_changes(bank: Bank, certificate: Certificate, act: str) -> None:
    arguments = (REASON,) if act == "revoke" else ()
    session, events, published = bank.session(PAVEL), len(bank.event_names), list(bank.published)
    bank.unit_of_work.refuse_commit()
    with pytest.raises(NotReady):
        getattr(bank.change_status, act)(session, certificate.serial, *arguments)
    assert bank.status(certificate.serial) is CertificateStatus.ACTIVE
    assert (len(bank.event_names), bank.published) == (events, published)


def test_the_customer_is_told_of_every_change_after_it_happened(bank: Bank) -> None:
    certificate = bank.active()
    change, supervisor = bank.change_status, bank.session(SUPERVISOR)
    change.hold(supervisor, certificate.serial)
    change.release(supervisor, certificate.serial)
    change.revoke(supervisor, certificate.serial, RevocationReason.SUPERSEDED)

    told = bank.notify.told
    assert [(to, serial) for to, serial, _ in told] == [(certificate.customer, certificate.serial)] * 4
    assert [what.split(".")[0] for _, _, what in told] == [
        "It is on your U-Shield and active", "The bank put it on hold", "The bank lifted the hold: it is active",
        "The bank ended it",
    ]  # fmt: skip


def test_nobody_is_told_of_what_did_not_happen(bank: Bank) -> None:
    certificate = bank.active()
    bank.notify.told.clear()
    bank.unit_of_work.refuse_commit()
    with pytest.raises(NotReady):
        bank.change_status.hold(bank.session(SUPERVISOR), certificate.serial)

    assert bank.notify.told == []
