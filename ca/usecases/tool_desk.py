"""Two CA administrators release a new version of the customer's tool; one alone withdraws what is offered.

What is released is what the signer packed itself: a proposal names its files by their hashes, and the approval is good
for those alone (docs/adr/0037).
"""

import hmac
from dataclasses import dataclass
from datetime import datetime

from ca.domain.audit import AuditEvent
from ca.domain.decisions import Act, Assertion, Decision
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotFound
from ca.domain.names import verify_text
from ca.domain.officers import Officer, TrustedRole
from ca.domain.tool_cases import Program, ToolCase, ToolState, files_of
from ca.domain.tool_releases import ToolRelease
from ca.ports import Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.authorize import Authorize
from ca.usecases.passkeys import Passkeys
from ca.usecases.publish_tool import APPROVED_EVENT, SUBJECT, TOOL_SEAL, WITHDRAWN_EVENT, PublishTool, sealed_case

_READERS = (TrustedRole.CA_ADMINISTRATOR, TrustedRole.SECURITY_OFFICER, TrustedRole.AUDITOR)
_LONGEST_REASON = 300
_SHOWN = 20

File = tuple[str, str, int]
"""Name, SHA-256, length."""


@dataclass(frozen=True, slots=True)
class ToolView:
    """What is offered and what is installed."""

    offered: ToolRelease | None
    """None: nothing that we signed."""
    intact: frozenset[str]
    """Names of offered files that are octet for octet what was signed."""
    program: Program
    installed: tuple[File, ...]
    waits: bool
    """What is installed is not released."""
    withdrawn: bool
    cases: tuple[ToolCase, ...]

    @property
    def waiting(self) -> ToolCase | None:
        """The proposal to decide on."""
        return next((one for one in self.cases if one.state is ToolState.PROPOSED), None)


@dataclass(frozen=True, slots=True)
class ToolCaseView:
    """A case as the signer holds it, beside what is offered."""

    case: ToolCase
    offered: ToolRelease | None
    challenge: bytes
    may_approve: bool


@dataclass(frozen=True)
class DecideOnTool:
    """Look, propose, approve, reject, withdraw."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    passkeys: Passkeys
    authorize: Authorize
    publish: PublishTool

    def show(self, session: str) -> ToolView:
        """What is offered, what is installed, and the last decisions."""
        with self.unit_of_work() as work:
            self.authorize(work, session, *_READERS)
            decided, waits = self.publish.decided(work), self.publish.is_waiting(work)
            cases = tuple(sealed_case(self.seals, found) for found in work.tool_cases.list(_SHOWN))
            work.commit()
        offered = self.publish.find_offered()
        files = offered.files.items() if offered else ()
        intact = frozenset(name for name, of in files if of.is_of(self.publish.offer.read(name) or b""))
        return ToolView(
            offered,
            intact,
            self.publish.program,
            files_of(self.publish.pack()),
            waits,
            decided is not None and decided.state is ToolState.WITHDRAWN,
            cases,
        )

    def propose(self, session: str, *, reason: str) -> ToolCase:
        """Raises InvalidTransition when what is installed is offered already, or a proposal waits."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.CA_ADMINISTRATOR)
            if any(found[0].state is ToolState.PROPOSED for found in work.tool_cases.list(_SHOWN)):
                raise InvalidTransition("a release waits for approval; decide on that one first")
            if not self.publish.is_waiting(work):
                raise InvalidTransition("what is installed is offered already")
            case = self._new(officer, reason, ToolState.PROPOSED)
            self._save(work, case)
            work.audit.append(_event("tool.proposed", case, officer, case.proposed_at, reason=case.reason))
            work.commit()
        return case

    def show_case(self, session: str, case_id: str) -> ToolCaseView:
        """Raises NotFound."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *_READERS)
            case = self._find(work, case_id)
            work.commit()
        may = TrustedRole.CA_ADMINISTRATOR in officer.roles and officer.person != case.maker_person
        return ToolCaseView(case, self.publish.find_offered(), _decision(case, officer).challenge(), may)

    def approve(self, session: str, case_id: str, *, case_digest: bytes, assertion: Assertion) -> ToolCase:
        """The job offers it within seconds. Raises NotAllowed for who proposed it, InvalidTransition otherwise."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.CA_ADMINISTRATOR)
            case = self._find(work, case_id)
            if officer.person == case.maker_person:
                raise NotAllowed("who proposed a release may not approve it; another CA administrator must")
            if not hmac.compare_digest(case_digest, case.digest()):
                raise InvalidTransition("the release was changed since it was shown; read it again")
            approved = case.become(ToolState.APPROVED, officer.person, now)
            if not case.is_of(self.publish.program, self.publish.pack()):
                raise InvalidTransition("what is installed is not what was proposed; reject it and propose it anew")
            self.passkeys.decide(work, officer, _decision(case, officer), assertion)
            self._save(work, approved)
            work.audit.append(_event(APPROVED_EVENT, approved, officer, now, digest=case.digest().hex()))
            work.commit()
        return approved

    def reject(self, session: str, case_id: str, *, reason: str) -> ToolCase:
        """By any CA administrator, who proposed it among them."""
        reason, now = _reason(reason), self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.CA_ADMINISTRATOR)
            rejected = self._find(work, case_id).become(ToolState.REJECTED, officer.person, now)
            self._save(work, rejected)
            work.audit.append(_event("tool.rejected", rejected, officer, now, reason=reason))
            work.commit()
        return rejected

    def withdraw(self, session: str, *, reason: str) -> ToolCase:
        """Nothing is offered any more, at once and by one person: that harms nobody. Back it comes by two."""
        reason = _reason(reason)
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.CA_ADMINISTRATOR)
            decided = self.publish.decided(work)
            if decided is not None and decided.state is ToolState.WITHDRAWN:
                raise InvalidTransition("nothing is offered; it was withdrawn already")
            case = self._new(officer, reason, ToolState.WITHDRAWN)
            self._save(work, case)
            work.audit.append(_event(WITHDRAWN_EVENT, case, officer, case.proposed_at, reason=reason))
            work.commit()
        self.publish.offer.withdraw()
        return case

    def _new(self, officer: Officer, reason: str, state: ToolState) -> ToolCase:
        now, program = self.clock.now(), self.publish.program
        is_decided = state is ToolState.WITHDRAWN
        return ToolCase(
            id=self.random(8).hex(),
            revision=1,
            program=program.digest,
            tool_version=program.version,
            files=files_of(self.publish.pack()),
            reason=_reason(reason),
            maker_person=officer.person,
            proposed_at=now,
            state=state,
            decided_by=officer.person if is_decided else "",
            decided_at=now if is_decided else None,
        )

    def _find(self, work: Work, case_id: str) -> ToolCase:
        found = work.tool_cases.find(case_id)
        if found is None:
            raise NotFound("there is no such release")
        return sealed_case(self.seals, found)

    def _save(self, work: Work, case: ToolCase) -> None:
        work.tool_cases.save(case, self.seals.seal(TOOL_SEAL, case.sealed_fields()))


def _reason(text: str) -> str:
    if not text.strip():
        raise InvalidRequest("say why, in a few words: it is kept in the audit log")
    return verify_text(text, _LONGEST_REASON)


def _decision(case: ToolCase, officer: Officer) -> Decision:
    return Decision(Act.RELEASE_TOOL, case.id, case.digest(), officer.id, officer.person)


def _event(name: str, case: ToolCase, officer: Officer, now: datetime, **details: str) -> AuditEvent:
    told = {"case": case.id, "program": case.program, "version": case.tool_version}
    return AuditEvent(name, SUBJECT, officer.person, now, told | details)
