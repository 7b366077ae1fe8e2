"""Issuing CAs and the blocked keys in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.certificates import issuer_values, to_issuer
from ca.adapters.db.repositories.statements import find_row, insert_missing, list_rows, put_row
from ca.adapters.db.rows import BlockedKeyRow, IssuerRow
from ca.domain.errors import NotFound
from ca.domain.issuers import Issuer


class SqlIssuers:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, name: str) -> Issuer:
        row = find_row(self._session, select(IssuerRow).where(IssuerRow.name == name))
        if row is None:
            raise NotFound(f"there is no issuing CA named {name}")
        return to_issuer(row)

    def take_turn(self, name: str) -> None:
        if find_row(self._session, select(IssuerRow).where(IssuerRow.name == name), lock=True) is None:
            raise NotFound(f"there is no issuing CA named {name}")

    def list(self) -> Sequence[Issuer]:
        return [to_issuer(row) for row in list_rows(self._session, select(IssuerRow).order_by(IssuerRow.name))]

    def save(self, issuer: Issuer) -> None:
        put_row(
            self._session,
            IssuerRow,
            {"name": issuer.name},
            issuer_values(issuer),
            refusal=f"issuing CA {issuer.name} was just made by somebody else",
        )


class SqlBlockedKeys:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, fingerprint: str) -> str | None:
        row = find_row(self._session, select(BlockedKeyRow).where(BlockedKeyRow.fingerprint == fingerprint))
        return row.reason if row else None

    def add(self, fingerprint: str, reason: str, at: datetime) -> None:
        """The first reason stays: it is why certificates were refused since."""
        insert_missing(self._session, BlockedKeyRow, {"fingerprint": fingerprint, "reason": reason, "blocked_at": at})
