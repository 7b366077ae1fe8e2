"""Whatever codes are handed out, every slip of one finger in them is found (ca/domain/codes.py)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ca.domain.codes import new_authorization_code, new_reference, parse_authorization_code, parse_reference, shown
from ca.domain.errors import InvalidRequest
from tests.fakes.slips import CROCKFORD, slips

randomness = st.binary(min_size=8, max_size=8)


@given(randomness)
def test_every_wrong_digit_and_every_swap_in_a_reference_number_is_found(random: bytes) -> None:
    reference = new_reference(lambda _: random)
    assert parse_reference(reference) == reference
    for typed in slips(reference, "0123456789"):
        with pytest.raises(InvalidRequest, match="mistyped"):
            parse_reference(typed)


@given(randomness)
def test_every_wrong_character_and_every_swap_in_a_code_is_found(random: bytes) -> None:
    code = new_authorization_code(lambda _: random)
    assert parse_authorization_code(shown(code)) == code
    for typed in slips(code, CROCKFORD):
        with pytest.raises(InvalidRequest, match="mistyped"):
            parse_authorization_code(typed)


@given(randomness, randomness)
def test_two_halves_make_a_code_that_is_right(first: bytes, second: bytes) -> None:
    whole = new_authorization_code(lambda _: first, 6) + new_authorization_code(lambda _: second, 6)
    assert parse_authorization_code(whole) == whole
