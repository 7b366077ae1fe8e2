"""Where one person was enough and two were needed. The answer must be: nowhere.

It is counted from the records and the decisions kept as evidence. That each signature in the evidence is its officer's
is checked by the signer before it issues, and again by whoever verifies a dossier (docs/protocols/dossier.md).
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import String, case, cast, exists, literal, or_, select

from admin.reports.branches import counted_per_day
from admin.reports.kept import kept
from admin.reports.report import Column, Report, Row, Scope, Verdict, by_day, named_or_counted
from ca.adapters.db.day_checks import unapproved
from ca.adapters.db.officer_rows import CertificateBindingRow, OfficerChangeRow
from ca.adapters.db.profile_rows import PolicyVersionRow, ProfileVersionRow
from ca.adapters.db.revocation_rows import RevocationCaseRow
from ca.adapters.db.rows import EvidenceRow, InvitationRow, OfficerRow, db
from ca.adapters.db.tool_rows import ToolCaseRow
from ca.adapters.db.unlock_rows import UnlockRow
from ca.domain.bindings import BindingState
from ca.domain.decisions import Act
from ca.domain.errors import InvalidRequest
from ca.domain.officers import InvitationState, OfficerState, TrustedRole, require_compatible
from ca.domain.unlocking import UnlockState

_BY_CEREMONY, _APPROVED = "ceremony:", "approved"


def dual_control(scope: Scope) -> Report:
    """Every exception, by name."""
    known = kept(scope)
    queries = _invitations(), _officers(), _unlocks(scope), _revocations(scope), *_cases(), _bindings()
    certificates = named_or_counted(unapproved(scope.period.covers), known.count("unapproved") if known else None)
    counted = [certificates, *map(named_or_counted, queries)]
    held_together = list(_held_together())
    total = sum(count for count, _rows in counted) + len(held_together)
    sentences = (
        _("Issued without an approval by another person than its maker"),
        _("Invitation that two security officers did not agree on"),
        _("Officer whom nobody invited"),
        _("Unlock that no second person approved"),
        _("Revocation that no second person approved"),
        _("Change of an officer that no second person approved"),
        _("Profile version that no second person approved"),
        _("Version of the policy that no second person approved"),
        _("Version of the tool that no second person released"),
        _("Certificate for signing in that no second person approved"),
    )
    rows: list[Row] = [
        (sentence, *row) for sentence, (_count, found) in zip(sentences, counted, strict=True) for row in found
    ]
    rows += held_together
    columns = [Column(_("Exception")), Column(_("What"), "mono"), Column(_("Branch")), Column(_("At"), "when")]
    days = known.by_day("issued") if known else counted_per_day(scope)
    chart = by_day(_("Certificates looked at"), scope.period, days)
    verdict = Verdict(not total, _("Exceptions: %(count)s", count=total))
    return Report(columns, rows, [chart], verdict, counted_at=known.at if known else None)


def _decided(act: Act, on: Any, not_by: Any) -> Any:
    """That somebody else decided."""
    return exists().where(EvidenceRow.application == on, EvidenceRow.act == act.value, EvidenceRow.person != not_by)


def _invitations() -> Any:
    """All there are: there is one for each officer. Those of the key ceremony were made before witnesses."""
    i = InvitationRow
    in_force = i.state.in_((InvitationState.OPEN.value, InvitationState.REDEEMED.value))
    two = (
        (i.approved_by != "") & (i.approved_by != i.proposed_by) & _decided(Act.APPROVE_INVITATION, i.id, i.proposed_by)
    )
    by_one = in_force & ~i.proposed_by.startswith(_BY_CEREMONY) & ~two
    return select(i.person, i.branch, i.expires_at).where(by_one).order_by(i.person)


def _officers() -> Any:
    # In a form that no index serves: else SQLite reads for each officer all invitations that were redeemed.
    redeemed = case((InvitationRow.state == InvitationState.REDEEMED.value, 1), else_=0) == 1
    invited = exists().where(InvitationRow.person == OfficerRow.person, redeemed)
    left = OfficerRow.state == OfficerState.LEFT.value
    return select(OfficerRow.person, OfficerRow.branch).where(~left, ~invited).order_by(OfficerRow.person)


def _unlocks(scope: Scope) -> Any:
    u = UnlockRow
    went_on = or_(u.state.in_([UnlockState.APPROVED, UnlockState.COMPLETED, UnlockState.LOCKED]), u.answers > 0)
    two = (
        (u.approved_by != "")
        & (u.approved_by != u.maker_person)
        & _decided(Act.APPROVE_UNLOCK, u.reference, u.maker_person)
    )
    by_one = select(u.reference, u.branch, u.opened_at).where(scope.period.covers(u.opened_at), went_on, ~two)
    return by_one.order_by(u.opened_at)


def _revocations(scope: Scope) -> Any:
    """Where the profile asked for two."""
    r = RevocationCaseRow
    two = (r.decided_by != "") & (r.decided_by != r.proposed_by) & _decided(Act.APPROVE_REVOCATION, r.id, r.proposed_by)
    approved = select(r.serial, r.branch, r.proposed_at).where(scope.period.covers(r.proposed_at), r.state == _APPROVED)
    return approved.where(~two).order_by(r.proposed_at)


def _cases() -> Iterator[Any]:
    """What changes who may do what, what certificates are, and what customers install: all there is, it is little."""
    o, p, v, t = OfficerChangeRow, ProfileVersionRow, PolicyVersionRow, ToolCaseRow
    for row, maker, act, told in (
        (o, o.proposed_by, Act.APPROVE_OFFICER_CHANGE, (o.person, o.branch, o.proposed_at)),
        (p, p.maker_person, Act.APPROVE_PROFILE, (p.profile, literal(""), p.proposed_at)),
        (v, v.maker_person, Act.APPROVE_POLICY, (cast(v.number, String), literal(""), v.proposed_at)),
        (t, t.maker_person, Act.RELEASE_TOOL, (t.tool_version, literal(""), t.proposed_at)),
    ):
        two = (row.decided_by != "") & (row.decided_by != maker) & _decided(act, row.id, maker)
        yield select(*told).where(row.state == _APPROVED, ~two).order_by(row.proposed_at)


def _bindings() -> Any:
    """All there are: who ended one stands where who approved it stood, so only the evidence tells."""
    b = CertificateBindingRow
    was_in_force = b.state.in_((BindingState.BOUND.value, BindingState.ENDED.value))
    by_one = was_in_force & ~_decided(Act.APPROVE_BINDING, b.id, b.proposed_by)
    query = select(b.person, OfficerRow.branch, b.proposed_at).join(OfficerRow, OfficerRow.id == b.officer)
    return query.where(by_one).order_by(b.proposed_at)


def _held_together() -> Iterator[Row]:
    """Officers whose roles exclude one another."""
    o = OfficerRow
    query = select(o.person, o.branch, o.roles).where(o.state != OfficerState.LEFT.value).order_by(o.person)
    for person, branch, roles in db.session.execute(query):
        if roles_exclude(roles):
            yield _("Officer with roles that one person may not hold together"), person, branch, None


@cache
def roles_exclude(text: str) -> bool:
    """Whether these roles, as the column has them, must not be one person's."""
    check: Callable[[frozenset[TrustedRole]], None] = require_compatible
    try:
        check(frozenset(TrustedRole(role) for role in text.split(",") if role))
    except (InvalidRequest, ValueError):
        return True
    return False
