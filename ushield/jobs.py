"""Jobs: what a page of the bank may have this tool do, signed by the bank's server (docs/protocols/bridge.md).

A job names one operation and its few parameters. The tool takes it when the bank's key signed it (JWS, RFC 7515,
ES256 and nothing else), for the origin that the browser itself saw, no older than five minutes, and once.
"""

import json
import os
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from ushield.bank_file import BankFile
from ushield.errors import JobExpired, JobForOther, JobNotOurs, JobUsed, NotesDirUnusable

_TYPE = "vermilion-job"
_LONGEST = 4096
_LIFE_SECONDS = 300
_SKEW_SECONDS = 60
_HALF = 32
"""Octets of r and of s on P-256 (RFC 7518 section 3.4)."""
_CLAIMS = {"v", "id", "op", "origin", "iat", "exp", "nonce"}


class Operation(Enum):
    """All that can be asked for."""

    CHECK = "check"
    DOWNLOAD = "download"
    PASSWORD = "password"  # noqa: S105 - the name of an operation
    SIGN_IN = "sign-in"
    CANCEL = "cancel"
    RENEW = "renew"


_PARAMETERS: dict[Operation, set[str]] = {
    Operation.DOWNLOAD: {"reference"},
    Operation.CANCEL: {"serial"},
    Operation.RENEW: {"serial"},
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
        _decoded(claims["nonce"]),
        claims.get("reference", ""),
        claims.get("serial", ""),
    )


def _signed_claims(text: str, key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    try:
        if len(text) > _LONGEST or not text.isascii():
            raise ValueError("no job is so long")
        header, payload, signature = text.split(".")
        # The algorithm is ours to know, not the header's to say (RFC 8725 section 3.1).
        named = json.loads(_decoded(header))
        if named.get("alg") != "ES256" or named.get("typ") != _TYPE or "crit" in named:
            raise ValueError("another kind of signature")
        raw = _decoded(signature)
        if len(raw) != 2 * _HALF:
            raise ValueError("not a signature on P-256")
        der = encode_dss_signature(int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big"))
        key.verify(der, f"{header}.{payload}".encode("ascii"), ec.ECDSA(SHA256()))
        return _require_claims(json.loads(_decoded(payload)))
    except (InvalidSignature, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise JobNotOurs(
            "What the page asked for does not come from the bank, or this tool is too old for it. Nothing was done. "
            "Download the newest tool from the bank's page; if this stays, call the hotline."
        ) from None


def _require_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Exactly those of the operation: what is not understood is not done (THREATS 8)."""
    operation = Operation(claims["op"])
    parameters = _PARAMETERS.get(operation, set())
    texts = {"id", "op", "origin", "nonce", *parameters}
    if set(claims) != _CLAIMS | parameters or claims["v"] != 1:
        raise ValueError("other claims")
    if not all(isinstance(claims[name], str) for name in texts):
        raise ValueError("not text")
    if not all(type(claims[name]) is int for name in ("iat", "exp")):
        raise ValueError("not a time")
    if len(_decoded(claims["nonce"])) != _NONCE_OCTETS:
        raise ValueError("not a nonce")
    return dict(claims)


def _decoded(part: str) -> bytes:
    # No padding in a JWS (RFC 7515 section 2); urlsafe_b64decode would skip what does not belong there.
    if not part or not set(part) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"):
        raise ValueError("not base64url")
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


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
