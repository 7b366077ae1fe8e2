"""ca/domain/vouchers.py: what exactly the edge gives its word for."""

import pytest

from ca.domain.errors import InvalidRequest
from ca.domain.vouchers import challenge_of, challenge_text, door_target, vouched


@pytest.mark.parametrize("challenge", [bytes(32), b"\xff\xfe\xfd" * 11, b"a"])
def test_a_challenge_comes_back_from_the_target(challenge: bytes) -> None:
    target = door_target(challenge)

    assert target.startswith("/admin/sign-in/certificate?challenge=")
    assert challenge_of(target.partition("=")[2]) == challenge
    assert not set(challenge_text(challenge)) & set("+/=")


@pytest.mark.parametrize("text", ["a", "\u00e9", "a b", "AA==="])
def test_what_is_no_challenge_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="begin again"):
        challenge_of(text)


def test_target_and_certificate_are_told_apart_and_neither_can_be_moved_into_the_other() -> None:
    spoken = {vouched(target, der) for target, der in (("/a", b"b"), ("/ab", b""), ("/a", b""), ("/", b"ab"))}

    assert len(spoken) == 4
    assert all(each.startswith(b"vermilion officers' door v1\x00") for each in spoken)
