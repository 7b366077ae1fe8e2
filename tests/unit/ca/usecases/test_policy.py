"""ca/usecases/decide_on_versions.py: two CA administrators change the policy, and who acts goes by it at once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.certificates import CertificateStatus
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotAuthenticated, NotFound, Tampered
from ca.domain.policy import NUMBERS, POLICY, STRICTEST, USUAL, first_policy
from ca.domain.proposals import ProposalState
from ca.domain.times import duration_text
from ca.usecases.policy_numbers import number_views
from ca.usecases.versions_in_force import policy_in_force
from tests.fakes.bank import ADMINISTRATOR, AUDITOR, MARIA, SECOND_ADMINISTRATOR, SECURITY, Bank
from tests.fakes.policy_desk import DAY, PolicyDesk

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def desk(bank: Bank) -> PolicyDesk:
    return PolicyDesk(bank)


# In force from its day on


def test_before_anything_is_decided_the_configuration_says_it(bank: Bank) -> None:
    first = first_policy({"hold_undo": "5m"})
    assert policy_in_force(bank.unit_of_work, bank.clock, bank.seals, first)().hold_undo == 5 * MINUTE


def test_a_number_is_in_force_from_its_day_and_not_before(desk: PolicyDesk) -> None:
    since = desk.tomorrow
    desk.approve(desk.propose(since=since, hold_undo=5 * MINUTE))
    desk.bank.clock.set(since - SECOND)
    assert desk.bank.policy().hold_undo == 10 * MINUTE
    desk.bank.clock.set(since)
    assert desk.bank.policy().hold_undo == 5 * MINUTE


def test_once_decided_the_configuration_has_no_say_any_more(desk: PolicyDesk) -> None:
    bank = desk.bank
    desk.changed(hold_undo=5 * MINUTE)
    restarted = policy_in_force(bank.unit_of_work, bank.clock, bank.seals, first_policy({"hold_undo": "1h"}))
    restarted.versions.read()
    assert restarted().hold_undo == 5 * MINUTE


def test_each_number_tells_since_when_and_by_whom(desk: PolicyDesk) -> None:
    began = desk.bank.clock.now()
    first = desk.changed(hold_undo=5 * MINUTE)
    desk.changed(letter_life=DAY)
    desk.approve(desk.propose(since=desk.tomorrow, hold_undo=3 * MINUTE))
    view = desk.decide.show(desk.bank.session(AUDITOR), POLICY)
    told = {one.name: one for one in number_views(view)}
    undo, letter, codes = told["hold_undo"], told["letter_life"], told["codes_life"]
    assert (undo.value, undo.since, undo.version) == (5 * MINUTE, began + DAY, first)
    assert undo.coming is not None
    assert (undo.coming.value, undo.coming.since) == (3 * MINUTE, desk.tomorrow)
    assert (letter.value, letter.since, letter.coming) == (DAY, began + 2 * DAY, None)
    assert (codes.value, codes.since, codes.version, codes.coming) == (14 * DAY, None, None, None)


# Who acts goes by it


def test_a_hold_is_undone_within_the_window_of_today(desk: PolicyDesk) -> None:
    bank = desk.bank
    serial = bank.active().serial
    desk.changed(hold_undo=2 * MINUTE)
    bank.change_status.hold(bank.session(MARIA), serial)
    bank.clock.tick(2 * MINUTE + SECOND)
    with pytest.raises(InvalidTransition, match="is over"):
        bank.change_status.undo_hold(bank.session(MARIA), serial)
    assert bank.stored.certificates[serial].status is CertificateStatus.ON_HOLD


def test_an_idle_session_ends_as_decided(desk: PolicyDesk) -> None:
    bank = desk.bank
    desk.changed(session_idle=2 * MINUTE)
    session = bank.session(AUDITOR)
    bank.clock.tick(2 * MINUTE + SECOND)
    with pytest.raises(NotAuthenticated):
        desk.decide.overview(session)


def test_the_two_codes_live_no_longer_than_the_policy(desk: PolicyDesk) -> None:
    bank = desk.bank
    desk.changed(codes_life=DAY)
    now, codes = bank.clock.now(), bank.codes(profile="machine")
    assert bank.stored.codes[codes.reference].expires_at <= bank.clock.now() + DAY
    assert bank.stored.codes[codes.reference].expires_at >= now + DAY


def test_a_profile_that_says_less_is_followed(desk: PolicyDesk) -> None:
    codes = desk.bank.codes(profile="machine")
    life = desk.bank.profiles["machine"].codes_valid_for
    assert life < USUAL.codes_life
    assert desk.bank.stored.codes[codes.reference].expires_at <= desk.bank.clock.now() + life


# Two people


def test_nobody_approves_what_they_proposed(desk: PolicyDesk) -> None:
    version = desk.propose(hold_undo=5 * MINUTE)
    with pytest.raises(NotAllowed, match="another CA administrator"):
        desk.approve(version, by=ADMINISTRATOR)
    assert desk.bank.stored.policy_versions[version.id][0].state is ProposalState.PROPOSED


@pytest.mark.parametrize("person", [MARIA, SECURITY, AUDITOR])
def test_only_ca_administrators_change_the_policy(desk: PolicyDesk, person: str) -> None:
    with pytest.raises(NotAllowed):
        desk.propose(by=person, hold_undo=5 * MINUTE)


def test_a_signature_for_a_profile_approves_no_policy(desk: PolicyDesk) -> None:
    """The act is part of what is signed, and the digest says of what kind it is."""
    version = desk.propose(hold_undo=5 * MINUTE)
    with pytest.raises(NotFound):
        desk.bank.use_cases.authority.profiles.show_version(desk.bank.session(SECOND_ADMINISTRATOR), version.id)


def test_each_step_is_an_event(desk: PolicyDesk) -> None:
    desk.changed(hold_undo=5 * MINUTE)
    rejected = desk.propose(hold_undo=4 * MINUTE)
    desk.decide.reject(desk.bank.session(ADMINISTRATOR), rejected.id, reason="too short")
    events = [event for event in desk.bank.unit_of_work.events if event.name.startswith("policy.")]
    assert [(event.name, event.subject, event.details["number"]) for event in events] == [
        ("policy.proposed", "policy", "2"),
        ("policy.approved", "policy", "2"),
        ("policy.proposed", "policy", "3"),
        ("policy.rejected", "policy", "3"),
    ]


# Attacks


@pytest.mark.parametrize("name", NUMBERS)
def test_two_administrators_together_do_not_leave_the_bounds(desk: PolicyDesk, name: str) -> None:
    for value in (NUMBERS[name].least - SECOND, NUMBERS[name].most + SECOND):
        with pytest.raises(InvalidRequest, match=name):
            desk.propose(**{name: value})
    assert desk.bank.stored.policy_versions == {}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_forged_version_gains_nobody_time(desk: PolicyDesk, name: str) -> None:
    """Whoever writes the database makes each number the strictest one, and no laxer."""
    version = desk.changed(hold_undo=5 * MINUTE)
    other = NUMBERS[name].most if NUMBERS[name].most != getattr(desk.bank.policy(), name) else NUMBERS[name].least
    desk.rewrite(version, text=version.text.replace(f"{name} = ", f"{name} = {duration_text(other)} #"))
    desk.bank.policy.versions.read()
    assert desk.bank.policy() == STRICTEST
    with pytest.raises(Tampered):
        desk.decide.show(desk.bank.session(AUDITOR), POLICY)


@pytest.mark.parametrize("put_back", [False, True], ids=["taken away", "put back to the proposal"])
def test_a_version_that_is_missing_brings_no_laxer_one_back(desk: PolicyDesk, *, put_back: bool) -> None:
    version = desk.propose(session_idle=3 * MINUTE)
    before = desk.bank.stored.policy_versions[version.id]
    desk.approve(version)
    del desk.bank.stored.policy_versions[version.id]
    if put_back:
        desk.bank.stored.policy_versions[version.id] = before
    desk.bank.policy.versions.read()
    assert desk.bank.policy() == STRICTEST


def test_a_proposal_that_was_made_approved_by_hand_counts_for_nothing(desk: PolicyDesk) -> None:
    version = desk.propose(hold_undo=HOUR)
    desk.rewrite(version, state=ProposalState.APPROVED, decided_by=SECOND_ADMINISTRATOR, effective_from=desk.tomorrow)
    desk.bank.policy.versions.read()
    desk.bank.clock.tick(2 * DAY)
    assert desk.bank.policy().hold_undo == STRICTEST.hold_undo


def test_the_seal_of_a_profile_is_none_of_a_policy(desk: PolicyDesk) -> None:
    version = desk.propose(hold_undo=HOUR)
    approved = version.become(ProposalState.APPROVED, SECOND_ADMINISTRATOR)
    seal = desk.bank.seals.seal("profile-version", approved.sealed_fields())
    desk.bank.stored.policy_versions[version.id] = (approved, seal)
    desk.bank.policy.versions.read()
    desk.bank.clock.tick(2 * DAY)
    assert desk.bank.policy() == STRICTEST


def test_people_still_revoke_while_the_record_is_broken(desk: PolicyDesk) -> None:
    bank = desk.bank
    serial = bank.active().serial
    version = desk.changed(hold_undo=5 * MINUTE)
    desk.rewrite(version, decided_by="E9999")
    bank.policy.versions.read()
    bank.change_status.hold(bank.session(MARIA), serial)
    assert bank.stored.certificates[serial].status is CertificateStatus.ON_HOLD


def test_another_signer_reads_it_too(desk: PolicyDesk) -> None:
    other = replace(desk.bank.policy.versions)
    other.read()
    desk.approve(desk.propose(hold_undo=5 * MINUTE))
    desk.bank.clock.tick(DAY)
    other.refresh()
    assert other[POLICY].hold_undo == 5 * MINUTE
