"""The two codes of the letter as HTTP Basic credentials (RFC 7030 section 3.2.3, RFC 7617), never logged."""

from dataclasses import dataclass, field

from flask import request

from ca.domain.errors import NotAuthenticated

_LONGEST_REFERENCE = 64
_LONGEST_CODE = 100


@dataclass(frozen=True, slots=True)
class Codes:
    """What the customer typed; neither shows in a representation."""

    reference: str = field(repr=False)
    code: str = field(repr=False)


def require_codes() -> Codes:
    """Those of the current request. Raises NotAuthenticated, as for a wrong code, when there are none."""
    given = request.authorization
    if given is None or given.type != "basic":
        raise NotAuthenticated("no codes were sent")
    reference, code = given.username or "", given.password or ""
    if not 0 < len(reference) <= _LONGEST_REFERENCE or not 0 < len(code) <= _LONGEST_CODE:
        raise NotAuthenticated("these cannot be codes of ours")
    if "\0" in reference + code:
        # The signer takes no text with NUL in it, and who guesses with one learns no more than others.
        raise NotAuthenticated("these cannot be codes of ours")
    return Codes(reference, code)
