"""Threads that want the same record take turns, and the audit chain has one end, on both databases."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.domain.audit import Head
from ca.domain.codes import CodeState
from ca.domain.errors import InvalidTransition
from ca.domain.revocation import RevocationReason
from tests.builders import NOW, a_certificate, a_challenge, a_code_pair, a_customer, an_event


def at_once(threads: int, action: Callable[[int], object]) -> list[object]:
    """Run the action in this many threads that start together; what they returned, or raised, in order."""
    together = threading.Barrier(threads)

    def run(number: int) -> object:
        together.wait()
        return action(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def test_two_threads_claiming_one_code_pair_take_turns(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work() as work:
        work.codes.save(a_code_pair())
        work.commit()

    def claim(number: int) -> str:
        with unit_of_work() as work:
            pair = work.codes.find("1234567894")
            assert pair is not None
            time.sleep(0.2)  # Long enough for the other thread to read the same, if it could.
            if pair.state is CodeState.OPEN:
                pair = pair.claim(f"request of {number}")
                work.codes.save(pair)
                work.commit()
            return pair.request

    first, second = at_once(2, claim)

    assert first == second
    assert first in {"request of 0", "request of 1"}


def test_the_audit_chain_has_no_fork_with_four_threads_appending(unit_of_work: SqlUnitOfWork) -> None:
    def append(number: int) -> None:
        for _ in range(25):
            with unit_of_work() as work:
                work.customers.save(a_customer(id=f"c{number}", number=f"n{number}"))
                work.audit.append(an_event("customer.registered", actor=f"P-{number}"))
                work.commit()

    at_once(4, append)

    with unit_of_work() as work:
        chain = list(work.audit.read())
        recorded = work.audit.head()
    head = Head()
    for chained in chain:
        head = head.follow(chained)
    assert len(chain) == 100
    assert head == recorded


def test_eight_threads_all_get_their_turn(unit_of_work: SqlUnitOfWork) -> None:
    def register(number: int) -> int:
        for turn in range(10):
            with unit_of_work() as work:
                work.customers.save(a_customer(id=f"{number}-{turn}", number=f"{number}-{turn}"))
                work.audit.append(an_event())
                work.commit()
        return number

    assert at_once(8, register) == list(range(8))
    with unit_of_work() as work:
        assert work.audit.head().number == 80


def test_one_of_two_threads_gets_a_challenge(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work() as work:
        work.challenges.add(a_challenge())
        work.commit()

    def take(_number: int) -> bool:
        with unit_of_work() as work:
            taken = work.challenges.take("sign-in", b"\x00" * 32)
            work.commit()
        return taken is not None

    assert sorted(at_once(2, take), key=bool) == [False, True]


def test_one_of_two_threads_gets_a_serial(unit_of_work: SqlUnitOfWork) -> None:
    def add(number: int) -> str:
        with unit_of_work() as work:
            try:
                work.certificates.add(a_certificate(subject=f"CN={number}"))
            except InvalidTransition:
                return "refused"
            work.commit()
        return "added"

    assert sorted(map(str, at_once(2, add))) == ["added", "refused"]


def test_two_threads_take_different_crl_numbers(unit_of_work: SqlUnitOfWork) -> None:
    def take(_number: int) -> int:
        with unit_of_work() as work:
            last = work.crls.last_number("issuing")
            number = work.crls.take_number("issuing", 0)
            work.commit()
        assert number > last
        return number

    assert sorted(map(str, at_once(4, take))) == ["1", "2", "3", "4"]


def test_one_of_four_nodes_becomes_leader(unit_of_work: SqlUnitOfWork) -> None:
    now, until = an_event().at, a_challenge().expires_at

    def take(number: int) -> str:
        with unit_of_work() as work:
            lease = work.jobs.take_lease("jobs", f"node-{number}", now, until)
            work.commit()
        return lease.holder

    assert len(set(at_once(4, take))) == 1


def test_a_session_closed_without_commit_leaves_nothing_and_holds_nobody_up(unit_of_work: SqlUnitOfWork) -> None:
    abandoned = unit_of_work().__enter__()
    abandoned.codes.save(a_code_pair())
    abandoned.audit.append(an_event())
    abandoned.__exit__(None, None, None)

    with unit_of_work() as work:
        assert work.codes.find("1234567894") is None
        assert work.audit.head() == Head()


def test_a_new_crl_stays_due_when_a_status_changes_while_it_is_drafted(unit_of_work: SqlUnitOfWork) -> None:
    drafted, revoked = threading.Event(), threading.Event()

    def draft() -> None:
        with unit_of_work() as work:
            work.crls.take_number("issuing", 0)
            drafted.set()
            revoked.wait(0.3)  # The other thread cannot set this before we commit: it waits for its turn.
            work.crls.set_due("issuing", due=False)
            work.commit()

    def revoke() -> None:
        drafted.wait(60)
        with unit_of_work() as work:
            work.crls.set_due("issuing", due=True)
            work.commit()
        revoked.set()

    at_once(2, lambda number: (draft, revoke)[number]())

    with unit_of_work() as work:
        assert work.crls.is_due("issuing") is True


def test_a_look_waits_for_no_writer_and_sees_one_moment(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.look() as look:
        assert look.crls.last_number("issuing") == 0
        with unit_of_work() as work:
            work.crls.take_number("issuing", 0)
            with unit_of_work.look() as another:
                assert another.crls.last_number("issuing") == 0
            work.commit()

        assert look.crls.last_number("issuing") == 0


def test_no_crl_is_numbered_while_a_status_changes(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work() as work:
        work.certificates.add(a_certificate())
        work.commit()
    changed = threading.Event()

    def revoke() -> None:
        with unit_of_work() as work:
            work.certificates.save(a_certificate().revoke(RevocationReason.SUPERSEDED, at=NOW))
            changed.set()
            time.sleep(0.2)  # Whoever asks for a number meanwhile waits for its turn.
            work.commit()

    def number() -> None:
        assert changed.wait(60)
        with unit_of_work() as work:
            work.crls.take_number("issuing", 0)
            work.commit()
        with unit_of_work.look() as look:
            assert list(look.certificates.list_changed("issuing", 0, NOW)) != []
            assert list(look.certificates.list_changed("issuing", 1, NOW)) == []

    at_once(2, lambda which: (revoke, number)[which]())
