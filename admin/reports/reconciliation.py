"""Applications served = certificates = signatures recorded = certificates that the log says were issued.

An HSM over PKCS#11 has no counter of signatures to read: what stands for it is the signer's own record, written before
it asks the HSM and marked when it has the signature (DESIGN invariant 1). Every difference is named.
"""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from admin.reports.branches import counted_per_day
from admin.reports.kept import kept
from admin.reports.report import Column, Report, Row, Scope, Verdict, by_day, named_or_counted
from ca.adapters.db.day_checks import differences, issued
from ca.adapters.db.rows import CertificateRow, db

_SENTENCES = {
    "unsigned": _l("Certificate without a signature in the records"),
    "unlogged": _l("Certificate that the log does not know"),
    "lost": _l("Signature without a certificate"),
    "open": _l("Recorded and not signed: “reconcile” finishes it"),
    "invented": _l("Issued by the log, and no such certificate"),
    "unasked": _l("Certificate whose application was not served"),
    "unanswered": _l("Application with its code used, and no certificate"),
    "twice": _l("More than one first certificate"),
}


def reconciliation(scope: Scope) -> Report:
    """Four numbers that must be one, and what keeps them apart."""
    period, known = scope.period, kept(scope)
    days = known.by_day("issued") if known else counted_per_day(scope)
    certificates = sum(days.values())
    renewals = known.count("renewed") if known else _renewals(scope)
    found: list[Row] = []
    counts = {}
    for key, query in differences(period.covers).items():
        counts[key], rows = named_or_counted(query, known.count(key) if known else None)
        found += [(str(_SENTENCES[key]), *row) for row in rows]
    signed = certificates - counts["unsigned"] + counts["lost"]
    logged = certificates - counts["unlogged"] + counts["invented"]
    sums = [
        (_("Applications served for the first time"), certificates - renewals - counts["twice"]),
        (_("Renewals"), renewals),
        (_("Certificates"), certificates),
        (_("Signatures in the signer's records"), signed),
        (_("Issued by the audit log"), logged),
    ]
    total = sum(counts.values())
    verdict = Verdict(not total, _("Differences: %(count)s", count=total))
    columns = [
        Column(_("Difference")), Column(_("Serial number"), "serial"), Column(_("Application"), "mono"),
        Column(_("At"), "when"),
    ]  # fmt: skip
    chart = by_day(_("Certificates"), period, days)
    return Report(columns, found, [chart], verdict, sums, known.at if known else None)


def _renewals(scope: Scope) -> int:
    renewed = issued(scope.period.covers, is_renewal=True)
    count: int = db.session.execute(select(func.count()).select_from(CertificateRow).where(renewed)).scalar_one()
    return count
