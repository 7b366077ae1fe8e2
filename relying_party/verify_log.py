"""Excerpts of a bank's audit log, read and proven for `verify_dossier.py` (docs/protocols/dossier.md).

It needs Python 3.11 or newer and the package `cryptography` (42 or newer). It shares no code with the CA.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

LOG = "vermilion audit v1"
# Details that stand in the part of an event that may be shown; the others are hashed with the salt.
TOLD = {"status", "reason", "number", "base", "sha256", "this_update", "next_update", "shows", "unexpired_at"}
HASHES = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}
Key = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
Event = dict[str, Any]


class RefusedError(Exception):
    """What must not be believed; the message names it."""


def require(holds: object, sentence: str) -> None:
    if not holds:
        raise RefusedError(sentence)


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(purpose: str, value: object) -> bytes:
    return hashlib.sha256(purpose.encode() + b"\x00" + canonical(value)).digest()


def load_key(blob: bytes) -> Key:
    """A public key, SubjectPublicKeyInfo in DER or PEM. Raises RefusedError."""
    try:
        key = load_pem_public_key(blob) if blob.startswith(b"-----") else load_der_public_key(blob)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise RefusedError("the audit key cannot be read") from error
    if not isinstance(key, Key):
        raise RefusedError("the audit key is of an unknown kind")
    return key


def require_signed(key: object, signature: bytes, message: bytes, sentence: str) -> None:
    by = HASHES.get(key.curve.name) if isinstance(key, ec.EllipticCurvePublicKey) else hashes.SHA256()
    require(by and isinstance(key, Key) and is_signed(key, signature, message, by), sentence)


def is_signed(key: Any, signature: bytes, message: bytes, by: hashes.HashAlgorithm) -> bool:
    how = (padding.PKCS1v15(), by) if isinstance(key, rsa.RSAPublicKey) else (ec.ECDSA(by),)
    try:
        key.verify(signature, message, *how)
    except InvalidSignature:
        return False
    return True


def read_log(key: Key, text: str) -> Iterator[tuple[Event, bool]]:
    """Each event of one or more excerpts, and whether a signed checkpoint proves it. Raises RefusedError."""
    run: list[dict[str, Any]] = []
    for line in (json.loads(line) for line in text.splitlines()):
        if "format" in line and run:
            yield from _read_run(key, run)
            run = []
        run.append(line)
    require(run, "there is no event")
    yield from _read_run(key, run)


def _read_run(key: Key, lines: list[dict[str, Any]]) -> Iterator[tuple[Event, bool]]:
    head, *rest = lines
    require(head.get("format") == LOG, "the log is of another format")
    events = [line["event"] for line in rest if "event" in line]
    marks = {line["checkpoint"]["number"]: line["checkpoint"] for line in rest if "checkpoint" in line}
    numbers = [event["number"] for event in events]
    first, last = head["first"], head["last"]
    require(numbers == list(range(first, last + 1)), f"events {first} to {last} are not all there")
    link, number, hashes_ = bytes.fromhex(head["previous"]), first - 1, {}
    digests = [(_event_digest(event), event["hash"]) for event in events]
    digests += [(bytes.fromhex(line["behind"]), None) for line in rest if "behind" in line]
    for digest, hash_ in digests:
        number, link = number + 1, hashlib.sha256(link + digest).digest()
        require(hash_ in (None, link.hex()), f"event {number} is not as the log has it")
        hashes_[number] = link.hex()
    for mark in marks.values():
        named = f"the checkpoint at event {mark['number']}"
        require(hashes_.get(mark["number"]) == mark["hash"], f"the events do not lead to {named}")
        shown = {name: mark[name] for name in ("number", "hash", "at")}
        message = b"vermilion audit checkpoint v1\x00" + canonical(shown)
        require_signed(key, bytes.fromhex(mark["signature"]), message, f"{named} is not signed with the audit key")
    last = max(marks, default=0)
    yield from ((event, event["number"] <= last) for event in events)


def _event_digest(event: Event) -> bytes:
    shown = {name: event[name] for name in ("number", "name", "subject", "at")}
    told = {name: value for name, value in event["details"].items() if name in TOLD}
    kept = {name: value for name, value in event["details"].items() if name not in TOLD}
    untold = canonical({"actor": event["actor"], "details": kept, "changes": event["changes"]})
    return hashlib.sha256(
        hashlib.sha256(bytes.fromhex(event["salt"]) + untold).digest() + canonical(shown | {"details": told})
    ).digest()
