"""ca/usecases/tool_desk.py and publish_tool.py: another program is offered when two officers released it (T-42)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotReady,
    Tampered,
)
from ca.domain.tool_cases import Program, ToolCase, ToolState
from ca.domain.tool_releases import RENEWED_AFTER, Packed
from ca.usecases.publish_tool import PublishTool
from ca.usecases.tool_desk import DecideOnTool
from tests.fakes.bank import ADMINISTRATOR, AUDITOR, MARIA, SECOND_ADMINISTRATOR, SECURITY, Bank

OLD, NEW = b"sources", b"newer sources"


class Desk:
    """A bank whose signer was started with a newer program, two CA administrators, and the job."""

    def __init__(self) -> None:
        self.bank = Bank()
        self.bank.publish_tool()
        self.offer = self.bank.publish_tool.offer
        self.install("bb" * 32, NEW, "1.1.0")

    def install(self, digest: str, sources: bytes, version: str) -> None:
        packed = [Packed("ushield.pyz", sources), Packed("x.zip", b"x")]
        program = Program(version, digest)
        self.publish: PublishTool = replace(self.bank.publish_tool, pack=lambda: packed, program=program)

    @property
    def decide(self) -> DecideOnTool:
        return replace(self.bank.use_cases.authority.tool, publish=self.publish)

    def propose(self, by: str = ADMINISTRATOR) -> ToolCase:
        return self.decide.propose(self.bank.session(by), reason="a fix")

    def approve(self, case: ToolCase, by: str = SECOND_ADMINISTRATOR) -> ToolCase:
        shown = self.decide.show_case(self.bank.session(by), case.id)
        assertion = self.bank[by].passkey.sign(shown.challenge)
        return self.decide.approve(self.bank.session(by), case.id, case_digest=shown.case.digest(), assertion=assertion)

    @property
    def offered(self) -> bytes | None:
        return self.offer.read("ushield.pyz") if self.offer.find_manifest() else None


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_another_program_waits_and_what_was_released_stays_offered(desk: Desk) -> None:
    assert desk.publish() is None
    assert (desk.offered, desk.publish.waits()) == (OLD, True)
    view = desk.decide.show(desk.bank.session(AUDITOR))
    assert view.offered is not None
    assert (view.offered.version, view.program.version, view.waits) == ("1.0.0", "1.1.0", True)
    assert view.intact == {"ushield.pyz", "x.zip"}


def test_the_old_release_is_renewed_as_it_is(desk: Desk) -> None:
    desk.bank.clock.tick(RENEWED_AFTER)
    made = desk.publish()
    assert made is not None
    assert (made.number, made.version, desk.offered) == (2, "1.0.0", OLD)
    assert desk.publish.waits()


def test_an_old_file_that_was_changed_is_not_signed_again(desk: Desk) -> None:
    packed = [Packed("ushield.pyz", b"evil"), Packed("x.zip", b"x")]
    desk.offer.put(packed, desk.offer.find_manifest() or "")
    with pytest.raises(NotReady, match="not what was released"):
        desk.publish()


def test_two_administrators_release_it_and_the_job_offers_it(desk: Desk) -> None:
    desk.approve(desk.propose())
    made = desk.publish()
    assert made is not None
    assert (made.number, made.version, desk.offered) == (2, "1.1.0", NEW)
    assert not desk.publish.waits()
    assert desk.publish() is None


def test_settings_alone_need_no_case(desk: Desk) -> None:
    desk.approve(desk.propose())
    desk.publish()
    desk.install("bb" * 32, b"newer sources for another address", "1.1.0")
    assert desk.publish() is not None
    assert desk.offered == b"newer sources for another address"


def test_a_log_from_before_needs_no_case_either() -> None:
    desk = Desk()
    event = desk.bank.stored.audit[-1]
    details = {key: text for key, text in event.event.details.items() if key != "program"}
    desk.bank.stored.audit[-1] = replace(event, event=replace(event.event, details=details))
    assert desk.publish() is not None
    assert desk.offered == NEW
    desk.install("cc" * 32, b"still newer", "1.2.0")
    assert desk.publish() is None
    assert desk.publish.waits()


def test_a_release_from_before_is_told_once_more_with_its_program() -> None:
    desk = Desk()
    event = desk.bank.stored.audit[-1]
    details = {key: text for key, text in event.event.details.items() if key != "program"}
    desk.bank.stored.audit[-1] = replace(event, event=replace(event.event, details=details))
    made = desk.bank.publish_tool()
    assert made is not None
    assert (made.number, desk.bank.publish_tool()) == (2, None)
    assert desk.publish() is None
    assert desk.offered == OLD


# Two people


def test_nobody_approves_what_they_proposed(desk: Desk) -> None:
    case = desk.propose()
    with pytest.raises(NotAllowed, match="another CA administrator"):
        desk.approve(case, ADMINISTRATOR)
    assert desk.publish() is None
    assert desk.offered == OLD


@pytest.mark.parametrize("person", [MARIA, SECURITY, AUDITOR])
def test_nobody_but_ca_administrators_decides(desk: Desk, person: str) -> None:
    case, session = desk.propose(), desk.bank.session(person)
    sign = desk.bank[person].passkey.sign
    with pytest.raises(NotAllowed):
        desk.decide.approve(session, case.id, case_digest=case.digest(), assertion=sign(bytes(32)))
    with pytest.raises(NotAllowed):
        desk.decide.withdraw(session, reason="x")
    with pytest.raises(NotAllowed):
        desk.decide.reject(session, case.id, reason="x")


def test_the_passkey_signs_these_files_and_no_others(desk: Desk) -> None:
    case = desk.propose()
    session, sign = desk.bank.session(SECOND_ADMINISTRATOR), desk.bank[SECOND_ADMINISTRATOR].passkey.sign
    with pytest.raises(NotAuthenticated):
        desk.decide.approve(session, case.id, case_digest=case.digest(), assertion=sign(bytes(32)))
    with pytest.raises(InvalidTransition, match="changed since it was shown"):
        desk.decide.approve(session, case.id, case_digest=bytes(32), assertion=sign(bytes(32)))


@pytest.mark.parametrize("change", ["program", "files"])
def test_another_installation_than_was_proposed_is_not_released(desk: Desk, change: str) -> None:
    case = desk.propose()
    desk.install("cc" * 32 if change == "program" else "bb" * 32, b"others" if change == "files" else NEW, "1.1.0")
    with pytest.raises(InvalidTransition, match="not what was proposed"):
        desk.approve(case)


def test_what_is_offered_already_is_not_proposed(desk: Desk) -> None:
    desk.approve(desk.propose())
    with pytest.raises(InvalidTransition, match="offered already"):
        desk.propose()


def test_one_waits_at_a_time_and_a_rejection_makes_room(desk: Desk) -> None:
    case = desk.propose()
    with pytest.raises(InvalidTransition, match="waits for approval"):
        desk.propose()
    desk.decide.reject(desk.bank.session(SECOND_ADMINISTRATOR), case.id, reason="not tested")
    desk.approve(desk.propose())


# Withdrawing


def test_one_person_withdraws_and_nothing_is_offered_at_once(desk: Desk) -> None:
    desk.decide.withdraw(desk.bank.session(ADMINISTRATOR), reason="a hole")
    assert desk.offered is None
    assert desk.publish() is None
    assert desk.offered is None
    assert desk.decide.show(desk.bank.session(AUDITOR)).withdrawn
    with pytest.raises(InvalidTransition, match="withdrawn already"):
        desk.decide.withdraw(desk.bank.session(ADMINISTRATOR), reason="again")


def test_a_list_that_somebody_put_back_is_taken_away_again(desk: Desk) -> None:
    before = desk.offer.find_manifest() or ""
    desk.decide.withdraw(desk.bank.session(ADMINISTRATOR), reason="a hole")
    desk.offer.put([], before)
    desk.publish()
    assert desk.offered is None


def test_what_was_withdrawn_comes_back_by_two(desk: Desk) -> None:
    desk.approve(desk.propose())
    desk.publish()
    desk.bank.clock.tick(timedelta(seconds=1))
    desk.decide.withdraw(desk.bank.session(ADMINISTRATOR), reason="a mistake")
    desk.approve(desk.propose())
    made = desk.publish()
    assert made is not None
    assert (made.number, desk.offered) == (3, NEW)


def test_a_withdrawal_needs_a_reason(desk: Desk) -> None:
    with pytest.raises(InvalidRequest):
        desk.decide.withdraw(desk.bank.session(ADMINISTRATOR), reason=" ")
    assert desk.offered == OLD


def test_each_step_is_an_event(desk: Desk) -> None:
    desk.approve(desk.propose())
    desk.publish()
    desk.decide.withdraw(desk.bank.session(ADMINISTRATOR), reason="a hole")
    names = [event.name for event in desk.bank.unit_of_work.events if event.name.startswith("tool.")]
    assert names == ["tool.released", "tool.proposed", "tool.approved", "tool.released", "tool.withdrawn"]


# In the database


@pytest.mark.parametrize(
    "changes", [{"state": ToolState.APPROVED}, {"program": "cc" * 32}, {"files": ()}], ids=["state", "program", "files"]
)
def test_a_withdrawal_that_was_edited_offers_nothing(desk: Desk, changes: dict[str, object]) -> None:
    case = desk.decide.withdraw(desk.bank.session(ADMINISTRATOR), reason="a hole")
    found, seal = desk.bank.stored.tool_cases[case.id]
    desk.bank.stored.tool_cases[case.id] = (replace(found, **changes), seal)  # type: ignore[arg-type]  # any field
    with pytest.raises(Tampered):
        desk.publish()
    assert desk.offered is None


def test_a_withdrawal_that_was_taken_away_offers_nothing(desk: Desk) -> None:
    case = desk.decide.withdraw(desk.bank.session(ADMINISTRATOR), reason="a hole")
    del desk.bank.stored.tool_cases[case.id]
    with pytest.raises(Tampered, match="took it away"):
        desk.publish()


def test_a_proposal_made_approved_by_hand_releases_nothing(desk: Desk) -> None:
    case = desk.propose()
    found, seal = desk.bank.stored.tool_cases[case.id]
    desk.bank.stored.tool_cases[case.id] = (found.become(ToolState.APPROVED, "E9", found.proposed_at), seal)
    assert desk.publish() is None
    assert desk.offered == OLD


def test_an_unknown_case_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.decide.show_case(desk.bank.session(AUDITOR), "nothing")
