"""Somebody rewrites the audit log of a stopped system: `./pki audit verify` names what is wrong and ends with 1."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ca.domain.audit import GENESIS
from ca.domain.errors import Tampered
from ca.wiring import build_audit
from config.settings import State, load_settings
from tests.integration.system.fixtures import CopyOfDemo
from tests.integration.system.running import Demo

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]


def edit(demo: Demo) -> None:
    demo.write("UPDATE audit_events SET actor = 'somebody else' WHERE number = 9")


def edit_details(demo: Demo) -> None:
    demo.write(
        "UPDATE audit_events SET details = '{}' WHERE number = (SELECT min(number) FROM audit_events"
        " WHERE details <> '{}')"
    )


def delete(demo: Demo) -> None:
    demo.write("DELETE FROM audit_events WHERE number = 9")


def delete_and_close_the_gap(demo: Demo) -> None:
    delete(demo)
    for (number,) in demo.rows("SELECT number FROM audit_events WHERE number > 9 ORDER BY number"):
        demo.write("UPDATE audit_events SET number = ? WHERE number = ?", number - 1, number)


def swap(demo: Demo) -> None:
    demo.write("UPDATE audit_events SET number = 0 WHERE number = 9")
    demo.write("UPDATE audit_events SET number = 9 WHERE number = 10")
    demo.write("UPDATE audit_events SET number = 10 WHERE number = 0")


def cut_the_tail(demo: Demo) -> None:
    ((last,),) = demo.rows("SELECT max(number) FROM audit_events")
    demo.write("DELETE FROM audit_events WHERE number = ?", last)


def cut_the_tail_and_move_the_recorded_end(demo: Demo) -> None:
    cut_the_tail(demo)
    demo.write(
        "UPDATE audit_head SET (number, hash) = (SELECT number, hash FROM audit_events ORDER BY number DESC LIMIT 1)"
    )


def cut_the_tail_everywhere_but_in_the_checkpoints(demo: Demo) -> None:
    ((signed,),) = demo.rows("SELECT max(number) FROM audit_checkpoints")
    demo.write("DELETE FROM audit_events WHERE number >= ?", signed)
    demo.write(
        "UPDATE audit_head SET (number, hash) = (SELECT number, hash FROM audit_events ORDER BY number DESC LIMIT 1)"
    )
    for place in ("journal", "journal-mirror"):
        (demo.state / place / "journal.jsonl").unlink()
    demo.write("DELETE FROM audit_checkpoints")


def rewrite_with_right_hashes(demo: Demo) -> None:
    """Every hash is right again, in the rows and at the recorded end: only what lies outside tells."""
    from ca.adapters.db.columns import UtcSeconds
    from ca.adapters.db.log_rows import AuditEventRow
    from ca.adapters.db.mapping.audit import to_chained_event

    demo.write("UPDATE audit_events SET actor = 'somebody else' WHERE number = 9")
    previous = GENESIS
    seconds = UtcSeconds()
    for number, name, subject, actor, at, details, kept, changes, salt in demo.rows(
        "SELECT number, name, subject, actor, at, details, hash, changes, salt FROM audit_events ORDER BY number"
    ):
        instant = seconds.process_result_value(at, None)  # type: ignore[arg-type]  # the dialect is not looked at
        row = AuditEventRow(
            number=number,
            name=name,
            subject=subject,
            actor=actor,
            at=instant,
            details=details,
            hash=kept,
            changes=changes,
            salt=salt,
        )
        previous = to_chained_event(row).event.link(number, previous, changes, salt)
        demo.write("UPDATE audit_events SET hash = ? WHERE number = ?", previous, number)
    demo.write("UPDATE audit_head SET hash = ?", previous)


def forge_a_checkpoint(demo: Demo) -> None:
    demo.write(
        "INSERT INTO audit_checkpoints (number, hash, at, signature)"
        " SELECT number - 1, ?, at, signature FROM audit_checkpoints LIMIT 1",
        hashlib.sha256(b"forged").digest(),
    )


def edit_a_checkpoint_line(demo: Demo) -> None:
    file = demo.state / "journal" / "checkpoints.jsonl"
    first, *others = file.read_text().splitlines()
    changed = json.dumps(json.loads(first) | {"hash": "00" * 32})
    file.write_text("\n".join([changed, *others]) + "\n")


def spoil_a_checkpoint_line(demo: Demo) -> None:
    with (demo.state / "journal" / "checkpoints.jsonl").open("a") as file:
        file.write("rubbish\n")


def spoil_the_journal(demo: Demo) -> None:
    for place in ("journal", "journal-mirror"):
        with (demo.state / place / "journal.jsonl").open("a") as file:
            file.write("rubbish\n")


def _edit_the_journal(demo: Demo, *places: str, column: str) -> None:
    """The first entry that changes a certificate says something else now."""
    for place in places:
        file = demo.state / place / "journal.jsonl"
        lines = file.read_text().splitlines()
        chosen = next(number for number, line in enumerate(lines) if f'"{column}"' in line)
        entry = json.loads(lines[chosen])
        change = next(values for *_, values in entry["changes"] if column in values)
        change[column] = "changed"
        lines[chosen] = json.dumps(entry)
        file.write_text("\n".join(lines) + "\n")


def edit_what_the_journal_says_was_changed(demo: Demo) -> None:
    _edit_the_journal(demo, "journal", "journal-mirror", column="device_serial")


def edit_the_mirror(demo: Demo) -> None:
    _edit_the_journal(demo, "journal-mirror", column="device_serial")


def cut_the_journal(demo: Demo) -> None:
    # By more than what waits in the database, or the next start would only write it again.
    demo.write("DELETE FROM journal_outbox")
    for place in ("journal", "journal-mirror"):
        file = demo.state / place / "journal.jsonl"
        file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))


def empty_the_log(demo: Demo) -> None:
    demo.write("DELETE FROM audit_events")
    demo.write("UPDATE audit_head SET number = 0, hash = ?", GENESIS)


def delete_the_recorded_end(demo: Demo) -> None:
    demo.write("DELETE FROM audit_head")


def swap_the_audit_key(demo: Demo) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    (demo.state / "trust" / "audit.spki").write_bytes(
        other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )


@pytest.mark.parametrize(
    ("attack", "named"),
    [
        (edit, "audit event 9 "),
        (edit_details, "audit event "),
        (delete, "audit event 9 is missing"),
        (delete_and_close_the_gap, "audit event 9 "),
        (swap, "audit event 9 "),
        (cut_the_tail, "the log ends at"),
        (cut_the_tail_and_move_the_recorded_end, "the tail is cut"),
        (cut_the_tail_everywhere_but_in_the_checkpoints, "the tail is cut"),
        (rewrite_with_right_hashes, "differs from what was recorded outside"),
        (forge_a_checkpoint, "is not signed by the audit key"),
        (edit_a_checkpoint_line, "is not signed by the audit key"),
        (spoil_a_checkpoint_line, "holds a line that is no checkpoint"),
        (spoil_the_journal, "holds a line that is no entry of it"),
        (edit_what_the_journal_says_was_changed, "are not those that were made"),
        (edit_the_mirror, "is not the one of its mirror"),
        (cut_the_journal, "the journal is cut"),
        (empty_the_log, "the tail is cut"),
        (delete_the_recorded_end, "somebody deleted it"),
        (swap_the_audit_key, "is not signed by the audit key"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_was_done_to_the_log_is_named(
    copy_of_demo: CopyOfDemo, attack: Callable[[Demo], None], named: str
) -> None:
    demo = copy_of_demo()
    attack(demo)

    with pytest.raises(Tampered, match=re.escape(named)):
        verify(demo)


def verify(demo: Demo) -> None:
    """What `./pki audit verify` does, without a process for each."""
    state = State(demo.state)
    settings = load_settings(state)
    verification, _ = build_audit(state, settings)
    verification()


def test_the_command_names_it_in_one_sentence_and_ends_with_1(copy_of_demo: CopyOfDemo) -> None:
    demo = copy_of_demo()
    edit(demo)

    ran = demo.pki("audit", "verify")

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("error: audit event 9 ")
    assert len(ran.err.splitlines()) == 1


def test_an_untouched_log_is_good_and_exported_whole(stopped_demo: Demo) -> None:
    verified = stopped_demo.pki("audit", "verify")
    exported = stopped_demo.pki("audit", "export")

    assert verified.status == 0, verified
    lines = [json.loads(line) for line in exported.out.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert verified.out.startswith(f"{len(lines)} events in one chain")
    assert {"issuer.certified", "application.approved", "certificate.issued"} <= {line["name"] for line in lines}
    assert not Path(stopped_demo.state / "run" / "signer.sock").exists()
