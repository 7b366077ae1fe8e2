"""Officers' sessions and one-time challenges in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session as Connection

from ca.adapters.db.mapping.people import session_values, to_challenge, to_session
from ca.adapters.db.repositories.statements import add_row, change_row, find_row, list_rows, put_row
from ca.adapters.db.rows import ChallengeRow, SessionRow
from ca.domain.policy import Policy
from ca.domain.sessions import Challenge, Session


class SqlSessions:
    def __init__(self, session: Connection) -> None:
        self._session = session

    def find(self, token_hash: str) -> tuple[Session, bytes] | None:
        row = find_row(self._session, select(SessionRow).where(SessionRow.token_hash == token_hash))
        return (to_session(row), row.seal) if row else None

    def save(self, session: Session, seal: bytes) -> None:
        put_row(
            self._session,
            SessionRow,
            {"token_hash": session.token_hash},
            session_values(session, seal),
            refusal="this session was just begun by somebody else",
        )

    def touch(self, token_hash: str, at: datetime) -> None:
        change_row(self._session, SessionRow, {"token_hash": token_hash}, {"seen_at": at})

    def list_of(self, officer_id: str) -> Sequence[tuple[Session, bytes]]:
        live = select(SessionRow).where(SessionRow.officer == officer_id, SessionRow.ended.is_(False))
        in_order = live.order_by(SessionRow.began_at.desc(), SessionRow.token_hash)
        return [(to_session(row), row.seal) for row in list_rows(self._session, in_order)]

    def end_all_of(self, officer_id: str, *, but: str = "") -> int:
        live = {"officer": officer_id, "ended": False}
        return change_row(self._session, SessionRow, live, {"ended": True}, only=SessionRow.token_hash != but)

    def end_all(self) -> int:
        return change_row(self._session, SessionRow, {"ended": False}, {"ended": True})

    def end(self, token_hash: str) -> None:
        change_row(self._session, SessionRow, {"token_hash": token_hash}, {"ended": True})

    def forget_over(self, now: datetime, policy: Policy) -> int:
        is_over = or_(
            SessionRow.ended,
            SessionRow.seen_at < now - policy.session_idle,
            SessionRow.began_at < now - policy.session_life,
        )
        return self._session.connection().execute(delete(SessionRow).where(is_over)).rowcount


class SqlChallenges:
    def __init__(self, session: Connection) -> None:
        self._session = session

    def add(self, challenge: Challenge) -> None:
        values = {"purpose": challenge.purpose, "value": challenge.value, "expires_at": challenge.expires_at}
        add_row(self._session, ChallengeRow, values, refusal="this challenge was given out already")

    def take(self, purpose: str, value: bytes) -> Challenge | None:
        # One statement finds and deletes: of two that bring the same value only one gets it.
        taken = (
            delete(ChallengeRow)
            .where(ChallengeRow.purpose == purpose, ChallengeRow.value == value)
            .returning(ChallengeRow)
        )
        row = self._session.scalars(taken).first()
        return to_challenge(row) if row else None

    def forget_expired(self, now: datetime) -> int:
        expired = delete(ChallengeRow).where(ChallengeRow.expires_at < now)
        return self._session.connection().execute(expired).rowcount
