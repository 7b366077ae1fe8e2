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
from ca.adapters.db.rows import InvitationRow, OfficerCredentialRow, OfficerRow, db
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
    one, credential = OfficerRow, OfficerCredentialRow
    passkeys = select(func.count()).where(credential.officer == one.id).correlate(one).scalar_subquery()
    # Columns, not rows with all they have: there are thousands of officers.
    wanted = select(one.id, one.person, one.name, one.branch, one.roles, one.state, passkeys, seen)
    found = db.session.execute(wanted.where(here).order_by(one.person)).all()
    binding = CertificateBindingRow
    in_force = select(binding.officer, func.count()).where(binding.state == BindingState.BOUND.value)
    bound = {row[0]: row[1] for row in db.session.execute(in_force.group_by(binding.officer))}
    redeemed = InvitationRow.state == InvitationState.REDEEMED.value
    asked = select(InvitationRow.person, InvitationRow.proposed_by, InvitationRow.approved_by).where(redeemed)
    invited = {person: f"{by}, {second}".rstrip(", ") for person, by, second in db.session.execute(asked)}
    rows: list[Row] = []
    roles: Counter[str] = Counter()
    for officer, person, name, branch, held, state, count, last in found:
        notes = []
        if roles_exclude(held):
            notes.append(_("roles exclude one another"))
        if last is None or scope.now - last > UNUSED:
            notes.append(_("not used for 90 days"))
        roles.update(held.split(","))
        by = invited.get(person, "")
        rows.append((person, name, branch, held, state, count, bound.get(officer, 0), last, by, "; ".join(notes)))
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
