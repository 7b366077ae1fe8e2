"""Transactions with and without events, in many threads, beside a journal that is flushed to disk."""

from pathlib import Path

from sqlalchemy import Engine

from ca.adapters.journal.journal import Journal
from ca.wiring import journaled
from tests.builders import a_challenge, an_event
from tests.integration.db.test_turns import at_once


def test_commits_with_and_without_events_in_many_threads_all_come_to_an_end(engine: Engine, tmp_path: Path) -> None:
    unit_of_work = journaled(engine, Journal(tmp_path / "journal", tmp_path / "mirror"))

    def commit(number: int) -> str:
        for turn in range(40):
            with unit_of_work() as work:
                if number % 2:
                    work.challenges.add(a_challenge(value=f"{number}-{turn}".encode()))
                else:
                    work.audit.append(an_event(actor=f"{number}-{turn}"))
                work.commit()
        return "done"

    assert at_once(6, commit) == ["done"] * 6
