"""ca/usecases/audit.py: any edit, deletion, reorder or cut tail of the log is found (DESIGN invariants 8 and 9)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.audit import ChainedEvent, Head
from ca.domain.certificates import CertificateStatus
from ca.domain.errors import KeyStoreUnavailable, NotReady, SigningRefused, Tampered
from ca.domain.journal import Entry
from ca.usecases.audit import AUDIT_KEY, export
from tests.fakes.bank import PAVEL, SUPERVISOR, Bank


@pytest.fixture
def bank() -> Bank:
    """A bank with a day's log, a checkpoint in the middle of it and one near its end."""
    bank = Bank()
    bank.active()
    bank.checkpoint()
    bank.active()
    bank.checkpoint()
    bank.customer()
    keep_journal(bank)
    return bank


def keep_journal(bank: Bank) -> None:
    """Everything that happened until now is in the journal."""
    bank.journal.kept = list(bank.stored.outbox)
    bank.stored.outbox.clear()


def head_of(bank: Bank) -> Head:
    with bank.unit_of_work() as work:
        return work.audit.head()


def rechained(events: list[ChainedEvent]) -> list[ChainedEvent]:
    """The events as a forger who knows how the chain is made would write them."""
    head, made = Head(), []
    for number, chained in enumerate(events, start=1):
        link = chained.event.link(number, head.hash, chained.changes, chained.salt)
        made.append(ChainedEvent(number, chained.event, link, chained.changes, chained.salt))
        head = head.follow(made[-1])
    return made


def edited(bank: Bank) -> list[ChainedEvent]:
    log = list(bank.stored.audit)
    log[3] = replace(log[3], event=replace(log[3].event, actor="somebody else"))
    return log


def test_an_honest_log_is_proved(bank: Bank) -> None:
    report = bank.verify_audit()
    assert (report.events, report.checkpoints) == (len(bank.event_names), 2)
    assert report.head == head_of(bank)


def test_an_empty_log_is_no_mistake(bank: Bank) -> None:
    bank.stored.audit.clear()
    bank.stored.checkpoints.clear()
    bank.checkpoint_file.kept.clear()
    bank.journal.kept.clear()
    assert bank.verify_audit().events == 0


def test_what_waits_for_the_journal_is_no_difference(bank: Bank) -> None:
    bank.customer()
    assert bank.verify_audit().events == len(bank.event_names)


@pytest.mark.parametrize("left", [0, 5], ids=["all", "the tail"])
def test_a_cut_journal_is_found_out(bank: Bank, left: int) -> None:
    del bank.journal.kept[left:]
    with pytest.raises(Tampered, match=f"the journal is cut: it ends at event {left}"):
        bank.verify_audit()


def test_a_mirror_that_differs_is_found_out(bank: Bank) -> None:
    bank.journal.mirror_differs = True
    with pytest.raises(Tampered, match="mirror"):
        bank.verify_audit()


ATTACKS: dict[str, Callable[[Bank], list[ChainedEvent]]] = {
    "edited": edited,
    "edited, chained anew": lambda bank: rechained(edited(bank)),
    "one deleted": lambda bank: bank.stored.audit[:5] + bank.stored.audit[6:],
    "one deleted, chained anew": lambda bank: rechained(bank.stored.audit[:5] + bank.stored.audit[6:]),
    "two swapped": lambda bank: [*bank.stored.audit[:5], *bank.stored.audit[5:7][::-1], *bank.stored.audit[7:]],
    "the first one deleted": lambda bank: bank.stored.audit[1:],
    "the tail cut": lambda bank: bank.stored.audit[:-1],
    "the tail cut behind the checkpoints": lambda bank: bank.stored.audit[:8],
    "all deleted": lambda _: [],
    "one put in, chained anew": lambda bank: rechained([*bank.stored.audit[:5], *bank.stored.audit[4:]]),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_changed_log_is_found_out(bank: Bank, attack: Callable[[Bank], list[ChainedEvent]]) -> None:
    bank.stored.audit = attack(bank)
    with pytest.raises(Tampered):
        bank.verify_audit()


def test_the_first_bad_record_is_named(bank: Bank) -> None:
    name = bank.stored.audit[3].event.name
    bank.stored.audit = edited(bank)
    with pytest.raises(Tampered, match=rf"audit event 4 \({name}\) was altered"):
        bank.verify_audit()


def test_a_rolled_back_database_is_found_out_by_the_file_beside_it(bank: Bank) -> None:
    last = max(bank.stored.checkpoints, key=lambda one: one.number)
    bank.stored.audit = bank.stored.audit[: last.number - 1]
    bank.stored.checkpoints.remove(last)
    bank.journal.kept.clear()
    with pytest.raises(Tampered, match="the tail is cut"):
        bank.verify_audit()


def test_a_log_cut_behind_the_last_checkpoint_is_found_out_by_the_journal(bank: Bank) -> None:
    bank.stored.audit.pop()
    with pytest.raises(Tampered, match="the tail is cut"):
        bank.verify_audit()


def test_a_journal_of_another_chain_is_found_out(bank: Bank) -> None:
    bank.journal.kept = [Entry((event,), ()) for event in rechained(edited(bank))]
    with pytest.raises(Tampered, match="audit event 4 differs"):
        bank.verify_audit()


def test_a_forged_journal_does_not_stand_in_for_a_checkpoint(bank: Bank) -> None:
    # The forger writes the log anew up to the checkpoint and says so in the journal, which carries no signature.
    (first, *_) = sorted(bank.stored.checkpoints, key=lambda one: one.number)
    bank.stored.audit = rechained(edited(bank))[: first.number]
    bank.stored.checkpoints = [first]
    bank.checkpoint_file.kept = [first]
    bank.journal.kept = [Entry((event,), ()) for event in bank.stored.audit]
    with pytest.raises(Tampered, match="differs"):
        bank.verify_audit()


def test_a_chain_that_was_rolled_back_and_grew_again_is_found_out(bank: Bank) -> None:
    # Restored from a backup, worked on, and by chance a checkpoint at the same number: both are signed by our key.
    last = max(bank.stored.checkpoints, key=lambda one: one.number)
    bank.stored.audit = bank.stored.audit[: last.number - 1]
    bank.stored.checkpoints.remove(last)
    bank.clock.tick(timedelta(hours=1))
    bank.customer()
    while head_of(bank).number < last.number:
        bank.customer()
    bank.stored.audit = bank.stored.audit[: last.number]
    assert bank.checkpoint() is not None
    bank.journal.kept = [Entry((event,), ()) for event in bank.stored.audit]
    with pytest.raises(Tampered, match="differs"):
        bank.verify_audit()


def test_a_forged_checkpoint_is_found_out(bank: Bank) -> None:
    forged = replace(bank.stored.checkpoints[0], hash=bytes(32))
    bank.checkpoint_file.kept.append(forged)
    with pytest.raises(Tampered, match="not signed by the audit key"):
        bank.verify_audit()


def test_a_checkpoint_signed_with_another_key_is_found_out(bank: Bank) -> None:
    genuine = bank.stored.checkpoints[0]
    signature = bank.key_store.sign(type(AUDIT_KEY)(b"ocsp-issuing"), genuine.message)
    bank.stored.checkpoints[0] = replace(genuine, signature=signature, hash=bytes(32))
    with pytest.raises(Tampered):
        bank.verify_audit()


def test_an_end_that_the_database_invents_is_found_out(bank: Bank) -> None:
    honest = bank.unit_of_work

    def lying_work():  # type: ignore[no-untyped-def]  # a unit of work
        work = honest()
        honest_open = work._open

        def opened() -> None:
            honest_open()
            work.audit.head = lambda: Head(999, bytes(32))  # type: ignore[method-assign]  # what a forged row says

        work._open = opened  # type: ignore[method-assign]  # of this one transaction
        return work

    with pytest.raises(Tampered, match="its recorded end is 999"):
        replace(bank.verify_audit, unit_of_work=lying_work)()


def test_an_error_of_the_verifier_is_a_finding(bank: Bank) -> None:
    def refuse(message: bytes, signature: bytes) -> None:
        raise SigningRefused("no")

    with pytest.raises(Tampered):
        replace(bank.verify_audit, verify_signature=refuse)()


# Checkpoints


def test_a_checkpoint_is_kept_twice_and_signed_by_the_audit_key(bank: Bank) -> None:
    made = bank.checkpoint()
    assert made is not None
    assert made in bank.stored.checkpoints
    assert made in bank.checkpoint_file.kept
    assert bank.key_store.signed[-1] == (AUDIT_KEY, made.message)
    assert (made.number, made.hash) == (head_of(bank).number, head_of(bank).hash)


def test_nothing_new_needs_no_checkpoint(bank: Bank) -> None:
    bank.checkpoint()
    assert bank.checkpoint() is None


def test_without_the_hsm_no_checkpoint_is_kept(bank: Bank) -> None:
    before = (list(bank.stored.checkpoints), bank.checkpoint_file.read())
    bank.key_store.away = True
    with pytest.raises(KeyStoreUnavailable):
        bank.checkpoint()
    assert (bank.stored.checkpoints, bank.checkpoint_file.read()) == before


def test_a_checkpoint_the_database_refused_is_signed_again_later(bank: Bank) -> None:
    bank.unit_of_work.refuse_commit()
    with pytest.raises(NotReady):
        bank.checkpoint()
    assert bank.checkpoint() in bank.stored.checkpoints
    assert bank.verify_audit().events == len(bank.event_names)


# Refusals and export


def test_a_refusal_is_an_event(bank: Bank) -> None:
    bank.record_refusal("certificates/hold", "E1", SigningRefused("x" * 400))
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.subject, event.actor) == ("operation.refused", "certificates/hold", "E1")
    assert event.details == {"code": "signing-refused", "message": "x" * 300}


def test_the_export_is_every_event_in_order(bank: Bank) -> None:
    rows = list(export(bank.unit_of_work))
    assert [row["number"] for row in rows] == list(range(1, len(bank.event_names) + 1))
    assert [row["name"] for row in rows] == bank.event_names
    assert rows[-1]["hash"] == head_of(bank).hash.hex()


def test_a_revocation_taken_back_in_the_records_is_found(bank: Bank) -> None:
    certificate = bank.active()
    bank.revoked(certificate)
    bank.stored.certificates[certificate.serial] = certificate
    with pytest.raises(Tampered, match="revoked by the log and active in the records"):
        bank.verify_audit()


def test_a_revoked_certificate_deleted_from_the_records_is_found(bank: Bank) -> None:
    certificate = bank.active()
    bank.revoked(certificate)
    del bank.stored.certificates[certificate.serial]
    with pytest.raises(Tampered, match="and gone in the records"):
        bank.verify_audit()


def test_a_hold_that_was_lifted_is_no_difference(bank: Bank) -> None:
    certificate = bank.active()
    bank.change_status.hold(bank.session(SUPERVISOR), certificate.serial)
    bank.change_status.release(bank.session(SUPERVISOR), certificate.serial)
    assert bank.verify_audit().events == len(bank.event_names)


def test_an_officers_record_put_back_to_an_older_one_is_found(bank: Bank) -> None:
    before = dict(bank.stored.officers)
    bank.suspend(PAVEL)
    bank.stored.officers.update(before)
    with pytest.raises(Tampered, match="the log knows"):
        bank.verify_audit()


def test_an_honest_revocation_is_proved(bank: Bank) -> None:
    bank.revoked(bank.active())
    assert bank.verify_audit().events == len(bank.event_names)


def test_an_honest_suspension_is_proved(bank: Bank) -> None:
    bank.suspend(PAVEL)
    assert bank.verify_audit().events == len(bank.event_names)


def test_a_confirmation_that_never_was_is_found(bank: Bank) -> None:
    certificate = bank.issued()
    bank.stored.certificates[certificate.serial] = replace(certificate, status=CertificateStatus.ACTIVE)
    with pytest.raises(Tampered, match=f"{certificate.serial:x} is unconfirmed by the log and active in the records"):
        bank.verify_audit()


def test_a_confirmation_taken_back_is_found(bank: Bank) -> None:
    certificate = bank.active()
    bank.stored.certificates[certificate.serial] = replace(certificate, status=CertificateStatus.UNCONFIRMED)
    with pytest.raises(Tampered, match="is active by the log and unconfirmed in the records"):
        bank.verify_audit()


def test_an_officer_deleted_from_the_records_is_found(bank: Bank) -> None:
    bank.session(PAVEL)
    bank.suspend(PAVEL)
    del bank.stored.officers[f"officer-{PAVEL}"]
    with pytest.raises(Tampered, match=f"officer-{PAVEL} is in the log and gone"):
        bank.verify_audit()
