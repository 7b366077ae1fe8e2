"""Reports read what the jobs process counted, say when, and count anew where it did not."""

import csv
import io
from datetime import timedelta

import pytest

from ca.adapters.db.figure_rows import FigureRow
from ca.adapters.db.rows import db
from ca.domain.figures import Calendar
from tests.fakes.console_signer import NOW
from tests.fakes.reports import SERIAL, Place, World


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("reports") / "console.sqlite3")
    yield place
    place.engine.dispose()
    with place.app.app_context():
        db.engine.dispose()


@pytest.fixture
def world():
    return World()


@pytest.fixture
def found(world, place):
    """The rows of a report as CSV."""

    def ask(report, who="auditor", query=""):
        at = place(world)
        text = at(who).text(f"/admin/reports/{report}.csv{query}")
        return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))[1:]

    return ask


def counted(world, at=NOW, **today):
    """As if the job had counted at that time: nothing on any day but this."""
    days = Calendar.around(NOW.astimezone()).checked_days
    slots = {f"{day} issued": 0 for day in days} | {f"{days[-1]} {what}": count for what, count in today.items()}
    for slot, value in slots.items():
        world.rows[slot] = FigureRow(branch="", subject="checked", slot=slot, value=value, counted_at=at)


def test_a_page_says_what_the_job_counted_and_when(world, place):
    counted(world, NOW - timedelta(minutes=4), issued=70, renewed=20)
    page = place(world)("auditor").text("/admin/reports/reconciliation")

    assert "Counted 4 min ago" in page
    assert "<dt>Certificates</dt><dd>70</dd>" in page
    assert "<dt>Applications served for the first time</dt><dd>50</dd>" in page
    assert "Differences: 0" in page


@pytest.mark.parametrize(
    ("report", "what", "says"),
    [("reconciliation", "unlogged", "Differences: 1"), ("dual-control", "unapproved", "Exceptions: 2")],
)
def test_what_the_job_found_is_looked_up_and_named(world, place, report, what, says):
    counted(world, issued=2, **{what: 1})
    for name in ("issued", "approval"):
        del world.rows[name]
    page = place(world)("auditor").text(f"/admin/reports/{report}")

    assert says in page
    assert SERIAL in page


def test_a_sheet_counts_anew(world, found):
    counted(world, issued=2)
    del world.rows["issued"]

    assert [row[:2] for row in found("reconciliation")] == [["Certificate that the log does not know", SERIAL]]


@pytest.mark.parametrize("gone", ["too old", "one day"])
def test_a_page_counts_anew_what_the_job_did_not_count(world, place, gone):
    counted(world, NOW - timedelta(minutes=16 if gone == "too old" else 1), issued=70)
    if gone == "one day":
        del world.rows[f"{NOW.astimezone():%Y-%m-%d} issued"]
    del world.rows["issued"]
    page = place(world)("auditor").text("/admin/reports/reconciliation")

    assert "Counted" not in page
    assert "Differences: 1" in page
