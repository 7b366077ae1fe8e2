"""Half requests on many connections: each is told 408, and nobody else notices (docs/adr/0014)."""

import base64
import contextlib
import http.client
import random
import socket
from collections.abc import Iterator

import pytest
from cryptography.x509 import ocsp as judge

from tests.fakes.raw_http import everything, sent
from tests.fakes.status_site import PATIENCE, StatusSite, running_status

pytestmark = [pytest.mark.socket]

STALLED = 40
HALF = b"POST /ocsp HTTP/1.1\r\nHost: status\r\nContent-Length: 100\r\n\r\nab"


@pytest.fixture(scope="module")
def site() -> Iterator[StatusSite]:
    with running_status(workers=1, body_seconds=5.0) as site:
        site.world.issue(0xA1)
        site.world.issue(0xA2)
        site.sync()
        site.publish()
        site.publish("root")
        yield site


def connected(site: StatusSite) -> socket.socket:
    return socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE)


def asked(site: StatusSite, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
    connection.request(method, path, body)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def test_half_requests_hold_up_nobody_and_are_told_so(site: StatusSite) -> None:
    with contextlib.ExitStack() as stack:
        stalled = [stack.enter_context(connected(site)) for _ in range(STALLED)]
        for connection in stalled:
            connection.sendall(HALF)

        for serial in (0xA1, 0xA2):
            code, body = asked(site, "POST", "/ocsp", site.world.asked(serial))
            assert (code, judge.load_der_ocsp_response(body).serial_number) == (200, serial)
        code, body = asked(site, "GET", "/ocsp/" + base64.b64encode(site.world.asked(0xA1)).decode())
        assert (code, judge.load_der_ocsp_response(body).serial_number) == (200, 0xA1)
        assert asked(site, "GET", "/crl/issuing.crl")[0] == 200
        assert asked(site, "GET", "/health")[0] == 200

        for connection in stalled:
            answer = everything(connection)
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b"\r\nconnection: close\r\n" in answer


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(site: StatusSite) -> None:
    head = b"POST /ocsp HTTP/1.1\r\nHost: status\r\nContent-Length: 8193\r\n\r\n"
    assert sent(connected(site), head).startswith(b"HTTP/1.1 413 ")


def test_a_body_without_length_is_refused_when_it_is_too_large(site: StatusSite) -> None:
    head = b"POST /ocsp HTTP/1.1\r\nHost: status\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert sent(connected(site), head + b"2001\r\n" + bytes(0x2001) + b"\r\n").startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: b\r\n"])
def test_a_request_without_one_host_is_a_bad_request(site: StatusSite, hosts: bytes) -> None:
    assert sent(connected(site), b"GET /health HTTP/1.1\r\n" + hosts + b"\r\n").startswith(b"HTTP/1.1 400 ")


def test_junk_is_never_our_failure(site: StatusSite) -> None:
    chance = random.Random(14)  # noqa: S311 - the same junk each time
    request = site.world.asked(0xA1)
    paths = [b"/ocsp", b"/ocsp/", b"/ocsp/%ff%00", b"//ocsp", b"*", b"/crl/%C3%28.crl", b"/ocsp/" + b"A" * 5000]
    for _ in range(150):
        body = bytearray(request)
        for _ in range(chance.randrange(8)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        body = body[: chance.randrange(len(body) + 1)]
        head = b"%s %s HTTP/1.1\r\nHost: status\r\nConnection: close\r\nIf-None-Match: %s\r\n" % (
            chance.choice([b"POST", b"POST", b"GET", b"HEAD", b"OPTIONS", b"BREW"]),
            chance.choice(paths),
            chance.choice([b'"', b"*", b"\xff\xfe", b","]),
        )
        answer = sent(connected(site), head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 304 ", b"HTTP/1.1 4")), (head, answer[:200])
