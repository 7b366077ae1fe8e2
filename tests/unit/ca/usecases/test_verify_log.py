"""ca/usecases/verify_log.py: the log verified in pieces; whatever is wrong is named by the piece that meets it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ca.domain.audit import Head
from ca.domain.errors import NotAllowed, Tampered
from ca.usecases.verify_log import BEGUN, Piece, VerifyPiece
from tests.fakes.bank import AUDITOR, MARIA, Bank

LENGTH = 7


@pytest.fixture
def bank() -> Bank:
    bank = Bank()
    bank.active()
    bank.checkpoint()
    bank.active()
    bank.checkpoint()
    bank.session(AUDITOR)
    bank.journal.kept = list(bank.stored.outbox)
    return bank


def verifier(bank: Bank) -> VerifyPiece:
    base = bank.unit_of_work, bank.clock, bank.authorize
    return VerifyPiece(*base, bank.journal, bank.verify_checkpoint, LENGTH)


def pieces(bank: Bank) -> Iterator[Piece]:
    verify, head = verifier(bank), Head()
    while True:
        piece = verify(bank.session(AUDITOR), head)
        yield piece
        if piece.is_last:
            return
        head = piece.head


def test_an_honest_log_is_verified_in_pieces_to_its_end(bank: Bank) -> None:
    found = list(pieces(bank))

    with bank.unit_of_work() as work:
        assert found[-1].head == work.audit.head()
    assert [piece.head.number for piece in found[:2]] == [LENGTH, 2 * LENGTH]
    assert sum(piece.checkpoints for piece in found) == 2


def test_the_beginning_is_an_event_and_the_rest_is_not(bank: Bank) -> None:
    list(pieces(bank))
    assert bank.event_names.count(BEGUN) == 1


def test_only_auditors_and_security_officers_verify(bank: Bank) -> None:
    with pytest.raises(NotAllowed):
        verifier(bank)(bank.session(MARIA), Head())


def _edited(bank: Bank) -> None:
    log = bank.stored.audit
    log[9] = replace(log[9], event=replace(log[9].event, actor="somebody else"))


def _deleted(bank: Bank) -> None:
    del bank.stored.audit[9]


def _swapped(bank: Bank) -> None:
    log = bank.stored.audit
    log[9], log[10] = log[10], log[9]


@pytest.mark.parametrize("attack", [_edited, _deleted, _swapped])
def test_the_first_bad_record_is_named(bank: Bank, attack: Callable[[Bank], None]) -> None:
    attack(bank)
    with pytest.raises(Tampered, match="audit event 10 "):
        list(pieces(bank))


def test_a_checkpoint_that_nobody_signed_is_found(bank: Bank) -> None:
    bank.stored.checkpoints[1] = replace(bank.stored.checkpoints[1], signature=b"forged")
    with pytest.raises(Tampered, match="not signed by the audit key"):
        list(pieces(bank))


def test_a_checkpoint_of_another_chain_is_found(bank: Bank) -> None:
    bank.stored.checkpoints[1] = replace(bank.stored.checkpoints[1], number=bank.stored.checkpoints[1].number - 1)
    with pytest.raises(Tampered):
        list(pieces(bank))


def test_a_journal_that_tells_another_story_is_found(bank: Bank) -> None:
    bank.journal.kept[9] = replace(
        bank.journal.kept[9], events=(replace(bank.journal.kept[9].events[0], hash=bytes(32)),)
    )
    with pytest.raises(Tampered, match="event 10 differs from what was recorded outside the database"):
        list(pieces(bank))


def test_what_changes_behind_a_piece_is_found_by_the_next(bank: Bank) -> None:
    verify = verifier(bank)
    piece = verify(bank.session(AUDITOR), Head())
    log = bank.stored.audit
    log[LENGTH - 1] = replace(log[LENGTH - 1], hash=bytes(32))

    with pytest.raises(Tampered, match=f"audit event {LENGTH} is not the one that was verified before"):
        verify(bank.session(AUDITOR), piece.head)


@pytest.mark.parametrize("number", [0, 3])
def test_nobody_begins_with_a_hash_of_their_own(bank: Bank, number: int) -> None:
    with pytest.raises(Tampered):
        verifier(bank)(bank.session(AUDITOR), Head(number, bytes(32)))
