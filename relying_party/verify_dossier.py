#!/usr/bin/env python3
"""Checks a bank's dossier on one certificate, or an excerpt of its audit log (docs/protocols/dossier.md).

With `verify_log.py` beside it, it needs Python 3.11 or newer and the package `cryptography` (42 or newer). It shares no
code with the CA.

    verify.py --key audit.spki dossier.zip          (or the directory it was unpacked into)
    verify.py --key audit.spki audit-1-500.jsonl

`audit.spki` is the bank's audit key, which you have from the bank and not with the dossier. Prints what is proven, one
line each. Exit codes: 0 everything is proven; 1 something is not proven yet, and named; 2 wrongly asked; 3 refused:
the part that is named is not as the bank signed it, or contradicts the others.
"""

import argparse
import base64
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from verify_log import (
    HASHES,
    Event,
    Key,
    RefusedError,
    digest_of,
    is_signed,
    load_key,
    read_log,
    require,
    require_signed,
)

DOSSIER = "vermilion dossier v1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
KEY_BIRTH = bytes.fromhex("060a2b06010401868d1f0301")  # 1.3.6.1.4.1.99999.3.1
_STATUS = {"certificate.confirmed": "active", "certificate.held": "on-hold", "certificate.released": "active",
           "certificate.revoked": "revoked"}  # fmt: skip
_PRESENT_AND_VERIFIED = 0x05
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, zipfile.BadZipFile, x509.ExtensionNotFound)


def _parts(blob: bytes) -> list[bytes]:
    """The DER elements inside of one, each whole: libraries read no request that lacks its empty set of attributes."""
    (at, end), found = _content(blob, 0), list[bytes]()
    while at < end:
        found.append(blob[at : _content(blob, at)[1]])
        at += len(found[-1])
    return found


def _content(blob: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at this place begins and ends."""
    octets = max(blob[at + 1] - 0x80, 0)
    start = at + 2 + octets
    return start, start + (int.from_bytes(blob[at + 2 : start], "big") if octets else blob[at + 1])


def read_files(path: Path) -> dict[str, bytes]:
    """Of a ZIP or of the directory it was unpacked into."""
    if path.is_dir():
        return {one.name: one.read_bytes() for one in path.iterdir() if one.is_file()}
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def require_manifest(key: Key, files: dict[str, bytes]) -> dict[str, Any]:
    """What the bank signed. Raises RefusedError naming the first file that is not as it says."""
    for name in (MANIFEST, SIGNATURE):
        require(name in files, f"{name} is missing")
    signature = bytes.fromhex(files[SIGNATURE].decode("ascii"))
    message = b"vermilion dossier v1\x00" + files[MANIFEST]
    require_signed(key, signature, message, f"{MANIFEST} is not signed with the audit key")
    manifest: dict[str, Any] = json.loads(files[MANIFEST])
    require(manifest["format"] == DOSSIER, "the dossier is of another format")
    for name, digest in sorted(manifest["files"].items()):
        require(name in files, f"{name} is missing")
        require(hashlib.sha256(files[name]).hexdigest() == digest, f"{name} is not as the manifest says")
    for name in sorted(files):
        require(name in {*manifest["files"], MANIFEST, SIGNATURE}, f"{name} is not in the manifest")
    return manifest


def require_approved(
    case: dict[str, Any], batch: dict[str, Any] | None, approvals: list[dict[str, Any]], events: list[Event]
) -> dict[str, Any]:
    """The approval of this case by another person than its maker, by their passkey (WebAuthn level 2, section 7.2)."""
    digest = digest_of("vermilion case v1", case).hex()
    approvable = {("approve-application", digest)}
    # A batch is a list of cases, entered together: one signature over the list approves each case that is in it.
    if batch and [case["application"], digest] in batch["cases"] and batch["maker_person"] == case["maker_person"]:
        approvable.add(("approve-batch", digest_of("vermilion batch v1", batch).hex()))
    for one in approvals:
        require_passkey(one, f"approvals.json: the decision of {one['person']}")
        logged = {"name": "application.approved", "subject": case["application"], "actor": one["person"]}
        if (one["act"], one["subject_digest"]) in approvable:
            require(one["person"] != case["maker_person"], "approvals.json: the maker approved the own case")
            require(
                any(logged.items() <= event.items() and event["details"].get("case") == digest for event in events),
                "events.jsonl: the log does not know the approval",
            )
            return one
    raise RefusedError("approvals.json: nobody approved the case in application.json")


def require_passkey(approval: dict[str, Any], named: str) -> None:
    """Raise RefusedError unless the passkey signed exactly this decision."""
    decision = {name: approval[name] for name in ("act", "subject", "subject_digest", "officer", "person")}
    challenge = base64.urlsafe_b64encode(digest_of("vermilion decision v1", decision)).rstrip(b"=").decode("ascii")
    client_data, authenticator = bytes.fromhex(approval["client_data"]), bytes.fromhex(approval["authenticator_data"])
    said = json.loads(client_data)
    require((said["type"], said["challenge"]) == ("webauthn.get", challenge), f"{named} is about something else")
    require(authenticator[32] & _PRESENT_AND_VERIFIED == _PRESENT_AND_VERIFIED, f"{named} was not verified")
    signed = authenticator + hashlib.sha256(client_data).digest()
    key = _cose_key(bytes.fromhex(approval["public_key"]))
    require_signed(key, bytes.fromhex(approval["signature"]), signed, f"{named} is not signed by the passkey")


def _cose_key(blob: bytes) -> Key:
    """ES256 or RS256 (RFC 9053 sections 2.1 and 7.1; RFC 8230 section 4): a map of small integers and octets."""
    at, parts = 1, list[int]()
    while at < len(blob):
        major, info, at = blob[at] >> 5, blob[at] & 31, at + 1
        size = 1 << (info - 24) if info >= 24 else 0
        value = int.from_bytes(blob[at : at + size], "big") if size else info
        at += size
        if major == 2:
            parts.append(int.from_bytes(blob[at : at + value], "big"))
            at += value
        else:
            parts.append(value if major == 0 else -1 - value)
    fields = dict(zip(parts[::2], parts[1::2], strict=True))
    if fields[1] == 2:
        return ec.EllipticCurvePublicNumbers(fields[-2], fields[-3], ec.SECP256R1()).public_key()
    return rsa.RSAPublicNumbers(fields[-2], fields[-1]).public_key()


def require_certificate(
    files: dict[str, bytes], told: dict[str, Any], case: dict[str, Any], events: list[Event]
) -> None:
    """Raise RefusedError unless the certificate is the one that was approved, recorded, signed and logged."""
    names = "certificate.cer", "issuer.cer", "root.cer"
    certificate, issuer, root = (x509.load_der_x509_certificate(files[name]) for name in names)
    for one, by, name in zip((certificate, issuer, root), (issuer, root, root), names, strict=True):
        try:
            one.verify_directly_issued_by(by)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise RefusedError(f"{name} is not signed by its issuer") from error
    require(f"{certificate.serial_number:x}" == told["serial"], "certificate.json is about another certificate")
    tbs = hashlib.sha256(certificate.tbs_certificate_bytes).hexdigest()
    require(tbs == told["tbs_sha256"], "certificate.json: what was recorded to be signed is not what was signed")
    require(told["application"] == case["application"], "application.json is another certificate's")
    require(told["device_serial"] == case["device_serial"], "certificate.json names another U-Shield than the case")
    values = {attribute.value for attribute in certificate.subject}
    require({value for _, value in case["subject"]} <= values, "certificate.cer does not name whom the case names")
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = hashlib.sha256(spki).hexdigest()
    intended = [e["details"] for e in events if (e["name"], e["subject"]) == ("certificate.intended", told["serial"])]
    require([(one["application"], one["key"]) for one in intended] == [(told["application"], key)],
             "events.jsonl: the log does not know that this key was to be certified")  # fmt: skip
    logged = intended[0].get("request")  # of certificates from before requests were kept the log has none
    require((logged is None) == ("request.p10" not in files), "request.p10 is missing, or the log knows none")
    if "request.p10" in files:
        require_request(files["request.p10"], {told["request_sha256"], logged}, spki)


def told_of_key(request: bytes) -> str:
    """What the customer's tool said in the request of how the key was made (docs/protocols/enrolment.md)."""
    attributes = [_parts(one) for part in _parts(_parts(request)[0])[3:] for one in _parts(part)]
    said = [_parts(values)[0] for name, values in attributes if name == KEY_BIRTH]
    return said[0][_content(said[0], 0)[0] :].decode() if said else "nothing"


def require_request(request: bytes, digests: set[str], spki: bytes) -> None:
    """Raise RefusedError unless it is the request with these digests, of the certified key and signed by it."""
    require(digests == {hashlib.sha256(request).hexdigest()}, "request.p10 does not match its digest")
    signed, _, signature = _parts(request)
    require(_parts(signed)[2] == spki, "request.p10 is for another key than the certificate's")
    value = signature[_content(signature, 0)[0] + 1 :]
    is_proven = any(is_signed(load_key(spki), value, signed, one) for one in HASHES.values())
    require(is_proven, "request.p10 is not signed with the key that it is for")


def statuses(serial: str, events: list[Event]) -> list[dict[str, Any]]:
    """How the certificate stood after each event that changed it."""
    found: list[dict[str, Any]] = []
    for event in (event for event in events if event["subject"] == serial):
        status = event["details"].get("status") if event["name"] == "certificate.issued" else _STATUS.get(event["name"])
        if status:
            reason = {"active": None, "revoked": event["details"].get("reason")}.get(status, "certificateHold")
            invalid_since = event["details"].get("invalid_since")
            now = {"event": event["number"], "at": event["at"], "status": status, "reason": reason}
            found.append(now | {"invalid_since": invalid_since})
    require(found, "events.jsonl: the log does not know the certificate")
    return found


def require_revocation(told: dict[str, Any], serial: str, events: list[Event], ended: dict[str, Any]) -> dict[str, Any]:
    """The decision by another person than the proposer on the case that the certificate ended by, by their passkey."""
    case, named = told["case"], "revocation.json"
    digest = digest_of("vermilion revocation case v1", case).hex()
    wanted = {"act": "approve-revocation", "subject": case["id"], "subject_digest": digest}
    found = [one for one in told["approvals"] if wanted.items() <= one.items()]
    require(found, f"{named}: nobody approved the case in it")
    approval: dict[str, Any] = found[0]
    require_passkey(approval, f"{named}: the decision of {approval['person']}")
    require(approval["person"] != case["proposed_by"], f"{named}: who proposed the revocation approved it")
    stands = told["state"], told["case_sha256"], told["decided_by"]
    require(stands == ("approved", digest, approval["person"]), f"{named}: it stands otherwise than was decided")
    require(case["serial"] == serial, f"{named} is about another certificate")
    is_so = (ended["status"], ended["reason"]) == ("revoked", case["reason"])
    require(is_so, f"{named} names another reason than the log, or it has not ended there")
    since = case["invalid_since"] or None
    require(ended["invalid_since"] == since, f"{named} names another invalidity date than the log")
    about = [event for event in events if event["subject"] == serial]
    held = [event["at"] for event in about if event["name"] == "certificate.held"][-1:]
    require(held == [case["held_since"]], f"{named}: the log does not know the hold that it is about")
    short = {"case": case["id"], "reason": case["reason"]}
    proposed = short | {"why": case["why"]}
    approved = short | {"digest": digest, "proposed_by": case["proposed_by"]}
    for event, actor, at, details in (
        ("revocation.proposed", case["proposed_by"], case["proposed_at"], proposed),
        ("revocation.approved", approval["person"], told["decided_at"], approved),
        ("certificate.revoked", approval["person"], told["decided_at"], {"reason": case["reason"]}),
    ):
        wanted = {"name": event, "actor": actor, "at": at}
        is_known = any(wanted.items() <= one.items() and details.items() <= one["details"].items() for one in about)
        require(is_known, f"{named}: the log knows no {event} by {actor} at {at} that says the same")
    return approval


def require_status(files: dict[str, bytes], told: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """Raise RefusedError unless what relying parties are told is what the log says."""
    expected = "good" if now["status"] == "active" else "revoked"
    said = json.loads(files["status.json"])
    is_same = (said["ocsp"]["status"], said["ocsp"]["reason"]) == (expected, now["reason"])
    require(is_same and said["serial"] == told["serial"], f"status.json contradicts the log: there it is {expected}")
    issuer, serial = x509.load_der_x509_certificate(files["issuer.cer"]), int(told["serial"], 16)
    answer = ocsp.load_der_ocsp_response(files["ocsp.der"])
    responder = answer.certificates[0]
    try:
        responder.verify_directly_issued_by(issuer)
        usages = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound) as error:
        raise RefusedError("ocsp.der: the responder has no certificate of the issuer") from error
    require(ExtendedKeyUsageOID.OCSP_SIGNING in usages, "ocsp.der: the responder may not answer")
    require_signed(
        responder.public_key(), answer.signature, answer.tbs_response_bytes, "ocsp.der is not signed by the responder"
    )
    told_now = {"GOOD": "good", "REVOKED": "revoked"}.get(answer.certificate_status.name)
    require((answer.serial_number, told_now) == (serial, expected), "ocsp.der contradicts the log")
    yield f"OCSP, {answer.produced_at_utc:%Y-%m-%dT%H:%M:%SZ}: {told_now}"
    ends = x509.load_der_x509_certificate(files["certificate.cer"]).not_valid_after_utc
    for name in sorted(name for name in files if name.endswith(".crl")):
        crl = x509.load_der_x509_crl(files[name])
        require(crl.is_signature_valid(issuer.public_key()), f"{name} is not signed by the issuer")  # type: ignore[arg-type]  # of our kinds
        entry = crl.get_revoked_certificate_by_serial_number(serial)
        made = f"{crl.last_update_utc:%Y-%m-%dT%H:%M:%SZ}"
        is_delta = any(one.oid == ExtensionOID.DELTA_CRL_INDICATOR for one in crl.extensions)
        # Of what was made before the last change, and of what had expired, a list need not speak.
        if not is_delta and made > now["at"] and crl.last_update_utc <= ends:
            require((entry is not None) == (expected == "revoked"), f"{name} contradicts the log")
            require(_invalid_since(entry) == now["invalid_since"], f"{name} names another invalidity date")
        yield f"{name}, {made}: {'listed' if entry else 'not listed'}"


def _invalid_since(entry: x509.RevokedCertificate | None) -> str | None:
    """The invalidity date that an entry of a CRL names (RFC 5280 section 5.3.2)."""
    found = [one.value for one in entry.extensions if isinstance(one.value, x509.InvalidityDate)] if entry else []
    return f"{found[0].invalidity_date:%Y-%m-%dT%H:%M:%SZ}" if found else None


def verify_dossier(key: Key, files: dict[str, bytes]) -> Iterator[str]:
    """What is proven, a sentence each. Raises RefusedError."""
    manifest = require_manifest(key, files)
    yield f"put together by the bank at {manifest['at']}, for {manifest['by']}: {len(manifest['files'])} files"
    found = list(read_log(key, files["events.jsonl"].decode()))
    require(all(is_proven for _, is_proven in found), "events.jsonl: an event is not under a checkpoint")
    events = [event for event, _ in found]
    yield f"{len(events)} events of the bank's log, each under a signed checkpoint"
    told, application = json.loads(files["certificate.json"]), json.loads(files["application.json"])
    case = application["case"]
    require(told["serial"] == manifest["serial"], "certificate.json is about another certificate")
    batch = json.loads(files.get("batch.json", b"null"))
    approval = require_approved(case, batch, json.loads(files["approvals.json"]), events)
    yield f"entered by {case['maker_name']} ({case['maker_person']})"
    yield f"approved by {approval['person']} with a passkey at {approval['at']}"
    identity = json.loads(files["identity.json"])
    shown = identity["number"] == case["customer_number"]
    require(shown, "identity.json is another customer's")
    yield f"{case['customer_name']}, document {case['document_number']}, registered by {identity['registered_by']}"
    require_certificate(files, told, case, events)
    if "request.p10" in files:
        yield f"request.p10: signed by the certified key; the tool says of it: {told_of_key(files['request.p10'])}"
    root = hashlib.sha256(files["root.cer"]).hexdigest()
    yield f"certificate {told['serial']}: as approved, signed under the root with SHA-256 {root}"
    lived = statuses(told["serial"], events)
    require([one["event"] for one in told["statuses"]] == [one["event"] for one in lived]
             and [one["status"] for one in told["statuses"]] == [one["status"] for one in lived],
             "certificate.json: its life is not the one that the log tells")  # fmt: skip
    for one in lived:
        yield f"{one['at']}  {one['status']}{', ' + one['reason'] if one['reason'] else ''} (event {one['event']})"
    is_by_two = any((one["name"], one["subject"]) == ("revocation.approved", told["serial"]) for one in events)
    require(is_by_two == ("revocation.json" in files), "revocation.json is missing, or the log knows none")
    if is_by_two:
        ended = json.loads(files["revocation.json"])
        second = require_revocation(ended, told["serial"], events, lived[-1])
        yield f"its end: proposed by {ended['case']['proposed_by']} at {ended['case']['proposed_at']}"
        yield f"its end: approved by {second['person']} with a passkey at {second['at']}"
    yield from require_status(files, told, lived[-1])


def _of_dossier(key: Key, path: Path) -> list[str]:
    return list(verify_dossier(key, read_files(path)))


def _of_log(key: Key, path: Path) -> list[tuple[bool, str]]:
    found = list(read_log(key, path.read_text("utf-8")))
    proven = [event["number"] for event, is_proven in found if is_proven]
    behind = len(found) - len(proven)
    lines = [(True, f"{len(proven)} events, {proven[0]} to {proven[-1]}")] if proven else []
    return lines + ([(False, f"{behind} events at the end: no checkpoint is behind them yet")] if behind else [])


def main() -> int:
    """The outermost frame."""
    parser = argparse.ArgumentParser(description="Check a bank's dossier, or an excerpt of its audit log.")
    parser.add_argument("--key", type=Path, required=True, help="the bank's audit key, from the bank")
    parser.add_argument("bundle", type=Path, help="the dossier (ZIP or directory), or the excerpt (JSON lines)")
    asked = parser.parse_args()
    try:
        key = load_key(asked.key.read_bytes())
        is_log = asked.bundle.is_file() and not zipfile.is_zipfile(asked.bundle)
        told = _of_log(key, asked.bundle) if is_log else [(True, one) for one in _of_dossier(key, asked.bundle)]
    except RefusedError as error:
        sys.stderr.write(f"refused: {error}\n")
        return 3
    except OSError as error:
        parser.error(str(error))
    except _MALFORMED as error:
        sys.stderr.write(f"refused: it is not as docs/protocols/dossier.md has it ({type(error).__name__}: {error})\n")
        return 3
    sys.stdout.write(
        "".join(f"{'proven  ' if is_proven else 'unproven'}  {sentence}\n" for is_proven, sentence in told)
    )
    return 0 if all(is_proven for is_proven, _ in told) else 1


if __name__ == "__main__":
    sys.exit(main())
