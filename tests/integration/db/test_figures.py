"""Figures are kept where the console reads them, without a place in the journal."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from ca.adapters.db.figure_rows import FigureRow
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.domain.figures import EVERYWHERE, Calendar, Figure, Subject
from tests.builders import NOW, a_certificate

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


def test_what_must_be_nowhere_is_counted_by_its_day(engine: Engine) -> None:
    calendar = Calendar.around(NOW)
    for serial, at in ((1, NOW), (2, NOW), (3, NOW - timedelta(days=5)), (4, calendar.checked_since)):
        with SqlUnitOfWork(engine)() as work:
            work.certificates.add(a_certificate(serial=serial, issued_at=at, application="a"))
            work.commit()
    with SqlUnitOfWork(engine).look() as work:
        found = {each.slot: each.value for each in work.figures.check(calendar) if each.value}

    days = [f"{day:%Y-%m-%d}" for day in (NOW, NOW - timedelta(days=5), calendar.checked_since)]
    for day, count in zip(days, (2, 1, 1), strict=True):
        assert {found.pop(f"{day} {what}") for what in ("issued", "unsigned", "unlogged", "unasked", "unapproved")} == {
            count
        }
    assert found == {f"{days[0]} twice": 1, f"{days[1]} twice": 1, f"{days[2]} twice": 1}
