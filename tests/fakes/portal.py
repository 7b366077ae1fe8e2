"""The portal's repositories in memory, with the rules that ca/portal_records.py states."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ca.domain.accounts import Account, Cancellation, CancellationState, CustomerSession
from ca.domain.errors import InvalidTransition
from ca.domain.unlocking import UnlockCase


class FakeAccounts:
    def __init__(self, kept: dict[str, tuple[Account, bytes]]) -> None:
        self._kept = kept

    def find(self, customer: str) -> tuple[Account, bytes] | None:
        return self._kept.get(customer)

    def save(self, account: Account, seal: bytes) -> None:
        found = self._kept.get(account.customer)
        if found is not None and found[0].version >= account.version:
            raise InvalidTransition("the account was just changed; look again")
        self._kept[account.customer] = (account, seal)


class FakeCustomerSessions:
    def __init__(self, kept: dict[str, tuple[CustomerSession, bytes]]) -> None:
        self._kept = kept

    def find(self, token_hash: str) -> tuple[CustomerSession, bytes] | None:
        return self._kept.get(token_hash)

    def list_of(self, customer: str) -> Sequence[CustomerSession]:
        found = [one for one, _seal in self._kept.values() if one.customer == customer and not one.ended]
        return sorted(sorted(found, key=lambda one: one.token_hash), key=lambda one: one.began_at, reverse=True)

    def add(self, session: CustomerSession, seal: bytes) -> None:
        if session.token_hash in self._kept:
            raise InvalidTransition("this session was begun by somebody else")
        self._kept[session.token_hash] = (session, seal)

    def touch(self, token_hash: str, at: datetime) -> None:
        session, seal = self._kept[token_hash]
        self._kept[token_hash] = (replace(session, seen_at=at), seal)

    def end(self, token_hash: str) -> None:
        session, seal = self._kept[token_hash]
        self._kept[token_hash] = (replace(session, ended=True), seal)

    def end_all_of(self, customer: str, *, but: str = "") -> int:
        others = [one for one in self.list_of(customer) if one.token_hash != but]
        for one in others:
            self.end(one.token_hash)
        return len(others)


class FakeCancellations:
    def __init__(self, kept: dict[int, Cancellation]) -> None:
        self._kept = kept

    def find(self, serial: int) -> Cancellation | None:
        return self._kept.get(serial)

    def list_due(self, now: datetime) -> Sequence[Cancellation]:
        due = [one for one in self._kept.values() if one.state is CancellationState.OPEN and one.due_at <= now]
        return sorted(due, key=lambda one: one.due_at)

    def save(self, cancellation: Cancellation) -> None:
        self._kept[cancellation.serial] = cancellation


class FakeUnlocks:
    def __init__(self, kept: dict[str, tuple[UnlockCase, bytes]]) -> None:
        self._kept = kept

    def find(self, reference: str) -> tuple[UnlockCase, bytes] | None:
        return self._kept.get(reference)

    def list_by_device(self, device_serial: str) -> Sequence[tuple[UnlockCase, bytes]]:
        found = [pair for pair in self._kept.values() if pair[0].device_serial == device_serial]
        return sorted(found, key=lambda pair: pair[0].opened_at, reverse=True)

    def save(self, case: UnlockCase, seal: bytes) -> None:
        found = self._kept.get(case.reference)
        if found is not None and found[0].version >= case.version:
            raise InvalidTransition("this unlock was just changed; look again")
        self._kept[case.reference] = (case, seal)
