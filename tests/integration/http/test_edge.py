"""The edge between a hostile network and the processes behind it."""

import contextlib
import json
import select
import socket
import ssl
import threading
from functools import partial

import pytest

from edge.turns import AT_ONCE
from tests.integration.http.conftest import PATIENCE, Doors, wait_for

pytestmark = pytest.mark.curl


def echoed(doors: Doors, path: str, *options: str) -> dict[str, str]:
    answer: dict[str, str] = json.loads(doors.curl(path, "--path-as-is", *options).stdout)
    return answer


def test_the_console_hears_who_called(doors: Doors) -> None:
    seen = echoed(doors, "/admin/")

    assert (seen["HTTP_X_FORWARDED_FOR"], seen["HTTP_X_FORWARDED_PROTO"]) == ("127.0.0.1", "https")
    assert seen["HTTP_X_FORWARDED_HOST"] == seen["HTTP_HOST"] == f"localhost:{doors.port}"
    assert seen["wsgi.url_scheme"] == "https"


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For: 203.0.113.9",
        "X-FORWARDED-FOR: 203.0.113.9",
        "X_Forwarded_For: 203.0.113.9",
        "X-Forwarded-Host: 203.0.113.9",
        "X-Forwarded-Proto: 203.0.113.9",
        "X-Forwarded-Ssl: 203.0.113.9",
        "X-Forwarded-Anything: 203.0.113.9",
        "X-Real-IP: 203.0.113.9",
        "Forwarded: for=203.0.113.9",
        "X-Vermilion-Client-Certificate: 203.0.113.9",
        "X-Vermilion-Officer: 203.0.113.9",
        "X_Vermilion_Officer: 203.0.113.9",
        "SCRIPT_NAME: 203.0.113.9",
        "PATH_INFO: 203.0.113.9",
        "Proxy-Authorization: 203.0.113.9",
        "TE: 203.0.113.9",
        "Keep-Alive: 203.0.113.9",
        "Upgrade: 203.0.113.9",
    ],
)
def test_what_only_the_edge_may_say_cannot_be_said_from_outside(doors: Doors, header: str) -> None:
    seen = echoed(doors, "/admin/", "--header", header)

    assert "203.0.113.9" not in json.dumps(seen)


def test_headers_named_by_connection_go_no_further_and_cannot_remove_ours(doors: Doors) -> None:
    seen = echoed(
        doors, "/admin/", "--header", "Connection: X-Secret, X-Forwarded-For, Host", "--header", "X-Secret: hop"
    )

    assert "HTTP_X_SECRET" not in seen
    assert (seen["HTTP_X_FORWARDED_FOR"], seen["HTTP_HOST"]) == ("127.0.0.1", f"localhost:{doors.port}")


def test_the_console_is_not_told_of_client_certificates(doors: Doors) -> None:
    certificate = ("--cert", str(doors.directory / "client.pem"), "--key", str(doors.directory / "client.key"))

    seen = echoed(doors, "/admin/", *certificate)

    assert "HTTP_X_VERMILION_CLIENT_CERTIFICATE" not in seen


@pytest.mark.parametrize(
    "target", ["/admin", "/admin?x=%2F..", "/admin/a%2fb//c/../d?q=1&q=%00;", "/admin/%E4%B8%AD?a=/admin"]
)
def test_path_and_query_arrive_as_they_were_sent(doors: Doors, target: str) -> None:
    assert echoed(doors, target)["RAW_URI"] == target


@pytest.mark.parametrize(
    "path",
    [
        "/administrator",
        "/ADMIN/",
        "/%61dmin/",
        "//admin/",
        "/./admin/",
        "/x/../admin/",
        "/admin%2f",
        "/admin;a/",
        "/?/admin",
    ],
)
def test_no_other_spelling_reaches_the_console(doors: Doors, path: str) -> None:
    assert b"RAW_URI" not in doors.curl(path, "--path-as-is").stdout


def test_the_absolute_form_is_routed_by_its_path(doors: Doors) -> None:
    answer = doors.raw(b"GET https://other.example/admin/x?y HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert b'"RAW_URI": "/admin/x?y"' in answer


@pytest.mark.parametrize("target", [b"*", b"admin", b"ftp://x/admin", b"http://[/", b"/a b", b"/\xe4", b"/\x00"])
def test_a_target_without_a_path_is_refused(doors: Doors, target: bytes) -> None:
    answer = doors.raw(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"X: a\r\n folded\r\n",
        b"X: a\nContent-Length: 5\r\n",
        b"Host: again\r\n",
    ],
)
def test_an_ambiguous_request_is_refused_and_the_connection_ends(doors: Doors, head: bytes) -> None:
    smuggled = b"0\r\n\r\nGET /admin/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

    answer = doors.raw(b"POST /admin/ HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n" + smuggled)

    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 "))
    assert b"smuggled" not in answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_chunked_body_arrives_with_its_length(doors: Doors) -> None:
    answer = doors.raw(
        b"POST /admin/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )

    assert b'"CONTENT_LENGTH": "5"' in answer
    assert b'"body": 5' in answer


def test_a_redirect_and_every_cookie_come_back_as_they_were(doors: Doors) -> None:
    redirect = doors.curl("/admin/redirect", "--include").stdout
    cookies = doors.curl("/admin/cookies", "--include").stdout

    assert b"Location: /admin/?next=%2Fx\r\n" in redirect
    assert cookies.count(b"Set-Cookie: ") == 2
    assert cookies.startswith(b"HTTP/1.1 204 ")


def test_an_answer_of_unknown_length_comes_whole(doors: Doors) -> None:
    assert doors.curl("/admin/pieces").stdout.split() == [b"%d" % number for number in range(1000)]


def test_head_has_the_length_and_no_body(doors: Doors) -> None:
    answer = doors.raw(b"HEAD /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")
    assert b"Content-Length: 16" in answer


@pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nHost: other.example\r\n"], ids=["no host", "two hosts"])
def test_a_request_that_names_not_one_host_is_refused(doors: Doors, hosts: bytes) -> None:
    assert doors.raw(b"GET /health HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_server_and_date_come_once(doors: Doors) -> None:
    answer = doors.curl("/health", "--include").stdout

    assert (answer.count(b"Server: "), answer.count(b"Date: ")) == (1, 1)


def test_a_connection_serves_one_request_after_the_other(doors: Doors) -> None:
    done = doors.curl("/health", f"{doors.url}/admin/", f"{doors.url}/health", "--verbose")

    assert done.stdout.count(b'"status":"ok"') == 2
    assert done.stderr.count(b"SSL connection using") == 1


def test_a_process_that_is_away_is_told_in_a_sentence_and_found_again(doors: Doors) -> None:
    doors.stop("console")
    away = doors.curl("/admin/", "--include").stdout
    other = doors.status("/health")
    doors.start_behind("console", "echo")
    wait_for(lambda: doors.status("/admin/") == 200)

    assert away.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 5" in away
    assert b"try again in a minute" in away
    assert other == 200


ELSEWHERE = ("127.0.0.2", 0)


def is_open(connection: socket.socket) -> bool:
    """Whether the server has neither closed it nor said anything."""
    connection.setblocking(False)
    try:
        connection.recv(1)
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False
    return False


def test_hundreds_of_silent_connections_keep_nobody_waiting(doors: Doors) -> None:
    with contextlib.ExitStack() as opened:
        silent = [
            opened.enter_context(socket.create_connection(("127.0.0.1", doors.port), timeout=PATIENCE))
            for _ in range(300)
        ]

        status = doors.status("/health")
        still_open = [is_open(connection) for connection in silent]

    # Were they given a thread each, nobody else would be answered before many of them are closed.
    assert (status, still_open) == (200, [True] * 300)


@pytest.mark.campaign  # it waits until the server's patience is over
def test_half_handshakes_are_given_up_and_then_everybody_is_served(doors: Doors) -> None:
    with contextlib.ExitStack() as opened:
        half_open = []
        for _ in range(70):
            there = ("127.0.0.1", doors.port)
            connection = socket.create_connection(there, timeout=PATIENCE, source_address=ELSEWHERE)
            half_open.append(opened.enter_context(connection))
            connection.sendall(b"\x16\x03\x01\x02\x00\x01")

        assert doors.status("/health") == 200
        wait_for(lambda: not any(is_open(connection) for connection in half_open))

    assert "WORKER TIMEOUT" not in doors.log("edge")


def test_who_does_not_hang_up_after_the_answer_keeps_nobody_waiting(doors: Doors) -> None:
    with contextlib.ExitStack() as opened:
        answers = []
        for _ in range(40):
            connection = opened.enter_context(doors.connect())
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answers.append(b"".join(iter(partial(connection.recv, 65536), b"")))
        status = doors.status("/health")

    assert [answer[:13] for answer in answers] == [b"HTTP/1.1 200 "] * 40
    assert status == 200
    # Two seconds of waiting for each of them, one after the other, and the server's master takes it for dead.
    assert "WORKER TIMEOUT" not in doors.log("edge")


def half_a_request(doors: Doors) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(doors.directory / "root.pem"))
    plain = socket.create_connection(("127.0.0.1", doors.port), timeout=PATIENCE, source_address=ELSEWHERE)
    connection = context.wrap_socket(plain, server_hostname="localhost")
    connection.sendall(b"POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nM")
    return connection


def test_as_many_half_requests_as_there_are_threads_hold_up_no_other_source(doors: Doors) -> None:
    stalled: list[ssl.SSLSocket] = []

    def stall() -> None:
        # Those that are not let in wait for a turn that never comes while the others stall.
        with contextlib.suppress(OSError):
            stalled.append(half_a_request(doors))

    attackers = [threading.Thread(target=stall, daemon=True) for _ in range(64)]
    for attacker in attackers:
        attacker.start()
    wait_for(lambda: len(stalled) >= AT_ONCE)

    answered = doors.status("/health")

    # None was given up meanwhile, so nobody waited for that.
    given_up = select.select(stalled, [], [], 0)[0]
    assert (answered, given_up, len(stalled)) == (200, [], AT_ONCE)
    while attackers:
        while stalled:
            stalled.pop().close()
        attackers[0].join(0.05)
        attackers = [attacker for attacker in attackers if attacker.is_alive()]
    for connection in stalled:
        connection.close()


@pytest.mark.parametrize("line", [b"Authorization Basic c2VjcmV0", b"Authorization: Basic c2Vj\x00cmV0", b"c2VjcmV0"])
def test_a_header_that_cannot_be_read_is_in_no_log(doors: Doors, line: bytes) -> None:
    before = doors.log("edge").count("Invalid request from ip=127.0.0.1")

    answer = doors.raw(b"GET /?c2VjcmV0 HTTP/1.1\r\nHost: localhost\r\n" + line + b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")
    wait_for(lambda: doors.log("edge").count("Invalid request from ip=127.0.0.1") > before)
    assert "c2Vj" not in doors.log("edge")


def test_nothing_above_left_a_trace_in_a_log(doors: Doors) -> None:
    for name in ("edge", "customer", "console"):
        assert "Traceback" not in doors.log(name)
