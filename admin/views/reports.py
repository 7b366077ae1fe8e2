"""The reports: what was done, whether it adds up, and who may do what. Each is a page, a CSV and an XLSX.

A supervisor sees the own branch, who oversees sees all; which report opens for whom is in `admin/access.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, render_template, request
from flask_admin import BaseView, expose
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from admin.reports.access_review import access_review
from admin.reports.branches import activity, branches, codes
from admin.reports.dual_control import dual_control
from admin.reports.period import LONGEST, Period
from admin.reports.reconciliation import reconciliation
from admin.reports.report import Report, Scope, plain
from admin.sheets import attached
from admin.signer import note_export, officer
from admin.views.base import Gated

views = Blueprint("reports", __name__, url_prefix="/admin/reports")
SHOWN = 100
"""Rows of a page; the sheets have them all."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A report: its place in the address, its words, and how it is counted."""

    name: str
    title: Any
    about: Any
    count: Callable[[Scope], Report]
    has_days: bool = True

    @property
    def endpoint(self) -> str:
        return f"reports.{self.name.replace('-', '_')}"


KINDS = (
    Kind(
        "branches",
        _l("Branches and days"),
        _l("What each branch had issued, renewed and revoked, day by day."),
        branches,
    ),
    Kind(
        "reconciliation",
        _l("Reconciliation"),
        _l(
            "Applications, certificates, signatures and the audit log must tell the same. PKCS#11 has no counter of "
            "signatures: the number is the signer's own record, written before it asks the HSM and marked after."
        ),
        reconciliation,
    ),
    Kind(
        "dual-control",
        _l("Two people"),
        _l("Everything that needs two people and had only one. It must be empty."),
        dual_control,
    ),
    Kind("codes", _l("Wrong codes"), _l("Codes that were typed wrongly, and what they locked."), codes),
    Kind("activity", _l("Officers at work"), _l("What each officer did, by the audit log."), activity),
    Kind(
        "access",
        _l("Access review"),
        _l("Every officer with roles, passkeys, last sign-in and who let them in."),
        access_review,
        has_days=False,
    ),
)
_BY_NAME = {kind.name: kind for kind in KINDS}
ELSEWHERE = (
    ("expiring.index", _l("Ending soon"), _l("Certificates that end within 30, 60 or 90 days.")),
    ("latency.index", _l("Revocation latency"), _l("How long changes of status took to be seen, beside the promise.")),
)
"""Reports with rooms of their own."""


class ReportsView(Gated, BaseView):
    """The list of them."""

    def __init__(self) -> None:
        super().__init__(name=_l("Reports"), endpoint="all_reports", url="/admin/reports")

    @expose("/")
    def index(self) -> str:
        own = [(kind.endpoint, kind.title, kind.about) for kind in KINDS]
        page: str = self.render("console/reports.html", kinds=[*own, *ELSEWHERE])
        return page


def _scope(*, counts_now: bool) -> Scope:
    who, now = officer(), _now()
    branch = None if who.sees_all_branches else who.branch
    return Scope(Period.chosen(request.args, now), branch, now, counts_now)


def _now() -> datetime:
    now: datetime = current_app.extensions["vermilion_now"]()
    return now


def show(name: str) -> str:
    """The page."""
    kind, scope = _BY_NAME[name], _scope(counts_now=False)
    report = kind.count(scope)
    return render_template(
        "console/report.html",
        kind=kind,
        scope=scope,
        report=report,
        rows=report.rows[:SHOWN],
        most=len(report.rows) > SHOWN and SHOWN,
        longest=LONGEST,
    )


def take(name: str, ending: str) -> Response:
    """The same table to keep, once the signer has recorded that somebody took it."""
    kind, scope = _BY_NAME[name], _scope(counts_now=True)
    report = kind.count(scope)
    note_export(f"report-{kind.name}")
    days = f"-{scope.period.first}-{scope.period.last}" if kind.has_days else ""
    rows = ([plain(cell) for cell in row] for row in report.rows)
    return attached(f"{kind.name}{days}", ending, [str(one.heading) for one in report.columns], rows)


for _kind in KINDS:
    _endpoint = _kind.endpoint.removeprefix("reports.")
    views.add_url_rule(f"/{_kind.name}", _endpoint, show, defaults={"name": _kind.name})
    views.add_url_rule(
        f"/{_kind.name}.<any(csv, xlsx):ending>", f"{_endpoint}_sheet", take, defaults={"name": _kind.name}
    )
