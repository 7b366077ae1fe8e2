"""Applications served = certificates = signatures recorded = certificates that the log says were issued.

An HSM over PKCS#11 has no counter of signatures to read: what stands for it is the signer's own record, written before
it asks the HSM and marked when it has the signature (DESIGN invariant 1). Every difference is named.
"""

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import exists, func, literal, select

from admin.reports.branches import counted_per_day
from admin.reports.report import LISTED, Column, Report, Row, Scope, Verdict, by_day
from ca.adapters.db.log_rows import AuditEventRow
from ca.adapters.db.rows import ApplicationRow, CertificateRow, IntentRow, db
from ca.domain.applications import ApplicationState

_ISSUED = "certificate.issued"
_SERVED = (ApplicationState.CLAIMED.value, ApplicationState.COMPLETED.value)
_MAY_HAVE_ONE = (*_SERVED, ApplicationState.VOID.value)
"""An application whose certificate was never confirmed is void, and its certificate revoked."""


def reconciliation(scope: Scope) -> Report:
    """Four numbers that must be one, and what keeps them apart."""
    period = scope.period
    customers = CertificateRow.application != ""
    certificates = period.covers(CertificateRow.issued_at) & customers
    first = certificates & CertificateRow.predecessor.is_(None)
    renewed = certificates & CertificateRow.predecessor.is_not(None)
    served = _count(select(func.count(func.distinct(CertificateRow.application))).where(first))
    renewals, issued = _count_rows(CertificateRow, renewed), _count_rows(CertificateRow, certificates)
    found: list[Row] = []
    counts = {}
    for key, what, query in _differences(scope, certificates):
        rows = list(db.session.execute(query.limit(LISTED)))
        counts[key] = len(rows) if len(rows) < LISTED else _count(select(func.count()).select_from(query.subquery()))
        found += [(what, *row) for row in rows]
    signed = issued - counts["unsigned"] + counts["lost"]
    logged = issued - counts["unlogged"] + counts["invented"]
    sums = [
        (_("Applications served for the first time"), served),
        (_("Renewals"), renewals),
        (_("Certificates"), issued),
        (_("Signatures in the signer's records"), signed),
        (_("Issued by the audit log"), logged),
    ]
    if (twice := issued - served - renewals) > 0:
        counts["twice"] = twice
        found += [(_("More than one first certificate"), *row) for row in db.session.execute(_twice(first))]
    total = sum(counts.values())
    verdict = Verdict(not total, _("Differences: %(count)s", count=total))
    columns = [
        Column(_("Difference")), Column(_("Serial number"), "serial"), Column(_("Application"), "mono"),
        Column(_("At"), "when"),
    ]  # fmt: skip
    chart = by_day(_("Certificates"), period, counted_per_day(scope))
    return Report(columns, found, [chart], verdict, sums)


def _differences(scope: Scope, certificates: Any) -> Iterator[tuple[str, str, Any]]:
    """A name, a sentence, and the query of serial number, application and instant; each by index alone."""
    period, c, i, e, a = scope.period, CertificateRow, IntentRow, AuditEventRow, ApplicationRow
    row = select(c.serial, c.application, c.issued_at).order_by(c.id)
    # By the log: what was to be signed is found there by its day, and the record of it by its serial number.
    meant = (e.name == "certificate.intended") & period.covers(e.at)
    intent = select(i.serial, i.application, i.intended_at).join(e, (e.subject == i.serial) & meant)
    intent = intent.where(i.application != "").order_by(e.number)
    signed = exists().where(i.serial == c.serial, i.signed.is_(True))
    logged = exists().where(e.subject == c.serial, e.name == _ISSUED)
    certified = exists().where(c.serial == i.serial)
    yield "unsigned", _("Certificate without a signature in the records"), row.where(certificates, ~signed)
    yield "unlogged", _("Certificate that the log does not know"), row.where(certificates, ~logged)
    yield "lost", _("Signature without a certificate"), intent.where(i.signed.is_(True), ~certified)
    yield "open", _("Recorded and not signed: “reconcile” finishes it"), intent.where(i.signed.is_(False))
    event = select(e.subject, literal(""), e.at).order_by(e.number)
    event = event.where(e.name == _ISSUED, period.covers(e.at), ~exists().where(c.serial == e.subject))
    yield "invented", _("Issued by the log, and no such certificate"), event
    answered = exists().where(a.id == c.application, a.state.in_(_MAY_HAVE_ONE))
    yield "unasked", _("Certificate whose application was not served"), row.where(certificates, ~answered)
    asked = select(literal(""), a.id, a.submitted_at).order_by(a.submitted_at)
    asked = asked.where(a.state.in_(_SERVED), period.covers(a.submitted_at), ~exists().where(c.application == a.id))
    yield "unanswered", _("Application with its code used, and no certificate"), asked


def _twice(first: Any) -> Any:
    c = CertificateRow
    return (
        select(func.max(c.serial), c.application, func.max(c.issued_at))
        .where(first)
        .group_by(c.application)
        .having(func.count() > 1)
        .limit(LISTED)
    )


def _count(query: Any) -> int:
    count: int = db.session.execute(query).scalar_one()
    return count


def _count_rows(rows: Any, condition: Any) -> int:
    return _count(select(func.count()).select_from(rows).where(condition))
