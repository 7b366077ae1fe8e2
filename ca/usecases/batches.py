"""Applications for many people of one company, entered from a list and approved one by one or by one signature."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ca.domain.applications import Application, ApplicationState
from ca.domain.audit import AuditEvent
from ca.domain.batches import MOST, Batch, BatchLine, Problem, batch_approval
from ca.domain.customers import Customer, CustomerKind
from ca.domain.decisions import Assertion
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    NotFound,
    ProfileViolation,
)
from ca.domain.officers import Officer, TrustedRole
from ca.domain.profiles import Profile
from ca.ports import Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.apply import Entry, SubmitApplication
from ca.usecases.authorize import Authorize, require_branch
from ca.usecases.cases import find_case, require_profile
from ca.usecases.customers import RegisterCustomer
from ca.usecases.outlook import Outlook, outlook
from ca.usecases.passkeys import Passkeys

BATCH_SEAL = "batch"
_WORKERS = (TrustedRole.RA_OPERATOR, TrustedRole.RA_APPROVER, TrustedRole.RA_SUPERVISOR)


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of a list: a batch, or why not. Nothing is entered while a line has a problem."""

    batch: Batch | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class SubmitBatch:
    """The maker's act: people who are not registered yet are, and each gets an application; all or nobody."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    authorize: Authorize
    register: RegisterCustomer
    submit: SubmitApplication

    def __call__(self, session: str, *, company: str, profile: str, lines: Sequence[BatchLine], apply: bool) -> Entered:
        """`company`: customer number. Without `apply` the lines are only checked, by the same steps.

        Raises InvalidRequest when there are no lines or too many, or the branch has no such company.
        """
        if not 1 <= len(lines) <= MOST:
            raise InvalidRequest(f"a batch has 1 to {MOST} lines; this list has {len(lines)}")
        with self.unit_of_work() as work:
            maker = self.authorize(work, session, TrustedRole.RA_OPERATOR)
            owner = _company(work, maker, company)
            identity = self.random(8).hex()
            entered, problems = self._enter(work, maker, owner, profile, lines, identity)
            if problems:
                return Entered(None, tuple(problems))
            batch = Batch(
                id=identity,
                company=owner.id,
                company_name=owner.name,
                profile=profile,
                branch=maker.branch,
                maker_person=maker.person,
                maker_name=maker.name,
                submitted_at=self.clock.now(),
                cases=tuple((one.id, one.case.digest().hex()) for one in entered),
            )
            if apply:
                work.batches.add(batch, self.seals.seal(BATCH_SEAL, batch.sealed_fields()))
                details = {"company": owner.id, "applications": str(len(entered)), "batch": batch.digest().hex()}
                work.audit.append(AuditEvent("batch.submitted", batch.id, maker.person, batch.submitted_at, details))
                work.commit()
        return Entered(batch, ())

    def _enter(
        self, work: Work, maker: Officer, company: Customer, profile: str, lines: Sequence[BatchLine], batch: str
    ) -> tuple[list[Application], list[Problem]]:
        """Line by line in one transaction, so that two lines cannot name one person or one U-Shield."""
        entered: list[Application] = []
        problems: list[Problem] = []
        for number, line in enumerate(lines, 1):
            try:
                require_first(lines[: number - 1], line)
                person = self._person(work, maker, company, line)
                entered.append(self.submit.enter(work, maker, person, Entry(profile, line.device_serial), batch=batch))
            except (InvalidRequest, NotFound, ProfileViolation) as error:
                problems.append(Problem(number, str(error)))
        return entered, problems

    def _person(self, work: Work, maker: Officer, company: Customer, line: BatchLine) -> Customer:
        found = work.customers.find_by_number(line.number)
        if found is None:
            return self.register.enter(
                work,
                maker,
                kind=CustomerKind.PERSON.value,
                number=line.number,
                name=line.name,
                document_number=line.document_number,
                email=line.email,
                company=company.number,
                phone=line.phone,
            )
        if found.branch != maker.branch or found.company != company.id:
            raise InvalidRequest(f"customer number {line.number} is registered already, and not for this company")
        if (found.name, found.document_number) != (line.name, line.document_number):
            raise InvalidRequest(f"customer number {line.number} is registered with another name or document number")
        return found


def require_first(before: Sequence[BatchLine], line: BatchLine) -> None:
    """Raise InvalidRequest when a person or a U-Shield is in the list already."""
    if any(other.number == line.number for other in before):
        raise InvalidRequest(f"customer number {line.number} is in the list twice")
    if line.device_serial and any(other.device_serial == line.device_serial for other in before):
        raise InvalidRequest(f"U-Shield {line.device_serial} is in the list twice")


def _company(work: Work, maker: Officer, number: str) -> Customer:
    company = work.customers.find_by_number(number)
    if company is None or company.kind is not CustomerKind.COMPANY or company.branch != maker.branch:
        raise InvalidRequest("there is no company with this customer number at your branch")
    return company


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch with how each of its applications stands."""

    batch: Batch
    challenge: bytes
    """What this officer's passkey signs to approve those that wait."""
    may_approve: bool
    seen: tuple[tuple[Application, Outlook], ...]


@dataclass(frozen=True)
class DecideOnBatch:
    """Show, approve what still waits."""

    unit_of_work: UnitOfWork
    clock: Clock
    seals: Seals
    passkeys: Passkeys
    authorize: Authorize
    profiles: Mapping[str, Profile]

    def show(self, session: str, batch_id: str) -> BatchView:
        """As the signer holds it. Raises NotFound, Tampered."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *_WORKERS, TrustedRole.AUDITOR)
            batch = find_batch(work, self.seals, officer, batch_id)
            seen = []
            for identity, _digest in batch.cases:
                application = find_case(work, self.seals, officer, identity)
                profile = self.profiles.get(application.case.profile)
                seen.append((application, outlook(work, self.seals, application.case, profile, officer)))
            work.commit()
        other_person = officer.person != batch.maker_person
        waits = any(_waits(batch, application) for application, _outlook in seen)
        may_approve = waits and other_person and TrustedRole.RA_APPROVER in officer.roles
        return BatchView(batch, batch_approval(batch, officer).challenge(), may_approve, tuple(seen))

    def approve(
        self, session: str, batch_id: str, *, batch_digest: bytes, assertion: Assertion
    ) -> Sequence[Application]:
        """Those that were waiting and are approved now. Raises NotAllowed for the maker, InvalidTransition."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_APPROVER)
            batch = find_batch(work, self.seals, officer, batch_id)
            batch.require_other_person(officer.person)
            if not hmac.compare_digest(batch_digest, batch.digest()):
                raise InvalidTransition("the batch was changed since it was shown; read it again")
            found = [find_case(work, self.seals, officer, identity) for identity, _digest in batch.cases]
            waiting = [application for application in found if _waits(batch, application)]
            if not waiting:
                raise InvalidTransition("no application of this batch waits for an approval any more")
            for application in waiting:
                application.require_other_person(officer.person)
                require_profile(self.profiles, application.case)
            evidence = self.passkeys.sign(work, officer, batch_approval(batch, officer), assertion)
            approved = [application.become(ApplicationState.APPROVED, at=now) for application in waiting]
            for application in approved:
                work.applications.add_evidence(application.id, evidence)
                work.applications.set_state(application)
                details = {"case": application.case.digest().hex(), "batch": batch.id}
                work.audit.append(AuditEvent("application.approved", application.id, officer.person, now, details))
            details = {"batch": batch.digest().hex(), "applications": str(len(approved))}
            work.audit.append(AuditEvent("batch.approved", batch.id, officer.person, now, details))
            work.commit()
        return approved


def find_batch(work: Work, seals: Seals, officer: Officer, batch_id: str) -> Batch:
    """Sealed and at this officer's branch. Raises NotFound, Tampered."""
    try:
        batch, seal = work.batches.get(batch_id)
    except NotFound as error:
        raise NotFound("there is no such batch at your branch") from error
    require_branch(officer, batch.branch, "batch")
    seals.require(BATCH_SEAL, batch.sealed_fields(), seal)
    return batch


def _waits(batch: Batch, application: Application) -> bool:
    """Not one that was returned and corrected since: what is signed is the list as it was entered."""
    return application.state is ApplicationState.SUBMITTED and batch.holds(application.id, application.case.digest())
