"""The slips of the finger that a check character must find."""

from collections.abc import Iterator

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's alphabet."""


def slips(code: str, alphabet: str) -> Iterator[str]:
    """Every single wrong character, then every swap of different neighbours."""
    for place, right in enumerate(code):
        yield from (code[:place] + wrong + code[place + 1 :] for wrong in alphabet if wrong != right)
    for place in range(len(code) - 1):
        first, second = code[place : place + 2]
        if first != second:
            yield code[:place] + second + first + code[place + 2 :]
