"""A certificate that somebody disputes, with its dossier, and how one lies in it (docs/protocols/dossier.md)."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ca.adapters.webauthn import WebAuthnAuthenticators
from ca.domain.dossiers import MANIFEST, SIGNATURE, manifest_message
from ca.usecases.audit import AUDIT_KEY
from ca.usecases.compose_dossier import Files
from relying_party import verify_dossier as verifier
from tests.fakes.authenticators import BrowserPasskey
from tests.fakes.bank import AUDITOR, ISSUING, STAFF, SUPERVISOR, Bank
from tests.fakes.use_cases import ORIGIN, auditing_of


class Dispute:
    """A certificate that was held, released and revoked, with its dossier."""

    def __init__(self) -> None:
        self.bank = bank = Bank(authenticators=WebAuthnAuthenticators("localhost", (ORIGIN,)))
        for person, (name, branch, roles) in STAFF.items():
            bank._staff[person] = bank.officer(person, roles, branch=branch, name=name, passkey=BrowserPasskey())
        bank.responder(ISSUING)
        self.other = self.compose(bank.active().serial)
        certificate = bank.active()
        bank.change_status.hold(bank.session(SUPERVISOR), certificate.serial)
        bank.change_status.release(bank.session(SUPERVISOR), certificate.serial)
        self.good = self.compose(certificate.serial)
        bank.clock.tick(timedelta(hours=1))
        bank.revoked(certificate)
        bank.clock.tick(timedelta(minutes=1))
        bank.publish_crl(ISSUING)
        self.files = self.compose(certificate.serial)
        self.key = bank.trust.kept["audit.spki"]

    def compose(self, serial: int) -> Files:
        return auditing_of(self.bank).compose(self.bank.session(AUDITOR), serial)

    def signed_again(self, files: Files) -> Files:
        """As a bank would that lies, or whose audit key was stolen: only what the files say can tell then."""
        told = json.loads(files[MANIFEST])
        inside = [name for name in files if name not in (MANIFEST, SIGNATURE)]
        told["files"] = {name: hashlib.sha256(files[name]).hexdigest() for name in inside}
        manifest = json.dumps(told).encode()
        signature = self.bank.key_store.sign(AUDIT_KEY, manifest_message(manifest))
        return files | {MANIFEST: manifest, SIGNATURE: signature.hex().encode()}

    def lines(self, files: Files) -> list[str]:
        return list(verifier.verify_dossier(verifier.load_key(self.key), files))


def lie_in(name: str, change: Callable[[Any], None]) -> Callable[[Files, Files], Files]:
    def changed(files: Files, _other: Files) -> Files:
        told = json.loads(files[name])
        change(told)
        return files | {name: json.dumps(told).encode()}

    return changed
