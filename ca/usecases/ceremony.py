"""Custodians and witnesses hold a key ceremony (CPS section 6.1): the script says what, this module does it.

It is held once. A second run is refused: keys are rolled over in a ceremony of their own, never made again.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from ca.domain.audit import AuditEvent
from ca.domain.ceremony import Act, Script, Step, Transcript, opening, read_aloud
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.crl import CRLFrame, CRLRecord, CRLScope, signed_around
from ca.domain.drafting import Draft, draft_certificate, draft_self_signed, verify_signed
from ca.domain.errors import InvalidTransition
from ca.domain.issuers import Issuer
from ca.domain.keys import SIGNATURE_OF, KeyAlgorithm, PublicKey
from ca.domain.linting import lint_certificate
from ca.domain.names import Name
from ca.domain.officers import Invitation, InvitationState, whole_code
from ca.domain.policy import USUAL
from ca.domain.profiles import Profile
from ca.domain.serials import new_serial
from ca.domain.tbs import read_certificate
from ca.domain.times import timestamp
from ca.keeping import KeyRoom, TrustFiles
from ca.ports import Clock, KeyId, Random, UnitOfWork
from ca.publishing import Publisher
from ca.usecases.audit import AUDIT_KEY
from ca.usecases.officers import open_invitation, parse_roles, propose_invitation
from ca.usecases.publish_tool import TOOL_RELEASE_KEY
from ca.usecases.rehearsal import Rehearsal
from ca.usecases.tool_jobs import TOOL_JOB_KEY

_PUBLISHED = {AUDIT_KEY: "audit.spki", TOOL_JOB_KEY: "tool-jobs.spki", TOOL_RELEASE_KEY: "tool-release.spki"}
"""Public keys that others verify with, and that no certificate carries."""
_ACTOR = "ceremony"
_HELD = "ceremony.held"
# A ceremony is the first thing in an audit log, and is over long before this many events.
_CEREMONY_EVENTS = 1000


@dataclass(frozen=True)
class Appointment:
    """A person invited by the ceremony, and the one-time code of the link."""

    invitation: str
    code: str
    person: str
    name: str


@dataclass
class Record:
    """What a ceremony leaves behind."""

    transcript: Transcript = field(default_factory=Transcript)
    appointments: list[Appointment] = field(default_factory=list)
    keys: dict[KeyId, bytes] = field(default_factory=dict)
    """SubjectPublicKeyInfo of each key pair made, by its id."""


def find_held(unit_of_work: UnitOfWork) -> AuditEvent | None:
    """The event of the ceremony that was held here, to its end."""
    with unit_of_work() as work:
        first = (chained.event for chained in islice(work.audit.read(), _CEREMONY_EVENTS))
        return next((event for event in first if event.name == _HELD), None)


@dataclass(frozen=True)
class HoldCeremony:
    """Run a script from its first step to its last."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    room: KeyRoom
    publisher: Publisher
    trust: TrustFiles
    profiles: Mapping[str, Profile]
    public_url: str
    seals_in: str
    """The token that holds the seal key."""
    seal_key: KeyId

    def __call__(self, script: Script, *, attend: Callable[[Step], None], keep: Callable[[Record], None]) -> Record:
        """`attend` is called before each step, so that those present can follow. Raises InvalidTransition twice."""
        Rehearsal(self.room.places, self.profiles, (self.seals_in, self.seal_key.decode())).play(script)
        record = Record()
        now = self.clock.now()
        with self.unit_of_work() as work:
            if work.issuers.list() or work.audit.head().number:
                raise InvalidTransition(
                    "a key ceremony was begun in this state directory before; it is held once. If it was interrupted, "
                    "nothing was put into service: begin again in a new, empty state directory"
                )
            details = {"title": script.title, "script": script.digest}
            work.audit.append(AuditEvent("ceremony.begun", script.title, _ACTOR, now, details))
            work.commit()
        for line in opening(script, now):
            record.transcript.add(line)
        for step in script.steps:
            attend(step)
            record.transcript.add("")
            record.transcript.add(f"Step {step.number}. {script.roles[step.role]} ({step.role}): {step.words}")
            for line in self._act(step, record):
                record.transcript.add(f"  {line}")
        record.transcript.add("")
        record.transcript.add(f"Ended: {timestamp(self.clock.now())}")
        # Before the ceremony counts as held: codes that die with this process could never be handed out again.
        keep(record)
        with self.unit_of_work() as work:
            details = {"transcript": record.transcript.digest}
            work.audit.append(AuditEvent(_HELD, script.title, _ACTOR, self.clock.now(), details))
            work.commit()
        return record

    def _act(self, step: Step, record: Record) -> list[str]:
        acts = {
            Act.MAKE_TOKEN: self._make_token,
            Act.MAKE_KEY: self._make_key,
            Act.MAKE_SEAL_KEY: self._make_seal_key,
            Act.CERTIFY_ROOT: self._certify_root,
            Act.CERTIFY_ISSUING: self._certify_issuing,
            Act.SIGN_ROOT_CRL: self._sign_root_crl,
            Act.INVITE_OFFICER: self._invite,
        }
        return acts[step.act](step, record)

    def _make_token(self, step: Step, _: Record) -> list[str]:
        self.room.make_token(step["token"])
        return [f"Token {step['token']} made; its PINs are in files that only the signer's user can read."]

    def _make_seal_key(self, step: Step, _: Record) -> list[str]:
        self.room.make_seal_key(step["token"], KeyId(step["key"].encode()))
        return [f"Secret key {step['key']} made in token {step['token']}."]

    def _make_key(self, step: Step, record: Record) -> list[str]:
        key = KeyId(step["key"].encode())
        with self.room.enter(step["token"]) as key_store:
            spki = key_store.generate(key, step["key"], KeyAlgorithm(step["algorithm"]))
        if key in _PUBLISHED:
            self.trust.write(_PUBLISHED[key], spki)
        record.keys[key] = spki
        return [f"Key {step['key']} ({step['algorithm']}) made in token {step['token']}.", _spoken(spki)]

    def _certify_root(self, step: Step, record: Record) -> list[str]:
        profile = self.profiles[step["profile"]]
        key = KeyId(step["key"].encode())
        public_key = PublicKey.from_spki(record.keys[key])
        draft = draft_self_signed(
            profile=profile,
            subject=profile.subject_for({}),
            public_key=public_key,
            serial=new_serial(self.random),
            now=self.clock.now(),
        )
        lint_certificate(draft, profile, None)
        with self.room.enter(step["token"]) as key_store:
            der = _seal_draft(draft, key_store.sign(key, draft.tbs_der), public_key.spki_der)
        return self._put_into_service(step, der, key, issued_by=None)

    def _certify_issuing(self, step: Step, record: Record) -> list[str]:
        profile = self.profiles[step["profile"]]
        key = KeyId(step["key"].encode())
        now = self.clock.now()
        with self.unit_of_work() as work:
            parent = work.issuers.get(step["signed_by"])
        draft = draft_certificate(
            profile=profile,
            issuer=parent,
            subject=profile.subject_for({}),
            alternative_names=[],
            public_key=PublicKey.from_spki(record.keys[key]),
            serial=new_serial(self.random),
            now=now,
        )
        lint_certificate(draft, profile, parent)
        with self.room.enter(step["token"]) as key_store:
            der = _seal_draft(draft, key_store.sign(KeyId(parent.key_id), draft.tbs_der), parent.spki_der)
        return self._put_into_service(step, der, key, issued_by=parent)

    def _put_into_service(self, step: Step, der: bytes, key: KeyId, *, issued_by: Issuer | None) -> list[str]:
        name = step["issuer"]
        issuer = Issuer(
            name=name,
            certificate_der=der,
            key_id=bytes(key),
            algorithm=KeyAlgorithm(step["algorithm"]),
            crl_url=f"{self.public_url}/crl/{name}.crl",
            ocsp_url="" if issued_by is None else f"{self.public_url}/ocsp",
            certificate_url=f"{self.public_url}/ca/{name}.cer",
        )
        now = self.clock.now()
        fingerprint = hashlib.sha256(der).digest()
        with self.unit_of_work() as work:
            work.issuers.save(issuer)
            if issued_by is not None:
                work.certificates.add(_ca_certificate(issuer, issued_by, step["profile"], now))
            details = {"sha256": fingerprint.hex()}
            work.audit.append(AuditEvent("issuer.certified", name, _ACTOR, now, details))
            work.commit()
        self.publisher.publish_certificate(name, der)
        self.trust.write(f"{name}.cer", der)
        subject = Name.from_der(read_certificate(der).subject_der).text
        return [f"Certificate of {subject}", "SHA-256, read aloud:", read_aloud(fingerprint)]

    def _sign_root_crl(self, step: Step, _: Record) -> list[str]:
        now = self.clock.now()
        with self.unit_of_work() as work:
            issuer = work.issuers.get(step["issuer"])
        life = timedelta(days=int(step["days"]))
        tbs = CRLFrame(issuer, 1, now, now + life).drafted(b"")
        with self.room.enter(step["token"]) as key_store:
            signature = key_store.sign(KeyId(issuer.key_id), tbs)
        PublicKey.from_spki(issuer.spki_der).verify(signature, tbs)
        before, after = signed_around(len(tbs), SIGNATURE_OF[issuer.algorithm], signature)
        whole = before + tbs + after
        digest = hashlib.sha256(whole).hexdigest()
        with self.unit_of_work() as work:
            work.crls.add(CRLRecord(CRLScope(issuer.name), 1, now, now + life, 0, len(whole), digest, published=True))
            work.audit.append(AuditEvent("crl.published", issuer.name, _ACTOR, now, {"number": "1"}))
            work.commit()
        with self.publisher.draft_crl(issuer.name) as draft:
            draft.write(tbs)
            draft.publish(before, after)
        return [f"CRL number 1 of {issuer.name}, next due {timestamp(now + life)}"]

    def _invite(self, step: Step, record: Record) -> list[str]:
        now = self.clock.now()
        seals = self.room.seals(self.seals_in, self.seal_key)
        with seals as sealer, self.unit_of_work() as work:
            proposal = propose_invitation(work, sealer, self.random, self._invitation(step, record))
            invitation = proposal.invitation
            # In one hand, unlike at a branch: those present see who is handed what.
            code = whole_code(open_invitation(work, sealer, self.random, invitation, _ACTOR), proposal.half)
            details = {"person": invitation.person, "roles": step["roles"], "branch": invitation.branch}
            work.audit.append(AuditEvent("invitation.made", invitation.id, _ACTOR, now, details))
            work.commit()
        record.appointments.append(Appointment(invitation.id, code, invitation.person, invitation.name))
        return [f"{invitation.name} ({invitation.person}), {invitation.branch}: {step['roles']}"]

    def _invitation(self, step: Step, record: Record) -> Invitation:
        return Invitation(
            id=self.random(8).hex(),
            person=step["person"],
            name=step["name"],
            branch=step["branch"],
            roles=parse_roles(step["roles"].split()),
            proposed_by=f"ceremony:{record.transcript.digest}",
            state=InvitationState.PROPOSED,
            expires_at=self.clock.now() + USUAL.invitation_life,
        )


def _seal_draft(draft: Draft, signature: bytes, signer_spki: bytes) -> bytes:
    der = draft.sealed(signature)
    verify_signed(der, signer_spki)
    return der


def _spoken(spki: bytes) -> str:
    return f"Key SHA-256, read aloud: {read_aloud(hashlib.sha256(spki).digest())}"


def _ca_certificate(subject: Issuer, issuer: Issuer, profile: str, now: datetime) -> Certificate:
    parsed = read_certificate(subject.certificate_der)
    return Certificate(
        serial=parsed.serial,
        issuer=issuer.name,
        profile=profile,
        der=subject.certificate_der,
        public_key=hashlib.sha256(subject.spki_der).hexdigest(),
        subject=Name.from_der(parsed.subject_der).text,
        application="",
        customer="",
        device_serial="",
        branch="",
        not_before=parsed.not_before,
        not_after=parsed.not_after,
        issued_at=now,
        status=CertificateStatus.ACTIVE,
    )
