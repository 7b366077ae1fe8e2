"""Everything that proves how a certificate came to be and what became of it, in one signed bundle.

For a court or an auditor who does not trust us: each file is checked against the manifest, the manifest's signature
against the audit key, and what the files say against one another by the verifier that goes with them.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import OCSPRequestBuilder

from ca.domain import der
from ca.domain.applications import Application
from ca.domain.audit import GENESIS, AuditEvent, ChainedEvent
from ca.domain.certificates import Certificate
from ca.domain.crl import CRLScope
from ca.domain.decisions import Act, Evidence
from ca.domain.dossiers import MANIFEST, SIGNATURE, manifest, manifest_message
from ca.domain.errors import InvalidRequest, NotFound, NotReady
from ca.domain.excerpts import excerpt
from ca.domain.history import history
from ca.domain.issuers import Issuer
from ca.domain.officers import Officer, TrustedRole
from ca.domain.revocation import RFC_NAMES
from ca.domain.serials import serial_text
from ca.domain.times import timestamp
from ca.ports import Clock, KeyStore, Seals, UnitOfWork, Work
from ca.publishing import Publisher
from ca.usecases.audit import AUDIT_KEY, MakeCheckpoint
from ca.usecases.authorize import Authorize, require_branch
from ca.usecases.batches import BATCH_SEAL
from ca.usecases.cases import require_sealed
from ca.usecases.ended_by_two import ended_by, find_approval
from ca.usecases.issuance import require_recorded
from ca.usecases.look_back import LookBack, LookedBack
from ca.usecases.looks import LOOKED
from ca.usecases.sealed import unsealed

GIVEN_OUT = "dossier.given-out"
READERS = (TrustedRole.AUDITOR, TrustedRole.RA_SUPERVISOR, TrustedRole.SECURITY_OFFICER)
_MOST_EVENTS = 300
_LONGEST_PROOF = 50_000
"""Links from an event to its checkpoint."""
_LARGEST_CRL = 8 * 1024 * 1024
"""Octets. A longer one is named by its digest alone; whoever needs it has it from its public place."""

Files = dict[str, bytes]


@dataclass(frozen=True)
class ComposeDossier:
    """Put together from the records, the log and what is published, at once, and signed with the audit key."""

    unit_of_work: UnitOfWork
    clock: Clock
    key_store: KeyStore
    seals: Seals
    authorize: Authorize
    publisher: Publisher
    checkpoint: MakeCheckpoint
    look_back: LookBack
    tell: Callable[[LookedBack], dict[str, Any]]
    """How a status is told as JSON (docs/protocols/history.md)."""
    answer_ocsp: Callable[[list[bytes]], bytes]
    enclosed: Mapping[str, bytes]
    """What every dossier has, by name."""

    def __call__(self, session: str, serial: int) -> Files:
        """The files by name. That it is given out is recorded first.

        Raises NotAllowed, NotFound, Tampered; NotReady when something cannot be told right now.
        """
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *READERS)
            certificate = _find(work, officer, serial)
            text = serial_text(serial)
            work.audit.append(AuditEvent(GIVEN_OUT, text, officer.person, now))
            work.audit.append(AuditEvent(LOOKED, certificate.customer, officer.person, now, {"page": "dossier"}))
            work.commit()
        self.checkpoint()  # all that happened until now is under a signature then
        looked = self.look_back(serial, now, longest=_LONGEST_PROOF)
        with self.unit_of_work.look() as work:
            files = dict(self.enclosed)
            files |= self._of_records(work, certificate)
            files["events.jsonl"] = b"".join(_line(line) for line in self._events(work, certificate))
            issuer, root = _chain(work, certificate)
        files |= {"certificate.cer": certificate.der, "issuer.cer": issuer, "root.cer": root}
        files["status.json"] = _json(self.tell(looked))
        files["ocsp.der"] = self.answer_ocsp([_cert_id(certificate.der, issuer)])
        files |= self._crls(certificate)
        told = manifest(text, files, at=now, by=officer.person)
        signature = self.key_store.sign(AUDIT_KEY, manifest_message(told))
        return dict(sorted(files.items())) | {MANIFEST: told, SIGNATURE: signature.hex().encode("ascii") + b"\n"}

    def _of_records(self, work: Work, certificate: Certificate) -> Files:
        application, seal = work.applications.get(certificate.application)
        require_sealed(self.seals, application, seal)
        intent = work.intents.find(certificate.serial)
        if intent is None:
            raise NotFound("what was to be signed was not recorded: this certificate is not by our hand")
        require_recorded(self.seals, intent)
        customer = work.customers.get(certificate.customer)
        identity = {
            "number": customer.number,
            "kind": customer.kind.value,
            "name": customer.name,
            "document_number": customer.document_number,
            "branch": customer.branch,
            "registered_by": customer.registered_by,
            "registered_at": timestamp(customer.registered_at),
        }
        moments = history(work.audit.about(serial_text(certificate.serial)))
        told = {
            "serial": serial_text(certificate.serial),
            "subject": certificate.subject,
            "profile": certificate.profile,
            "device_serial": certificate.device_serial,
            "application": certificate.application,
            "predecessor": "" if certificate.predecessor is None else serial_text(certificate.predecessor),
            "intended_at": timestamp(intent.intended_at),
            "request_sha256": intent.request,
            "tbs_sha256": hashlib.sha256(intent.tbs_der).hexdigest(),
            "issued_at": timestamp(certificate.issued_at),
            "statuses": [
                {
                    "event": moment.event.number,
                    "at": timestamp(moment.event.event.at),
                    "status": moment.status.value,
                    "reason": RFC_NAMES[moment.told.reason] if moment.told else None,
                }
                for moment in moments
            ],
        }
        evidence = work.applications.list_evidence(certificate.application)
        listed = next((item.decision.subject for item in evidence if item.decision.act is Act.APPROVE_BATCH), "")
        batch = {"batch.json": _json(self._batch(work, listed))} if listed else {}
        revocation = self._revocation(work, certificate)
        # Of certificates from before the bytes were kept there is the digest alone.
        request = {"request.p10": intent.request_der} if intent.request_der else {}
        return (
            batch
            | request
            | revocation
            | {
                "application.json": _json(_application(application)),
                "identity.json": _json(identity),
                "approvals.json": _json([_approval(work, item) for item in evidence]),
                "certificate.json": _json(told),
            }
        )

    def _batch(self, work: Work, batch_id: str) -> dict[str, Any]:
        """The list that one signature approved. A case is entered, and so approved, with one batch at most."""
        batch = unsealed(self.seals, BATCH_SEAL, work.batches.get(batch_id))
        return batch.fields()

    def _revocation(self, work: Work, certificate: Certificate) -> Files:
        """The case that a second officer decided, where one did: the log says whether. Raises Tampered."""
        approved = find_approval(work, certificate.serial)
        if approved is None:
            return {}
        case = ended_by(work, self.seals, certificate, approved)
        told = {
            "case": case.fields(),
            "case_sha256": case.digest().hex(),
            "state": case.state.value,
            "decided_by": case.decided_by,
            "decided_at": timestamp(approved.event.at),
            "approvals": [_approval(work, item) for item in work.applications.list_evidence(case.id)],
        }
        return {"revocation.json": _json(told)}

    def _events(self, work: Work, certificate: Certificate) -> Iterator[dict[str, Any]]:
        """Each with its own way to a checkpoint, in the log's order."""
        subjects = serial_text(certificate.serial), certificate.application, certificate.device_serial
        found = {one.number: one for subject in subjects if subject for one in work.audit.about(subject)}
        found |= {one.number: one for one in work.audit.about(certificate.customer) if _is_identity(one)}
        telling = [found[number] for number in sorted(found) if not found[number].event.name.startswith("receipt.")]
        if len(telling) > _MOST_EVENTS:
            raise InvalidRequest(
                f"more than {_MOST_EVENTS} events are about this certificate; export them from the audit room"
            )
        for event in telling:
            before = next(iter(work.audit.read(event.number - 2)), None) if event.number > 1 else None
            checkpoint = work.audit.find_checkpoint(event.number)
            if checkpoint is None or checkpoint.number - event.number > _LONGEST_PROOF:
                raise NotReady(f"no signed checkpoint is near enough to audit event {event.number}; try again")
            behind = list(islice(work.audit.read(event.number), checkpoint.number - event.number))
            yield from excerpt(before.hash if before else GENESIS, [event], behind, [checkpoint])

    def _crls(self, certificate: Certificate) -> Files:
        """What is published now: the one that the certificate points to, and what changed since."""
        scopes = (
            CRLScope(certificate.issuer, certificate.crl_partition),
            CRLScope(certificate.issuer, delta=True),
        )
        found: Files = {}
        for scope in scopes:
            with self.publisher.find_copy(scope.name) as file:
                if file is not None and file.size <= _LARGEST_CRL:
                    found[f"{scope.name}.crl"] = file.read(0, file.size)
        return found


def _find(work: Work, officer: Officer, serial: int) -> Certificate:
    certificate = work.certificates.find(serial)
    if certificate is None:
        raise NotFound("there is no such certificate at your branch")
    require_branch(officer, certificate.branch, "certificate")
    if not certificate.application:
        raise InvalidRequest("this is the CA's own certificate: its key ceremony's record tells of it")
    return certificate


def _chain(work: Work, certificate: Certificate) -> tuple[bytes, bytes]:
    issuers = list(work.issuers.list())
    issuer = work.issuers.get(certificate.issuer).certificate_der
    return issuer, next(one.certificate_der for one in issuers if _signed(one, issuer))


def _signed(issuer: Issuer, certificate_der: bytes) -> bool:
    by = x509.load_der_x509_certificate(issuer.certificate_der)
    certificate = x509.load_der_x509_certificate(certificate_der)
    return by.subject == certificate.issuer and issuer.certificate_der != certificate_der


def _application(application: Application) -> dict[str, Any]:
    return {
        "case": application.case.fields(),
        "case_sha256": application.case.digest().hex(),
        "state": application.state.value,
        "reason": application.reason,
        "updated_at": _when(application.updated_at),
    }


def _approval(work: Work, evidence: Evidence) -> dict[str, Any]:
    decision, assertion = evidence.decision, evidence.assertion
    officer, _seal = work.officers.get(decision.officer)
    return {
        "act": decision.act.value,
        "subject": decision.subject,
        "subject_digest": decision.subject_digest.hex(),
        "officer": decision.officer,
        "person": decision.person,
        "name": officer.name,
        "at": timestamp(evidence.at),
        "public_key": evidence.public_key.hex(),
        "credential_id": assertion.credential_id.hex(),
        "client_data": assertion.client_data.hex(),
        "authenticator_data": assertion.authenticator_data.hex(),
        "signature": assertion.signature.hex(),
    }


def _is_identity(chained: ChainedEvent) -> bool:
    return chained.event.name in ("customer.registered", "customer.corrected")


def _cert_id(certificate_der: bytes, issuer_der: bytes) -> bytes:
    """How an OCSP client names the certificate (RFC 6960 section 4.1.1)."""
    certificate, issuer = (x509.load_der_x509_certificate(blob) for blob in (certificate_der, issuer_der))
    request = OCSPRequestBuilder().add_certificate(certificate, issuer, SHA256()).build()
    element = der.parse(request.public_bytes(Encoding.DER))
    for _level in ("tbsRequest", "requestList", "request", "reqCert"):
        element = element.children()[0]
    return element.der


def _when(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
