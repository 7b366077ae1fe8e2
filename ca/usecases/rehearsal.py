"""A ceremony's script played without a key, before anything is touched (CPS section 6.1).

Found in the middle of a ceremony, a slip of the pen would leave keys that no second ceremony can use.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from ca.domain.ceremony import Act, Script, Step
from ca.domain.errors import InvalidRequest
from ca.domain.keys import KeyAlgorithm
from ca.domain.names import verify_text
from ca.domain.officers import require_employee_number
from ca.domain.profiles import Profile
from ca.usecases.officers import LONGEST_NAME, parse_roles

_DAYS = re.compile("[1-9][0-9]{0,3}")
_ISSUER = re.compile("[a-z][a-z0-9-]{0,31}")


@dataclass
class Rehearsal:
    """What would exist after the steps so far."""

    places: Collection[str]
    """The tokens there can be."""
    profiles: Mapping[str, Profile]
    seal_key: tuple[str, str]
    """Token and id of the key that the invitations are sealed with."""
    tokens: set[str] = field(default_factory=set)
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Token and algorithm of each key."""
    issuers: dict[str, str] = field(default_factory=dict)
    """The token of each issuer's key."""

    def play(self, script: Script) -> None:
        """Raise InvalidRequest naming the first step that could not be done, and what is wrong in it."""
        for step in script.steps:
            wrong = [name for name, fits in self._act(step).items() if not fits]
            if wrong:
                raise InvalidRequest(f"step {step.number} ({step.act.value}): this cannot be: {', '.join(wrong)}")

    def _act(self, step: Step) -> dict[str, bool]:
        acts: dict[Act, Callable[[Step], dict[str, bool]]] = {
            Act.MAKE_TOKEN: self._make_token,
            Act.MAKE_KEY: self._make_key,
            Act.MAKE_SEAL_KEY: self._make_seal_key,
            Act.CERTIFY_ROOT: self._certify,
            Act.CERTIFY_ISSUING: self._certify,
            Act.SIGN_ROOT_CRL: self._sign_crl,
            Act.INVITE_OFFICER: self._invite,
        }
        return acts[step.act](step)

    def _make_token(self, step: Step) -> dict[str, bool]:
        token = step["token"]
        fits = token in self.places and token not in self.tokens
        self.tokens.add(token)
        return {"token": fits}

    def _make_key(self, step: Step) -> dict[str, bool]:
        fits = self._new_key(step) | {"algorithm": step["algorithm"] in tuple(KeyAlgorithm)}
        self.keys[step["key"]] = step["token"], step["algorithm"]
        return fits

    def _make_seal_key(self, step: Step) -> dict[str, bool]:
        fits = self._new_key(step)
        self.keys[step["key"]] = step["token"], ""
        return fits

    def _new_key(self, step: Step) -> dict[str, bool]:
        return {"token": step["token"] in self.tokens, "key": step["key"] != "" and step["key"] not in self.keys}

    def _certify(self, step: Step) -> dict[str, bool]:
        signed_by = step.parameters.get("signed_by")
        token, algorithm = self.keys.get(step["key"], ("", ""))
        profile = self.profiles.get(step["profile"])
        name = step["issuer"]
        fits = {
            "key": step["key"] in self.keys,
            "algorithm": algorithm != "" and step["algorithm"] == algorithm,
            "profile": profile is not None and profile.ca,
            "issuer": bool(_ISSUER.fullmatch(name)) and name not in self.issuers,
            "signed_by": signed_by is None or signed_by in self.issuers,
            # The token of the key that signs: its own, or its issuer's.
            "token": step["token"] == (token if signed_by is None else self.issuers.get(signed_by)),
        }
        self.issuers[name] = token
        return fits

    def _sign_crl(self, step: Step) -> dict[str, bool]:
        return {
            "issuer": step["issuer"] in self.issuers,
            "token": step["token"] == self.issuers.get(step["issuer"]),
            "days": bool(_DAYS.fullmatch(step["days"])),
        }

    def _invite(self, step: Step) -> dict[str, bool]:
        token, key = self.seal_key
        return {
            "person": _passes(require_employee_number, step["person"]),
            "name": _passes(lambda text: verify_text(text, LONGEST_NAME), step["name"]),
            "branch": _passes(lambda text: verify_text(text, LONGEST_NAME), step["branch"]),
            "roles": _passes(lambda text: parse_roles(text.split()), step["roles"]),
            f"before the key {key} is made in the token {token}": self.keys.get(key) == (token, ""),
        }


def _passes(rule: Callable[[str], object], text: str) -> bool:
    try:
        rule(text)
    except InvalidRequest:
        return False
    return True
