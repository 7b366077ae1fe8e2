"""ca/domain/audit.py, ceremony.py: chains and scripts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ca.domain.audit import GENESIS, AuditEvent, ChainedEvent, Checkpoint, Head, checkpoint_message
from ca.domain.ceremony import Act, Script, Step, Transcript, opening, read_aloud
from ca.domain.errors import InvalidRequest, Tampered
from tests.builders import NOW, an_event


def chained(head: Head, event: AuditEvent) -> ChainedEvent:
    return ChainedEvent(head.number + 1, event, event.link(head.number + 1, head.hash))


def test_a_chain_is_followed_from_its_first_event() -> None:
    head = Head()
    assert head.hash == GENESIS
    for number in range(1, 4):
        head = head.follow(chained(head, an_event()))
        assert head.number == number


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "x.done"},
        {"subject": "x"},
        {"actor": "x"},
        {"at": NOW + timedelta(seconds=1)},
        {"details": {}},
        {"details": {"branch": "0001", "name": "x"}},
    ],
    ids=str,
)
def test_every_field_of_an_event_is_in_the_chain(changes: dict[str, Any]) -> None:
    record = chained(Head(), an_event())
    altered = replace(record, event=replace(record.event, **changes))
    with pytest.raises(Tampered, match=r"audit event 1 .* was altered or moved"):
        Head().follow(altered)


def test_an_event_that_is_missing_is_named() -> None:
    second = ChainedEvent(2, an_event(), an_event().link(2, GENESIS))
    with pytest.raises(Tampered, match="audit event 1 is missing: the next one found is number 2"):
        Head().follow(second)


def test_fields_cannot_run_into_each_other() -> None:
    one = AuditEvent("a", 'b","actor":"c', "d", NOW)
    other = AuditEvent("a", "b", 'c","actor":"d', NOW)
    assert one.link(1, GENESIS) != other.link(1, GENESIS)


def test_a_line_break_is_text_like_any_other() -> None:
    assert an_event(subject="a\nb").link(1, GENESIS) != an_event(subject="ab").link(1, GENESIS)


def test_a_checkpoint_says_number_end_and_time() -> None:
    checkpoint = Checkpoint(7, bytes(32), NOW, b"")
    assert checkpoint.message == checkpoint_message(7, bytes(32), NOW)
    assert len({checkpoint.message, checkpoint_message(8, bytes(32), NOW), checkpoint_message(7, GENESIS, NOW)}) == 3


# Scripts

_PARAMETERS = {"token": "root"}


def a_step(**changes: Any) -> Step:
    fields: dict[str, Any] = {
        "number": 1,
        "role": "master",
        "words": "I make a token.",
        "act": Act.MAKE_TOKEN,
        "parameters": _PARAMETERS,
    }
    return Step(**(fields | changes))


def test_a_step_knows_its_parameters() -> None:
    assert a_step()["token"] == "root"


@pytest.mark.parametrize("parameters", [{}, {"token": "root", "pin": "1234"}, {"tokens": "root"}], ids=str)
def test_a_step_has_the_parameters_of_its_act_and_no_others(parameters: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match=r"step 1 \(make-token\): missing or unknown"):
        a_step(parameters=parameters)


def test_a_role_that_is_not_in_the_script_does_nothing() -> None:
    with pytest.raises(InvalidRequest, match="there is no role 'thief'"):
        Script("Demo", {"master": "M"}, (a_step(), a_step(number=2, role="thief")), "00")


def test_a_transcript_begins_with_who_is_there() -> None:
    lines = opening(Script("Demo", {"master": "Maria"}, (a_step(),), "ab"), NOW)
    assert lines == [
        "Key ceremony: Demo",
        "Begun: 2026-11-23T12:00:00Z",
        "Script SHA-256: ab",
        "Present:",
        "  master: Maria",
    ]


def test_a_line_more_is_another_transcript() -> None:
    transcript = Transcript()
    before = transcript.digest
    transcript.add("a line")
    assert transcript.text == "a line\n"
    assert transcript.digest != before


def test_a_fingerprint_is_read_in_fours() -> None:
    assert read_aloud(bytes.fromhex("00112233aabb")) == "0011 2233 AABB"
