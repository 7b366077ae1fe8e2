"""ocsp/history.py: anybody may ask about the past, few at a time, and nobody gets more than an answer."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ca.domain.errors import InvalidRequest, NotReady, PKIError, Tampered
from ca.domain.times import timestamp
from ocsp.history import History
from tests.fakes.clock import NOON, FakeClock

ASKED = "serial=01%3AAB&at=2026-11-23T10:00:00Z"


class FakeSigner:
    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {"serial": "1ab", "unproven": []}
        self.refusal: PKIError | None = None

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert path == "status/history"
        self.asked.append(body)
        if self.refusal:
            raise self.refusal
        return self.answer


@pytest.fixture
def signer() -> FakeSigner:
    return FakeSigner()


@pytest.fixture
def history(signer: FakeSigner) -> History:
    return History(signer, FakeClock().now)


def ask(history: History, query: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    status, headers, body = history.respond(query)
    assert len(dict(headers)) == len(headers)
    return int(status.split()[0]), dict(headers), json.loads(body)


@pytest.mark.parametrize(
    "query",
    [
        ASKED,
        "at=2026-11-23T10:00:00Z&serial=0x01ab",
        "serial=1AB&at=2026-11-23T18:00:00+08:00",
        "serial=1ab&at=2026-11-23T18:00:00%2B08:00",
        "serial=1ab&at=2026-11-23t10:00:00z",
    ],
)
def test_serial_and_instant_are_understood_as_people_write_them(
    history: History, signer: FakeSigner, query: str
) -> None:
    assert ask(history, query)[::2] == (200, signer.answer)
    assert signer.asked == [{"serial": "1ab", "at": "2026-11-23T10:00:00Z"}]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "serial=1ab",
        "at=2026-11-23T10:00:00Z",
        "serial=1ab&at=2026-11-23T10:00:00Z&more=1",
        "serial=1ab&serial=1ab",
        "serial=&at=",
        "serial=xyz&at=2026-11-23T10:00:00Z",
        "serial=1ab&at=2026-11-23",
        "serial=1ab&at=2026-11-23T10:00:00",
        "serial=1ab&at=2026-13-23T10:00:00Z",
        "serial=1ab&at=2026-11-23T12:00:01Z",
        "serial=1ab&at=0001-01-01T00:00:00%2B23:59",
        f"serial={'1' * 41}&at=2026-11-23T10:00:00Z",
        "serial=1ab;at=2026-11-23T10:00:00Z",
        "&&&=",
    ],
)
def test_what_is_no_question_is_refused_in_words_and_not_passed_on(
    history: History, signer: FakeSigner, query: str
) -> None:
    status, headers, told = ask(history, query)
    assert (status, told["error"], headers["Cache-Control"]) == (400, "invalid-request", "no-store")
    assert told["message"]
    assert signer.asked == []


@given(st.text(st.characters(max_codepoint=0xFF)))
def test_junk_never_fails(query: str) -> None:
    status, _, _ = ask(History(FakeSigner(), FakeClock().now), query)
    assert status in {200, 400}


@pytest.mark.parametrize(
    ("ago", "unproven", "age"),
    [(timedelta(hours=1), [], 3600), (timedelta(hours=1), [7], 10), (timedelta(minutes=5), [], 10)],
)
def test_only_what_cannot_change_any_more_is_kept_for_long(
    history: History, signer: FakeSigner, ago: timedelta, unproven: list[int], age: int
) -> None:
    signer.answer = {"unproven": unproven}
    _, headers, _ = ask(history, f"serial=1ab&at={timestamp(NOON - ago)}")
    assert headers["Cache-Control"] == f"public, max-age={age}"


@pytest.mark.parametrize("refusal", [NotReady("away"), Tampered("event 7 was altered by somebody"), PKIError("?")])
def test_who_cannot_tell_says_later_and_no_more(history: History, signer: FakeSigner, refusal: PKIError) -> None:
    signer.refusal = refusal
    status, headers, told = ask(history, ASKED)
    assert (status, told["error"], headers["Retry-After"]) == (503, "not-ready", "5")
    assert "altered" not in told["message"]


def test_what_the_signer_refuses_as_asked_wrongly_is_told(history: History, signer: FakeSigner) -> None:
    signer.refusal = InvalidRequest("that instant has not come yet")
    assert ask(history, ASKED)[0] == 400


def test_few_ask_at_a_time_and_the_others_are_told_at_once(history: History, signer: FakeSigner) -> None:
    asking, release = threading.Semaphore(0), threading.Event()

    def call(path: str, body: dict[str, Any]) -> dict[str, Any]:
        asking.release()
        assert release.wait(60)
        return {"unproven": []}

    signer.call = call  # type: ignore[method-assign]
    threads = [threading.Thread(target=ask, args=(history, ASKED)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert asking.acquire(timeout=60)
    assert ask(history, ASKED)[0] == 503
    release.set()
    for thread in threads:
        thread.join(60)
    assert ask(history, ASKED)[0] == 200
