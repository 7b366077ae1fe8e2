"""Work: what waits for this officer, oldest first, beside how the CA stands; below it the figures (`figures.py`)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from flask import current_app
from flask_admin import BaseView, expose
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from admin.access import SignedIn
from admin.policy import policy
from admin.signer import officer
from admin.views.base import Gated, last_crls
from admin.views.figures import board
from ca.adapters.db.case_rows import BatchRow
from ca.adapters.db.log_rows import JobRunRow
from ca.adapters.db.officer_rows import CertificateBindingRow, OfficerChangeRow, RecoveryCodesRow
from ca.adapters.db.profile_rows import PolicyVersionRow, ProfileVersionRow, VersionRow
from ca.adapters.db.revocation_rows import RevocationCaseRow
from ca.adapters.db.rows import ApplicationRow, CertificateRow, InvitationRow, OfficerRow, db
from ca.adapters.db.stock_rows import AlarmRow
from ca.adapters.db.tool_rows import ToolCaseRow
from ca.adapters.db.unlock_rows import UnlockRow
from ca.domain.applications import ApplicationState
from ca.domain.bindings import BindingState
from ca.domain.certificates import CertificateStatus
from ca.domain.officers import InvitationState, TrustedRole
from ca.domain.proposals import ProposalState
from ca.domain.revocation_cases import RevocationCaseState
from ca.domain.tool_cases import ToolState
from ca.domain.unlocking import UnlockState

_SHOWN = 20
AnyVersionRow = TypeVar("AnyVersionRow", bound=VersionRow)
_TOLD_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class WorkList:
    """What stands on the home page."""

    to_approve: list[ApplicationRow] = field(default_factory=list)
    batches: list[Any] = field(default_factory=list)
    """Batch, how many of its applications wait."""
    waiting_for_others: list[ApplicationRow] = field(default_factory=list)
    to_hand_out: list[ApplicationRow] = field(default_factory=list)
    stuck: list[ApplicationRow] = field(default_factory=list)
    came_back: list[ApplicationRow] = field(default_factory=list)
    invitations: list[InvitationRow] = field(default_factory=list)
    officer_changes: list[OfficerChangeRow] = field(default_factory=list)
    bindings: list[CertificateBindingRow] = field(default_factory=list)
    recovered: list[tuple[OfficerRow, datetime]] = field(default_factory=list)
    """Who got back in with a recovery code, and when."""
    unlocks: list[UnlockRow] = field(default_factory=list)
    revocations: list[RevocationCaseRow] = field(default_factory=list)
    """That another officer proposed."""
    undecided: list[RevocationCaseRow] = field(default_factory=list)
    """Out of date, and their certificates are on hold still."""
    alarms: list[AlarmRow] = field(default_factory=list)
    profiles: list[ProfileVersionRow] = field(default_factory=list)
    policies: list[PolicyVersionRow] = field(default_factory=list)
    long_held: list[CertificateRow] = field(default_factory=list)
    """On hold for longer than a hold may last."""
    software: list[ToolCaseRow] = field(default_factory=list)
    recent: list[CertificateRow] = field(default_factory=list)


class WorkView(Gated, BaseView):
    """The home page."""

    def __init__(self) -> None:
        super().__init__(name=_l("Work"), endpoint="admin", url="/admin")

    @expose("/")
    def index(self) -> str:
        who = officer()
        shown = {"work": _work_list(who), "crls": last_crls(), "jobs": _jobs(), "recovered": _own_recovery(who)}
        shown["board"] = board(who)
        page: str = self.render("console/work.html", **shown)
        return page


def _work_list(who: SignedIn) -> WorkList:
    works_on_cases = who.may("cases.show") and TrustedRole.AUDITOR not in who.roles
    submitted = _applications(who, ApplicationState.SUBMITTED) if works_on_cases else []
    others = [row for row in submitted if row.maker_person != who.person]
    approves = who.may("cases.approve")
    return WorkList(
        to_approve=[row for row in others if not row.batch] if approves else [],
        batches=_batches(who) if approves else [],
        waiting_for_others=[row for row in submitted if not approves or row.maker_person == who.person],
        to_hand_out=_applications(who, ApplicationState.APPROVED) if who.may("cases.codes") else [],
        stuck=_applications(who, ApplicationState.LOCKED, ApplicationState.EXPIRED) if who.may("cases.codes") else [],
        came_back=_came_back(who) if who.may("cases.apply") else [],
        invitations=_invitations(who) if who.may("people.approve_invitation") else [],
        officer_changes=_officer_changes(who) if who.may("officer_changes.approve") else [],
        bindings=_bindings(who) if who.may("bindings.approve") else [],
        recovered=_recovered() if who.may("officer_changes.approve") else [],
        unlocks=_unlocks(who) if who.may("unlocks.approve") else [],
        revocations=_revocations(who) if who.may("revocations.approve") else [],
        undecided=_revocations(who, late=True) if who.may("revocations.approve") else [],
        alarms=_alarms(who) if who.may("stock.settle") else [],
        profiles=_versions(who, ProfileVersionRow) if who.may("profiles.approve") else [],
        policies=_versions(who, PolicyVersionRow) if who.may("policy.approve") else [],
        long_held=_long_held(who) if who.may("changes.release") else [],
        software=_releases(who) if who.may("software.approve") else [],
        recent=_recent(who) if who.may("certificates.index_view") else [],
    )


def _batches(who: SignedIn) -> list[Any]:
    waits = (
        select(ApplicationRow.batch, func.count().label("waiting"))
        .where(ApplicationRow.batch != "", ApplicationRow.state == ApplicationState.SUBMITTED.value)
        .where(ApplicationRow.maker_person != who.person)
        .group_by(ApplicationRow.batch)
    )
    counted = _at_branch(waits, ApplicationRow.branch, who).subquery()
    query = select(BatchRow, counted.c.waiting).join(counted, counted.c.batch == BatchRow.id)
    return list(db.session.execute(query.order_by(BatchRow.submitted_at).limit(_SHOWN)))


def _came_back(who: SignedIn) -> list[ApplicationRow]:
    back = ApplicationState.RETURNED.value, ApplicationState.REJECTED.value
    query = select(ApplicationRow).where(ApplicationRow.state.in_(back), ApplicationRow.maker_person == who.person)
    return list(db.session.scalars(query.order_by(ApplicationRow.updated_at.desc()).limit(5)))


def _applications(who: SignedIn, *states: ApplicationState) -> list[ApplicationRow]:
    # One after another: in one question the database would sort all of them to find the oldest.
    found = [row for state in states for row in _in_state(who, state)]
    return sorted(found, key=lambda row: (row.submitted_at, row.id))[:_SHOWN]


def _in_state(who: SignedIn, state: ApplicationState) -> list[ApplicationRow]:
    query = _at_branch(select(ApplicationRow), ApplicationRow.branch, who).where(ApplicationRow.state == state.value)
    return list(db.session.scalars(query.order_by(ApplicationRow.submitted_at, ApplicationRow.id).limit(_SHOWN)))


def _invitations(who: SignedIn) -> list[InvitationRow]:
    query = select(InvitationRow).where(
        InvitationRow.state == InvitationState.PROPOSED.value,
        InvitationRow.proposed_by != who.person,
        InvitationRow.person != who.person,
    )
    return list(db.session.scalars(query.order_by(InvitationRow.expires_at).limit(_SHOWN)))


def _officer_changes(who: SignedIn) -> list[OfficerChangeRow]:
    # One about a record that was changed since is void: nobody can approve it.
    query = select(OfficerChangeRow).join(OfficerRow, OfficerRow.id == OfficerChangeRow.officer)
    query = query.where(
        OfficerChangeRow.state == ProposalState.PROPOSED.value,
        OfficerChangeRow.officer_version == OfficerRow.version,
        OfficerChangeRow.proposed_by != who.person,
        OfficerChangeRow.person != who.person,
        OfficerChangeRow.expires_at > current_app.extensions["vermilion_now"](),
    )
    return list(db.session.scalars(query.order_by(OfficerChangeRow.proposed_at).limit(_SHOWN)))


def _bindings(who: SignedIn) -> list[CertificateBindingRow]:
    query = select(CertificateBindingRow).where(
        CertificateBindingRow.state == BindingState.PROPOSED.value,
        CertificateBindingRow.proposed_by != who.person,
        CertificateBindingRow.person != who.person,
        CertificateBindingRow.expires_at > current_app.extensions["vermilion_now"](),
    )
    return list(db.session.scalars(query.order_by(CertificateBindingRow.proposed_at).limit(_SHOWN)))


def _recovered() -> list[tuple[OfficerRow, datetime]]:
    query = select(OfficerRow, RecoveryCodesRow.used_at).join(
        RecoveryCodesRow, RecoveryCodesRow.officer == OfficerRow.id
    )
    query = query.where(RecoveryCodesRow.used_at > current_app.extensions["vermilion_now"]() - _TOLD_FOR)
    found = db.session.execute(query.order_by(RecoveryCodesRow.used_at.desc()).limit(_SHOWN))
    return [(row, at) for row, at in found if at is not None]


def _own_recovery(who: SignedIn) -> datetime | None:
    """When the officer's own recovery code was used, as long as that is news."""
    row = db.session.get(RecoveryCodesRow, who.id)
    is_news = row and row.used_at and row.used_at > current_app.extensions["vermilion_now"]() - _TOLD_FOR
    return row.used_at if row and is_news else None


def _unlocks(who: SignedIn) -> list[UnlockRow]:
    query = select(UnlockRow).where(UnlockRow.state == UnlockState.PROPOSED.value, UnlockRow.maker_person != who.person)
    return list(
        db.session.scalars(_at_branch(query, UnlockRow.branch, who).order_by(UnlockRow.opened_at).limit(_SHOWN))
    )


def _revocations(who: SignedIn, *, late: bool = False) -> list[RevocationCaseRow]:
    r, now = RevocationCaseRow, current_app.extensions["vermilion_now"]()
    # One whose certificate is on hold no more is void, whatever became of it.
    query = select(r).join(CertificateRow, CertificateRow.serial == r.serial)
    query = query.where(
        r.state == RevocationCaseState.PROPOSED.value, CertificateRow.status == CertificateStatus.ON_HOLD.value
    )
    query = query.where(r.expires_at < now) if late else query.where(r.expires_at >= now, r.proposed_by != who.person)
    return list(db.session.scalars(_at_branch(query, r.branch, who).order_by(r.proposed_at, r.id).limit(_SHOWN)))


def _alarms(who: SignedIn) -> list[AlarmRow]:
    query = select(AlarmRow).where(AlarmRow.branch == who.branch, AlarmRow.settled_by == "")
    return list(db.session.scalars(query.order_by(AlarmRow.raised_at).limit(_SHOWN)))


def _versions(who: SignedIn, kind: type[AnyVersionRow]) -> list[AnyVersionRow]:
    query = select(kind).where(kind.state == ProposalState.PROPOSED.value, kind.maker_person != who.person)
    return list(db.session.scalars(query.order_by(kind.effective_from).limit(_SHOWN)))


def _long_held(who: SignedIn) -> list[CertificateRow]:
    """A supervisor releases or revokes them: nothing does that by itself."""
    earliest = current_app.extensions["vermilion_now"]() - policy().hold_longest
    held = select(CertificateRow).where(
        CertificateRow.status == CertificateStatus.ON_HOLD.value, CertificateRow.revoked_at < earliest
    )
    in_order = _at_branch(held, CertificateRow.branch, who).order_by(CertificateRow.revoked_at, CertificateRow.id)
    return list(db.session.scalars(in_order.limit(_SHOWN)))


def _releases(who: SignedIn) -> list[ToolCaseRow]:
    query = select(ToolCaseRow).where(
        ToolCaseRow.state == ToolState.PROPOSED.value, ToolCaseRow.maker_person != who.person
    )
    return list(db.session.scalars(query.order_by(ToolCaseRow.proposed_at).limit(_SHOWN)))


def _recent(who: SignedIn) -> list[CertificateRow]:
    query = _at_branch(select(CertificateRow).where(CertificateRow.application != ""), CertificateRow.branch, who)
    in_order = query.order_by(CertificateRow.issued_at.desc(), CertificateRow.id.desc())
    return list(db.session.scalars(in_order.limit(8)))


def _at_branch(query: Any, column: Any, who: SignedIn) -> Any:
    return query if who.sees_all_branches else query.where(column == who.branch)


def _jobs() -> list[JobRunRow]:
    return list(db.session.scalars(select(JobRunRow).order_by(JobRunRow.name)))
