"""Which certificates end soon: whom the branch calls before they cannot sign any more."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask import Response, current_app
from flask_admin import BaseView, expose
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, case, select

from admin.sheets import attached
from admin.signer import note_export, officer
from admin.views.base import Gated, chosen_days
from ca.adapters.db.rows import CertificateRow, CustomerRow, db
from ca.domain.certificates import CertificateStatus

WINDOWS = (30, 60, 90)
"""Days."""
MOST = 200
"""Rows of a page; the CSV has them all."""
_HOLDING = (CertificateStatus.ACTIVE.value, CertificateStatus.ON_HOLD.value)
_HEAD = ("name", "customer number", "profile", "serial number", "U-Shield", "status", "valid until (UTC)", "branch")


class ExpiringView(Gated, BaseView):
    """The first to end comes first."""

    def __init__(self) -> None:
        super().__init__(name=_l("Ending soon"), endpoint="expiring", url="/admin/expiring")

    @expose("/")
    def index(self) -> str:
        days = chosen_days(WINDOWS, WINDOWS[0])
        rows = list(db.session.execute(_ending(days).limit(MOST + 1)))
        page: str = self.render(
            "console/expiring.html", rows=rows[:MOST], days=days, windows=WINDOWS, most=len(rows) > MOST and MOST
        )
        return page

    @expose("/<any(csv, xlsx):ending>")
    def sheet(self, ending: str) -> Response:
        """All of them, for a spreadsheet program."""
        days = chosen_days(WINDOWS, WINDOWS[0])
        note_export("expiring")
        return attached(f"ending-within-{days}-days", ending, _HEAD, _cells(days))


def _ending(days: int) -> Select[CertificateRow, CustomerRow]:
    now: datetime = current_app.extensions["vermilion_now"]()
    query = (
        select(CertificateRow, CustomerRow)
        .join(CustomerRow, CustomerRow.id == CertificateRow.customer)
        .where(CertificateRow.not_after > now, CertificateRow.not_after <= now + timedelta(days=days))
        # In a form that no index serves: else the database reads all that hold and sorts them by their end.
        .where(case((CertificateRow.status.in_(_HOLDING), 1), else_=0) == 1, CertificateRow.application != "")
        .order_by(CertificateRow.not_after, CertificateRow.id)
    )
    who = officer()
    return query if who.sees_all_branches else query.where(CertificateRow.branch == who.branch)


def _cells(days: int) -> Iterator[tuple[str, ...]]:
    for certificate, customer in db.session.execute(_ending(days)):
        yield (
            customer.name, customer.number, certificate.profile, certificate.serial, certificate.device_serial,
            certificate.status, f"{certificate.not_after:%Y-%m-%d %H:%M}", certificate.branch,
        )  # fmt: skip
