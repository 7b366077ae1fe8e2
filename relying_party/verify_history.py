#!/usr/bin/env python3
"""Checks what the bank says of a certificate's past: that its log, signed then, has it so (docs/protocols/history.md).

One file to copy; it needs Python 3.11 or newer and the package `cryptography`. It shares no code with the CA.

    verify_history.py --key audit.spki history.json [--crl issuing.crl]...

`audit.spki` is the bank's audit key, which you have from the bank and not with the answer. Prints what is proven, one
line each. With the file of a CRL it is also looked up there. Exit codes: 0 everything is proven; 1 something is not
proven yet, and named; 2 wrongly asked; 3 refused: what was said is not what the log has.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

FORMAT = "vermilion history v1"
PURPOSE = b"vermilion audit checkpoint v1\x00"
_GOOD_AFTER = {"certificate.confirmed", "certificate.released"}
_HASHES = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384()}


class RefusedError(Exception):
    """What was said must not be believed; the message says why."""


def load_key(blob: bytes) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    """The audit key, SubjectPublicKeyInfo in DER or PEM. Raises RefusedError."""
    try:
        key = load_pem_public_key(blob) if blob.startswith(b"-----") else load_der_public_key(blob)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise RefusedError("the audit key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise RefusedError("the audit key is of an unknown kind")
    return key


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _require_signed(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, checkpoint: dict[str, Any]) -> None:
    message = PURPOSE + _canonical({name: checkpoint[name] for name in ("number", "hash", "at")})
    signature = bytes.fromhex(checkpoint["signature"])
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, message, ec.ECDSA(_HASHES[key.curve.name]))
    except (InvalidSignature, KeyError) as error:
        raise RefusedError("a checkpoint is not signed with the audit key") from error


def proven(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, proof: dict[str, Any]) -> dict[str, Any]:
    """The event that a proof shows to be in the log, before the checkpoint was signed. Raises RefusedError."""
    told = proof["event"].encode()
    link = bytes.fromhex(proof["previous"])
    digests = [hashlib.sha256(bytes.fromhex(proof["untold"]) + told).digest(), *map(bytes.fromhex, proof["behind"])]
    if len(link) != 32 or any(len(digest) != 32 for digest in digests) or len(proof["untold"]) != 64:
        raise RefusedError("a proof is of another form")
    for digest in digests:
        link = hashlib.sha256(link + digest).digest()
    event: dict[str, Any] = json.loads(told)
    checkpoint = proof["checkpoint"]
    if link.hex() != checkpoint["hash"] or event["number"] + len(digests) - 1 != checkpoint["number"]:
        raise RefusedError(f"event {event['number']} is not where the log has it")
    _require_signed(key, checkpoint)
    return event


def _require_status(answer: dict[str, Any], event: dict[str, Any]) -> None:
    """Raise RefusedError unless the event says what the answer says."""
    said, name = answer["ocsp"], event["name"]
    if event["subject"] != answer["serial"] or not answer["changed_at"] == event["at"] <= answer["at"]:
        raise RefusedError("the event proven is not about this certificate before that instant")
    details = event["details"]
    if name == "certificate.issued":
        expected = {"active": ("good", None), "unconfirmed": ("revoked", "certificateHold")}[details["status"]]
    elif name in _GOOD_AFTER:
        expected = "good", None
    elif name == "certificate.held":
        expected = "revoked", "certificateHold"
    elif name == "certificate.revoked":
        # One that was on hold is revoked since then; the event says why, the answer since when.
        expected = "revoked", details["reason"]
    else:
        raise RefusedError(f"{name} says nothing of a status")
    if (said["status"], said["reason"]) != expected:
        raise RefusedError(f"the log says {expected[0]}, and the answer {said['status']}")
    if said["revoked_at"] is not None and said["revoked_at"] > event["at"]:
        raise RefusedError("the answer tells of a revocation after its event")


def _require_crl(crl: dict[str, Any], event: dict[str, Any], at: str) -> None:
    details = event["details"]
    told = {name: details.get(name) for name in ("sha256", "this_update", "next_update")}
    same = told == {name: crl[name] for name in told} and int(details["number"]) == crl["number"]
    if event["subject"] != crl["name"] or not same or not crl["published_at"] == event["at"] <= at:
        raise RefusedError(f"CRL {crl['number']} of {crl['name']} is not as the log tells of it")


def _look_up(crl: dict[str, Any], serial: int, blob: bytes) -> None:
    """Raise RefusedError unless the file itself says what the answer says."""
    found = x509.load_der_x509_crl(blob).get_revoked_certificate_by_serial_number(serial)
    says = "not listed" if found is None else "listed"
    if found is not None:
        try:
            reason = found.extensions.get_extension_for_class(x509.CRLReason).value.reason
        except x509.ExtensionNotFound:
            reason = x509.ReasonFlags.unspecified
        if reason is x509.ReasonFlags.remove_from_crl:
            says = "removeFromCRL"
        elif reason.value != crl["reason"] and says == crl["says"]:
            raise RefusedError(f"the file of CRL {crl['number']} gives another reason")
    if says != crl["says"]:
        raise RefusedError(f"the file of CRL {crl['number']} says {says}, and the answer {crl['says']}")


def verify(
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, answer: dict[str, Any], files: dict[str, bytes]
) -> Iterator[tuple[bool, str]]:
    """Whether each thing that was said is proven, with a sentence. `files` are CRLs by SHA-256. Raises RefusedError."""
    if answer["format"] != FORMAT:
        raise RefusedError("the answer is of another format")
    events = [proven(key, proof) for proof in answer["proofs"]]
    statuses = [event for event in events if event["name"].startswith("certificate.")]
    if answer["ocsp"]["status"] == "unknown":
        yield False, f"{answer['serial']}: not issued by {answer['at']}; that nothing happened cannot be proven"
        return
    for event in statuses:
        _require_status(answer, event)
    said = answer["ocsp"]
    words = said["status"] + (f" since {said['revoked_at']}, {said['reason']}" if said["reason"] else "")
    yield bool(statuses), f"{answer['serial']} at {answer['at']}: {words}, changed {answer['changed_at']}"
    for crl in answer["crls"]:
        about = [e for e in events if e["name"] == "crl.published" and e["subject"] == crl["name"]]
        for event in about:
            _require_crl(crl, event, answer["at"])
        sentence = f"CRL {crl['number']} of {crl['name']}, published {crl['published_at']}, sha256 {crl['sha256']}"
        blob = files.get(crl["sha256"])
        where = "by the log"
        if blob is not None:
            _look_up(crl, int(answer["serial"], 16), blob)
            where = "in the file"
        yield bool(about), f"{sentence}: {crl['says']}, {where}"


def main() -> int:
    """The outermost frame."""
    parser = argparse.ArgumentParser(description="Check what a bank says of a certificate's past.")
    parser.add_argument("--key", type=Path, required=True, help="the bank's audit key, from the bank")
    parser.add_argument("--crl", type=Path, action="append", default=[], help="the file of a CRL that is named")
    parser.add_argument("history", type=Path, help="the bank's answer, JSON")
    asked = parser.parse_args()
    try:
        files = {hashlib.sha256(blob).hexdigest(): blob for blob in (path.read_bytes() for path in asked.crl)}
        key, answer = load_key(asked.key.read_bytes()), json.loads(asked.history.read_bytes())
    except (OSError, ValueError) as error:
        parser.error(str(error))
    except RefusedError as error:
        sys.stderr.write(f"refused: {error}\n")
        return 3
    try:
        told = list(verify(key, answer, files))
    except RefusedError as error:
        sys.stderr.write(f"refused: {error}\n")
        return 3
    except (KeyError, TypeError, ValueError, AttributeError):
        sys.stderr.write("refused: the answer is not as docs/protocols/history.md has it\n")
        return 3
    for is_proven, sentence in told:
        sys.stdout.write(f"{'proven  ' if is_proven else 'unproven'}  {sentence}\n")
    return 0 if all(is_proven for is_proven, _ in told) else 1


if __name__ == "__main__":
    sys.exit(main())
