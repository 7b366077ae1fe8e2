"""A list of a company's people: all or nobody, and a signature that is worth exactly its list (DESIGN invariant 2)."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ca.domain.applications import ApplicationState
from ca.domain.batches import MOST, Batch, BatchLine, batch_approval
from ca.domain.decisions import Evidence
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    SigningRefused,
    Tampered,
)
from ca.usecases.apply import Entry
from ca.usecases.batches import BATCH_SEAL, BatchView, Entered
from tests.drafts import a_request
from tests.fakes.authenticators import FakePasskey
from tests.fakes.bank import AUDITOR, HOTLINE, MARIA, PAVEL, STRANGER, SUPERVISOR, Bank, new_key

COMPANY = "C100"
PROFILE = "corporate-operator"
ENTRY = Entry(PROFILE)


@pytest.fixture
def company(bank: Bank) -> str:
    return bank.customer(number=COMPANY, name="Acme 有限公司", kind="company")


def a_line(bank: Bank, number: int = 1, **changes: str) -> BatchLine:
    serial = changes.pop("device_serial", "") or bank.device()
    line = BatchLine(f"{COMPANY}-{number}", f"Wang {number}", f"ID-{number}", device_serial=serial)
    return replace(line, **changes)


def enter(bank: Bank, lines: Sequence[BatchLine], *, apply: bool = True, person: str = MARIA) -> Entered:
    return bank.submit_batch(bank.session(person), company=COMPANY, profile=PROFILE, lines=lines, apply=apply)


def entered(bank: Bank, size: int = 3) -> Batch:
    batch = enter(bank, [a_line(bank, number) for number in range(1, size + 1)]).batch
    assert batch is not None
    return batch


def approve(bank: Bank, batch: Batch, *, person: str = PAVEL) -> BatchView:
    view = bank.decide_on_batch.show(bank.session(person), batch.id)
    assertion = bank[person].passkey.sign(view.challenge)
    bank.decide_on_batch.approve(
        bank.session(person), batch.id, batch_digest=view.batch.digest(), assertion=assertion
    )  # fmt: skip
    return view


def states(bank: Bank, batch: Batch) -> list[ApplicationState]:
    return [bank.state(application) for application, _digest in batch.cases]


@pytest.mark.usefixtures("company")
class TestEntering:
    def test_each_line_is_an_application_of_its_own(self, bank: Bank) -> None:
        batch = entered(bank)

        cases = [bank.application(application).case for application, _digest in batch.cases]
        assert [case.customer_name for case in cases] == ["Wang 1", "Wang 2", "Wang 3"]
        assert {case.batch for case in cases} == {batch.id}
        assert [case.digest().hex() for case in cases] == [digest for _application, digest in batch.cases]
        assert bank.event_names[-1] == "batch.submitted"

    def test_who_is_registered_already_is_not_registered_again(self, bank: Bank) -> None:
        line = a_line(bank)
        known = bank.customer(number=line.number, name=line.name, company=COMPANY)
        batch = enter(bank, [replace(line, document_number="ID1")]).batch
        assert batch is not None
        assert bank.application(batch.cases[0][0]).case.customer == known

    def test_a_look_at_the_list_enters_nothing(self, bank: Bank) -> None:
        lines = [a_line(bank)]
        before = bank.stored
        assert enter(bank, lines, apply=False).problems == ()
        assert (bank.stored.applications, bank.stored.batches) == ({}, {})
        assert bank.stored.customers == before.customers

    def test_one_bad_line_and_nobody_is_entered(self, bank: Bank) -> None:
        lines = [a_line(bank, 1), a_line(bank, 2, device_serial="US404"), a_line(bank, 3)]
        before = dict(bank.stored.customers)

        found = enter(bank, lines)

        assert found.batch is None
        assert [(problem.line, "stock" in problem.sentence) for problem in found.problems] == [(2, True)]
        assert (bank.stored.applications, bank.stored.customers) == ({}, before)

    def test_every_problem_is_named_with_its_line(self, bank: Bank) -> None:
        serial = bank.device()
        lines = [
            a_line(bank, 1, device_serial=serial),
            a_line(bank, 2, device_serial=serial),
            a_line(bank, 1),
            a_line(bank, 4, name=" leading blank"),
            a_line(bank, 5, email="no address"),
            a_line(bank, 6, phone="12"),
        ]
        assert [problem.line for problem in enter(bank, lines, apply=False).problems] == [2, 3, 4, 5, 6]

    @pytest.mark.parametrize("changes", [{"name": "Wang other"}, {"document_number": "ID-other"}])
    def test_a_number_that_is_somebody_elses_is_a_problem(self, bank: Bank, changes: dict[str, str]) -> None:
        line = a_line(bank)
        bank.customer(number=line.number, name=line.name, company=COMPANY)
        (problem,) = enter(bank, [replace(replace(line, document_number="ID1"), **changes)]).problems
        assert "another name or document" in problem.sentence

    def test_another_companys_people_are_a_problem(self, bank: Bank) -> None:
        line = a_line(bank)
        bank.customer(number=line.number, name=line.name)
        (problem,) = enter(bank, [line]).problems
        assert "not for this company" in problem.sentence

    @pytest.mark.parametrize("size", [0, MOST + 1])
    def test_a_list_has_an_end(self, bank: Bank, size: int) -> None:
        with pytest.raises(InvalidRequest, match="1 to 200"):
            enter(bank, [a_line(bank, device_serial="US1")] * size)

    @pytest.mark.parametrize("person", [SUPERVISOR, HOTLINE, AUDITOR])
    def test_only_operators_enter_batches(self, bank: Bank, person: str) -> None:
        with pytest.raises(NotAllowed):
            enter(bank, [a_line(bank)], person=person)

    def test_another_branchs_company_does_not_exist(self, bank: Bank) -> None:
        with pytest.raises(InvalidRequest, match="no company"):
            enter(bank, [a_line(bank)], person=STRANGER)


@pytest.mark.usefixtures("company")
class TestApproving:
    def test_one_signature_approves_all_that_wait(self, bank: Bank) -> None:
        batch = entered(bank)
        approve(bank, batch)
        assert set(states(bank, batch)) == {ApplicationState.APPROVED}
        assert bank.event_names[-4:] == ["application.approved"] * 3 + ["batch.approved"]

    def test_what_one_signature_approved_is_issued(self, bank: Bank) -> None:
        batch = entered(bank)
        approve(bank, batch)
        for application, _digest in batch.cases:
            bank.download(bank.codes(application), a_request(new_key()))
        assert len(bank.signatures) == 3

    def test_a_case_decided_by_itself_is_left_alone(self, bank: Bank) -> None:
        batch = entered(bank)
        first, second, _third = (application for application, _digest in batch.cases)
        bank.decide.reject(bank.session(PAVEL), first, reason="no")
        bank.decide.send_back(bank.session(PAVEL), second, reason="short")

        approve(bank, batch)

        expected = [ApplicationState.REJECTED, ApplicationState.RETURNED, ApplicationState.APPROVED]
        assert states(bank, batch) == expected

    def test_a_corrected_case_needs_an_approval_of_its_own(self, bank: Bank) -> None:
        batch = entered(bank, 2)
        first = batch.cases[0][0]
        bank.decide.send_back(bank.session(PAVEL), first, reason="short")
        case = bank.application(first).case
        from_maker = bank.submission.correct(
            bank.session(MARIA), first, entry=replace(ENTRY, device_serial=case.device_serial)
        )

        approve(bank, batch)

        assert from_maker.case.batch == batch.id
        assert states(bank, batch) == [ApplicationState.SUBMITTED, ApplicationState.APPROVED]

    def test_the_maker_approves_nothing(self, bank: Bank) -> None:
        batch = entered(bank)
        assert not bank.decide_on_batch.show(bank.session(MARIA), batch.id).may_approve
        with pytest.raises(NotAllowed, match="another officer"):
            approve(bank, batch, person=MARIA)
        assert set(states(bank, batch)) == {ApplicationState.SUBMITTED}

    def test_twice_is_too_often(self, bank: Bank) -> None:
        batch = entered(bank)
        approve(bank, batch)
        with pytest.raises(InvalidTransition, match="any more"):
            approve(bank, batch)

    def test_another_branch_knows_of_no_such_batch(self, bank: Bank) -> None:
        batch = entered(bank)
        for identity in (batch.id, "none"):
            with pytest.raises(NotFound, match="no such batch at your branch"):
                bank.decide_on_batch.show(bank.session(STRANGER), identity)

    def test_a_strangers_passkey_approves_nothing(self, bank: Bank) -> None:
        batch = entered(bank)
        view = bank.decide_on_batch.show(bank.session(PAVEL), batch.id)
        with pytest.raises(NotAuthenticated, match="not yours"):
            bank.decide_on_batch.approve(
                bank.session(PAVEL),
                batch.id,
                batch_digest=batch.digest(),
                assertion=FakePasskey().sign(view.challenge),
            )

    def test_another_digest_than_the_shown_one_is_refused(self, bank: Bank) -> None:
        batch = entered(bank)
        view = bank.decide_on_batch.show(bank.session(PAVEL), batch.id)
        with pytest.raises(InvalidTransition, match="changed since"):
            bank.decide_on_batch.approve(
                bank.session(PAVEL),
                batch.id,
                batch_digest=bytes(32),
                assertion=bank[PAVEL].passkey.sign(view.challenge),
            )

    def test_a_profile_changed_since_stops_all(self, bank: Bank) -> None:
        batch = entered(bank)
        bank.amend(PROFILE, version=2)
        with pytest.raises(InvalidTransition, match="enter it again"):
            approve(bank, batch)
        assert set(states(bank, batch)) == {ApplicationState.SUBMITTED}


@pytest.mark.usefixtures("company")
class TestAttacks:
    """Whatever is written into the database, a signature over a list is worth that list."""

    def test_a_case_slipped_into_the_list_is_not_approved(self, bank: Bank) -> None:
        batch = entered(bank)
        other = bank.submitted(maker=MARIA)
        found, seal = bank.stored.batches[batch.id]
        pairs = (*found.cases, (other, bank.application(other).case.digest().hex()))
        bank.stored.batches[batch.id] = (replace(found, cases=pairs), seal)
        with pytest.raises(Tampered):
            approve(bank, batch)

    def test_evidence_of_a_batch_proves_no_case_outside_it(self, bank: Bank) -> None:
        batch = entered(bank)
        approve(bank, batch)
        (evidence, *_rest) = [item for _key, item in bank.stored.evidence]
        other = bank.submitted(maker=MARIA)
        bank.rewrite_state(other, ApplicationState.APPROVED)
        bank.stored.evidence.append((other, evidence))
        with pytest.raises(SigningRefused, match="no valid approval"):
            bank.download(bank.codes(other), a_request())

    def test_a_maker_who_signs_the_own_list_proves_nothing(self, bank: Bank) -> None:
        batch = entered(bank)
        maker = bank[MARIA]
        decision = batch_approval(batch, maker.officer)
        assertion = maker.passkey.sign(decision.challenge())
        application = batch.cases[0][0]
        evidence = Evidence(decision, assertion, maker.passkey.public_key, bank.clock.now())
        bank.stored.evidence.append((application, evidence))
        bank.rewrite_state(application, ApplicationState.APPROVED)
        with pytest.raises(SigningRefused, match="no valid approval"):
            bank.download(bank.codes(application), a_request())

    def test_a_list_edited_after_its_approval_proves_nothing(self, bank: Bank) -> None:
        batch = entered(bank)
        approve(bank, batch)
        codes = bank.codes(batch.cases[0][0])
        found, seal = bank.stored.batches[batch.id]
        bank.stored.batches[batch.id] = (replace(found, maker_person="E9999"), seal)
        with pytest.raises(SigningRefused, match="no valid approval"):
            bank.download(codes, a_request())

    def test_without_its_list_a_signature_proves_nothing(self, bank: Bank) -> None:
        batch = entered(bank)
        approve(bank, batch)
        codes = bank.codes(batch.cases[0][0])
        bank.stored.batches.clear()
        with pytest.raises(SigningRefused, match="no valid approval"):
            bank.download(codes, a_request())

    def test_a_list_put_in_place_of_another_one_proves_nothing(self, bank: Bank) -> None:
        approved, other = entered(bank, 1), enter(bank, [a_line(bank, 7)]).batch
        assert other is not None
        approve(bank, approved)
        codes = bank.codes(approved.cases[0][0])
        mixed = replace(approved, cases=(*approved.cases, *other.cases))
        bank.stored.batches[approved.id] = (mixed, bank.seals.seal(BATCH_SEAL, mixed.sealed_fields()))
        with pytest.raises(SigningRefused, match="no valid approval"):
            bank.download(codes, a_request())


def test_for_people_without_a_company_there_is_no_batch(bank: Bank) -> None:
    bank.customer(number=COMPANY)
    with pytest.raises(InvalidRequest, match="no company"):
        enter(bank, [a_line(bank)])
