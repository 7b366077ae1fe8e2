"""ocsp/response.py: what the signer says, read back."""

import pytest

from ca.domain import der
from ca.domain.errors import PKIError
from ca.domain.ocsp import ErrorStatus, Unknown, error_response, said_of
from ocsp.request import parse_request
from ocsp.response import parse_answer
from tests.fakes.status_world import StatusWorld


def test_an_answer_says_what_of_whom_and_until_when() -> None:
    world = StatusWorld()
    cert_id = parse_request(world.asked(0xF1)).cert_ids[0].der

    answer = parse_answer(world.answer_ocsp([cert_id]))

    assert answer.said == (said_of(cert_id, Unknown()),)
    assert answer.this_update == world.clock.now()
    assert answer.next_update == world.clock.now() + world.answer_ocsp.life


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"junk",
        error_response(ErrorStatus.TRY_LATER),
        der.sequence(der.enumerated(0), der.explicit(0, der.sequence())),
        der.sequence(der.enumerated(0), der.explicit(0, der.sequence(der.null(), der.octet_string(b"")))),
    ],
)
def test_anything_else_is_an_error(blob: bytes) -> None:
    with pytest.raises(PKIError):
        parse_answer(blob)


def test_an_answer_marked_as_an_error_is_none() -> None:
    world = StatusWorld()
    answer = der.parse(world.answer_ocsp([parse_request(world.asked(1)).cert_ids[0].der])).children()
    with pytest.raises(PKIError, match="successful"):
        parse_answer(der.sequence(der.enumerated(2), answer[1].der))
