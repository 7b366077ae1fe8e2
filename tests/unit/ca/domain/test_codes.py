"""ca/domain/codes.py, revocation.py: what people type, and what is random."""

import os
from datetime import timedelta

import pytest

from ca.domain.codes import (
    CodeState,
    new_authorization_code,
    new_reference,
    parse_authorization_code,
    shown,
)
from ca.domain.errors import InvalidRequest
from ca.domain.revocation import RFC_NAMES, RevocationReason, parse_reason
from tests.builders import NOW, a_code_pair


@pytest.mark.parametrize(
    "random", [bytes, lambda length: b"\xff" * length, os.urandom], ids=["zeros", "ones", "random"]
)
def test_a_reference_number_has_ten_digits_and_no_leading_zero(random) -> None:  # type: ignore[no-untyped-def]  # a table
    reference = new_reference(random)
    assert len(reference) == 10
    assert reference.isdecimal()
    assert reference[0] != "0"


def test_an_authorization_code_carries_55_bits_and_a_check_character() -> None:
    codes = {new_authorization_code(lambda _, bit=bit: (1 << bit).to_bytes(8, "big")) for bit in range(55)}  # type: ignore[misc]  # bound now
    assert len({code[:-1] for code in codes}) == 55
    assert new_authorization_code(bytes) == "000000000000"
    assert new_authorization_code(lambda length: b"\xff" * length)[:-1] == "ZZZZZZZZZZZ"


def test_a_code_is_shown_in_three_groups() -> None:
    assert shown("0123456789AB") == "0123-4567-89AB"


@pytest.mark.parametrize(
    "typed", ["0123-4567-89AM", "o1234567-89am", " 0i23 4567 89am ", "OL23456789AM", "0123456789AM"]
)
def test_a_code_is_read_as_people_type_it(typed: str) -> None:
    assert parse_authorization_code(typed) == "0123456789AM"


@pytest.mark.parametrize(
    "typed", ["", "0123-4567-89A", "0123-4567-89AMC", "0123-4567-89AU", "０123-4567-89AM", "*" * 12]
)
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(InvalidRequest, match="12 letters and digits"):
        parse_authorization_code(typed)


def test_the_last_miss_locks_and_no_count_goes_below_zero() -> None:
    pair = a_code_pair(attempts_left=2)
    once = pair.miss()
    twice = once.miss()
    assert (once.state, once.attempts_left) == (CodeState.OPEN, 1)
    assert (twice.state, twice.attempts_left) == (CodeState.LOCKED, 0)
    assert twice.miss() == twice


@pytest.mark.parametrize("state", sorted(set(CodeState) - {CodeState.OPEN}), ids=str)
def test_a_miss_changes_no_other_state(state: CodeState) -> None:
    assert a_code_pair(state=state, attempts_left=1).miss().state is state


@pytest.mark.parametrize("state", CodeState)
def test_open_and_claimed_codes_are_usable_until_they_expire(state: CodeState) -> None:
    pair = a_code_pair(state=state)
    assert pair.is_usable(pair.expires_at) == (state in (CodeState.OPEN, CodeState.CLAIMED))
    assert not pair.is_usable(pair.expires_at + timedelta(seconds=1))


def test_a_claim_binds_one_request() -> None:
    claimed = a_code_pair().claim("ab" * 32)
    assert (claimed.state, claimed.request) == (CodeState.CLAIMED, "ab" * 32)
    assert claimed.is_usable(NOW)


@pytest.mark.parametrize(("reason", "name"), RFC_NAMES.items(), ids=str)
def test_reasons_are_read_by_their_rfc_name_and_ours(reason: RevocationReason, name: str) -> None:
    for text in (name, name.lower(), name.upper(), reason.name, reason.name.replace("_", "-")):
        assert parse_reason(text) is reason


def test_every_reason_has_its_rfc_name() -> None:
    assert set(RFC_NAMES) == set(RevocationReason)


@pytest.mark.parametrize("text", ["", "0", "1", "removeFromCRL", "cACompromise", "aACompromise", "because"])
def test_other_reasons_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="use one of unspecified, keyCompromise"):
        parse_reason(text)
