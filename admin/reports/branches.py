"""What each branch did each day: certificates issued, renewed, revoked; wrong codes; what each officer did."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select

from admin.reports.period import day_numbered
from admin.reports.report import Chart, Column, Report, Row, Scope, by_day
from ca.adapters.db.log_rows import AuditEventRow
from ca.adapters.db.rows import ApplicationRow, CertificateRow, OfficerRow, db
from ca.adapters.db.unlock_rows import UnlockRow
from ca.domain.revocation import RevocationReason

_BARS = 12
_Counted = dict[tuple[int, str], int]
"""By the number of the day and the branch."""


def branches(scope: Scope) -> Report:
    """Issued, renewed, revoked: a row for each day and branch where there was any."""
    issued, renewed, revoked = _issued(scope, is_renewal=False), _issued(scope, is_renewal=True), _revoked(scope)
    names = _("Issued"), _("Renewed"), _("Revoked")
    return _daily(scope, names, (issued, renewed, revoked))


def codes(scope: Scope) -> Report:
    """Wrong codes: those of letters and receipts, pairs that they locked, and wrong unlock codes."""
    refused, locked = _of_applications(scope, "codes.refused"), _of_applications(scope, "codes.locked")
    unlocks = _counted(
        scope,
        _events(scope, "unlock.code-refused").add_columns(func.coalesce(UnlockRow.branch, "")),
        UnlockRow,
        UnlockRow.reference == AuditEventRow.subject,
    )
    return _daily(scope, (_("Wrong codes"), _("Locked"), _("Wrong unlock codes")), (refused, locked, unlocks))


def _daily(scope: Scope, names: Sequence[str], counted: Sequence[_Counted]) -> Report:
    keys = sorted({key for one in counted for key in one}, key=lambda key: (-key[0], key[1]))
    written = {number: day_numbered(number).isoformat() for number, _branch in keys}
    rows: list[Row] = [
        (written[day], branch or "–", *[one.get((day, branch), 0) for one in counted]) for day, branch in keys
    ]
    charts = []
    for name, one in zip(names, counted, strict=True):
        days: Counter[int] = Counter()
        for (day, _branch), count in one.items():
            days[day] += count
        charts.append(by_day(name, scope.period, {day_numbered(day): count for day, count in days.items()}))
    columns = [Column(_("Day")), Column(_("Branch")), *(Column(name, "number") for name in names)]
    return Report(columns, rows, charts)


def _issued(scope: Scope, *, is_renewal: bool) -> _Counted:
    day = scope.period.day_of(CertificateRow.issued_at)
    query = (
        select(day, CertificateRow.branch, func.count())
        .where(scope.period.covers(CertificateRow.issued_at), CertificateRow.application != "")
        .where(CertificateRow.predecessor.is_not(None) if is_renewal else CertificateRow.predecessor.is_(None))
        .group_by(day, CertificateRow.branch)
    )
    if scope.branch is not None:
        query = query.where(CertificateRow.branch == scope.branch)
    return {(day, branch): count for day, branch, count in db.session.execute(query)}


def _revoked(scope: Scope) -> _Counted:
    """By what the log says of that day; what a renewal superseded was not taken from anybody."""
    query = _events(scope, "certificate.revoked").add_columns(CertificateRow.branch)
    meant = (CertificateRow.serial == AuditEventRow.subject) & (CertificateRow.application != "")
    kept = CertificateRow.reason.is_distinct_from(RevocationReason.SUPERSEDED.value)
    return _counted(scope, query, CertificateRow, meant & kept, is_outer=False)


def _of_applications(scope: Scope, name: str) -> _Counted:
    query = _events(scope, name).add_columns(func.coalesce(ApplicationRow.branch, ""))
    return _counted(scope, query, ApplicationRow, ApplicationRow.id == AuditEventRow.subject)


def _events(scope: Scope, name: str) -> Any:
    day = scope.period.day_of(AuditEventRow.at)
    named = AuditEventRow.name == name
    return select(func.count(), day).where(named, scope.period.covers(AuditEventRow.at)).group_by(day)


def _counted(scope: Scope, query: Any, rows: Any, meant: Any, *, is_outer: bool = True) -> _Counted:
    query = query.select_from(AuditEventRow).join(rows, meant, isouter=is_outer).group_by(rows.branch)
    if scope.branch is not None:
        query = query.where(rows.branch == scope.branch)
    return {(day, branch): count for count, day, branch in db.session.execute(query)}


_ACTS: dict[str, frozenset[str]] = {
    "entered": frozenset({"application.submitted"}),
    "approved": frozenset({"application.approved", "invitation.approved", "unlock.approved"}),
    "turned down": frozenset({"application.rejected", "application.withdrawn", "unlock.rejected"}),
    "codes": frozenset({"codes.handed-out", "codes.reissued"}),
    "statuses": frozenset({"certificate.held", "certificate.released", "certificate.revoked"}),
    "looks": frozenset({"customer.looked-at"}),
    "sheets": frozenset({"customers.exported"}),
    "refused": frozenset({"operation.refused"}),
}
_ACT_OF = {name: act for act, names in _ACTS.items() for name in names}


def activity(scope: Scope) -> Report:
    """What each officer did: a row for each one, whoever did most first."""
    people = {person: (name, branch) for person, name, branch in db.session.execute(_officers(scope))}
    done: dict[str, dict[str, int]] = {}
    query = (
        select(AuditEventRow.actor, AuditEventRow.name, func.count())
        .where(AuditEventRow.name.in_(_ACT_OF), scope.period.covers(AuditEventRow.at))
        .group_by(AuditEventRow.actor, AuditEventRow.name)
    )
    for actor, name, count in db.session.execute(query):
        if actor in people:
            acts = done.setdefault(actor, dict.fromkeys(_ACTS, 0))
            acts[_ACT_OF[name]] += count
    order = sorted(done, key=lambda person: (-sum(done[person].values()), person))
    rows: list[Row] = [(person, *people[person], *done[person].values()) for person in order]
    headings = (
        _("Entered"), _("Approved"), _("Turned down"), _("Codes handed out"), _("Held, released, revoked"),
        _("Looks at customers"), _("Sheets taken"), _("Refused"),
    )  # fmt: skip
    columns = [Column(_("Person"), "mono"), Column(_("Name")), Column(_("Branch"))]
    points = [(people[person][0], sum(done[person].values())) for person in order[:_BARS]]
    chart = Chart(_("Who did most"), points, is_by_day=False)
    return Report([*columns, *(Column(heading, "number") for heading in headings)], rows, [chart])


def _officers(scope: Scope) -> Any:
    query = select(OfficerRow.person, OfficerRow.name, OfficerRow.branch)
    return query if scope.branch is None else query.where(OfficerRow.branch == scope.branch)


def counted_per_day(scope: Scope) -> dict[date, int]:
    """Certificates that customers were issued, for the charts of the reports that judge them."""
    day = scope.period.day_of(CertificateRow.issued_at)
    query = select(day, func.count()).where(
        scope.period.covers(CertificateRow.issued_at), CertificateRow.application != ""
    )
    return {day_numbered(number): count for number, count in db.session.execute(query.group_by(day))}
