"""Figures are kept where the console reads them, without a place in the journal."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from ca.adapters.db.figure_rows import FigureRow
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.domain.figures import EVERYWHERE, Figure, Subject
from tests.builders import NOW

OLD = [Figure("0001", Subject.DEVICES, "lost", 1), Figure(EVERYWHERE, Subject.DEVICES, "lost", 1)]
NEW = [Figure("0001", Subject.ISSUED, "2026-11-23", 2), Figure(EVERYWHERE, Subject.SEEN, "ocsp", -1)]


@pytest.mark.parametrize("figures", [NEW, []])
def test_what_is_kept_takes_the_place_of_what_was(engine: Engine, figures: list[Figure]) -> None:
    for each, at in ((OLD, NOW), (figures, NOW + timedelta(minutes=5))):
        with SqlUnitOfWork(engine)() as work:
            work.figures.keep(each, at)
            work.commit()

    with Session(engine) as session:
        rows = list(session.scalars(select(FigureRow).order_by(FigureRow.value.desc())))
        events = session.execute(text("SELECT count(*) FROM audit_events")).scalar_one()
    assert [Figure(row.branch, Subject(row.subject), row.slot, row.value) for row in rows] == figures
    assert {row.counted_at for row in rows} <= {NOW + timedelta(minutes=5)}
    assert events == 0
