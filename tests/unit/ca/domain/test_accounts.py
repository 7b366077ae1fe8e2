"""ca/domain/accounts.py: which login passwords are taken, and how a letter and a cancellation end."""

from datetime import timedelta

import pytest

from ca.domain.accounts import LETTER_ATTEMPTS, Account, Cancellation, CancellationState, Language, require_password
from ca.domain.errors import InvalidRequest, InvalidTransition
from tests.builders import NOW

OWN = ("100200300", "310115199001011234", "张伟")


@pytest.mark.parametrize(
    "password", ["correct horse battery", "Xq7!vmp2", "红印盖在纸上很安静", "a b c d e", "ünïcödé-12"]
)
def test_a_password_that_is_long_enough_and_hard_to_guess_is_taken(password: str) -> None:
    require_password(password, not_in=OWN)


@pytest.mark.parametrize(
    "password",
    ["", "Xq7!vmp", "x" * 65, "aaaaaaaa", "abababab", "12345678", "87654321", "qwertyuiop", "password", "PASSWORD",
     "iloveyou", "100200300", "x100200300x", "00200300", "my 张伟 is it", "tab\tinside1", "nul\0inside1"],
)  # fmt: skip
def test_a_password_that_others_would_try_is_refused_with_a_reason(password: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot be used: "):
        require_password(password, not_in=OWN)


def test_a_customer_without_a_number_bars_nothing() -> None:
    require_password("correct horse battery", not_in=("",))


def test_a_letter_ends_by_time_by_misses_and_by_use() -> None:
    account = Account("c", 0).with_letter(b"mac", expires_at=NOW)
    assert account.has_letter(NOW)
    assert not account.has_letter(NOW + timedelta(seconds=1))
    assert not account.with_password(b"salt", b"mac").has_letter(NOW)
    missed = account
    for _ in range(LETTER_ATTEMPTS):
        assert missed.has_letter(NOW)
        missed = missed.miss_letter()
    assert not missed.has_letter(NOW)
    assert missed.miss_letter().letter_attempts_left == 0


def test_every_change_has_a_version_and_a_seal_of_its_own() -> None:
    first = Account("c", 0)
    changed = [first.with_letter(b"m", expires_at=NOW), first.with_password(b"s", b"m")]
    changed += [first.with_language(Language.CHINESE), first.with_letter(b"m", expires_at=NOW).miss_letter()]

    assert all(one.version > first.version for one in changed)
    assert len({one.sealed_fields() for one in (first, *changed)}) == 5


@pytest.mark.parametrize("state", [CancellationState.DONE, CancellationState.UNDONE, CancellationState.OVERTAKEN])
def test_a_cancellation_ends_once(state: CancellationState) -> None:
    ended = Cancellation(1, "c", NOW, NOW).become(state)

    with pytest.raises(InvalidTransition):
        ended.become(CancellationState.DONE)
