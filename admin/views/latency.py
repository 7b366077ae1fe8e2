"""How long changes of status take to be seen, beside what is promised (ca/domain/receipts.py)."""

from datetime import UTC, datetime, timedelta

from flask import Response, current_app
from flask_admin import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from admin.language import named
from admin.reports.report import Chart
from admin.sheets import attached
from admin.signer import note_export
from admin.views.base import Gated, chosen_days
from ca.adapters.db.receipt_rows import ReceiptRow
from ca.adapters.db.repositories.receipts import receipt_of
from ca.adapters.db.rows import db
from ca.domain.receipts import Latency, latencies

WINDOWS = (1, 7, 30)
"""Days."""
MOST = 2_000
"""Receipts that a page is made of, the newest ones: to read them all would take longer than a page may."""
_HEAD = ("seen in", "promised", "seen", "half within", "95 of 100 within", "longest", "slowest", "late", "waiting")


class LatencyView(Gated, BaseView):
    """p50, p95 and longest of each channel."""

    def __init__(self) -> None:
        super().__init__(name=_l("Revocation latency"), endpoint="latency", url="/admin/latency")

    @expose("/")
    def index(self) -> str:
        days = chosen_days(WINDOWS, 1)
        now: datetime = current_app.extensions["vermilion_now"]()
        rows, is_cut = _latencies(now - timedelta(days=days))
        seen = [(named(row.channel), row.p95) for row in rows if row.p95 is not None]
        chart = Chart(_("95 of 100 within, in ms"), seen, is_by_day=False)
        page: str = self.render(
            "console/latency.html", rows=rows, days=days, windows=WINDOWS, most=is_cut and MOST, chart=chart
        )
        return page

    @expose("/<any(csv, xlsx):ending>")
    def sheet(self, ending: str) -> Response:
        """The same for a spreadsheet program; times are milliseconds."""
        days = chosen_days(WINDOWS, 1)
        now: datetime = current_app.extensions["vermilion_now"]()
        rows, _cut = _latencies(now - timedelta(days=days))
        note_export("latency")
        return attached(f"revocation-latency-{days}-days", ending, _HEAD, map(_cells, rows))


def _cells(row: Latency) -> tuple[str | int, ...]:
    numbers = row.promised, row.count, row.p50, row.p95, row.longest, row.slowest, row.late, row.waiting
    return (named(row.channel), *("" if one is None else one for one in numbers))


def _latencies(since: datetime) -> tuple[list[Latency], bool]:
    from_ = int(since.astimezone(UTC).timestamp() * 1000)
    newest = select(ReceiptRow).where(ReceiptRow.changed_at >= from_).order_by(ReceiptRow.changed_at.desc())
    found = [receipt_of(row) for row in db.session.scalars(newest.limit(MOST + 1))]
    return latencies(found[:MOST]), len(found) > MOST
