"""ca/background.py: who asks is answered at once, whatever the work waits for."""

import threading

import pytest

from ca.background import InBackground, all_of
from ca.domain.errors import NotReady


def test_nobody_waits_and_one_pass_goes_on_at_a_time() -> None:
    release, begun = threading.Event(), []

    def work() -> str:
        begun.append(1)
        assert release.wait(60)
        return "done"

    job = InBackground("work", work)
    assert [job(), job(), job()] == ["begun"] * 3
    assert len(begun) <= 1
    release.set()
    job.wait(60)
    assert len(begun) == 1
    assert job() == "done"
    job.wait(60)


def test_how_the_last_pass_failed_is_told_until_one_goes_well(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Exception | str] = [NotReady("cloud is behind"), ValueError("secret"), "done"]

    def work() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    job = InBackground("work", work)
    assert job() == "begun"
    job.wait(60)
    with pytest.raises(NotReady, match="cloud is behind"):
        job()
    job.wait(60)
    with pytest.raises(NotReady, match="a defect of ours"):
        job()
    job.wait(60)
    assert "work failed" in caplog.text
    outcomes.append("again")
    assert job() == "done"
    job.wait(60)


def test_a_pass_that_does_not_end_is_told() -> None:
    release = threading.Event()

    def work() -> str:
        assert release.wait(60)
        return "done"

    job = InBackground("cloud", work, patience=0.0)
    assert job() == "begun"
    with pytest.raises(NotReady, match="cloud: what was begun has not ended"):
        job()
    release.set()
    job.wait(60)


def test_several_are_told_together() -> None:
    def fail() -> str:
        raise NotReady("away")

    good, bad = InBackground("good", lambda: "done"), InBackground("bad", fail)
    assert all_of([]) == "there are no further places"
    for each in (good, bad):
        each()
        each.wait(60)
    with pytest.raises(NotReady, match=r"^away$"):
        all_of([good, bad])
    for each in (good, bad):
        each.wait(60)
    assert all_of([good, good]) == "done"
    good.wait(60)
