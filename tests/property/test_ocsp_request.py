"""ocsp/request.py: junk raises one error and nothing else; what is built is read back."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ca.domain.errors import InvalidRequest
from ocsp.http import request_in_path
from ocsp.request import parse_request
from tests.fakes.ocsp_requests import A_CERT_ID, build, cert_id, nonce

REQUEST = build(A_CERT_ID, extensions=(nonce(b"n" * 32),))
SERIALS = st.integers(min_value=-(2**159), max_value=2**159 - 1)


@given(st.binary(max_size=300))
def test_junk_is_an_invalid_request_and_nothing_else(blob: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_request(blob)


@given(st.integers(0, len(REQUEST) - 1), st.integers(0, 255), st.integers(0, len(REQUEST)))
def test_a_damaged_request_raises_one_error_or_is_another_request(position: int, octet: int, cut: int) -> None:
    damaged = REQUEST[:position] + bytes((octet,)) + REQUEST[position + 1 :]
    for blob in (damaged, damaged[:cut]):
        with suppress(InvalidRequest):
            assert parse_request(blob).cert_ids


@given(st.lists(SERIALS, min_size=1, max_size=20), st.none() | st.binary(min_size=1, max_size=128))
def test_what_is_built_is_read_back(serials: list[int], value: bytes | None) -> None:
    cert_ids = tuple(cert_id(serial) for serial in serials)

    request = parse_request(build(*cert_ids, extensions=() if value is None else (nonce(value),)))

    assert tuple(each.der for each in request.cert_ids) == cert_ids
    assert [each.serial for each in request.cert_ids] == serials
    assert request.nonce == value


@given(st.text(max_size=100))
def test_any_path_is_base64_or_one_error(text: str) -> None:
    with suppress(InvalidRequest):
        assert isinstance(request_in_path(text), bytes)
