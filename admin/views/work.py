"""Work: what waits for this officer, oldest first, and one quiet line on how the CA stands."""

from dataclasses import dataclass, field
from typing import Any

from flask_admin import BaseView, expose
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select

from admin.access import SignedIn
from admin.signer import officer
from admin.views.base import Gated
from ca.adapters.db.log_rows import JobRunRow
from ca.adapters.db.rows import ApplicationRow, CertificateRow, CRLRow, InvitationRow, db
from ca.adapters.db.unlock_rows import UnlockRow
from ca.domain.applications import ApplicationState
from ca.domain.officers import InvitationState, TrustedRole
from ca.domain.unlocking import UnlockState

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class WorkList:
    """What stands on the home page."""

    to_approve: list[ApplicationRow] = field(default_factory=list)
    waiting_for_others: list[ApplicationRow] = field(default_factory=list)
    to_hand_out: list[ApplicationRow] = field(default_factory=list)
    stuck: list[ApplicationRow] = field(default_factory=list)
    came_back: list[ApplicationRow] = field(default_factory=list)
    invitations: list[InvitationRow] = field(default_factory=list)
    unlocks: list[UnlockRow] = field(default_factory=list)
    recent: list[CertificateRow] = field(default_factory=list)


class WorkView(Gated, BaseView):
    """The home page."""

    def __init__(self) -> None:
        super().__init__(name=_l("Work"), endpoint="admin", url="/admin")

    @expose("/")
    def index(self) -> str:
        who = officer()
        page: str = self.render("console/work.html", work=_work_list(who), crls=_last_crls(), jobs=_jobs())
        return page


def _work_list(who: SignedIn) -> WorkList:
    works_on_cases = who.may("cases.show") and TrustedRole.AUDITOR not in who.roles
    submitted = _applications(who, ApplicationState.SUBMITTED) if works_on_cases else []
    others = [row for row in submitted if row.maker_person != who.person]
    approves = who.may("cases.approve")
    return WorkList(
        to_approve=others if approves else [],
        waiting_for_others=[row for row in submitted if not approves or row.maker_person == who.person],
        to_hand_out=_applications(who, ApplicationState.APPROVED) if who.may("cases.codes") else [],
        stuck=_applications(who, ApplicationState.LOCKED, ApplicationState.EXPIRED) if who.may("cases.codes") else [],
        came_back=_came_back(who) if who.may("cases.apply") else [],
        invitations=_invitations(who) if who.may("people.approve_invitation") else [],
        unlocks=_unlocks(who) if who.may("unlocks.approve") else [],
        recent=_recent(who) if who.may("certificates.index_view") else [],
    )


def _came_back(who: SignedIn) -> list[ApplicationRow]:
    query = select(ApplicationRow).where(
        ApplicationRow.state == ApplicationState.REJECTED.value, ApplicationRow.maker_person == who.person
    )
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


def _unlocks(who: SignedIn) -> list[UnlockRow]:
    query = select(UnlockRow).where(UnlockRow.state == UnlockState.PROPOSED.value, UnlockRow.maker_person != who.person)
    return list(
        db.session.scalars(_at_branch(query, UnlockRow.branch, who).order_by(UnlockRow.opened_at).limit(_SHOWN))
    )


def _recent(who: SignedIn) -> list[CertificateRow]:
    query = _at_branch(select(CertificateRow).where(CertificateRow.application != ""), CertificateRow.branch, who)
    in_order = query.order_by(CertificateRow.issued_at.desc(), CertificateRow.id.desc())
    return list(db.session.scalars(in_order.limit(8)))


def _at_branch(query: Select[Any], column: Any, who: SignedIn) -> Select[Any]:
    return query if who.sees_all_branches else query.where(column == who.branch)


def _last_crls() -> list[CRLRow]:
    # Name by name along the key: to group them the database would read every CRL there ever was.
    newest = select(CRLRow).order_by(CRLRow.name.desc(), CRLRow.number.desc()).limit(1)
    found: list[CRLRow] = []
    while row := db.session.scalar(newest.where(CRLRow.name < found[-1].name) if found else newest):
        found.append(row)
    return found[::-1]


def _jobs() -> list[JobRunRow]:
    return list(db.session.scalars(select(JobRunRow).order_by(JobRunRow.name)))
