"""ocsp/rsgi.py: who sends half a request, or sends too much, or asks while the signer hangs, holds up nobody else."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ocsp.files import Publication
from ocsp.http import StatusApp
from ocsp.request import MAX_REQUEST
from ocsp.responder import Freshness, MustAskError, Reply
from ocsp.rsgi import StatusServer
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.rsgi import FakeExchange, FakeScope

KEPT = Reply(b"kept", fresh=Freshness(NOON, NOON + timedelta(hours=1), '"tag"'))
WAIT = 20


class SlowResponder:
    """Has an answer for `kept`; any other request waits for a signer that answers when `signed` is set."""

    def __init__(self) -> None:
        self.signed = threading.Event()
        self.waiting = threading.Semaphore(0)

    def answer_kept(self, blob: bytes) -> Reply:
        if blob != b"kept":
            raise MustAskError
        return KEPT

    def answer(self, blob: bytes) -> Reply:
        self.waiting.release()
        assert self.signed.wait(WAIT)
        return Reply(b"signed " + blob)


class Unasked:
    def find(self, key: bytes) -> None:
        """Nothing was ever issued."""


class Site:
    def __init__(self, directory: Path, *, reads_at_once: bool) -> None:
        self.responder = SlowResponder()
        app = StatusApp(
            responder=self.responder,  # type: ignore[arg-type]  # a fake
            publication=Publication(directory),
            statuses=Unasked(),  # type: ignore[arg-type]  # a fake
            now=FakeClock().now,
        )
        self.server = StatusServer(app, reads_at_once=reads_at_once, threads=2, waiting=1, body_seconds=0.05)

    async def ask(self, scope: FakeScope, *pieces: bytes, stalls: bool = False) -> FakeExchange:
        exchange = FakeExchange(*pieces, stalls=stalls)
        await self.server.__rsgi__(scope, exchange)
        return exchange

    async def post(self, *pieces: bytes, stalls: bool = False) -> FakeExchange:
        return await self.ask(FakeScope("POST", "/ocsp"), *pieces, stalls=stalls)


@pytest.fixture(params=[True, False])
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    tmp_path.joinpath("ca").mkdir()
    tmp_path.joinpath("ca/root.cer").write_bytes(b"certificate")
    site = Site(tmp_path, reads_at_once=request.param)
    yield site
    site.responder.signed.set()
    with asyncio.Runner() as runner:
        site.server.__rsgi_del__(runner.get_loop())


KEPT_PATH = "/ocsp/a2VwdA=="


def test_a_body_in_pieces_is_one_request(site: Site) -> None:
    exchange = asyncio.run(site.post(b"ke", b"pt", b""))
    assert (exchange.status, exchange.body) == (200, b"kept")
    assert dict(exchange.headers)["content-length"] == "4"


def test_half_a_request_is_told_so_and_its_connection_closed(site: Site) -> None:
    exchange = asyncio.run(site.post(b"ke", stalls=True))
    assert exchange.status == 408
    assert ("connection", "close") in exchange.headers


def test_too_much_is_not_read_to_its_end(site: Site) -> None:
    exchange = asyncio.run(site.post(*[bytes(MAX_REQUEST)] * 100))
    assert (exchange.status, exchange.given) == (413, 2)


def test_too_much_that_is_announced_is_not_read_at_all(site: Site) -> None:
    announced = FakeScope("POST", "/ocsp", ("content-length", str(MAX_REQUEST + 1)))
    exchange = asyncio.run(site.ask(announced, b"kept", stalls=True))
    assert (exchange.status, exchange.given) == (413, 0)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/health", 405), ("PUT", "/ocsp", 405), ("GET", "/ca/root.cer", 200)]
)
def test_no_other_body_is_read(site: Site, method: str, path: str, status: int) -> None:
    exchange = asyncio.run(site.ask(FakeScope(method, path), b"body", stalls=True))
    assert (exchange.status, exchange.given) == (status, 0)


def test_head_has_the_headers_of_get_and_no_body(site: Site) -> None:
    for path in (KEPT_PATH, "/ca/root.cer"):
        get, head = (asyncio.run(site.ask(FakeScope(method, path))) for method in ("GET", "HEAD"))
        assert (head.status, head.headers, head.body) == (200, get.headers, None)
        assert dict(head.headers)["content-length"] == str(len(get.body or b""))


def test_what_is_not_modified_has_no_body_and_no_length(site: Site) -> None:
    exchange = asyncio.run(
        site.ask(FakeScope("GET", KEPT_PATH, ("if-none-match", '"other"'), ("if-none-match", '"tag"')))
    )
    assert (exchange.status, exchange.body) == (304, None)
    assert "content-length" not in dict(exchange.headers)


@pytest.mark.parametrize(
    ("hosts", "version", "status"),
    [((), "1.1", 400), (("a", "b"), "1.1", 400), (("a", "a"), "1.1", 400), (("a",), "1.1", 200), ((), "1", 200)],
)
def test_a_request_of_http_1_1_has_exactly_one_host(
    site: Site, hosts: tuple[str, ...], version: str, status: int
) -> None:
    assert asyncio.run(site.ask(FakeScope("GET", KEPT_PATH, version=version, hosts=hosts))).status == status


def test_while_the_signer_hangs_all_that_needs_no_signer_is_served_and_the_rest_is_bounded(site: Site) -> None:
    async def scenario() -> None:
        asked = [asyncio.create_task(site.post(b"new")) for _ in range(4)]
        done, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED, timeout=WAIT)

        (refused,) = [each.result() for each in done]
        assert (refused.status, dict(refused.headers)["retry-after"]) == (503, "5")
        for _ in range(2):
            assert await asyncio.to_thread(site.responder.waiting.acquire, timeout=WAIT)
        assert (await site.post(b"kept")).body == b"kept"
        assert (await site.ask(FakeScope("GET", KEPT_PATH))).body == b"kept"
        assert (await site.ask(FakeScope("GET", "/ca/root.cer"))).body == b"certificate"

        site.responder.signed.set()
        assert [(await each).body for each in waiting] == [b"signed new"] * 3
        assert (await site.post(b"later")).body == b"signed later"

    asyncio.run(scenario())
