"""ca/usecases/jobs.py, RunJobNow: an officer has one job run at once, and never two at a time."""

from datetime import timedelta

import pytest

from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotReady
from ca.usecases.jobs import Job, RunJobNow
from tests.fakes.bank import ADMINISTRATOR, AUDITOR, MARIA, SECOND_ADMINISTRATOR, SECURITY, Bank

DAY = timedelta(days=1)


@pytest.fixture
def run_now(bank: Bank) -> RunJobNow:
    return bank.use_cases.authority.run_now


def test_it_runs_although_it_is_not_due_and_another_process_leads(bank: Bank, run_now: RunJobNow) -> None:
    bank.run_job("count", "leader")
    bank.clock.tick(timedelta(seconds=1))
    run = run_now(bank.session(ADMINISTRATOR), "count")
    assert (run.ok, run.result, run.ran_at) == (True, "counted", bank.clock.now())
    assert bank.stored.runs["count"] == run


def test_who_ordered_it_is_an_event(bank: Bank, run_now: RunJobNow) -> None:
    run_now(bank.session(ADMINISTRATOR), "count")
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.subject, event.actor) == ("job.ordered", "count", ADMINISTRATOR)


@pytest.mark.parametrize("person", [MARIA, SECURITY, AUDITOR])
def test_nobody_but_a_ca_administrator_orders_one(bank: Bank, run_now: RunJobNow, person: str) -> None:
    with pytest.raises(NotAllowed):
        run_now(bank.session(person), "count")
    assert bank.stored.runs == {}


def test_an_unknown_job_is_refused(bank: Bank, run_now: RunJobNow) -> None:
    with pytest.raises(InvalidRequest, match="there are count"):
        run_now(bank.session(ADMINISTRATOR), "sign anything")


def test_a_second_officer_is_told_who_runs_it(bank: Bank, run_now: RunJobNow) -> None:
    refusals = []

    def slowly() -> str:
        for person in (SECOND_ADMINISTRATOR, ADMINISTRATOR):
            with pytest.raises(InvalidTransition) as refusal:
                run_now(bank.session(person), "slow")
            refusals.append(str(refusal.value))
        return "done"

    bank.jobs["slow"] = Job("slow", DAY, slowly)
    assert run_now(bank.session(ADMINISTRATOR), "slow").result == "done"
    assert refusals == [f"{ADMINISTRATOR} runs slow just now; look at its result in a moment"] * 2


def test_the_jobs_process_waits_for_the_officers_run(bank: Bank, run_now: RunJobNow) -> None:
    answers = []

    def slowly() -> str:
        answers.append(bank.run_job("slow", "leader"))
        return "done"

    bank.jobs["slow"] = Job("slow", DAY, slowly)
    run_now(bank.session(ADMINISTRATOR), "slow")
    assert answers == [None]
    bank.clock.tick(DAY)
    bank.jobs["slow"] = Job("slow", DAY, lambda: "by the process")
    assert bank.run_job("slow", "leader") is not None


def test_an_officer_waits_for_the_jobs_process(bank: Bank, run_now: RunJobNow) -> None:
    refusals = []

    def slowly() -> str:
        with pytest.raises(InvalidTransition) as refusal:
            run_now(bank.session(ADMINISTRATOR), "slow")
        refusals.append(str(refusal.value))
        return "done"

    bank.jobs["slow"] = Job("slow", DAY, slowly)
    assert bank.run_job("slow", "node-1-77") is not None
    assert refusals == ["node-1-77 runs slow just now; look at its result in a moment"]


def test_a_run_that_was_cut_off_holds_nobody_up_for_long(bank: Bank, run_now: RunJobNow) -> None:
    def die() -> str:
        raise SystemExit

    bank.jobs["dies"] = Job("dies", DAY, die)
    with pytest.raises(SystemExit):
        run_now(bank.session(ADMINISTRATOR), "dies")
    assert bank.run_job("dies", "leader") is None
    bank.jobs["dies"] = Job("dies", DAY, lambda: "done")
    bank.clock.tick(timedelta(minutes=2))
    assert bank.run_job("dies", "leader") is not None


def test_a_failure_is_a_result_and_the_next_may_run(bank: Bank, run_now: RunJobNow) -> None:
    def fail() -> str:
        raise NotReady("the HSM is away")

    bank.jobs["fails"] = Job("fails", DAY, fail)
    for _ in range(2):
        run = run_now(bank.session(ADMINISTRATOR), "fails")
        assert (run.ok, run.result) == (False, "the HSM is away")
