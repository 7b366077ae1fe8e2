"""ca/usecases/bind_certificates.py: another way in takes two security officers, and the right certificate."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.bindings import BindingState
from ca.domain.certificates import Certificate
from ca.domain.decisions import Act
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotAuthenticated, NotFound, Tampered
from ca.domain.officers import OfficerState, TrustedRole
from ca.domain.policy import USUAL
from ca.usecases.authorize import save_officer
from tests.fakes.bank import ADMINISTRATOR, AUDITOR, MARIA, PAVEL, SECOND_SECURITY, SECURITY, SUPERVISOR, Bank
from tests.fakes.doors import approved, bound, entered, proposed


@pytest.fixture
def certificate(bank: Bank) -> Certificate:
    return bank.active(profile="officer")


def state(bank: Bank, binding_id: str) -> BindingState:
    return bank.stored.bindings[binding_id][0].state


# Two people


def test_one_proposes_another_approves_and_the_evidence_is_kept(bank: Bank, certificate: Certificate) -> None:
    binding = bound(bank, certificate)

    assert (binding.state, binding.subject) == (BindingState.BOUND, certificate.subject)
    (evidence,) = [each for _, each in bank.stored.evidence if each.decision.act is Act.APPROVE_BINDING]
    assert (evidence.decision.subject, evidence.decision.person) == (binding.id, SECOND_SECURITY)
    assert bank.event_names[-1] == "officer.certificate-bound"
    assert "officer.binding-proposed" in bank.event_names


def test_a_proposal_alone_lets_nobody_in(bank: Bank, certificate: Certificate) -> None:
    proposed(bank, certificate)

    with pytest.raises(NotAuthenticated, match="bound to no officer"):
        entered(bank, certificate.der)


def test_nobody_approves_what_they_proposed(bank: Bank, certificate: Certificate) -> None:
    with pytest.raises(NotAllowed, match="another security officer"):
        approved(bank, proposed(bank, certificate), by=SECURITY)


def test_nobody_proposes_or_approves_for_themselves(bank: Bank, certificate: Certificate) -> None:
    with pytest.raises(NotAllowed, match="nobody gives themselves"):
        proposed(bank, certificate, person=SECURITY)
    with pytest.raises(NotAllowed, match="another security officer"):
        approved(bank, proposed(bank, certificate, person=SECOND_SECURITY))


@pytest.mark.parametrize("person", [MARIA, PAVEL, SUPERVISOR, ADMINISTRATOR, AUDITOR])
def test_only_security_officers_propose_look_and_decide(bank: Bank, certificate: Certificate, person: str) -> None:
    binding = proposed(bank, certificate, person=PAVEL)
    session = bank.session(person)

    with pytest.raises(NotAllowed):
        bank.door.bind.propose(session, bank[MARIA].officer.id, serial=certificate.serial, reason="x")
    with pytest.raises(NotAllowed):
        bank.door.bind.show(session, binding.id)
    with pytest.raises(NotAllowed):
        bank.door.bind.approve(
            session, binding.id, binding_digest=binding.digest(), assertion=bank[person].passkey.sign(b"c" * 32)
        )
    with pytest.raises(NotAllowed):
        bank.door.bind.reject(session, binding.id, reason="x")


def test_a_proposer_who_lost_the_role_is_no_second_person(bank: Bank, certificate: Certificate) -> None:
    binding = proposed(bank, certificate)
    officer = bank[SECURITY].officer
    with bank.unit_of_work() as work:
        roles = frozenset({TrustedRole.AUDITOR})
        save_officer(work, bank.seals, replace(officer, roles=roles, version=officer.version + 1))
        work.commit()

    with pytest.raises(NotAllowed, match="security-officer"):
        approved(bank, binding)
    assert state(bank, binding.id) is BindingState.PROPOSED


def test_what_is_approved_is_what_was_shown(bank: Bank, certificate: Certificate) -> None:
    binding = proposed(bank, certificate)
    view = bank.door.bind.show(bank.session(SECOND_SECURITY), binding.id)
    assertion = bank[SECOND_SECURITY].passkey.sign(view.challenge)

    with pytest.raises(InvalidTransition, match="read it again"):
        bank.door.bind.approve(bank.session(SECOND_SECURITY), binding.id, binding_digest=bytes(32), assertion=assertion)


def test_a_passkey_that_signed_something_else_approves_nothing(bank: Bank, certificate: Certificate) -> None:
    binding = proposed(bank, certificate)
    assertion = bank[SECOND_SECURITY].passkey.sign(b"c" * 32)

    with pytest.raises(NotAuthenticated):
        bank.door.bind.approve(
            bank.session(SECOND_SECURITY), binding.id, binding_digest=binding.digest(), assertion=assertion
        )
    assert state(bank, binding.id) is BindingState.PROPOSED


def test_a_row_that_somebody_wrote_is_not_approved(bank: Bank, certificate: Certificate) -> None:
    binding = proposed(bank, certificate)
    _, seal = bank.stored.bindings[binding.id]
    bank.stored.bindings[binding.id] = (replace(binding, officer=bank[PAVEL].officer.id), seal)

    with pytest.raises(Tampered):
        approved(bank, binding)


# Which certificate


def test_a_customers_certificate_is_not_bound(bank: Bank) -> None:
    with pytest.raises(InvalidRequest, match="only certificates of the profile officer"):
        proposed(bank, bank.active(profile="personal-signing"))


def test_one_that_nobody_confirmed_or_that_ended_is_not_bound(bank: Bank, certificate: Certificate) -> None:
    binding = proposed(bank, certificate)
    bank.revoked(certificate)

    with pytest.raises(InvalidRequest, match="does not hold"):
        proposed(bank, bank.issued(profile="officer"))
    with pytest.raises(InvalidRequest, match="does not hold"):
        approved(bank, binding)
    assert "does not hold" in bank.door.bind.show(bank.session(SECOND_SECURITY), binding.id).flaw


def test_one_without_the_usage_for_clients_is_not_bound(bank: Bank) -> None:
    bank.amend("officer", extended_key_usage=("emailProtection",))

    with pytest.raises(InvalidRequest, match="clientAuth"):
        proposed(bank, bank.active(profile="officer"))


def test_an_unknown_serial_number_is_not_bound(bank: Bank, certificate: Certificate) -> None:
    with pytest.raises(NotFound):
        proposed(bank, replace(certificate, serial=9))


def test_one_certificate_is_one_officers(bank: Bank, certificate: Certificate) -> None:
    second = proposed(bank, certificate, person=PAVEL)
    bound(bank, certificate)

    with pytest.raises(InvalidTransition, match="bound to an officer already"):
        approved(bank, second)
    with pytest.raises(InvalidTransition, match="bound to an officer already"):
        proposed(bank, certificate, person=PAVEL)


def test_only_an_active_officer_gets_one(bank: Bank, certificate: Certificate) -> None:
    maria = bank[MARIA].officer.id
    binding = proposed(bank, certificate)
    bank.change_officer(bank.session(SECURITY), maria, state=OfficerState.SUSPENDED.value, reason="on leave")

    with pytest.raises(InvalidTransition, match="only active officers"):
        approved(bank, binding)
    with pytest.raises(InvalidTransition, match="only active officers"):
        bank.door.bind.propose(bank.session(SECURITY), maria, serial=certificate.serial, reason="x")


def test_a_proposal_lasts_as_long_as_the_policy_says(bank: Bank, certificate: Certificate) -> None:
    binding = proposed(bank, certificate)
    bank.clock.tick(USUAL.officer_change_life + timedelta(seconds=1))

    with pytest.raises(InvalidTransition, match="out of date"):
        approved(bank, binding)


# Ending


def test_either_security_officer_ends_a_binding_alone_and_for_good(bank: Bank, certificate: Certificate) -> None:
    binding = bound(bank, certificate)
    bank.door.bind.end(bank.session(SECURITY), binding.id, reason="lost")

    assert state(bank, binding.id) is BindingState.ENDED
    assert bank.unit_of_work.events[-1].name == "officer.certificate-unbound"
    with pytest.raises(InvalidTransition, match="cannot become bound"):
        approved(bank, binding)
    assert bound(bank, certificate).state is BindingState.BOUND


def test_the_officer_ends_their_own_and_nobody_elses(bank: Bank, certificate: Certificate) -> None:
    binding = bound(bank, certificate)

    with pytest.raises(NotFound):
        bank.door.bind.end(bank.session(PAVEL), binding.id, reason="x")
    assert bank.door.bind.end(bank.session(MARIA), binding.id, reason="lost").state is BindingState.ENDED


def test_a_proposal_is_taken_back_by_its_proposer_not_by_whom_it_is_about(bank: Bank, certificate: Certificate) -> None:
    about = proposed(bank, certificate, person=SECOND_SECURITY)

    with pytest.raises(NotAllowed, match="nobody decides"):
        bank.door.bind.reject(bank.session(SECOND_SECURITY), about.id, reason="x")
    assert bank.door.bind.reject(bank.session(SECURITY), about.id, reason="a mistake").state is BindingState.REJECTED
