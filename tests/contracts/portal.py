"""What customers' accounts, sessions, cancellations and unlocks must do in every database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.accounts import Account, Cancellation, CancellationState, CustomerSession, Language
from ca.domain.errors import InvalidTransition
from ca.domain.unlocking import UnlockCase, UnlockState
from ca.ports import UnitOfWork
from tests.builders import NOW, SEAL

ACCOUNT = Account("customer-1", 1, b"salt", b"mac", b"letter", NOW, 5, Language.CHINESE)
SESSION = CustomerSession("ab" * 32, "customer-1", NOW, NOW, "192.0.2.1", by="a1")
CANCELLATION = Cancellation(0xA1, "customer-1", NOW, NOW + timedelta(days=1))
UNLOCK = UnlockCase(
    reference="1000000000",
    version=1,
    device_serial="US1",
    customer="customer-1",
    branch="pudong",
    reason="ID card seen",
    maker_person="E1",
    opened_at=NOW,
    expires_at=NOW + timedelta(days=3),
    state=UnlockState.PROPOSED,
    code_mac=b"mac",
)


class AccountsContract:
    def test_an_account_reads_back_the_same_with_its_seal(self, unit_of_work: UnitOfWork) -> None:
        bare = Account("customer-2", 1)
        with unit_of_work() as work:
            work.accounts.save(ACCOUNT, SEAL)
            work.accounts.save(bare, SEAL)
            assert work.accounts.find("customer-1") == (ACCOUNT, SEAL)
            assert work.accounts.find("customer-2") == (bare, SEAL)
            assert work.accounts.find("customer-3") is None

    def test_an_account_is_saved_over_an_older_one_only(self, unit_of_work: UnitOfWork) -> None:
        newer = replace(ACCOUNT, version=2, language=Language.ENGLISH)
        with unit_of_work() as work:
            work.accounts.save(ACCOUNT, SEAL)
            work.accounts.save(newer, SEAL)
            for late in (ACCOUNT, newer):
                with pytest.raises(InvalidTransition):
                    work.accounts.save(late, SEAL)
            assert work.accounts.find("customer-1") == (newer, SEAL)


class CustomerSessionsContract:
    def test_a_session_is_found_touched_and_ended(self, unit_of_work: UnitOfWork) -> None:
        later = NOW + timedelta(minutes=1)
        with unit_of_work() as work:
            work.customer_sessions.add(SESSION, SEAL)
            work.customer_sessions.touch(SESSION.token_hash, later)
            assert work.customer_sessions.find(SESSION.token_hash) == (replace(SESSION, seen_at=later), SEAL)
            work.customer_sessions.end(SESSION.token_hash)
            found = work.customer_sessions.find(SESSION.token_hash)
            assert found is not None
            assert found[0].ended
            assert work.customer_sessions.find("none") is None
            with pytest.raises(InvalidTransition):
                work.customer_sessions.add(SESSION, SEAL)

    def test_all_others_of_one_customer_end(self, unit_of_work: UnitOfWork) -> None:
        second = replace(SESSION, token_hash="cd" * 32, began_at=NOW + timedelta(minutes=1))
        third = replace(SESSION, token_hash="ef" * 32)
        stranger = replace(SESSION, token_hash="00" * 32, customer="customer-2")
        with unit_of_work() as work:
            for one in (SESSION, second, third, stranger):
                work.customer_sessions.add(one, SEAL)
            assert work.customer_sessions.list_of("customer-1") == [second, SESSION, third]
            assert work.customer_sessions.end_all_of("customer-1", but=second.token_hash) == 2
            assert work.customer_sessions.list_of("customer-1") == [second]
            assert work.customer_sessions.end_all_of("customer-1") == 1
            assert work.customer_sessions.list_of("customer-2") == [stranger]


class CancellationsContract:
    def test_a_cancellation_is_found_and_changed(self, unit_of_work: UnitOfWork) -> None:
        done = CANCELLATION.become(CancellationState.DONE)
        with unit_of_work() as work:
            assert work.cancellations.find(0xA1) is None
            work.cancellations.save(CANCELLATION)
            assert work.cancellations.find(0xA1) == CANCELLATION
            work.cancellations.save(done)
            assert work.cancellations.find(0xA1) == done

    def test_open_ones_are_due_at_their_time(self, unit_of_work: UnitOfWork) -> None:
        undone = replace(CANCELLATION, serial=0xA2, state=CancellationState.UNDONE)
        earlier = replace(CANCELLATION, serial=0xA3, due_at=NOW)
        with unit_of_work() as work:
            for one in (CANCELLATION, undone, earlier):
                work.cancellations.save(one)
            assert work.cancellations.list_due(NOW - timedelta(seconds=1)) == []
            assert work.cancellations.list_due(NOW) == [earlier]
            assert work.cancellations.list_due(CANCELLATION.due_at) == [earlier, CANCELLATION]


class UnlocksContract:
    def test_an_unlock_is_kept_with_its_seal_and_never_goes_back(self, unit_of_work: UnitOfWork) -> None:
        approved = replace(UNLOCK, version=2, state=UnlockState.APPROVED, approved_by="E2", answers=1)
        with unit_of_work() as work:
            assert work.unlocks.find(UNLOCK.reference) is None
            work.unlocks.save(UNLOCK, b"seal")
            work.unlocks.save(approved, b"another")
            assert work.unlocks.find(UNLOCK.reference) == (approved, b"another")
            with pytest.raises(InvalidTransition, match="just changed"):
                work.unlocks.save(UNLOCK, b"seal")

    def test_a_u_shields_unlocks_come_youngest_first(self, unit_of_work: UnitOfWork) -> None:
        younger = replace(UNLOCK, reference="2000000000", opened_at=NOW + timedelta(seconds=1))
        other = replace(UNLOCK, reference="3000000000", device_serial="US2")
        with unit_of_work() as work:
            for one in (UNLOCK, younger, other):
                work.unlocks.save(one, b"seal")
            assert work.unlocks.list_by_device("US1") == [(younger, b"seal"), (UNLOCK, b"seal")]
