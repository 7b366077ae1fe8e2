"""Jobs: what a page of the bank may have this tool do, signed by the bank's server (docs/protocols/bridge.md).

A job names one operation and its few parameters. The tool takes it when the bank's key signed it (JWS, RFC 7515,
ES256 and nothing else), for the origin that the browser itself saw, no older than five minutes, and once.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from ushield.bank_file import BankFile
from ushield.errors import JobExpired, JobForOther, JobNotOurs, JobUsed, NotesDirUnusable
from ushield.jws import decoded, signed_claims
from ushield.words import ENGLISH, LANGUAGES

_TYPE = "vermilion-job"
_LIFE_SECONDS = 300
_SKEW_SECONDS = 60
_CLAIMS = {"v", "id", "op", "origin", "lang", "iat", "exp", "nonce"}


class Operation(Enum):
    """All that can be asked for."""

    CHECK = "check"
    DOWNLOAD = "download"
    PASSWORD = "password"  # noqa: S105 - the name of an operation
    SIGN_IN = "sign-in"
    CANCEL = "cancel"
    RENEW = "renew"
    UNLOCK = "unlock"
    COMPANY_APPLY = "company-apply"
    COMPANY_HOLD = "company-hold"


_PARAMETERS: dict[Operation, set[str]] = {
    Operation.DOWNLOAD: {"reference"},
    Operation.UNLOCK: {"reference"},
    Operation.CANCEL: {"serial"},
    Operation.RENEW: {"serial"},
    Operation.COMPANY_APPLY: {"serial", "text"},
    Operation.COMPANY_HOLD: {"serial", "text"},
}
_NONCE_OCTETS = 32


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was verified."""

    id: str
    operation: Operation
    expires: int
    """Seconds since 1970."""
    origin: str = ""
    nonce: bytes = b""
    reference: str = ""
    serial: str = ""
    text: str = ""
    """What the window shows and the key signs, of an administrator's act."""
    language: str = ENGLISH


def verify(text: str, bank: BankFile, *, origin: str, now: int) -> Job:
    """The job, for a page of this origin (as the browser says, never the page). Raises JobRefused."""
    claims = _signed_claims(text, bank.job_key)
    if claims["origin"] != origin or origin != bank.origin:
        raise JobForOther(
            f"The page at {_plain(origin)} asked for something that {bank.name} did not order for it. "
            "Nothing was done. If you came there by a link, close the page and call the hotline."
        )
    if not claims["iat"] - _SKEW_SECONDS <= now <= claims["exp"] or claims["exp"] - claims["iat"] > _LIFE_SECONDS:
        raise JobExpired(
            "What the page asked for is too old, or this computer's clock is wrong. Nothing was done. "
            "Check date and time, and press the button again."
        )
    return Job(
        claims["id"],
        Operation(claims["op"]),
        claims["exp"],
        claims["origin"],
        decoded(claims["nonce"]),
        claims.get("reference", ""),
        claims.get("serial", ""),
        claims.get("text", ""),
        claims["lang"],
    )


def _signed_claims(text: str, key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    try:
        return _require_claims(signed_claims(_TYPE, text, key))
    except (ValueError, TypeError, KeyError):
        raise JobNotOurs(
            "What the page asked for does not come from the bank, or this tool is too old for it. Nothing was done. "
            "Download the newest tool from the bank's page; if this stays, call the hotline."
        ) from None


def _require_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Exactly those of the operation: what is not understood is not done (THREATS 8)."""
    operation = Operation(claims["op"])
    parameters = _PARAMETERS.get(operation, set())
    texts = {"id", "op", "origin", "lang", "nonce", *parameters}
    if set(claims) != _CLAIMS | parameters or claims["v"] != 1:
        raise ValueError("other claims")
    if not all(isinstance(claims[name], str) for name in texts):
        raise ValueError("not text")
    if not all(type(claims[name]) is int for name in ("iat", "exp")):
        raise ValueError("not a time")
    if claims["lang"] not in LANGUAGES:
        raise ValueError("not a language of ours")
    if len(decoded(claims["nonce"])) != _NONCE_OCTETS:
        raise ValueError("not a nonce")
    return dict(claims)


def _plain(origin: str) -> str:
    return "".join(c for c in origin if c.isprintable())[:100]


@dataclass(frozen=True)
class UsedJobs:
    """Which jobs were taken: a file for each, made by whoever is first, forgotten once the job is over."""

    directory: Path

    def take(self, job: Job, *, now: int) -> None:
        """Raise JobUsed for one that was taken before, NotesDirUnusable when that cannot be known."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._forget(now)
            os.close(os.open(self.directory / f"{job.id.encode().hex()[:64]}.{job.expires}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            raise JobUsed(
                "What the page asked for was done already. Nothing was done again. Press the button again if you want "
                "it once more."
            ) from None
        except OSError as error:
            raise NotesDirUnusable(
                f"The directory {self.directory} cannot be used: {error.strerror}. Nothing was done. "
                "Make room or make it yours, and press the button again."
            ) from error

    def _forget(self, now: int) -> None:
        for path in self.directory.iterdir():
            expires = path.suffix.lstrip(".")
            if expires.isdigit() and int(expires) + _SKEW_SECONDS < now:
                path.unlink(missing_ok=True)
