"""ushield/codes.py: what people type, and that no slip of the finger is ever sent."""

import os

import pytest

from ca.domain import codes as of_the_bank
from ca.domain.errors import InvalidRequest
from tests.fakes.slips import CROCKFORD, slips
from ushield.codes import reference_number, require_code
from ushield.errors import CodeMalformed, ReferenceMalformed


@pytest.mark.parametrize("typed", ["0123456786", " 01234 56786 ", "0123-456-786"])
def test_blanks_and_dashes_in_a_reference_number_do_not_matter(typed: str) -> None:
    assert reference_number(typed) == "0123456786"


@pytest.mark.parametrize("typed", ["", "123456786", "01234567860", "01234S6786", "\uff10123456786", "../../../etc"])
def test_a_reference_number_has_ten_digits(typed: str) -> None:
    with pytest.raises(ReferenceMalformed):
        reference_number(typed)


@pytest.mark.parametrize("typed", ["7K31-9Q0X-2FHJ", "7k3l9qox2fhj", "7K3I 9qOx 2fhj", "7K319-Q0X2FHJ"])
def test_an_authorization_code_is_understood_however_it_is_written(typed: str) -> None:
    assert require_code(typed) == "7K31-9Q0X-2FHJ"


@pytest.mark.parametrize("typed", ["", "7K3M-9QWX-2FH", "7K3M-9QWX-2FH3T", "7K3M-9QWX-2FHU", "7K3M:9QWX:2FH3"])
def test_what_is_no_authorization_code_is_told_before_it_is_sent(typed: str) -> None:
    with pytest.raises(CodeMalformed):
        require_code(typed)


@pytest.mark.parametrize(
    "reference", ["1000000005", "9999999990", of_the_bank.new_reference(os.urandom)], ids=["first", "last", "a new one"]
)
def test_every_slip_in_a_reference_number_is_told(reference: str) -> None:
    assert reference_number(reference) == reference
    for typed in slips(reference, "0123456789"):
        with pytest.raises(ReferenceMalformed, match="Nothing was sent"):
            reference_number(typed)


@pytest.mark.parametrize(
    "code", ["7K3M9QWX2FH3", of_the_bank.new_authorization_code(os.urandom)], ids=["known", "a new one"]
)
def test_every_slip_in_a_code_is_told(code: str) -> None:
    assert require_code(code) == of_the_bank.shown(code)
    for typed in slips(code, CROCKFORD):
        with pytest.raises(CodeMalformed, match="no attempt was used"):
            require_code(typed)


def test_tool_and_bank_agree_on_every_last_character() -> None:
    agreed = 0
    for last in CROCKFORD:
        code = f"0Z9QWX2FHTA{last}"
        try:
            of_the_bank.parse_authorization_code(code)
        except InvalidRequest:
            with pytest.raises(CodeMalformed):
                require_code(code)
        else:
            assert require_code(code) == of_the_bank.shown(code)
            agreed += 1
    assert agreed == 1
