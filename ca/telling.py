"""How a certificate stood, as it is told: the JSON of docs/protocols/history.md, and lines for a person.

No name, no officer, no subject is in the JSON: whoever knows a serial number may ask.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ca.domain.audit import Proof
from ca.domain.history import SaidByCRL
from ca.domain.revocation import RFC_NAMES, Revocation
from ca.domain.serials import serial_text
from ca.domain.times import timestamp
from ca.usecases.look_back import LookedBack

FORMAT = "vermilion history v1"


def as_json(found: LookedBack) -> dict[str, Any]:
    """What was told then, and what proves it; all values are text, numbers, lists or None."""
    changed = None if found.moment is None else timestamp(found.moment.event.event.at)
    return {
        "format": FORMAT,
        "serial": serial_text(found.serial),
        "at": timestamp(found.at),
        "ocsp": {"status": _status(found), **_revocation(found.moment.told if found.moment else None)},
        "changed_at": changed,
        "older_answers_until": _when(found.older_until),
        "expired": found.is_expired,
        "crls": [_crl(said) for said in found.crls],
        "proofs": [_proof(proof) for proof in found.proofs],
        "unproven": [each.number for each in found.unproven],
    }


def _status(found: LookedBack) -> str:
    if found.moment is None:
        return "unknown"
    return "good" if found.moment.told is None else "revoked"


def _revocation(told: Revocation | None) -> dict[str, str | None]:
    if told is None:
        return {"revoked_at": None, "reason": None}
    return {"revoked_at": timestamp(told.revoked_at), "reason": RFC_NAMES[told.reason]}


def _crl(said: SaidByCRL) -> dict[str, Any]:
    crl = said.crl
    return {
        "name": crl.name,
        "number": crl.number,
        "base": crl.base,
        "this_update": timestamp(crl.this_update),
        "next_update": timestamp(crl.next_update),
        "published_at": timestamp(crl.event.event.at),
        "sha256": crl.sha256,
        "says": _says(said),
        **_revocation(said.revocation),
    }


def _says(said: SaidByCRL) -> str:
    if said.is_removal:
        return "removeFromCRL"
    return "not listed" if said.revocation is None else "listed"


def _proof(proof: Proof) -> dict[str, Any]:
    checkpoint = proof.checkpoint
    return {
        "event": proof.event.told.decode(),
        "untold": proof.event.untold.hex(),
        "previous": proof.previous.hex(),
        "behind": [digest.hex() for digest in proof.behind],
        "checkpoint": {
            "number": checkpoint.number,
            "hash": checkpoint.hash.hex(),
            "at": timestamp(checkpoint.at),
            "signature": checkpoint.signature.hex(),
        },
    }


def _when(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)


def as_lines(found: LookedBack) -> Iterator[str]:
    """For a person at a terminal, who may see the subject."""
    yield f"at       {timestamp(found.at)}"
    if found.certificate is None:
        yield "status   unknown: no certificate of ours has this serial number"
        return
    yield f"subject  {found.certificate.subject}"
    if found.moment is None:
        yield "status   unknown: it was not issued yet"
        return
    yield f"status   {_sentence(found.moment.told)}{'; expired' if found.is_expired else ''}"
    event = found.moment.event
    yield f"by       audit event {event.number}, {event.event.name} at {timestamp(event.event.at)}, {event.hash.hex()}"
    if found.older_until is not None:
        yield f"older    an OCSP answer from before that change may have been kept until {timestamp(found.older_until)}"
    for said in found.crls:
        crl = said.crl
        valid = "" if found.at < crl.next_update else "; it had run out"
        what = {"listed": _sentence(said.revocation)}.get(_says(said), _says(said))
        yield f"crl      {crl.name} {crl.number} of {timestamp(crl.this_update)}{valid}: {what}"
    if found.checkpoint is None:
        yield "proof    not under a signed checkpoint yet; the next one is made within minutes"
    else:
        yield f"proof    checkpoint at event {found.checkpoint.number}, signed {timestamp(found.checkpoint.at)}"


def _sentence(told: Revocation | None) -> str:
    return "good" if told is None else f"revoked since {timestamp(told.revoked_at)}, {RFC_NAMES[told.reason]}"
