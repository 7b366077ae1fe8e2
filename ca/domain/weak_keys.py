"""Keys that anybody can break or has, recognised from the key alone (CA/Browser Forum BR section 6.1.1.3).

The many keys leaked elsewhere (Debian's generator, firmware) are a list, not a calculation: they are the
business of the blocked keys that the bank keeps, as are primes shared between two keys.
"""

import math
from functools import cache

from ca.domain.errors import InvalidRequest

FERMAT_ROUNDS = 100
_LARGEST_SMALL_FACTOR = 65537

# SHA-256 of the SubjectPublicKeyInfo of testRSA2048 and testECCP256: test keys whose private halves RFC 9500 prints.
_PUBLISHED = frozenset(
    {
        "8fb6bad671cfe698393c453357da61b56d757ab8c0f3fb9c87f2849e63131878",
        "b2b04340cfaee616ec9c2c62d261b208e54bb197498df52e8cadede23ac0ba5e",
    }
)


def verify_not_published(fingerprint: str) -> None:
    """Raise InvalidRequest for a key whose private half every reader of RFC 9500 has."""
    if fingerprint in _PUBLISHED:
        raise InvalidRequest("the key is a published test key (RFC 9500): everybody has its private half")


def verify_rsa_modulus(modulus: int) -> None:
    """Raise InvalidRequest if the modulus shows one of the known weaknesses. Its size has been checked before."""
    if math.gcd(_product_of_small_primes() % modulus, modulus) != 1:
        raise InvalidRequest("the RSA key is broken: its modulus has a small factor")
    if _is_fermat_close(modulus):
        raise InvalidRequest("the RSA key is weak: its two primes are too close together")
    if _has_roca_fingerprint(modulus):
        raise InvalidRequest("the RSA key is weak: it comes from a chip with the ROCA flaw (CVE-2017-15361)")
    # For 2048 random bits the share of ones strays from a half by 10 points once in 10^19 keys.
    if not 40 <= modulus.bit_count() * 100 // modulus.bit_length() <= 60:
        raise InvalidRequest("the RSA key is weak: its modulus is not random")


@cache
def _product_of_small_primes() -> int:
    return math.prod(_primes_to(_LARGEST_SMALL_FACTOR))


def _primes_to(largest: int) -> list[int]:
    is_prime = bytearray(b"\0\0" + b"\1" * (largest - 1))
    for number in range(2, math.isqrt(largest) + 1):
        if is_prime[number]:
            is_prime[number * number :: number] = bytes(len(range(number * number, largest + 1, number)))
    return [number for number in range(largest + 1) if is_prime[number]]


def _is_fermat_close(modulus: int) -> bool:
    """n = a² - b² with a just above the root of n, found by Fermat's method in a few rounds (CVE-2022-26320)."""
    root = math.isqrt(modulus - 1) + 1
    remainder = root * root - modulus
    for _ in range(FERMAT_ROUNDS):
        if math.isqrt(remainder) ** 2 == remainder:
            return True
        remainder += 2 * root + 1
        root += 1
    return False


@cache
def _roca_residues() -> tuple[tuple[int, frozenset[int]], ...]:
    """For each small prime, the powers of 65537: primes of the flawed chips leave no other residues."""
    return tuple(
        (prime, frozenset(pow(65537, power, prime) for power in range(prime - 1))) for prime in _primes_to(167)[1:]
    )


def _has_roca_fingerprint(modulus: int) -> bool:
    # Nemec et al., "The Return of Coppersmith's Attack" (2017), section 3: chance hits are rarer than 1 in 10^8.
    return all(modulus % prime in residues for prime, residues in _roca_residues())
