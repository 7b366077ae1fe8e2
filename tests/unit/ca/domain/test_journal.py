"""ca/domain/journal.py: an entry is its events and its changes, and none of them can be altered unseen."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ca.domain.audit import Head
from ca.domain.errors import Tampered
from ca.domain.journal import Act, Change, Entry, chained
from tests.builders import an_event

INSERT = Change(Act.INSERT, "certificates", {}, {"serial": "a1", "der": "3000", "not_after": 1_800_000_000})
UPDATE = Change(Act.UPDATE, "certificates", {"serial": "a1"}, {"status": "revoked", "reason": 1})
DELETE = Change(Act.DELETE, "officer_credentials", {"officer": "officer-1"}, {})


def an_entry(*changes: Change) -> Entry:
    return chained(Head(), [an_event("certificate.revoked"), an_event("crl.intended")], changes or (INSERT, UPDATE))


def test_a_transactions_events_follow_one_another() -> None:
    entry = an_entry()
    assert [one.number for one in entry.events] == [1, 2]
    assert entry.follow(Head()) == entry.head
    assert chained(entry.head, [an_event()], ()).first == 3


def test_only_the_last_event_carries_the_changes() -> None:
    first, last = an_entry().events
    assert first.changes == b""
    assert len(last.changes) == 32


@pytest.mark.parametrize("changes", [(INSERT, UPDATE, DELETE), (DELETE,)], ids=["several", "one"])
def test_a_line_says_the_whole_entry(changes: tuple[Change, ...]) -> None:
    entry = an_entry(*changes)
    line = entry.line()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert Entry.parse(line) == entry


def test_a_line_break_in_a_name_does_not_end_the_line() -> None:
    entry = chained(Head(), [an_event(subject="a\nb\r\u2028c")], ())
    assert entry.line().count(b"\n") == 1
    assert Entry.parse(entry.line()) == entry


@pytest.mark.parametrize(
    "altered",
    [
        replace(UPDATE, values={"status": "active", "reason": 1}),
        replace(UPDATE, key={"serial": "a2"}),
        replace(UPDATE, table="intents"),
        replace(UPDATE, act=Act.DELETE),
    ],
    ids=["value", "key", "table", "act"],
)
def test_altered_changes_are_found_out(altered: Change) -> None:
    entry = an_entry()
    with pytest.raises(Tampered, match="the changes beside audit event 2 are not those that were made"):
        replace(entry, changes=(INSERT, altered)).follow(Head())


def test_changes_taken_out_are_found_out() -> None:
    with pytest.raises(Tampered, match="are not those that were made"):
        replace(an_entry(), changes=()).follow(Head())


def test_the_digest_of_the_changes_cannot_be_exchanged() -> None:
    entry = an_entry()
    last = replace(entry.events[-1], changes=an_entry(DELETE).events[-1].changes)
    with pytest.raises(Tampered, match="was altered or moved"):
        Entry((entry.events[0], last), (DELETE,)).follow(Head())


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"rubbish",
        b"[]",
        b"{}",
        b'{"events":[],"changes":[]}',
        b'{"events":[{}],"changes":[]}',
        b'{"events":"x","changes":[]}',
        an_entry().line().replace(b'"update"', b'"drop"'),
        an_entry().line().replace(b'"insert","certificates",{},', b'"insert",'),
        json.dumps({"events": [1], "changes": []}).encode(),
    ],
    ids=lambda line: line[:24].decode() or "empty",
)
def test_what_is_no_entry_is_refused(line: bytes) -> None:
    with pytest.raises(Tampered):
        Entry.parse(line)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_entry_or_refused(blob: bytes) -> None:
    with suppress(Tampered):
        Entry.parse(blob)
