"""deploy/nginx.conf in a real nginx, in front of status and of a stand-in: what is kept, passed on, and not let in."""

import base64
import contextlib
import http.client
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import ocsp as judge

from ocsp.request import parse_request
from tests.fakes.nginx import ROOT, StandIn, running_nginx, standing_in
from tests.fakes.ocsp_requests import build, nonce
from tests.fakes.raw_http import everything, sent
from tests.fakes.status_site import StatusSite, running_status

pytestmark = [pytest.mark.socket, pytest.mark.nginx]

SECOND = timedelta(seconds=1)
EVERYBODY_IS_LIMITED = {"127.0.0.0/8 0;": "127.0.0.0/8 1;"}
HALF = b"POST /ocsp HTTP/1.1\r\nHost: status\r\nContent-Length: 100\r\n\r\nab"


@pytest.fixture(scope="module")
def site() -> Iterator[StatusSite]:
    with running_status(workers=1) as site:
        for serial in (0xA1, 0xA2, 0xA3, 0xA4):
            site.world.issue(serial)
        site.world.revoke(0xA2)
        site.sync()
        site.publish()
        yield site


@pytest.fixture(scope="module")
def port(site: StatusSite) -> Iterator[int]:
    with running_nginx(site.port) as port:
        yield port


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with standing_in() as stand_in:
        yield stand_in


def asked(
    port: int, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET" if body is None else "POST", path, body, headers or {})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, content


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def status_of(body: bytes) -> str:
    return judge.load_der_ocsp_response(body).certificate_status.name


def path_of(site: StatusSite, serial: int) -> str:
    return "/ocsp/" + base64.b64encode(site.world.asked(serial)).decode()


def test_a_get_is_answered_from_the_cache(site: StatusSite, port: int) -> None:
    path = path_of(site, 0xA4)

    first, second = asked(port, path), asked(port, path)

    assert [answer[1]["x-cache-status"] for answer in (first, second)] == ["MISS", "HIT"]
    assert first[2] == second[2]
    assert status_of(second[2]) == "GOOD"
    # A cache behind this one counts from when status said so, not from when it was handed on.
    for name in ("date", "cache-control", "etag", "last-modified", "expires", "content-type"):
        assert first[1][name] == second[1][name]


def test_a_client_that_has_it_is_told_so_by_the_cache(site: StatusSite, port: int) -> None:
    path = path_of(site, 0xA1)
    etag = asked(port, path)[1]["etag"]

    assert asked(port, path, headers={"If-None-Match": etag})[0] == 304
    assert asked(port, path, headers={"If-None-Match": '"another"'})[0] == 200


@pytest.mark.parametrize("path", ["/crl/issuing.crl", "/ca/issuing.cer"])
def test_published_files_are_answered_from_the_cache(site: StatusSite, port: int, path: str) -> None:
    first, second = asked(port, path), asked(port, path)

    assert second[1]["x-cache-status"] == "HIT"
    assert first[2] == second[2] == (site.directory / "publication" / path[1:]).read_bytes()


def test_a_post_passes_and_is_never_kept(site: StatusSite, port: int) -> None:
    request = site.world.asked(0xA3)
    assert status_of(asked(port, "/ocsp", request)[2]) == "GOOD"
    site.world.revoke(0xA3)
    site.sync()

    assert status_of(asked(port, "/ocsp", request)[2]) == "REVOKED"
    assert status_of(asked(port, "/ocsp/", request)[2]) == "REVOKED"


def test_a_nonce_is_echoed_by_get_and_post(site: StatusSite, port: int) -> None:
    cert_id = parse_request(site.world.asked(0xA1)).cert_ids[0].der
    for each in (b"a" * 32, b"b" * 32):
        request = build(cert_id, extensions=(nonce(each),))
        for answer in (asked(port, "/ocsp", request), asked(port, "/ocsp/" + base64.b64encode(request).decode())):
            extensions = judge.load_der_ocsp_response(answer[2]).extensions
            assert extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == each


def test_every_way_to_write_a_get_reaches_status(site: StatusSite, port: int) -> None:
    serials = range(0xFFFF_F000_0000, 0xFFFF_FFFF_FFFF, 0x0F_0F0F)
    texts = ((serial, base64.b64encode(site.world.asked(serial)).decode()) for serial in serials)
    serial, text = next((serial, text) for serial, text in texts if "+" in text and "//" in text and text[-1] == "=")
    encoded = text.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")

    for path in (text, encoded, encoded.replace("%2F", "%2f"), f"/{text}", text.rstrip("=")):
        code, headers, body = asked(port, f"/ocsp/{path}")
        assert (code, headers["content-type"]) == (200, "application/ocsp-response")
        assert judge.load_der_ocsp_response(body).serial_number == serial


@pytest.mark.parametrize(
    "path",
    [
        "/ocsp/MEow%2FSDBG%2b//+a==",
        "/ocsp//MEow",
        "/ocsp/%4dEow",
        "/ocsp/a%20b",
        "/ocsp/a/./b",
        "/crl//issuing.crl",
        "/crl/%69ssuing.crl",
        "/crl/../ocsp/MEow",
        "/status/history?serial=a1&at=2026-11-23T15:04:05Z",
    ],
)
def test_the_path_arrives_byte_for_byte(stand_in: StandIn, path: str) -> None:
    with running_nginx(stand_in.port) as port:
        sent(connected(port), f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())

    assert stand_in.lines == [f"GET {path} HTTP/1.1"]


@pytest.mark.parametrize("path", ["/", "/health", "/ocsp/../health", "//crl/issuing.crl", "/database.sqlite3"])
def test_what_is_not_public_does_not_pass(stand_in: StandIn, path: str) -> None:
    with running_nginx(stand_in.port) as port:
        answer = sent(connected(port), f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert stand_in.lines == []


def test_half_sent_bodies_do_not_reach_status(stand_in: StandIn) -> None:
    impatient = {"client_body_timeout 5s;": "client_body_timeout 1s;"}
    with running_nginx(stand_in.port, impatient) as port, contextlib.ExitStack() as stack:
        stalled = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 30)) for _ in range(20)]
        for connection in stalled:
            connection.sendall(HALF)
        assert asked(port, "/ocsp", b"whole")[0] == 200
        # Each is let go, by a word or by a reset.
        for connection in stalled:
            assert b" 200 " not in everything(connection)

    assert stand_in.bodies == [b"whole"]
    assert stand_in.connections == 1


def test_a_body_in_pieces_arrives_whole(stand_in: StandIn) -> None:
    with running_nginx(stand_in.port) as port:
        head = b"POST /ocsp HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        sent(connected(port), head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        assert asked(port, "/ocsp", bytes(8192))[0] == 200
        assert asked(port, "/ocsp", bytes(8193))[0] == 413

    assert stand_in.bodies == [b"abcde", bytes(8192)]


@pytest.mark.parametrize("said", ["no-store", "max-age=0", "private, max-age=60", "no-cache", None])
def test_what_may_not_be_kept_is_asked_for_each_time(stand_in: StandIn, said: str | None) -> None:
    stand_in.headers = {"Expires": "Thu, 31 Dec 2099 23:59:59 GMT", "ETag": '"a"'}
    if said is not None:
        stand_in.headers["Cache-Control"] = said
    with running_nginx(stand_in.port) as port:
        bodies = [asked(port, "/ocsp/MEow")[2] for _ in range(3)]

    assert bodies == [b"number 1", b"number 2", b"number 3"]


def test_what_has_a_query_is_never_kept(stand_in: StandIn) -> None:
    stand_in.headers = {"Cache-Control": "public, max-age=60"}
    with running_nginx(stand_in.port) as port:
        bodies = [asked(port, "/crl/issuing.crl?a=1")[2] for _ in range(2)]

    assert bodies == [b"number 1", b"number 2"]


def test_nothing_is_said_after_its_time_also_when_status_is_gone(stand_in: StandIn) -> None:
    stand_in.headers = {"Cache-Control": "public, max-age=2, must-revalidate", "Connection": "close"}
    with running_nginx(stand_in.port) as port:
        asked(port, "/ocsp/MEow")
        stand_in.shutdown()
        stand_in.server_close()
        end = time.monotonic() + 30
        while asked(port, "/ocsp/MEow")[0] == 200 and time.monotonic() < end:
            time.sleep(0.1)

        assert asked(port, "/ocsp/MEow")[0] in {502, 504}


def test_one_address_cannot_ask_without_end(stand_in: StandIn) -> None:
    with running_nginx(stand_in.port, EVERYBODY_IS_LIMITED) as port:
        codes = [asked(port, "/crl/issuing.crl")[0] for _ in range(60)]

    assert codes[:20] == [200] * 20
    assert 429 in codes


def test_gateways_that_are_named_are_not_limited(stand_in: StandIn) -> None:
    with running_nginx(stand_in.port) as port:
        assert {asked(port, "/crl/issuing.crl")[0] for _ in range(60)} == {200}


def test_connections_to_status_are_kept(stand_in: StandIn) -> None:
    with running_nginx(stand_in.port) as port:
        for _ in range(10):
            asked(port, "/ocsp", b"again")

    assert stand_in.connections == 1


def test_a_revocation_shows_no_later_than_max_age() -> None:
    with running_status(workers=1, ocsp_life=8 * SECOND) as site, running_nginx(site.port) as port:
        site.world.issue(0xA1)
        site.sync()
        path = path_of(site, 0xA1)
        assert status_of(asked(port, path)[2]) == "GOOD"
        site.world.revoke(0xA1)
        site.sync()
        late: list[timedelta] = []

        for _ in range(600):
            begun = datetime.now(UTC)
            _, headers, body = asked(port, path)
            if status_of(body) == "REVOKED":
                break
            age = int(headers["cache-control"].split("max-age=")[1].split(",")[0])
            late.append(begun - parsedate_to_datetime(headers["date"]) - timedelta(seconds=age))
            time.sleep(0.05)

        assert status_of(body) == "REVOKED"
        # Both clocks count whole seconds.
        assert max(late, default=-SECOND) <= 2 * SECOND
        # The old answer's file was held open while it was asked for; the cache has another in its place now.
        again = [asked(port, path) for _ in range(8)]
        assert "HIT" in {headers["x-cache-status"] for _, headers, _ in again}
        assert {status_of(body) for _, _, body in again} == {"REVOKED"}


def test_the_configuration_for_the_edge_is_one(tmp_path: Path) -> None:
    module = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
    if not module.exists():
        pytest.skip("needs nginx's stream module: apt-get install libnginx-mod-stream")
    text = (ROOT / "deploy" / "nginx-edge.conf").read_text("utf-8")
    path = tmp_path / "nginx.conf"
    path.write_text(f"load_module {module};\npid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\n{text}", "utf-8")

    done = subprocess.run(["nginx", "-t", "-c", str(path)], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
