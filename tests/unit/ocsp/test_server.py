"""ocsp/server.py: who sends half a request, or sends too much, or asks while the signer hangs, holds up nobody else."""

import asyncio
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ca.domain.errors import NotReady
from ca.domain.ocsp import ErrorStatus, error_response
from ocsp.request import MAX_REQUEST
from ocsp.responder import Reply
from tests.fakes.status_connections import KEPT_PATH, SLOW_PATH, FakeAtOnce, Site, get, post, settled, told


@pytest.fixture(params=[True, False], ids=["at once", "in threads"])
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    tmp_path.joinpath("ca").mkdir()
    tmp_path.joinpath("ca/root.cer").write_bytes(b"certificate")
    site = Site(tmp_path, reads_at_once=request.param)
    yield site
    site.signer.signed.set()
    site.server._asking.stop()
    site.server._reading.shutdown()


def test_what_is_kept_is_given_at_once_by_post_and_get(site: Site) -> None:
    async def scenario(site: Site) -> None:
        (answer,), _ = await site.ask(post(b"kept"))
        assert (answer.status, answer.body) == (200, b"kept")
        assert answer.headers == {
            "content-type": "application/ocsp-response",
            "cache-control": "no-store",
            "content-length": "4",
            "date": "Mon, 23 Nov 2026 12:00:00 GMT",
        }
        for path in (KEPT_PATH, KEPT_PATH.replace(b"=", b"%3D")):
            (answer,), _ = await site.ask(get(path))
            assert (answer.status, answer.body) == (200, b"kept")
            assert answer.headers == {
                "content-type": "application/ocsp-response",
                "cache-control": "max-age=60, public, no-transform, must-revalidate",
                "etag": Reply(b"kept").etag,
                "last-modified": "Mon, 23 Nov 2026 12:00:00 GMT",
                "expires": "Mon, 23 Nov 2026 13:00:00 GMT",
                "content-length": "4",
                "date": "Mon, 23 Nov 2026 12:00:00 GMT",
            }

    site.run(scenario)


def test_both_ways_say_the_same_of_an_answer(site: Site) -> None:
    async def scenario(site: Site) -> None:
        (quick,), _ = await site.ask(get(KEPT_PATH))
        (slow,), _ = await site.ask(get(SLOW_PATH))
        assert quick.headers.keys() == slow.headers.keys()

    site.run(scenario)


def test_requests_one_after_the_other_are_answered_in_order(site: Site) -> None:
    async def scenario(site: Site) -> None:
        blob = post(b"kept") + post(b"one") + get(KEPT_PATH) + post(b"two") + get(b"/ca/root.cer")
        connection, transport = site.connect()
        for octet in blob:
            connection.data_received(bytes((octet,)))
        await settled(connection)
        assert [each.body for each in told(transport.written)] == [
            b"kept",
            b"slow:one",
            b"kept",
            b"slow:two",
            b"certificate",
        ]
        assert not transport.closed

    site.run(scenario)


def test_a_body_in_pieces_or_chunks_is_one_request(site: Site) -> None:
    async def scenario(site: Site) -> None:
        whole = post(b"kept")
        (answer,), _ = await site.ask(whole[:-2], whole[-2:])
        assert answer.body == b"kept"
        (answer,), _ = await site.ask(post(b"2\r\nke\r\n2\r\npt\r\n", b"Transfer-Encoding: chunked"), b"0\r\n\r\n")
        assert answer.body == b"kept"

    site.run(scenario)


def test_who_waits_for_our_word_gets_it_once(site: Site) -> None:
    async def scenario(site: Site) -> None:
        connection, transport = site.connect()
        connection.data_received(post(b"", b"Content-Length: 4", b"Expect: 100-continue"))
        assert transport.written == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.data_received(b"ke")
        connection.data_received(b"pt")
        assert transport.written.count(b"HTTP/1.1") == 2

    site.run(scenario)


def test_half_a_request_is_told_so_and_silence_is_ended(site: Site) -> None:
    async def scenario(site: Site) -> None:
        for half in (post(b"kept")[:-1], b"POST /oc", post(b"", b"Content-Length: 4")):
            connection, transport = site.connect()
            connection.data_received(half)
            site.pass_time(connection)
            (answer,) = told(transport.written)
            assert (answer.status, answer.headers["connection"], transport.ended) == (408, "close", True)
        connection, transport = site.connect()
        site.pass_time(connection)
        assert (transport.written, transport.closed) == (b"", True)

    site.run(scenario)


def test_the_time_for_a_head_does_not_begin_again_with_each_octet(site: Site) -> None:
    async def scenario(site: Site) -> None:
        connection, _ = site.connect()
        connection.data_received(post(b"kept"))
        connection.data_received(b"P")
        first = connection.deadline
        site.server.moment += 4
        connection.data_received(b"O")
        assert connection.deadline == first

    site.run(scenario)


def test_too_much_is_refused_before_it_is_read(site: Site) -> None:
    async def scenario(site: Site) -> None:
        for blob in (
            post(b"", b"Content-Length: %d" % (MAX_REQUEST + 1)),
            post(b"2001\r\n", b"Transfer-Encoding: chunked"),
        ):
            (answer,), transport = await site.ask(blob)
            assert (answer.status, answer.headers["connection"], transport.ended) == (413, "close", True)

    site.run(scenario)


def test_after_the_last_word_what_still_comes_is_read_over_up_to_a_limit(site: Site) -> None:
    async def scenario(site: Site) -> None:
        connection, transport = site.connect()
        connection.data_received(b"junk\r\n\r\n")
        for _ in range(16):
            connection.data_received(bytes(65536))
        assert (len(told(transport.written)), transport.aborted) == (1, False)
        connection.data_received(b"more")
        assert transport.aborted
        connection, transport = site.connect()
        connection.data_received(b"junk\r\n\r\n")
        site.pass_time(connection)
        assert transport.aborted

    site.run(scenario)


@pytest.mark.parametrize(
    ("blob", "status"),
    [
        (post(b"body", path=b"/health"), 405),
        (get(b"/ocsp", b"Content-Length: 4", method=b"PUT"), 405),
        (get(b"/ca/root.cer", b"Transfer-Encoding: chunked"), 200),
    ],
)
def test_no_other_body_is_read_and_the_connection_ends_with_it(site: Site, blob: bytes, status: int) -> None:
    async def scenario(site: Site) -> None:
        (answer,), transport = await site.ask(blob + post(b"kept"))
        assert (answer.status, answer.headers["connection"], transport.ended) == (status, "close", True)

    site.run(scenario)


def test_head_has_the_headers_of_get_and_no_body(site: Site) -> None:
    async def scenario(site: Site) -> None:
        for path in (SLOW_PATH, b"/ca/root.cer"):
            (full,), _ = await site.ask(get(path))
            _, transport = await site.ask(get(path, method=b"HEAD"))
            head, _, body = transport.written.partition(b"\r\n\r\n")
            assert f"content-length: {len(full.body)}" in head.decode()
            assert body == b""

    site.run(scenario)


def test_what_is_not_modified_has_no_body_and_no_length(site: Site) -> None:
    async def scenario(site: Site) -> None:
        tag = Reply(b"slow:kept").etag.encode()
        (answer,), _ = await site.ask(get(KEPT_PATH, b'If-None-Match: "other"', b"If-None-Match: " + tag))
        assert (answer.status, answer.body) == (304, b"")
        assert "content-length" not in answer.headers

    site.run(scenario)


def test_the_connection_is_kept_or_closed_as_the_client_wants(site: Site) -> None:
    async def scenario(site: Site) -> None:
        for fields, version, word in (
            ((b"Connection: close",), b"1", "close"),
            ((), b"0", "close"),
            ((b"Connection: keep-alive",), b"0", "keep-alive"),
        ):
            (answer,), transport = await site.ask(get(SLOW_PATH, *fields, version=version))
            assert answer.headers["connection"] == word
            assert transport.ended is (word == "close")

    site.run(scenario)


def test_while_the_signer_hangs_all_that_needs_no_signature_is_served_and_the_rest_is_bounded(site: Site) -> None:
    async def scenario(site: Site) -> None:
        waiting = []
        for _ in range(4):
            connection, transport = site.connect()
            connection.data_received(post(b"new"))
            await asyncio.sleep(0.05)
            waiting.append((connection, transport))
        last, refused = waiting[-1]
        await settled(last)
        (answer,) = told(refused.written)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")

        for blob, body in ((post(b"kept"), b"kept"), (get(b"/ca/root.cer"), b"certificate")):
            (answer,), _ = await site.ask(blob)
            assert answer.body == body
        connection, transport = waiting[0]
        site.pass_time(connection)
        assert not transport.closed
        assert connection.eof_received()

        site.signer.signed.set()
        for connection, transport in waiting[:3]:
            await settled(connection)
            assert [each.body for each in told(transport.written)] == [b"signed"]
        assert site.signer.batches == [1, 2]

    site.run(scenario)


def test_requests_behind_one_that_is_being_answered_wait_and_do_not_pile_up(site: Site) -> None:
    async def scenario(site: Site) -> None:
        connection, transport = site.connect()
        connection.data_received(post(b"new"))
        connection.data_received(post(b"kept") * 2000)
        assert (transport.written, transport.reading) == (b"", False)
        site.signer.signed.set()
        await settled(connection)
        assert len(told(transport.written)) == 2001
        assert transport.reading

    site.run(scenario)


def test_who_does_not_read_is_not_written_to_for_ever(site: Site) -> None:
    async def scenario(site: Site) -> None:
        connection, transport = site.connect()
        connection.data_received(post(b"kept"))
        transport.stuck = 1000
        connection.pause_writing()
        connection.data_received(post(b"kept"))
        assert len(told(transport.written)) == 1
        for transport.stuck in (1000, 500):
            site.pass_time(connection)
            assert not transport.closed
        site.pass_time(connection)
        assert transport.aborted

    site.run(scenario)


def test_who_reads_again_is_written_to_again(site: Site) -> None:
    async def scenario(site: Site) -> None:
        connection, transport = site.connect()
        connection.pause_writing()
        connection.data_received(post(b"kept"))
        assert transport.written == b""
        connection.resume_writing()
        assert len(told(transport.written)) == 1

    site.run(scenario)


def test_connections_are_counted(site: Site) -> None:
    async def scenario(site: Site) -> None:
        everybody = [site.connect() for _ in range(1024)]
        _, one_more = site.connect()
        assert told(one_more.written)[0].status == 503
        for connection, _ in everybody:
            connection.connection_lost(None)
        assert len(site.server.connections) == 1

    site.run(scenario)


def test_readers_are_counted(tmp_path: Path) -> None:
    site = Site(tmp_path, reads_at_once=False)

    async def scenario(site: Site) -> None:
        site.server._reads = 256
        (answer,), _ = await site.ask(get(b"/health"))
        assert answer.status == 503

    site.run(scenario)
    site.server._reading.shutdown()


def test_a_nonce_of_a_known_shape_is_signed_without_more_ado(site: Site) -> None:
    async def scenario(site: Site) -> None:
        site.signer.signed.set()
        (answer,), _ = await site.ask(post(b"nonce"))
        assert (answer.body, answer.headers["cache-control"]) == (b"signed", "no-store")

    site.run(scenario)


@pytest.fixture
def at_once() -> FakeAtOnce:
    return FakeAtOnce()


@pytest.mark.parametrize("reads_at_once", [True, False])
def test_who_can_sign_at_once_does(tmp_path: Path, at_once: FakeAtOnce, *, reads_at_once: bool) -> None:
    site = Site(tmp_path, reads_at_once=reads_at_once, at_once=at_once)

    async def scenario(site: Site) -> None:
        for blob in (b"nonce", b"new"):
            (answer,), _ = await site.ask(post(blob))
            assert answer.body == (b"now" if reads_at_once else b"signed")
            assert answer.headers["cache-control"] == "no-store"

    site.signer.signed.set()
    site.run(scenario)


@pytest.mark.parametrize(
    ("outcome", "body"), [(None, b"signed"), (NotReady("the clock"), error_response(ErrorStatus.TRY_LATER))]
)
def test_who_cannot_sign_at_once_leaves_it_to_the_signer_or_says_why(
    tmp_path: Path, at_once: FakeAtOnce, outcome: NotReady | None, body: bytes
) -> None:
    site = Site(tmp_path, reads_at_once=True, at_once=at_once)
    at_once.outcome = outcome

    async def scenario(site: Site) -> None:
        for blob in (b"nonce", b"new"):
            (answer,), _ = await site.ask(post(blob))
            assert answer.body == body

    site.signer.signed.set()
    site.run(scenario)


def test_a_signer_that_refuses_is_told_in_the_words_of_ocsp(site: Site) -> None:
    async def scenario(site: Site) -> None:
        site.signer.answer = lambda questions: [NotReady("away")] * len(questions)  # type: ignore[method-assign]
        (answer,), _ = await site.ask(post(b"new"))
        assert answer.body == error_response(ErrorStatus.TRY_LATER)

    site.run(scenario)


@pytest.mark.socket
def test_it_serves_until_it_is_told_to_stop_and_ends_what_it_began(site: Site) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    going_on = [True]

    async def scenario() -> None:
        serving = asyncio.create_task(site.server.serve([listening], tick=lambda: going_on[0]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        idle_reader, idle_writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(post(b"kept"))
        assert re.match(rb"HTTP/1.1 200 OK\r\n", await reader.readline())
        await reader.readuntil(b"kept")
        writer.write(post(b"new"))
        await asyncio.sleep(0.1)
        going_on[0] = False
        assert await idle_reader.read() == b""
        site.signer.signed.set()
        await reader.readuntil(b"signed")
        await serving
        for each in (writer, idle_writer):
            each.close()

    asyncio.run(scenario())
    assert site.background.said == ["start", "stop"]
