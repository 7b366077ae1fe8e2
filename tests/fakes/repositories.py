"""The repositories of `FakeWork`: dictionaries with the rules that ports.py states."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from ca.domain.applications import Application
from ca.domain.audit import AuditEvent, ChainedEvent, Checkpoint, Head
from ca.domain.batches import Batch
from ca.domain.case_contents import FormerCase
from ca.domain.certificates import Intent
from ca.domain.codes import CodePair, CodeState
from ca.domain.customers import Customer
from ca.domain.decisions import Evidence
from ca.domain.devices import Device
from ca.domain.errors import InvalidTransition, NotFound
from ca.domain.issuers import Issuer
from ca.domain.jobs import JobRun, Lease
from ca.domain.journal import Entry, chained
from ca.domain.officers import Invitation, Officer
from ca.domain.policy import Policy
from ca.domain.sessions import Challenge, Session
from ca.domain.tag_lists import tag_of


class FakeCustomers:
    def __init__(self, kept: dict[str, Customer]) -> None:
        self._kept = kept

    def get(self, customer_id: str) -> Customer:
        if customer_id not in self._kept:
            raise NotFound(f"there is no customer {customer_id}")
        return self._kept[customer_id]

    def find_by_number(self, number: str) -> Customer | None:
        return next((each for each in self._kept.values() if each.number == number), None)

    def list_by_company(self, company: str) -> Sequence[Customer]:
        return sorted((each for each in self._kept.values() if each.company == company), key=lambda each: each.number)

    def save(self, customer: Customer) -> None:
        same = self.find_by_number(customer.number)
        if same is not None and same.id != customer.id:
            raise InvalidTransition(f"a customer with the number {customer.number} is registered already")
        self._kept[customer.id] = customer


class FakeDevices:
    def __init__(self, kept: dict[str, Device]) -> None:
        self._kept = kept

    def find(self, serial: str) -> Device | None:
        return next((each for each in self._kept.values() if each.serial == serial), None)

    def list_by_customer(self, customer: str) -> Sequence[Device]:
        found = [each for each in self._kept.values() if each.customer == customer]
        return sorted(found, key=lambda each: each.serial)

    def save(self, device: Device) -> None:
        same = self.find(device.serial)
        if same is not None and same.id != device.id:
            raise InvalidTransition(f"U-Shield {device.serial} is registered already")
        self._kept[device.id] = device


class FakeOfficers:
    def __init__(self, kept: dict[str, tuple[Officer, bytes]]) -> None:
        self._kept = kept

    def get(self, officer_id: str) -> tuple[Officer, bytes]:
        if officer_id not in self._kept:
            raise NotFound(f"there is no officer {officer_id}")
        return self._kept[officer_id]

    def find_by_person(self, person: str) -> tuple[Officer, bytes] | None:
        return next((each for each in self._kept.values() if each[0].person == person), None)

    def find_by_credential(self, credential_id: bytes) -> tuple[Officer, bytes] | None:
        return next((each for each in self._kept.values() if each[0].find_credential(credential_id)), None)

    def save(self, officer: Officer, seal: bytes) -> None:
        others = [each for each, _seal in self._kept.values() if each.id != officer.id]
        if any(each.person == officer.person for each in others):
            raise InvalidTransition(f"person {officer.person} is an officer already")
        if officer.id in self._kept and self._kept[officer.id][0].version >= officer.version:
            raise InvalidTransition(f"the record of person {officer.person} was just changed by somebody else")
        if any(each.find_credential(credential.id) for each in others for credential in officer.credentials):
            raise InvalidTransition("this passkey belongs to another officer")
        self._kept[officer.id] = (officer, seal)

    def note_use(self, credential_id: bytes, sign_count: int, at: datetime) -> None:
        found = self.find_by_credential(credential_id)
        if found is not None:
            officer, seal = found
            used = {"sign_count": sign_count, "used_at": at}
            credentials = tuple(
                replace(each, **used) if each.id == credential_id else each for each in officer.credentials
            )
            self._kept[officer.id] = (replace(officer, credentials=credentials), seal)


class FakeInvitations:
    def __init__(self, kept: dict[str, tuple[Invitation, bytes]]) -> None:
        self._kept = kept

    def get(self, invitation_id: str) -> tuple[Invitation, bytes]:
        if invitation_id not in self._kept:
            raise NotFound(f"there is no invitation {invitation_id}")
        return self._kept[invitation_id]

    def save(self, invitation: Invitation, seal: bytes) -> None:
        self._kept[invitation.id] = (invitation, seal)


class FakeSessions:
    def __init__(self, kept: dict[str, tuple[Session, bytes]]) -> None:
        self._kept = kept

    def find(self, token_hash: str) -> tuple[Session, bytes] | None:
        return self._kept.get(token_hash)

    def save(self, session: Session, seal: bytes) -> None:
        self._kept[session.token_hash] = (session, seal)

    def touch(self, token_hash: str, at: datetime) -> None:
        if token_hash in self._kept:
            session, seal = self._kept[token_hash]
            self._kept[token_hash] = (replace(session, seen_at=at), seal)

    def list_of(self, officer_id: str) -> Sequence[tuple[Session, bytes]]:
        live = [each for each in self._kept.values() if each[0].officer == officer_id and not each[0].ended]
        return sorted(
            sorted(live, key=lambda each: each[0].token_hash), key=lambda each: each[0].began_at, reverse=True
        )

    def end_all_of(self, officer_id: str, *, but: str = "") -> int:
        return self._end([one for one, _ in self.list_of(officer_id) if one.token_hash != but])

    def end_all(self) -> int:
        return self._end([one for one, _ in self._kept.values() if not one.ended])

    def forget_over(self, now: datetime, policy: Policy) -> int:
        over = [key for key, (session, _seal) in self._kept.items() if session.is_over(now, policy)]
        for key in over:
            del self._kept[key]
        return len(over)

    def _end(self, sessions: Sequence[Session]) -> int:
        for session in sessions:
            self.end(session.token_hash)
        return len(sessions)

    def end(self, token_hash: str) -> None:
        if token_hash in self._kept:
            session, seal = self._kept[token_hash]
            self._kept[token_hash] = (replace(session, ended=True), seal)


class FakeChallenges:
    def __init__(self, kept: dict[tuple[str, bytes], Challenge]) -> None:
        self._kept = kept

    def add(self, challenge: Challenge) -> None:
        key = (challenge.purpose, challenge.value)
        if key in self._kept:
            raise InvalidTransition("this challenge was given out already")
        self._kept[key] = challenge

    def take(self, purpose: str, value: bytes) -> Challenge | None:
        return self._kept.pop((purpose, value), None)

    def forget_expired(self, now: datetime) -> int:
        over = [key for key, challenge in self._kept.items() if challenge.is_over(now)]
        for key in over:
            del self._kept[key]
        return len(over)


class FakeApplications:
    def __init__(
        self,
        kept: dict[str, tuple[Application, bytes]],
        evidence: list[tuple[str, Evidence]],
        former: list[tuple[FormerCase, bytes]],
    ) -> None:
        self._kept = kept
        self._evidence = evidence
        self._former = former

    def get(self, application_id: str) -> tuple[Application, bytes]:
        if application_id not in self._kept:
            raise NotFound(f"there is no application {application_id}")
        return self._kept[application_id]

    def save(self, application: Application, seal: bytes) -> None:
        self._kept[application.id] = (application, seal)

    def set_state(self, application: Application) -> None:
        before, seal = self.get(application.id)
        after = replace(before, state=application.state, reason=application.reason, updated_at=application.updated_at)
        self._kept[application.id] = (after, seal)

    def list_by_device(self, device_serial: str) -> Sequence[Application]:
        return [each for each, _ in self._kept.values() if each.case.device_serial == device_serial]

    def list_by_customer(self, customer: str) -> Sequence[Application]:
        found = [each for each, _ in self._kept.values() if each.case.customer == customer]
        return sorted(sorted(found, key=lambda each: each.id), key=lambda each: each.case.submitted_at, reverse=True)

    def add_former(self, former: FormerCase, seal: bytes) -> None:
        self._former.append((former, seal))

    def list_former(self, application_id: str) -> Sequence[tuple[FormerCase, bytes]]:
        return [each for each in self._former if each[0].case.application == application_id]

    def add_evidence(self, application_id: str, evidence: Evidence) -> None:
        self._evidence.append((application_id, evidence))

    def list_evidence(self, application_id: str) -> Sequence[Evidence]:
        return [evidence for key, evidence in self._evidence if key == application_id]


class FakeBatches:
    def __init__(self, kept: dict[str, tuple[Batch, bytes]]) -> None:
        self._kept = kept

    def get(self, batch_id: str) -> tuple[Batch, bytes]:
        if batch_id not in self._kept:
            raise NotFound(f"there is no batch {batch_id}")
        return self._kept[batch_id]

    def add(self, batch: Batch, seal: bytes) -> None:
        self._kept[batch.id] = (batch, seal)


class FakeCodes:
    def __init__(self, kept: dict[str, CodePair]) -> None:
        self._kept = kept

    def find(self, reference: str) -> CodePair | None:
        return self._kept.get(reference)

    def find_for_application(self, application_id: str) -> CodePair | None:
        return next((each for each in reversed(self._kept.values()) if each.application == application_id), None)

    def save(self, pair: CodePair) -> None:
        self._kept[pair.reference] = pair

    def list_open_expired(self, now: datetime) -> Sequence[CodePair]:
        return [each for each in self._kept.values() if each.state is CodeState.OPEN and each.expires_at < now]


class FakeIntents:
    def __init__(self, kept: dict[int, Intent]) -> None:
        self._kept = kept

    def add(self, intent: Intent) -> None:
        if intent.serial in self._kept:
            raise InvalidTransition(f"an intent with serial number {intent.serial:x} exists already")
        if self.find_serial(tag_of(intent.serial)) is not None:
            raise InvalidTransition(f"the tag of serial {intent.serial:x} is taken")
        if intent.application and self.find_for_request(intent.application, intent.request):
            raise InvalidTransition(f"application {intent.application} has an intent for this request already")
        self._kept[intent.serial] = intent

    def find_serial(self, tag: int) -> int | None:
        return next((serial for serial in self._kept if tag_of(serial) == tag), None)

    def find(self, serial: int) -> Intent | None:
        return self._kept.get(serial)

    def find_for_request(self, application: str, request: str) -> Intent | None:
        wanted = (application, request)
        return next(
            (each for each in reversed(self._kept.values()) if (each.application, each.request) == wanted), None
        )

    def list_unsigned(self) -> Sequence[Intent]:
        return [each for each in self._kept.values() if not each.signed]

    def mark_signed(self, serial: int) -> None:
        if serial not in self._kept:
            raise NotFound(f"there is no intent with serial number {serial:x}")
        self._kept[serial] = replace(self._kept[serial], signed=True)


class FakeIssuers:
    def __init__(self, kept: dict[str, Issuer]) -> None:
        self._kept = kept

    def get(self, name: str) -> Issuer:
        if name not in self._kept:
            raise NotFound(f"there is no issuing CA named {name}")
        return self._kept[name]

    def take_turn(self, name: str) -> None:
        self.get(name)

    def list(self) -> Sequence[Issuer]:
        return [self._kept[name] for name in sorted(self._kept)]

    def save(self, issuer: Issuer) -> None:
        self._kept[issuer.name] = issuer


class FakeBlockedKeys:
    def __init__(self, kept: dict[str, str]) -> None:
        self._kept = kept

    def find(self, fingerprint: str) -> str | None:
        return self._kept.get(fingerprint)

    def add(self, fingerprint: str, reason: str, at: datetime) -> None:
        self._kept.setdefault(fingerprint, reason)


class FakeAuditLog:
    def __init__(self, kept: list[ChainedEvent], outbox: list[Entry], checkpoints: list[Checkpoint]) -> None:
        self._kept = kept
        self._outbox = outbox
        self._checkpoints = checkpoints

    def append(self, event: AuditEvent) -> None:
        entry = chained(self.head(), [event], [], salt=lambda: b"salt")
        self._kept.extend(entry.events)
        self._outbox.append(entry)

    def head(self) -> Head:
        return Head(self._kept[-1].number, self._kept[-1].hash) if self._kept else Head()

    def read(self, after: int = 0) -> Iterator[ChainedEvent]:
        return (each for each in list(self._kept) if each.number > after)

    def about(self, subject: str) -> Iterator[ChainedEvent]:
        return (each for each in list(self._kept) if each.event.subject == subject)

    def find_last(self, name: str, subject: str, until: datetime, before: int | None = None) -> ChainedEvent | None:
        found = [
            each
            for each in self._kept
            if (each.event.name, each.event.subject) == (name, subject)
            and each.event.at <= until
            and (before is None or each.number < before)
        ]
        return max(found, key=lambda each: (each.event.at, each.number), default=None)

    def waiting(self, after: int) -> Iterator[Entry]:
        return (each for each in list(self._outbox) if each.head.number > after)

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        self._checkpoints.append(checkpoint)

    def find_checkpoint(self, number: int) -> Checkpoint | None:
        behind = [each for each in self._checkpoints if each.number >= number]
        return min(behind, key=lambda each: each.number, default=None)

    def list_checkpoints(self) -> Sequence[Checkpoint]:
        return list(self._checkpoints)


class FakeJobs:
    def __init__(self, leases: dict[str, Lease], runs: dict[str, JobRun]) -> None:
        self._leases = leases
        self._runs = runs

    def take_lease(self, name: str, holder: str, now: datetime, until: datetime) -> Lease:
        lease = self._leases.get(name)
        if lease is None or lease.holder == holder or lease.until <= now:
            lease = self._leases[name] = Lease(name, holder, until)
        return lease

    def record(self, run: JobRun) -> None:
        self._runs[run.name] = run

    def list(self) -> Sequence[JobRun]:
        return [self._runs[name] for name in sorted(self._runs)]
