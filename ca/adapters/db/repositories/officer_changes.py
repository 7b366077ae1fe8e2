"""Proposed changes of officers in the database."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.common import Values, known
from ca.adapters.db.mapping.people import read_roles, roles_text
from ca.adapters.db.officer_rows import OfficerChangeRow
from ca.adapters.db.repositories.statements import find_row, save_newer
from ca.domain.officer_changes import OfficerChange
from ca.domain.proposals import ProposalState


class SqlOfficerChanges:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, change_id: str) -> tuple[OfficerChange, bytes] | None:
        row = find_row(self._session, select(OfficerChangeRow).where(OfficerChangeRow.id == change_id), lock=True)
        return (_change(row), row.seal) if row else None

    def save(self, change: OfficerChange, seal: bytes) -> None:
        values: Values = {
            "version": change.version,
            "officer": change.officer,
            "officer_version": change.officer_version,
            "person": change.person,
            "name": change.name,
            "old_branch": change.old_branch,
            "old_roles": roles_text(change.old_roles),
            "branch": change.branch,
            "roles": roles_text(change.roles),
            "reason": change.reason,
            "proposed_by": change.proposed_by,
            "proposed_at": change.proposed_at,
            "expires_at": change.expires_at,
            "state": change.state.value,
            "decided_by": change.decided_by,
            "decision_reason": change.decision_reason,
            "reinstates": change.reinstates,
            "seal": seal,
        }
        refusal = "this change was just decided by somebody else; look again"
        save_newer(self._session, OfficerChangeRow, {"id": change.id}, values, counter="version", refusal=refusal)


def _change(row: OfficerChangeRow) -> OfficerChange:
    where = f"change {row.id}"
    return OfficerChange(
        id=row.id,
        version=row.version,
        officer=row.officer,
        officer_version=row.officer_version,
        person=row.person,
        name=row.name,
        old_branch=row.old_branch,
        old_roles=read_roles(row.old_roles, where),
        branch=row.branch,
        roles=read_roles(row.roles, where),
        reason=row.reason,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
        state=known(ProposalState, row.state, where),
        decided_by=row.decided_by,
        decision_reason=row.decision_reason,
        reinstates=row.reinstates,
    )
