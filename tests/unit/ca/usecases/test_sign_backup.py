"""ca/usecases/sign_backup.py: only a backup with the signer's own journal is signed, and it is an event."""

import hashlib

import pytest

from ca.domain.audit import Head
from ca.domain.backups import Manifest, backup_message
from ca.domain.errors import PKIError, Tampered
from ca.usecases.sign_backup import SignBackup
from tests.builders import NOW, journal_entries
from tests.fakes.bank import Bank

DIGEST = hashlib.sha256(b"a manifest").digest()


@pytest.fixture
def bank() -> Bank:
    bank = Bank()
    bank.journal.kept.extend(journal_entries(3))
    return bank


def sign(bank: Bank, head: Head) -> bytes:
    return SignBackup(bank.unit_of_work, bank.clock, bank.key_store, bank.journal)(DIGEST, head)


def test_the_digest_and_where_the_journal_ends_are_signed_by_the_audit_key_and_recorded(bank: Bank) -> None:
    head = bank.journal.kept[-1].head

    signature = sign(bank, head)

    bank.verify_checkpoint(backup_message(DIGEST, head), signature)
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.subject, event.details) == ("backup.made", DIGEST.hex(), {"number": str(head.number)})


def test_a_backup_with_another_journal_is_not_signed(bank: Bank) -> None:
    head, events = bank.journal.kept[-1].head, len(bank.event_names)

    for foreign in (Head(head.number, bytes(32)), Head(head.number + 1, head.hash), Head(0, head.hash)):
        with pytest.raises(PKIError):
            sign(bank, foreign)

    assert len(bank.event_names) == events


def test_a_manifest_is_read_as_it_was_written() -> None:
    manifest = Manifest(NOW, "0014", "sqlite", Head(7, bytes(32)), NOW, {"settings.toml": "ab"})

    assert Manifest.parse(manifest.content()) == manifest


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format": "vermilion backup v2"}', b"\xff"])
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(Tampered):
        Manifest.parse(content)
