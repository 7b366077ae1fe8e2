"""ca.domain.stencils.py: what is cut out is what would have been put together."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ca.domain.ocsp import Answer, CertId, Good, Question, response_data
from ca.domain.serials import SERIAL_OCTETS
from ca.domain.stencils import Stencils
from tests.fakes.clock import NOON
from tests.fakes.ocsp_requests import cert_id

FIRST = 1 << 8 * (SERIAL_OCTETS - 1)
SERIALS = st.integers(FIRST, 2 * FIRST - 1) | st.integers(0, 300)


def build(question: Question) -> bytes:
    answers = [Answer(each.der, Good(), NOON, NOON) for each in question.cert_ids]
    return response_data(answers, responder_key_bits=b"key", produced_at=NOON, nonce=question.nonce)


@given(st.lists(st.tuples(SERIALS, st.binary(min_size=1, max_size=128)), min_size=1, max_size=10))
def test_it_is_always_what_would_have_been_built(asked: list[tuple[int, bytes]]) -> None:
    stencils = Stencils()
    for serial, nonce in asked:
        one = CertId.parse(cert_id(serial))
        assert stencils.data(one, nonce, 1, build) == build(Question((one,), nonce))


def counting(built: list[Question]) -> Callable[[Question], bytes]:
    def count(question: Question) -> bytes:
        built.append(question)
        return build(question)

    return count


def test_in_one_second_it_is_built_once_and_tried_once() -> None:
    stencils, built = Stencils(), list[Question]()
    for number in range(50):
        stencils.data(CertId.parse(cert_id(FIRST + number)), bytes((number,)) * 32, 1, counting(built))
    assert len(built) == 2
    stencils.data(CertId.parse(cert_id(FIRST)), bytes(32), 2, counting(built))
    assert len(built) == 4


def test_what_cannot_be_cut_is_built_each_time() -> None:
    stencils, one = Stencils(), CertId.parse(cert_id(FIRST))

    def reversed_nonce(question: Question) -> bytes:
        assert question.nonce
        return question.nonce[::-1] + build(question)

    for nonce in (b"ab", b"cd"):
        assert stencils.data(one, nonce, 1, reversed_nonce) == reversed_nonce(Question((one,), nonce))


@pytest.mark.parametrize("lengths", [range(1, 129)])
def test_those_that_are_kept_are_few(lengths: range) -> None:
    stencils, one = Stencils(), CertId.parse(cert_id(FIRST))
    for length in lengths:
        stencils.data(one, bytes(length), 1, build)
    assert len(stencils._kept[1]) <= 64


def test_threads_that_meet_at_the_turn_of_a_second_each_get_their_own() -> None:
    """What one second's `build` said must never be filed under another, whoever comes in between."""
    stencils, one = Stencils(), CertId.parse(cert_id(FIRST))
    at = {second: (lambda question, second=second: b"%d" % second + build(question)) for second in (1, 2, 3)}

    def interrupted(question: Question) -> bytes:
        # Another thread comes with the next second while this one still puts its own together.
        stencils.data(one, b"other", 2, at[2])
        return at[1](question)

    stencils.data(one, b"first", 1, interrupted)

    for second in (2, 1, 3):
        assert stencils.data(one, b"later", second, at[second]) == at[second](Question((one,), b"later"))
