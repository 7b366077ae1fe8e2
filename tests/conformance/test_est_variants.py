"""EST clients write the same request in many ways (RFC 7030, RFC 8951, RFC 9112); each gets the same certificate."""

import base64
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.system.clients import EST, P256, curl, enroll, issue, new_request, openssl, serial_of, unpack
from tests.integration.system.running import Demo, run

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.openssl, pytest.mark.curl]


@dataclass(frozen=True)
class Enrolled:
    """A request that was answered once, to be sent again in other ways."""

    codes: Mapping[str, Any]
    request: bytes
    answer: bytes

    @property
    def authorization(self) -> str:
        user = f"{self.codes['reference_number']}:{self.codes['authorization_code']}"
        return f"Authorization: Basic {base64.b64encode(user.encode()).decode()}"


@pytest.fixture(scope="module")
def enrolled(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Enrolled:
    directory = tmp_path_factory.mktemp("enrolled")
    (codes,) = demo.codes("machine")
    new_request(directory)
    answer = enroll(demo, directory, codes)
    assert answer.status == 200, answer
    return Enrolled(codes, (directory / "key.csr").read_bytes(), answer.body)


def exchange(demo: Demo, *lines: str, body: bytes = b"", version: str = "1.1") -> tuple[bytes, bytes]:
    """Status line and body of one POST to simpleenroll, written by hand, on a connection of its own."""
    start = f"POST {EST}/simpleenroll HTTP/{version}", "Host: localhost", "Connection: close"
    head = "\r\n".join([*start, *lines, "", ""]).encode()
    context = ssl.create_default_context(cafile=str(demo.root_pem))
    with (
        socket.create_connection(("127.0.0.1", demo.https), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        secured.sendall(head + body)
        received = b"".join(iter(lambda: secured.recv(65536), b""))
    if received.startswith(b"HTTP/1.1 100 "):
        received = received.partition(b"\r\n\r\n")[2]
    answered, _, content = received.partition(b"\r\n\r\n")
    return answered.splitlines()[0], content


def wrapped(request: bytes, columns: int, end: bytes) -> bytes:
    text = base64.b64encode(request)
    return b"".join(text[at : at + columns] + end for at in range(0, len(text), columns))


PKCS10 = "Content-Type: application/pkcs10"


@pytest.mark.parametrize(
    ("columns", "end"), [(64, b"\r\n"), (76, b"\r\n"), (64, b"\n"), (10_000, b"")], ids=["64", "76", "LF", "one line"]
)
@pytest.mark.parametrize("encoding", ["", "base64", "binary", "8bit"])
def test_base64_may_be_wrapped_and_its_header_means_nothing(
    demo: Demo, enrolled: Enrolled, columns: int, end: bytes, encoding: str
) -> None:
    body = wrapped(enrolled.request, columns, end)
    more = [f"Content-Transfer-Encoding: {encoding}"] if encoding else []

    status, answer = exchange(demo, enrolled.authorization, PKCS10, f"Content-Length: {len(body)}", *more, body=body)

    assert (status, answer) == (b"HTTP/1.1 200 OK", enrolled.answer)


@pytest.mark.parametrize(
    "content_type",
    ["application/pkcs10; charset=utf-8", "Application/PKCS10", 'application/pkcs10; name="request.p10"'],
)
def test_parameters_and_case_of_the_content_type_do_not_matter(
    demo: Demo, enrolled: Enrolled, content_type: str
) -> None:
    kind, length = f"Content-Type: {content_type}", f"Content-Length: {len(enrolled.request)}"

    status, answer = exchange(demo, enrolled.authorization, kind, length, body=enrolled.request)

    assert (status, answer) == (b"HTTP/1.1 200 OK", enrolled.answer)


def test_a_body_in_chunks_and_one_that_waits_to_be_asked_for_arrive(demo: Demo, enrolled: Enrolled) -> None:
    body = wrapped(enrolled.request, 76, b"\r\n")
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:50], body[50:])) + b"0\r\n\r\n"
    length = f"Content-Length: {len(body)}"

    chunked = exchange(demo, enrolled.authorization, PKCS10, "Transfer-Encoding: chunked", body=chunks)
    expected = exchange(demo, enrolled.authorization, PKCS10, length, "Expect: 100-continue", body=body)
    old = exchange(demo, enrolled.authorization, PKCS10, length, body=body, version="1.0")

    assert {chunked[1], expected[1], old[1]} == {enrolled.answer}
    assert [chunked[0], expected[0], old[0]] == [b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK"]


def test_a_client_that_waits_for_the_challenge_loses_no_attempt(demo: Demo, enrolled: Enrolled, tmp_path: Path) -> None:
    (codes,) = demo.codes("machine")
    body = base64.b64encode(enrolled.request)
    new_request(tmp_path)

    statuses = {exchange(demo, PKCS10, f"Content-Length: {len(body)}", body=body)[0] for _ in range(6)}
    then = enroll(demo, tmp_path, codes)

    assert (statuses, then.status) == ({b"HTTP/1.1 401 UNAUTHORIZED"}, 200)


@pytest.mark.parametrize(
    "mask", ["utf8only", "MASK:0x2", "MASK:0x4", "MASK:0x800"], ids=["UTF8", "ascii", "T61", "BMP"]
)
@pytest.mark.parametrize("attributes", ["", "challengePassword=a secret"], ids=["none", "challengePassword"])
def test_strings_and_attributes_of_a_request_do_not_matter(
    demo: Demo, tmp_path: Path, mask: str, attributes: str
) -> None:
    settings = tmp_path / "request.cnf"
    named = f"attributes=at\n[at]\n{attributes}\n" if attributes else ""
    settings.write_text(f"[dn]\nCN=Zhang Wei\n[req]\nprompt=no\nstring_mask={mask}\ndistinguished_name=dn\n{named}")
    key = ("-nodes", *P256, "-keyout", tmp_path / "own.key", "-config", settings)
    openssl("req", "-new", *key, "-outform", "DER", "-out", tmp_path / "own.csr")
    (tmp_path / "own.b64").write_bytes(base64.encodebytes((tmp_path / "own.csr").read_bytes()))

    answer = enroll(demo, tmp_path, demo.codes("machine")[0], "own")

    assert answer.status == 200, answer


def test_gnutls_makes_a_request_and_the_one_for_its_successor(demo: Demo, tmp_path: Path) -> None:
    if run("sh", "-c", "command -v certtool").status:
        pytest.skip("needs GnuTLS' programs: apt-get install gnutls-bin")
    certificate = issue(demo, tmp_path, demo.codes("machine")[0])
    name = openssl("x509", "-in", certificate, "-noout", "-subject", "-nameopt", "RFC2253").strip()
    template, key, pem = tmp_path / "template", tmp_path / "next.key", tmp_path / "next.csr.pem"
    template.write_text(f'dn = "{name.removeprefix("subject=")}"\n')
    made = run("certtool", "--generate-privkey", "--key-type=ecdsa", "--curve=secp256r1", "--outfile", key)
    asked = run("certtool", "--generate-request", "--load-privkey", key, "--template", template, "--outfile", pem)
    assert (made.status, asked.status) == (0, 0), (made, asked)
    openssl("req", "-in", pem, "-outform", "DER", "-out", tmp_path / "next.csr")

    answer = curl(
        *(demo, tmp_path, f"{demo.url}{EST}/simplereenroll", "--cert", certificate, "--key", tmp_path / "key.key"),
        *("-H", PKCS10, "--data-binary", f"@{tmp_path / 'next.csr'}"),
    )

    assert answer.status == 200, answer
    assert serial_of(unpack(answer, tmp_path, "next")) != serial_of(certificate)
