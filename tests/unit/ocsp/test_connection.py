"""ocsp/connection.py: whatever fails behind it, a client is told, and no connection holds more than it may."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Never

import pytest

from ca.domain.ocsp import ErrorStatus, error_response
from tests.fakes.status_connections import KEPT_PATH, SLOW_PATH, Site, get, post, settled, told


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    tmp_path.joinpath("ca").mkdir()
    tmp_path.joinpath("ca/root.cer").write_bytes(bytes(1 << 20))
    site = Site(tmp_path, reads_at_once=True)
    yield site
    site.signer.signed.set()
    site.server._asking.stop()
    site.server._reading.shutdown()


def broken(*_: object) -> Never:
    raise RuntimeError("what stands behind is broken")


def test_a_defect_behind_a_signature_is_told_and_the_connection_goes_on(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(site: Site) -> None:
        site.signer.signed.set()
        site.server.responder.finish = broken  # type: ignore[method-assign]
        connection, transport = site.connect()
        connection.data_received(post(b"new") + post(b"kept"))
        assert connection._answering is not None
        await asyncio.wait([connection._answering], timeout=20)
        assert [each.body for each in told(transport.written)] == [
            error_response(ErrorStatus.INTERNAL_ERROR),
            b"kept",
        ]
        assert not connection.busy
        connection.let_go()
        assert transport.closed

    with caplog.at_level(logging.ERROR):
        site.run(scenario)
    assert "what stands behind is broken" in caplog.text


def test_a_defect_on_the_quick_way_is_told_and_ends_the_connection(site: Site) -> None:
    async def scenario(site: Site) -> None:
        site.server.responder.quick = broken  # type: ignore[method-assign]
        (answer,), transport = await site.ask(post(b"kept"))
        assert (answer.status, answer.headers["connection"], transport.ended) == (500, "close", True)

    site.run(scenario)


@pytest.mark.parametrize(
    "piece",
    [b"1;" + b"x" * 300 + b"\r\na\r\n", b"1;" + b"x" * 70_000 + b"\r\na\r\n"],
    ids=["many lines that are long", "one that is too long"],
)
def test_chunks_that_say_much_besides_their_octets_are_refused_before_they_pile_up(site: Site, piece: bytes) -> None:
    async def scenario(site: Site) -> None:
        connection, transport = site.connect()
        connection.data_received(post(b"", b"Transfer-Encoding: chunked"))
        sent = 0
        while not transport.written and sent < 1 << 20:
            connection.data_received(piece)
            sent += len(piece)
        (answer,) = told(transport.written)
        assert (answer.status, transport.ended) == (413, True)
        assert sent <= (64 << 10) + len(piece)

    site.run(scenario)


def test_an_honest_client_may_send_its_largest_request_octet_by_octet(site: Site) -> None:
    async def scenario(site: Site) -> None:
        chunks = b"1\r\na\r\n" * 8192 + b"0\r\n\r\n"
        (answer,), _ = await site.ask(post(b"", b"Transfer-Encoding: chunked"), chunks[:40_000], chunks[40_000:])
        assert answer.body == b"slow:" + b"a" * 8192

    site.run(scenario)


def test_a_long_body_is_not_copied_for_each_who_reads_it(site: Site) -> None:
    async def scenario(site: Site) -> None:
        _, transport = await site.ask(get(b"/ca/root.cer"))
        _, another = await site.ask(get(b"/ca/root.cer"))
        assert transport.parts[-1] is another.parts[-1]
        assert len(transport.parts[-1]) == 1 << 20

    site.run(scenario)


@pytest.mark.parametrize("path", [KEPT_PATH, SLOW_PATH])
def test_a_client_of_http_1_0_is_told_that_its_connection_stays(site: Site, path: bytes) -> None:
    async def scenario(site: Site) -> None:
        connection, transport = site.connect()
        connection.data_received(get(path, b"Connection: keep-alive", version=b"0"))
        await settled(connection)
        (answer,) = told(transport.written)
        assert (answer.headers["connection"], transport.closed) == ("keep-alive", False)

    site.run(scenario)
