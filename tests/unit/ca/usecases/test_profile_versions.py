"""ca/usecases/decide_on_versions.py: two CA administrators change a profile, from a day on (DESIGN invariant 2)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.applications import ApplicationState
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    SigningRefused,
    Tampered,
)
from ca.domain.profile_versions import facts
from ca.domain.proposals import ProposalState
from ca.usecases.versions_in_force import READ_AGAIN
from tests.drafts import a_request
from tests.fakes.bank import ADMINISTRATOR, AUDITOR, MARIA, SECOND_ADMINISTRATOR, SECURITY, Bank, new_key, request_like
from tests.fakes.profile_desk import DAY, ProfileDesk

SECOND = timedelta(seconds=1)


@pytest.fixture
def desk(bank: Bank) -> ProfileDesk:
    return ProfileDesk(bank)


# In force from its day on


def test_a_version_is_in_force_from_its_day_and_not_before(desk: ProfileDesk) -> None:
    since = desk.tomorrow
    desk.approve(desk.propose(since=since))
    desk.bank.clock.set(since - SECOND)
    assert desk.bank.profiles["machine"].validity == 397 * DAY
    desk.bank.clock.set(since)
    assert desk.bank.profiles["machine"].validity == 90 * DAY


def test_what_is_issued_under_it_is_as_it_says(desk: ProfileDesk) -> None:
    desk.changed()
    certificate = desk.bank.active(profile="machine")
    assert certificate.not_after - certificate.not_before < 91 * DAY


def test_a_proposal_alone_changes_nothing(desk: ProfileDesk) -> None:
    desk.propose()
    desk.bank.clock.tick(2 * DAY)
    desk.bank.profiles.read()
    assert desk.bank.profiles["machine"].version == 1


def test_versions_follow_each_other_and_all_are_kept(desk: ProfileDesk) -> None:
    desk.changed()
    desk.changed(validity=60 * DAY)
    view = desk.decide.show(desk.bank.session(AUDITOR), "machine")
    assert [one.content.version for one in desk.bank.profiles.history("machine")] == [1, 2, 3]
    assert [one.number for one in view.versions] == [2, 3]
    assert view.in_force.content.validity == 60 * DAY


def test_two_versions_can_wait_for_their_days(desk: ProfileDesk) -> None:
    desk.approve(desk.propose(since=desk.tomorrow))
    desk.approve(desk.propose(since=desk.tomorrow + DAY, validity=60 * DAY))
    for expected in (397, 90, 60):
        assert desk.bank.profiles["machine"].validity == expected * DAY
        desk.bank.clock.tick(DAY)


def test_an_application_is_bound_to_the_version_it_was_entered_under(desk: ProfileDesk) -> None:
    bank = desk.bank
    waiting, approved = bank.submitted(profile="machine"), bank.codes(profile="machine")
    desk.changed()
    assert not bank.decide.show(bank.session(MARIA), waiting).profile_is_current
    with pytest.raises(InvalidTransition, match="profile was changed"):
        bank.approve(waiting)
    assert bank.state(waiting) is ApplicationState.SUBMITTED
    with pytest.raises(SigningRefused, match="profile was changed"):
        bank.download(approved, a_request())


def test_a_certificate_is_renewed_under_the_version_in_force(desk: ProfileDesk) -> None:
    bank = desk.bank
    current = bank.active(profile="machine")
    desk.changed()
    desk.changed(validity=60 * DAY)
    renewed = bank.re_enrol(current.der, request_like(current.der, new_key()))
    assert renewed.not_after - renewed.not_before < 61 * DAY


def test_who_would_be_named_otherwise_today_applies_anew(desk: ProfileDesk) -> None:
    bank = desk.bank
    current = bank.active(profile="machine")
    desk.changed(text=desk.text("machine", ('text = "Machines"', 'text = "Gateways"')))
    with pytest.raises(SigningRefused, match="new application"):
        bank.re_enrol(current.der, request_like(current.der, new_key()))


def test_another_signer_learns_of_it_within_seconds(desk: ProfileDesk) -> None:
    bank = desk.bank
    other = replace(bank.profiles)
    other.refresh()
    desk.approve(desk.propose())
    other.refresh()
    assert len(other.history("machine")) == 1
    assert other.newest("machine").content.version == 1
    bank.clock.tick(READ_AGAIN)
    other.refresh()
    assert other.newest("machine").content.version == 2


# Two people


def test_nobody_approves_what_they_proposed(desk: ProfileDesk) -> None:
    version = desk.propose()
    assert not desk.decide.show_version(desk.bank.session(ADMINISTRATOR), version.id).may_approve
    with pytest.raises(NotAllowed, match="another CA administrator"):
        desk.approve(version, by=ADMINISTRATOR)
    assert desk.bank.stored.profile_versions[version.id][0].state is ProposalState.PROPOSED


@pytest.mark.parametrize("person", [MARIA, SECURITY, AUDITOR])
def test_only_ca_administrators_change_profiles(desk: ProfileDesk, person: str) -> None:
    version = desk.propose()
    session = desk.bank.session(person)
    with pytest.raises(NotAllowed):
        desk.propose("tls-server", by=person)
    with pytest.raises(NotAllowed):
        desk.decide.reject(session, version.id, reason="x")
    sign = desk.bank[person].passkey.sign
    with pytest.raises(NotAllowed):
        desk.decide.approve(session, version.id, case_digest=version.digest(), assertion=sign(bytes(32)))


def test_who_works_on_cases_does_not_even_look(desk: ProfileDesk) -> None:
    with pytest.raises(NotAllowed):
        desk.decide.overview(desk.bank.session(MARIA))


def test_the_passkey_signs_what_was_shown_and_is_kept_as_evidence(desk: ProfileDesk) -> None:
    version = desk.propose()
    desk.approve(version)
    (evidence,) = [item for subject, item in desk.bank.stored.evidence if subject == version.id]
    assert evidence.decision.subject_digest == version.digest()
    assert evidence.decision.person == SECOND_ADMINISTRATOR


def test_a_signature_over_another_version_approves_nothing(desk: ProfileDesk) -> None:
    first, second = desk.propose(), desk.propose("tls-server")
    session, sign = desk.bank.session(SECOND_ADMINISTRATOR), desk.bank[SECOND_ADMINISTRATOR].passkey.sign
    other = desk.decide.show_version(session, second.id).challenge
    with pytest.raises(NotAuthenticated):
        desk.decide.approve(session, first.id, case_digest=first.digest(), assertion=sign(other))
    with pytest.raises(InvalidTransition, match="changed since it was shown"):
        desk.decide.approve(session, first.id, case_digest=second.digest(), assertion=sign(other))


def test_each_step_is_an_event(desk: ProfileDesk) -> None:
    desk.approve(desk.propose())
    rejected = desk.propose(since=desk.tomorrow + DAY, validity=60 * DAY)
    desk.decide.reject(desk.bank.session(ADMINISTRATOR), rejected.id, reason="too short")
    events = [event for event in desk.bank.unit_of_work.events if event.name.startswith("profile.")]
    assert [(event.name, event.subject, event.details["number"]) for event in events] == [
        ("profile.proposed", "machine", "2"),
        ("profile.approved", "machine", "2"),
        ("profile.proposed", "machine", "3"),
        ("profile.rejected", "machine", "3"),
    ]


def test_a_decision_is_final(desk: ProfileDesk) -> None:
    version = desk.propose()
    desk.approve(version)
    with pytest.raises(InvalidTransition):
        desk.approve(version)
    with pytest.raises(InvalidTransition):
        desk.decide.reject(desk.bank.session(ADMINISTRATOR), version.id, reason="too late")


def test_a_rejection_needs_a_reason_and_makes_room(desk: ProfileDesk) -> None:
    version = desk.propose()
    with pytest.raises(InvalidTransition, match="waits for approval"):
        desk.propose()
    with pytest.raises(InvalidRequest):
        desk.decide.reject(desk.bank.session(ADMINISTRATOR), version.id, reason=" ")
    desk.decide.reject(desk.bank.session(ADMINISTRATOR), version.id, reason="no")
    desk.approve(desk.propose())


def test_the_approver_sees_old_and_new(desk: ProfileDesk) -> None:
    desk.changed()
    shown = desk.decide.show_version(desk.bank.session(AUDITOR), desk.propose(validity=60 * DAY).id)
    old, new = facts(shown.replaced), facts(shown.content)
    assert {name: (old[name], new[name]) for name in new if old[name] != new[name]} == {
        "version": ("2", "3"),
        "validity": ("90d", "60d"),
    }


# When


@pytest.mark.parametrize("since", [-DAY, timedelta(0), 367 * DAY], ids=["yesterday", "now", "too far"])
def test_a_day_that_is_over_or_too_far_is_refused(desk: ProfileDesk, since: timedelta) -> None:
    with pytest.raises(InvalidRequest):
        desk.propose(since=desk.bank.clock.now() + since)


def test_a_version_approved_after_its_day_is_refused(desk: ProfileDesk) -> None:
    version = desk.propose(since=desk.tomorrow)
    desk.bank.clock.tick(DAY)
    with pytest.raises(InvalidTransition, match="propose it anew"):
        desk.approve(version)


def test_a_version_cannot_overtake_the_one_before(desk: ProfileDesk) -> None:
    desk.approve(desk.propose(since=desk.tomorrow + DAY))
    with pytest.raises(InvalidRequest, match="earlier version"):
        desk.propose(since=desk.tomorrow, validity=60 * DAY)


def test_a_file_that_changed_meanwhile_ends_the_proposal(desk: ProfileDesk) -> None:
    version = desk.propose()
    desk.bank.amend("machine", title="Another machine")
    with pytest.raises(InvalidTransition, match="was changed since"):
        desk.approve(version)


def test_once_decided_the_file_has_no_say_any_more(desk: ProfileDesk) -> None:
    desk.changed()
    desk.bank.profile_files["machine"] = desk.bank.profile_files["tls-server"]
    assert desk.bank.profiles["machine"].validity == 90 * DAY


# In the database


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "version = 2"},
        {"effective_from": None},
        {"number": 9},
        {"profile_digest": "00" * 32},
        {"decided_by": "E9999"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_edited_version_breaks_its_profile_and_no_other(desk: ProfileDesk, changes: dict[str, object]) -> None:
    version = desk.changed()
    if "effective_from" in changes:
        changes = {"effective_from": desk.bank.clock.now() - 5 * DAY}
    desk.rewrite(version, **changes)
    desk.bank.profiles.read()
    with pytest.raises(Tampered):
        desk.bank.submitted(profile="machine")
    assert desk.bank.profiles["tls-server"].version == 2


def test_a_proposal_that_was_made_approved_by_hand_is_not(desk: ProfileDesk) -> None:
    version = desk.propose()
    desk.rewrite(version, state=ProposalState.APPROVED, decided_by=SECOND_ADMINISTRATOR)
    desk.bank.profiles.read()
    desk.bank.clock.tick(DAY)
    with pytest.raises(Tampered):
        desk.bank.profiles["machine"]


@pytest.mark.parametrize("put_back", [False, True], ids=["taken away", "put back to the proposal"])
def test_a_version_that_is_missing_is_noticed(desk: ProfileDesk, *, put_back: bool) -> None:
    version = desk.propose()
    before = desk.bank.stored.profile_versions[version.id]
    desk.approve(version)
    del desk.bank.stored.profile_versions[version.id]
    if put_back:
        desk.bank.stored.profile_versions[version.id] = before
    desk.bank.profiles.read()
    with pytest.raises(Tampered, match="version 2 of the profile machine was approved"):
        desk.bank.profiles["machine"]


def test_an_unknown_profile_or_version_is_not_found(desk: ProfileDesk) -> None:
    with pytest.raises(NotFound):
        desk.decide.show(desk.bank.session(AUDITOR), "nothing")
    with pytest.raises(NotFound):
        desk.decide.show_version(desk.bank.session(AUDITOR), "nothing")
