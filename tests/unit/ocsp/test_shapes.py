"""ocsp/shapes.py: what is known without reading is what reading finds, whatever the octets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ca.domain import der
from ca.domain.errors import InvalidRequest
from ca.domain.serials import SERIAL_OCTETS
from ocsp.request import parse_request
from ocsp.shapes import Shapes
from tests.fakes.ocsp_requests import NONCE, SHA256_WITHOUT_PARAMETERS, build, cert_id, extension, nonce

FIRST = 1 << 8 * (SERIAL_OCTETS - 1)
SERIALS = st.integers(FIRST, 2 * FIRST - 1)
NAME = der.explicit(1, der.tlv(0x82, b"gateway"))
LONG = der.sequence(
    SHA256_WITHOUT_PARAMETERS, der.octet_string(b"n" * 32), der.octet_string(b"k" * 32), der.integer(FIRST)
)


def learned(blob: bytes) -> Shapes:
    shapes = Shapes()
    shapes.learn(blob, parse_request(blob), "issuing")
    return shapes


@given(SERIALS, SERIALS)
def test_without_a_nonce_only_the_serial_differs(known: int, asked: int) -> None:
    blob = build(cert_id(asked))
    found = learned(build(cert_id(known))).find(blob)

    assert found is not None
    shape, serial = found
    assert shape.like.with_serial(serial) == parse_request(blob).cert_ids[0]
    assert shape.issuer == "issuing"


@given(SERIALS, SERIALS, st.binary(min_size=1, max_size=128), st.data())
def test_with_a_nonce_both_differ(known: int, asked: int, value: bytes, data: Any) -> None:
    other = data.draw(st.binary(min_size=len(value), max_size=len(value)))
    before = data.draw(st.sampled_from([b"", NAME]))
    shapes = learned(build(cert_id(known), extensions=(nonce(value),), before=before))
    blob = build(cert_id(asked), extensions=(nonce(other),), before=before)

    found = shapes.find_asked(blob)

    assert found is not None
    assert (found.shape.issuer, found.question) == ("issuing", parse_request(blob))


@given(st.integers(0, 200), st.integers(0, 255))
def test_another_octet_anywhere_is_another_request_or_read_alike(position: int, octet: int) -> None:
    known = build(cert_id(FIRST), extensions=(nonce(bytes(range(32))),))
    blob = bytearray(known)
    blob[position % len(blob)] = octet
    found = learned(known).find_asked(bytes(blob))
    if found is not None:
        assert found.question == parse_request(bytes(blob))


@pytest.mark.parametrize(
    "blob",
    [
        build(cert_id(0xA1)),
        build(cert_id(0xA1), extensions=(nonce(b"n" * 32),)),
        build(cert_id(FIRST), extensions=(extension("1.2.3.4", b""),)),
        build(cert_id(FIRST), single_extensions=(extension("1.2.3.4", b""),)),
    ],
)
def test_what_has_its_serial_elsewhere_or_of_another_length_is_not_learned(blob: bytes) -> None:
    shapes = learned(blob)
    assert (shapes.find(blob), shapes.find_asked(blob)) == (None, None)


def test_a_nonce_that_stands_twice_is_not_mistaken() -> None:
    value = b"n" * 32
    blob = build(cert_id(FIRST), extensions=(nonce(value), extension("1.2.3.4", value)))
    assert learned(blob).find_asked(blob) is None


def test_a_serial_that_is_not_like_ours_is_read() -> None:
    shapes = learned(build(cert_id(FIRST)))
    with_nonce = learned(build(cert_id(FIRST), extensions=(nonce(b"n" * 32),)))
    for first in (0x02, 0x7F, 0x80, 0xFF):
        serial = int.from_bytes(bytes((first,)) + bytes(SERIAL_OCTETS - 1), "big", signed=True)
        blob = build(cert_id(serial), extensions=(nonce(b"m" * 32),))
        assert shapes.find(build(cert_id(serial))) is None
        assert with_nonce.find_asked(blob) is None
    with pytest.raises(InvalidRequest):
        parse_request(build(cert_id(FIRST)).replace(b"\x02\x11\x01", b"\x02\x11\x00"))


def test_a_copy_in_the_signature_is_not_mistaken_for_what_is_asked() -> None:
    def asking(serial: int, copy: int) -> bytes:
        return build(cert_id(serial), signature=der.explicit(0, cert_id(copy)))

    shapes = learned(asking(FIRST, FIRST))

    assert shapes.find(asking(FIRST, FIRST + 1)) is None


def test_odd_requests_do_not_keep_out_the_usual_ones() -> None:
    shapes = Shapes()
    usual = build(cert_id(FIRST), extensions=(nonce(b"n" * 32),))
    odd = [
        build(cert_id(FIRST), before=der.explicit(1, der.tlv(0x82, bytes(length))), extensions=(nonce(b"n" * 32),))
        for length in range(1, 20)
    ]
    for blob in (*odd, usual):
        shapes.learn(blob, parse_request(blob), "issuing")

    found = shapes.find_asked(usual)
    assert found is not None
    assert found.question == parse_request(usual)


def test_what_is_known_is_bounded() -> None:
    shapes = Shapes()
    for number in range(300):
        name = der.explicit(1, der.tlv(0x82, b"%d" % number))
        for blob in (build(cert_id(FIRST), before=name), build(LONG, before=name, extensions=(nonce(b"n" * 32),))):
            shapes.learn(blob, parse_request(blob), "issuing")
    for length in range(1, 129):
        blob = build(cert_id(FIRST), extensions=(nonce(bytes(length)),))
        shapes.learn(blob, parse_request(blob), "issuing")
    assert max(len(shapes._plain), len(shapes._with_nonce)) <= 256
    assert 1 <= len(shapes._layouts) <= 16


def test_a_critical_nonce_is_a_shape_of_its_own() -> None:
    critical = build(cert_id(FIRST), extensions=(extension(NONCE, der.octet_string(b"n" * 32), critical=True),))
    assert learned(critical).find_asked(build(cert_id(FIRST), extensions=(nonce(b"n" * 32),))) is None
