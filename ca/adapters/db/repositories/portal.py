"""Accounts, sessions and cancellations of customers in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.common import Values, known, serial_number, serial_text
from ca.adapters.db.portal_rows import AccountRow, CancellationRow, CustomerSessionRow
from ca.adapters.db.repositories.statements import add_row, change_row, find_row, list_rows, put_row, save_newer
from ca.domain.accounts import Account, Cancellation, CancellationState, Channel, CustomerSession, Language


class SqlAccounts:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, customer: str) -> tuple[Account, bytes] | None:
        row = find_row(self._session, select(AccountRow).where(AccountRow.customer == customer), lock=True)
        if row is None:
            return None
        return Account(
            customer=row.customer,
            version=row.version,
            salt=row.salt,
            password_mac=row.password_mac,
            letter_mac=row.letter_mac,
            letter_expires_at=row.letter_expires_at,
            letter_attempts_left=row.letter_attempts_left,
            language=known(Language, row.language, f"the account of customer {row.customer}"),
            channel=known(Channel, row.channel, f"the account of customer {row.customer}"),
        ), row.seal

    def save(self, account: Account, seal: bytes) -> None:
        values: Values = {
            "version": account.version,
            "salt": account.salt,
            "password_mac": account.password_mac,
            "letter_mac": account.letter_mac,
            "letter_expires_at": account.letter_expires_at,
            "letter_attempts_left": account.letter_attempts_left,
            "language": account.language.value,
            "channel": account.channel.value,
            "seal": seal,
        }
        key, refusal = {"customer": account.customer}, "the account was just changed; look again"
        save_newer(self._session, AccountRow, key, values, counter="version", refusal=refusal)


class SqlCustomerSessions:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, token_hash: str) -> tuple[CustomerSession, bytes] | None:
        wanted = select(CustomerSessionRow).where(CustomerSessionRow.token_hash == token_hash)
        row = find_row(self._session, wanted)
        return (_session(row), row.seal) if row else None

    def list_of(self, customer: str) -> Sequence[CustomerSession]:
        wanted = select(CustomerSessionRow).where(
            CustomerSessionRow.customer == customer, CustomerSessionRow.ended.is_(False)
        )
        in_order = wanted.order_by(CustomerSessionRow.began_at.desc(), CustomerSessionRow.token_hash)
        return [_session(row) for row in list_rows(self._session, in_order)]

    def add(self, session: CustomerSession, seal: bytes) -> None:
        values: Values = {
            "token_hash": session.token_hash,
            "customer": session.customer,
            "began_at": session.began_at,
            "seen_at": session.seen_at,
            "source": session.source,
            "by": session.by,
            "ended": session.ended,
            "seal": seal,
        }
        add_row(self._session, CustomerSessionRow, values, refusal="this session was begun by somebody else")

    def touch(self, token_hash: str, at: datetime) -> None:
        change_row(self._session, CustomerSessionRow, {"token_hash": token_hash}, {"seen_at": at})

    def end(self, token_hash: str) -> None:
        change_row(self._session, CustomerSessionRow, {"token_hash": token_hash}, {"ended": True})

    def end_all_of(self, customer: str, *, but: str = "") -> int:
        others = CustomerSessionRow.ended.is_(False) & (CustomerSessionRow.token_hash != but)
        return change_row(self._session, CustomerSessionRow, {"customer": customer}, {"ended": True}, only=others)


def _session(row: CustomerSessionRow) -> CustomerSession:
    return CustomerSession(row.token_hash, row.customer, row.began_at, row.seen_at, row.source, row.by, row.ended)


class SqlCancellations:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, serial: int) -> Cancellation | None:
        wanted = select(CancellationRow).where(CancellationRow.serial == serial_text(serial))
        row = find_row(self._session, wanted, lock=True)
        return _cancellation(row) if row else None

    def list_due(self, now: datetime) -> Sequence[Cancellation]:
        is_open = CancellationRow.state == CancellationState.OPEN.value
        wanted = select(CancellationRow).where(is_open, CancellationRow.due_at <= now)
        return [_cancellation(row) for row in list_rows(self._session, wanted.order_by(CancellationRow.due_at))]

    def save(self, cancellation: Cancellation) -> None:
        values: Values = {
            "customer": cancellation.customer,
            "asked_at": cancellation.asked_at,
            "due_at": cancellation.due_at,
            "state": cancellation.state.value,
        }
        key = {"serial": serial_text(cancellation.serial)}
        put_row(self._session, CancellationRow, key, values, refusal="this certificate was just cancelled")


def _cancellation(row: CancellationRow) -> Cancellation:
    state = known(CancellationState, row.state, f"the cancellation of certificate {row.serial}")
    return Cancellation(serial_number(row.serial), row.customer, row.asked_at, row.due_at, state)
