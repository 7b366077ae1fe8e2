"""ocsp/wire.py: what is HTTP/1.1 and has one meaning is read; nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocsp.wire import MAX_HEAD, MAX_LINE, Head, HeadReader, UnreadableError, read_chunks, read_fields

HOST = b"Host: status\r\n"


def read(blob: bytes) -> Head:
    found = HeadReader().read(blob)
    assert found is not None
    head, start = found
    assert blob[start:] == b"BODY"
    return head


def request(*fields: bytes, line: bytes = b"POST /ocsp HTTP/1.1", host: bytes = HOST) -> bytes:
    return line + b"\r\n" + host + b"".join(field + b"\r\n" for field in fields) + b"\r\nBODY"


def test_a_head_is_read() -> None:
    head = read(request(b"Content-Length: 4", b"X-Some:\t word \xe9 ", b"x-some: more"))

    assert (head.method, head.target, head.version, head.keeps_alive) == ("POST", b"/ocsp", 1, True)
    assert head.fields.by_name == {"host": "status", "content-length": "4", "x-some": "word é, more"}
    assert (head.fields.length, head.fields.chunked) == (4, False)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/ocsp/a%2Fb//+=?query=%41", "/ocsp/a/b//+="),
        (b"/%C3%A9", "/Ã©"),
        (b"http://status:8080/ocsp", "/ocsp"),
        (b"*", "*"),
    ],
)
def test_the_path_is_decoded_once(target: bytes, path: str) -> None:
    assert read(request(line=b"GET " + target + b" HTTP/1.1")).path == path


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        (b"1", [], True),
        (b"1", [b"Connection: close"], False),
        (b"1", [b"Connection: Keep-Alive, Close"], False),
        (b"0", [], False),
        (b"0", [b"Connection: keep-alive"], True),
    ],
)
def test_who_keeps_the_connection(version: bytes, connection: list[bytes], kept: bool) -> None:
    assert read(request(*connection, line=b"GET / HTTP/1." + version)).keeps_alive is kept


def test_what_a_client_waits_for_or_has_already_is_seen() -> None:
    assert read(request(b"Expect: 100-Continue")).fields.continuing
    assert read(request(b"If-None-Match: *")).fields.conditional
    assert not read(request()).fields.continuing


def test_a_head_that_is_not_here_yet_is_waited_for() -> None:
    whole = request(b"Content-Length: 4")
    end = whole.index(b"BODY")
    assert [HeadReader().read(whole[:cut]) for cut in range(end)] == [None] * end


@given(st.lists(st.sampled_from([b"POST /ocsp", b"POST /ocsp/", b"GET /ocsp"]), max_size=8), st.integers(0, 2))
def test_a_head_that_was_met_before_has_the_meaning_it_had(lines: list[bytes], length: int) -> None:
    used = HeadReader()
    for number, line in enumerate(lines):
        blob = request(b"Content-Length: %d" % (number % 3 * length), line=line + b" HTTP/1.1")
        assert used.read(blob) == HeadReader().read(blob) == used.read(blob)


def test_the_fields_of_one_client_are_read_once() -> None:
    reader = HeadReader()
    first, second = (reader.read(request(line=b"GET /%d HTTP/1.1" % number)) for number in (1, 2))
    assert first is not None
    assert second is not None
    assert first[0].fields is second[0].fields


def test_what_is_remembered_is_bounded() -> None:
    reader = HeadReader()
    for number in range(3000):
        reader.read(request(b"X: %d" % number))
    reader.read(request(b"X: " + b"y" * 2000))
    assert len(reader._known) <= 1024


@pytest.mark.parametrize(
    ("blob", "status"),
    [
        (request(line=b"POST /ocsp HTTP/2.0"), "400"),
        (request(line=b"post /ocsp HTTP/1.1"), "400"),
        (request(line=b"POST  /ocsp HTTP/1.1"), "400"),
        (request(line=b"POST ocsp HTTP/1.1"), "400"),
        (request(line=b"POST /ocsp\xff HTTP/1.1"), "400"),
        (request(line=b"POST /o csp HTTP/1.1"), "400"),
        (request(line=b"\x16\x03\x01\x02\x00"), "400"),
        (b"\r\n" + request(), "400"),
        (request(host=b""), "400"),
        (request(b"Host: other"), "400"),
        (request(b"Content-Length: 4", b"Content-Length: 4"), "400"),
        (request(b"Content-Length: 4, 4"), "400"),
        (request(b"Content-Length: +4"), "400"),
        (request(b"Content-Length: 0x4"), "400"),
        (request(b"Content-Length: "), "400"),
        (request("Content-Length: \N{FULLWIDTH DIGIT FOUR}".encode()), "400"),
        (request(b"Content-Length: 4", b"Transfer-Encoding: chunked"), "400"),
        (request(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), "400"),
        (request(b"Transfer-Encoding: gzip, chunked"), "501"),
        (request(b"Transfer-Encoding: xchunked"), "501"),
        (request(b"Transfer-Encoding: chunked", line=b"POST /ocsp HTTP/1.0"), "400"),
        (request(b"Content-Length : 4"), "400"),
        (request(b" folded: 4"), "400"),
        (request(b"X: one", b"\ttwo"), "400"),
        (request(b"no colon"), "400"),
        (request(b": no name"), "400"),
        (request(b"X: a\nY: b"), "400"),
        (request(b"X: a\rY: b"), "400"),
        (request(b"X: \x00"), "400"),
        (request(b"Expect: 200-ok"), "417"),
        (b"GET /" + b"A" * MAX_LINE, "414"),
        (b"GET /" + b"A" * MAX_LINE + b" HTTP/1.1\r\nHost: a\r\n\r\n", "414"),
        (b"GET / HTTP/1.1\r\nX: " + b"A" * (MAX_LINE + MAX_HEAD), "431"),
        (request(b"X: " + b"A" * MAX_HEAD), "431"),
    ],
)
def test_what_has_no_meaning_or_two_is_refused(blob: bytes, status: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        HeadReader().read(blob)
    assert refused.value.status.startswith(status)


CHUNKED = b"3\r\nabc\r\n00a;why=not\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"


def test_chunks_are_one_body_and_trailers_are_read_over() -> None:
    assert read_chunks(CHUNKED + b"next", 100) == (b"abc0123456789", len(CHUNKED))
    assert read_chunks(b"0\r\n\r\n", 100) == (b"", 5)


def test_chunks_that_are_not_here_yet_are_waited_for() -> None:
    assert [read_chunks(CHUNKED[:cut], 100) for cut in range(len(CHUNKED))] == [None] * len(CHUNKED)


@pytest.mark.parametrize(
    ("blob", "status"),
    [
        (b"64\r\n" + bytes(100), "413"),
        (b"ffffffff\r\n", "413"),
        (b"100000000\r\n", "400"),
        (b"-1\r\n", "400"),
        (b"\r\n", "400"),
        (b"3\r\nabcX\r\n", "400"),
        (b"3\nabc\r\n", "400"),
        (b"1" * (MAX_LINE + 1), "400"),
        (b"0\r\nbad trailer\r\n\r\n", "400"),
        (b"0\r\nX: " + b"y" * MAX_HEAD, "431"),
    ],
)
def test_chunks_that_are_none_or_too_much_are_refused(blob: bytes, status: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        read_chunks(blob, 99)
    assert refused.value.status.startswith(status)


@given(st.binary(max_size=200), st.booleans())
def test_whatever_comes_is_a_request_or_refused_or_waited_for(junk: bytes, after_line: bool) -> None:
    blob = (b"GET / HTTP/1.1\r\nHost: a\r\n" if after_line else b"") + junk + b"\r\n\r\n"
    try:
        found = HeadReader().read(blob)
        chunks = read_chunks(junk, 100)
    except UnreadableError:
        return
    assert found is None or found[1] <= len(blob)
    assert chunks is None or chunks[1] <= len(junk)


def test_a_block_of_no_lines_has_no_fields() -> None:
    assert read_fields(b"").by_name == {}
