"""Versions of profiles in the database."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.common import Values, known
from ca.adapters.db.profile_rows import ProfileVersionRow
from ca.adapters.db.repositories.statements import find_row, list_rows, save_newer
from ca.domain.profile_versions import ProfileVersion
from ca.domain.proposals import ProposalState


class SqlProfileVersions:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, version_id: str) -> tuple[ProfileVersion, bytes] | None:
        row = find_row(self._session, select(ProfileVersionRow).where(ProfileVersionRow.id == version_id), lock=True)
        return (_version(row), row.seal) if row else None

    def list_of(self, profile: str) -> Sequence[tuple[ProfileVersion, bytes]]:
        wanted = select(ProfileVersionRow).where(ProfileVersionRow.profile == profile)
        in_order = wanted.order_by(ProfileVersionRow.number, ProfileVersionRow.proposed_at, ProfileVersionRow.id)
        return [(_version(row), row.seal) for row in list_rows(self._session, in_order)]

    def list_approved(self) -> Sequence[tuple[ProfileVersion, bytes]]:
        wanted = select(ProfileVersionRow).where(ProfileVersionRow.state == ProposalState.APPROVED.value)
        in_order = wanted.order_by(ProfileVersionRow.profile, ProfileVersionRow.number)
        return [(_version(row), row.seal) for row in list_rows(self._session, in_order)]

    def save(self, version: ProfileVersion, seal: bytes) -> None:
        values: Values = {
            "revision": version.revision,
            "profile": version.profile,
            "number": version.number,
            "text": version.text,
            "profile_digest": version.profile_digest,
            "replaces": version.replaces,
            "reason": version.reason,
            "effective_from": version.effective_from,
            "maker_person": version.maker_person,
            "proposed_at": version.proposed_at,
            "state": version.state.value,
            "decided_by": version.decided_by,
            "seal": seal,
        }
        refusal = "this version was just decided on by somebody else; look again"
        save_newer(self._session, ProfileVersionRow, {"id": version.id}, values, counter="revision", refusal=refusal)


def _version(row: ProfileVersionRow) -> ProfileVersion:
    return ProfileVersion(
        id=row.id,
        revision=row.revision,
        profile=row.profile,
        number=row.number,
        text=row.text,
        profile_digest=row.profile_digest,
        replaces=row.replaces,
        reason=row.reason,
        effective_from=row.effective_from,
        maker_person=row.maker_person,
        proposed_at=row.proposed_at,
        state=known(ProposalState, row.state, f"version {row.id} of a profile"),
        decided_by=row.decided_by,
    )
