"""What must be nowhere in the records, as queries over some days: for the reports that name it and the job that counts.

Each query gives a name to open, an application or a branch, and an instant; each looks up by index alone.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, exists, literal, select
from sqlalchemy.orm import aliased

from ca.adapters.db.log_rows import AuditEventRow
from ca.adapters.db.rows import ApplicationRow, CertificateRow, EvidenceRow, IntentRow
from ca.domain.applications import ApplicationState
from ca.domain.decisions import Act

Covers = Callable[[Any], Any]
"""Of a column with an instant: the condition that it lies in the days."""
Query = Select[*tuple[Any, ...]]

ISSUED_EVENT = "certificate.issued"
_SERVED = (ApplicationState.CLAIMED.value, ApplicationState.COMPLETED.value)
_MAY_HAVE_ONE = (*_SERVED, ApplicationState.VOID.value)
"""An application whose certificate was never confirmed is void, and its certificate revoked."""


def differences(covers: Covers) -> dict[str, Query]:
    """Where applications, certificates, signatures and the log do not tell the same."""
    c, i, e, a = CertificateRow, IntentRow, AuditEventRow, ApplicationRow
    row = select(c.serial, c.application, c.issued_at.label("at")).where(issued(covers)).order_by(c.id)
    # By the log: what was to be signed is found there by its day, and the record of it by its serial number.
    meant = (e.name == "certificate.intended") & covers(e.at)
    intent = select(i.serial, i.application, i.intended_at.label("at")).join(e, (e.subject == i.serial) & meant)
    intent = intent.where(i.application != "").order_by(e.number)
    signed = exists().where(i.serial == c.serial, i.signed.is_(True))
    logged = exists().where(e.subject == c.serial, e.name == ISSUED_EVENT)
    certified = exists().where(c.serial == i.serial)
    event = select(e.subject, literal("").label("application"), e.at.label("at")).order_by(e.number)
    invented = event.where(e.name == ISSUED_EVENT, covers(e.at), ~exists().where(c.serial == e.subject))
    answered = exists().where(a.id == c.application, a.state.in_(_MAY_HAVE_ONE))
    asked = select(literal("").label("serial"), a.id, a.submitted_at.label("at")).order_by(a.submitted_at)
    asked = asked.where(a.state.in_(_SERVED), covers(a.submitted_at), ~exists().where(c.application == a.id))
    before = aliased(c)
    earlier = exists().where(
        before.application == c.application, before.predecessor.is_(None), before.id < c.id
    )  # fmt: skip
    return {
        "unsigned": row.where(~signed),
        "unlogged": row.where(~logged),
        "lost": intent.where(i.signed.is_(True), ~certified),
        "open": intent.where(i.signed.is_(False)),
        "invented": invented,
        "unasked": row.where(~answered),
        "unanswered": asked,
        "twice": row.where(c.predecessor.is_(None), earlier),
    }


def unapproved(covers: Covers) -> Query:
    """Certificates of customers that one person was enough for. One that follows another rests on the approval of the
    case that both answer."""
    c, a = CertificateRow, ApplicationRow
    approved = exists().where(
        a.id == c.application,
        EvidenceRow.application == c.application,
        EvidenceRow.act.in_((Act.APPROVE_APPLICATION.value, Act.APPROVE_BATCH.value)),
        EvidenceRow.person != a.maker_person,
    )
    query = select(c.serial, c.branch, c.issued_at.label("at")).where(issued(covers), ~approved)
    return query.order_by(c.issued_at)


def issued(covers: Covers, *, is_renewal: bool | None = None) -> Any:
    """The condition for certificates that customers were issued; of both kinds, or of one."""
    c = CertificateRow
    condition = covers(c.issued_at) & (c.application != "")
    if is_renewal is None:
        return condition
    return condition & (c.predecessor.is_not(None) if is_renewal else c.predecessor.is_(None))
