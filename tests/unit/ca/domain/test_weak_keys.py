"""Weak RSA keys are recognised by their modulus (THREATS item 16, T-04)."""

import math
from collections.abc import Callable
from itertools import count

import pytest

from ca.domain.errors import InvalidRequest
from ca.domain.weak_keys import verify_rsa_modulus

SMALL_PRIMES = [n for n in range(2, 65538) if all(n % d for d in range(2, math.isqrt(n) + 1))]
SMALL = math.prod(SMALL_PRIMES)


def without_small_factors(candidate: Callable[[int], int]) -> int:
    return next(number for number in map(candidate, count()) if math.gcd(SMALL % number, number) == 1)


# Bits of 2/3, 5/7 and so on look random enough: about half of them are ones.
P = without_small_factors(lambda step: (1 << 1025) // 3 + step)
Q = without_small_factors(lambda step: (5 << 1024) // 7 + step)


def test_an_ordinary_modulus_passes() -> None:
    verify_rsa_modulus(P * Q)


@pytest.mark.parametrize("factor", [2, 3, 65521, 65537])
def test_a_small_factor_is_found(factor: int) -> None:
    with pytest.raises(InvalidRequest, match="small factor"):
        verify_rsa_modulus(factor * P * Q)


def test_a_modulus_without_any_large_factor_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="small factor"):
        verify_rsa_modulus(math.prod(SMALL_PRIMES[2000:2140]))


@pytest.mark.parametrize("distance", [0, 1 << 30, 1 << 500], ids=["square", "near", "50 rounds away"])
def test_close_primes_are_found(distance: int) -> None:
    other = without_small_factors(lambda step: P + distance + step)

    with pytest.raises(InvalidRequest, match="too close together"):
        verify_rsa_modulus(P * other)


def roca_prime(start: int) -> int:
    """k·M + (65537^a mod M), as the flawed chips chose their primes."""
    modulus = math.prod(SMALL_PRIMES[:126])
    power = pow(65537, start, modulus)
    shift = start << (1020 - modulus.bit_length())
    return without_small_factors(lambda step: (shift + step) * modulus + power)


def test_the_roca_fingerprint_is_found() -> None:
    with pytest.raises(InvalidRequest, match="ROCA"):
        verify_rsa_modulus(roca_prime(11) * roca_prime(13))


def test_a_modulus_of_almost_only_zeros_is_refused() -> None:
    sparse = without_small_factors(lambda step: (1 << 2047) + (1 << 1200) + 2 * step + 1)

    with pytest.raises(InvalidRequest, match="not random"):
        verify_rsa_modulus(sparse)
