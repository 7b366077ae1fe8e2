"""Officers and invitations in the database, with the seals found beside them; checking a seal is the caller's work."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.people import (
    credential_values,
    invitation_values,
    officer_values,
    to_invitation,
    to_officer,
)
from ca.adapters.db.repositories.statements import add_row, change_row, delete_rows, find_row, put_row, save_newer
from ca.adapters.db.rows import InvitationRow, OfficerCredentialRow, OfficerRow
from ca.domain.errors import InvalidTransition, NotFound
from ca.domain.officers import Invitation, Officer

_TAKEN = "this passkey belongs to another officer"


class SqlOfficers:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, officer_id: str) -> tuple[Officer, bytes]:
        row = find_row(self._session, select(OfficerRow).where(OfficerRow.id == officer_id))
        if row is None:
            raise NotFound(f"there is no officer {officer_id}")
        return to_officer(row), row.seal

    def find_by_person(self, person: str) -> tuple[Officer, bytes] | None:
        row = find_row(self._session, select(OfficerRow).where(OfficerRow.person == person))
        return (to_officer(row), row.seal) if row else None

    def find_by_credential(self, credential_id: bytes) -> tuple[Officer, bytes] | None:
        owner = select(OfficerCredentialRow.officer).where(OfficerCredentialRow.credential_id == credential_id)
        row = find_row(self._session, select(OfficerRow).where(OfficerRow.id == owner.scalar_subquery()))
        return (to_officer(row), row.seal) if row else None

    def save(self, officer: Officer, seal: bytes) -> None:
        self._require_own_passkeys(officer)
        values = officer_values(officer, seal)
        refusal = f"the record of person {officer.person} was just made or changed by somebody else; look again"
        save_newer(self._session, OfficerRow, {"id": officer.id}, values, counter="version", refusal=refusal)
        delete_rows(self._session, OfficerCredentialRow, {"officer": officer.id})
        for values in credential_values(officer):
            add_row(self._session, OfficerCredentialRow, values, refusal=_TAKEN)

    def _require_own_passkeys(self, officer: Officer) -> None:
        ids = [credential.id for credential in officer.credentials]
        of_others = select(OfficerCredentialRow).where(
            OfficerCredentialRow.credential_id.in_(ids), OfficerCredentialRow.officer != officer.id
        )
        if find_row(self._session, of_others) is not None:
            raise InvalidTransition(_TAKEN)

    def note_use(self, credential_id: bytes, sign_count: int, at: datetime) -> None:
        values = {"sign_count": sign_count, "used_at": at}
        change_row(self._session, OfficerCredentialRow, {"credential_id": credential_id}, values)


class SqlInvitations:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, invitation_id: str) -> tuple[Invitation, bytes]:
        row = find_row(self._session, select(InvitationRow).where(InvitationRow.id == invitation_id), lock=True)
        if row is None:
            raise NotFound(f"there is no invitation {invitation_id}")
        return to_invitation(row), row.seal

    def save(self, invitation: Invitation, seal: bytes) -> None:
        put_row(
            self._session,
            InvitationRow,
            {"id": invitation.id},
            invitation_values(invitation, seal),
            refusal="this invitation was just made by somebody else",
        )
