"""Who may do what, since when unused: what security officers and auditors go through each quarter."""

from collections import Counter
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select

from admin.language import named
from admin.reports.dual_control import roles_exclude
from admin.reports.report import Chart, Column, Report, Row, Scope, Verdict
from ca.adapters.db.log_rows import AuditEventRow
from ca.adapters.db.officer_rows import CertificateBindingRow
from ca.adapters.db.rows import InvitationRow, OfficerRow, db
from ca.domain.bindings import BindingState
from ca.domain.officers import InvitationState, OfficerState

UNUSED = timedelta(days=90)
"""An account that nobody signed in with for so long is looked at."""


def access_review(scope: Scope) -> Report:
    """Every officer who has not left; the days of the period play no part."""
    event = AuditEventRow
    seen = (
        select(func.max(event.at))
        .where(event.subject == OfficerRow.id, event.name == "officer.signed-in")
        .correlate(OfficerRow)
        .scalar_subquery()
    )
    here = OfficerRow.state != OfficerState.LEFT.value
    found = list(db.session.execute(select(OfficerRow, seen).where(here).order_by(OfficerRow.person)))
    invitations = {
        row.person: row
        for row in db.session.scalars(
            select(InvitationRow).where(InvitationRow.state == InvitationState.REDEEMED.value)
        )
    }
    binding = CertificateBindingRow
    in_force = select(binding.officer, func.count()).where(binding.state == BindingState.BOUND.value)
    certificates = {row[0]: row[1] for row in db.session.execute(in_force.group_by(binding.officer))}
    rows: list[Row] = []
    roles: Counter[str] = Counter()
    for officer, last in found:
        notes = []
        if roles_exclude(officer.roles):
            notes.append(_("roles exclude one another"))
        if last is None or scope.now - last > UNUSED:
            notes.append(_("not used for 90 days"))
        invitation = invitations.get(officer.person)
        by = f"{invitation.proposed_by}, {invitation.approved_by}".rstrip(", ") if invitation else ""
        roles.update(officer.roles.split(","))
        rows.append(
            (
                officer.person, officer.name, officer.branch, officer.roles, officer.state, len(officer.credentials),
                certificates.get(officer.id, 0), last, by, "; ".join(notes),
            )
        )  # fmt: skip
    columns = [
        Column(_("Person"), "mono"), Column(_("Name")), Column(_("Branch")), Column(_("Roles"), "roles"),
        Column(_("State"), "badge"), Column(_("Passkeys"), "number"),
        Column(_("Certificates for signing in"), "number"), Column(_("Last sign-in"), "when"),
        Column(_("Invited by"), "mono"), Column(_("Look at")),
    ]  # fmt: skip
    odd = sum(1 for row in rows if row[-1])
    verdict = Verdict(not odd, _("To look at: %(count)s", count=odd))
    by_role = [(named(role), count) for role, count in sorted(roles.items())]
    chart = Chart(_("Officers by role"), by_role, is_by_day=False)
    return Report(columns, rows, [chart], verdict)
