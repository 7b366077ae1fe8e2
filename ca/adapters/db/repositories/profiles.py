"""Versions of profiles and of the policy in the database."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.common import Values, known
from ca.adapters.db.profile_rows import PolicyVersionRow, ProfileVersionRow, VersionRow
from ca.adapters.db.repositories.statements import find_row, list_rows, save_newer
from ca.domain.policy import PolicyVersion
from ca.domain.profile_versions import ProfileVersion
from ca.domain.proposals import ProposalState
from ca.domain.versions import Version

AnyVersion = TypeVar("AnyVersion", bound=Version)


class SqlVersions(Generic[AnyVersion]):
    """Of one kind, in the table of that kind."""

    def __init__(self, session: Session, version: type[AnyVersion], row: type[VersionRow]) -> None:
        self._session, self._version, self._row = session, version, row
        self._subject = getattr(row, version.kind)

    def find(self, version_id: str) -> tuple[AnyVersion, bytes] | None:
        row = find_row(self._session, select(self._row).where(self._row.id == version_id), lock=True)
        return (self._read(row), row.seal) if row else None

    def list_of(self, subject: str) -> Sequence[tuple[AnyVersion, bytes]]:
        return self._list(select(self._row).where(self._subject == subject))

    def list_approved(self) -> Sequence[tuple[AnyVersion, bytes]]:
        return self._list(select(self._row).where(self._row.state == ProposalState.APPROVED.value))

    def save(self, version: AnyVersion, seal: bytes) -> None:
        values: Values = {
            **version.about(version.subject, version.content_digest),
            "revision": version.revision,
            "number": version.number,
            "text": version.text,
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
        save_newer(self._session, self._row, {"id": version.id}, values, counter="revision", refusal=refusal)

    def _list(self, wanted: Select[Any]) -> Sequence[tuple[AnyVersion, bytes]]:
        in_order = wanted.order_by(self._subject, self._row.number, self._row.proposed_at, self._row.id)
        return [(self._read(row), row.seal) for row in list_rows(self._session, in_order)]

    def _read(self, row: VersionRow) -> AnyVersion:
        kind = self._version.kind
        return self._version(
            id=row.id,
            revision=row.revision,
            number=row.number,
            text=row.text,
            replaces=row.replaces,
            reason=row.reason,
            effective_from=row.effective_from,
            maker_person=row.maker_person,
            proposed_at=row.proposed_at,
            state=known(ProposalState, row.state, f"version {row.id} of a {kind}"),
            decided_by=row.decided_by,
            **self._version.about(getattr(row, kind), getattr(row, f"{kind}_digest")),
        )


def profile_versions(session: Session) -> SqlVersions[ProfileVersion]:
    """What `Work.profile_versions` is."""
    return SqlVersions(session, ProfileVersion, ProfileVersionRow)


def policy_versions(session: Session) -> SqlVersions[PolicyVersion]:
    """What `Work.policy_versions` is."""
    return SqlVersions(session, PolicyVersion, PolicyVersionRow)
