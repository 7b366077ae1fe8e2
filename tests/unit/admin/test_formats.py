"""How the console writes times, serial numbers and states."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask_babel import Babel

from admin.errors import sentence
from admin.formats import badge, grouped, span, when
from ca.domain.applications import ApplicationState
from ca.domain.certificates import CertificateStatus
from ca.domain.codes import CodeState
from ca.domain.devices import DeviceState
from ca.domain.errors import InvalidRequest
from ca.domain.officers import InvitationState, OfficerState


@pytest.fixture(autouse=True)
def _language():
    app = Flask("formats")
    Babel(app)
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("serial", "groups"),
    [("", []), ("a", ["a"]), ("abcd", ["abcd"]), ("12345", ["1", "2345"]), ("0" * 8, ["0000"] * 2)],
)
def test_serials_are_grouped_in_fours_from_the_right(serial, groups):
    assert grouped(serial) == groups


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC0", "23 Nov 2026, 07:04 (UTC)"),
        ("CST-8", "23 Nov 2026, 15:04 (UTC+8)"),
        ("IST-5:30", "23 Nov 2026, 12:34 (UTC+5:30)"),
        ("EST5", "23 Nov 2026, 02:04 (UTC−5)"),
    ],
)
def test_times_are_local_and_say_their_zone(monkeypatch, zone, text):
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()

    assert when(datetime(2026, 11, 23, 7, 4, 5, tzinfo=UTC)) == text
    assert when("2026-11-23T07:04:05Z") == text
    monkeypatch.undo()
    time.tzset()


def test_no_time_is_a_dash():
    assert when(None) == "–"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=20), "< 1 min"),
        (timedelta(minutes=14), "14 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(hours=3, minutes=12), "3 h 12 min"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=2), "2 days"),
    ],
)
def test_spans_are_short(length, text):
    assert span(length) == text


STATES = [
    state.value
    for kind in (ApplicationState, CertificateStatus, CodeState, DeviceState, OfficerState, InvitationState)
    for state in kind
]


@pytest.mark.parametrize("state", sorted(set(STATES)))
def test_every_state_has_an_icon_and_a_word(state):
    look = badge(state)

    assert look.word
    assert look.tone in ("good", "held", "bad", "idle")
    assert look.word == state.replace("-", " ") or look.word != state


def test_an_unknown_state_is_shown_plainly():
    assert badge("new-kind").word == "new-kind"


@pytest.mark.parametrize(("text", "shown"), [("no", "No."), ("Stop!", "Stop!"), ("", "No reason was given.")])
def test_messages_become_sentences(text, shown):
    assert sentence(InvalidRequest(text)) == shown
