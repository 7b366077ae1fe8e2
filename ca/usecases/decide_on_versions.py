"""Two CA administrators change a profile or the policy: one proposes, another approves (DESIGN invariant 2).

The approver's passkey signs the whole text, the version it replaces and the day from which it is in force.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Generic

from ca.domain.audit import AuditEvent
from ca.domain.decisions import Assertion, Decision
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotFound
from ca.domain.names import verify_text
from ca.domain.officers import Officer, TrustedRole
from ca.domain.proposals import ProposalState
from ca.domain.versions import Version, require_effective
from ca.ports import Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.authorize import Authorize
from ca.usecases.passkeys import Passkeys
from ca.usecases.versions_in_force import AnyVersion, Content, Dated, InForce

READERS = (TrustedRole.CA_ADMINISTRATOR, TrustedRole.SECURITY_OFFICER, TrustedRole.AUDITOR)
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class SubjectView(Generic[AnyVersion, Content]):
    """A profile, or the policy, with all its versions."""

    name: str
    in_force: Dated[Content]
    history: tuple[Dated[Content], ...]
    """The configuration's, and every one that was decided on, be it in force or not yet."""
    versions: tuple[AnyVersion, ...]
    """Proposed, approved and rejected ones; not the configuration's."""

    @property
    def newest(self) -> Dated[Content]:
        """The last one decided on."""
        return self.history[-1]

    @property
    def waiting(self) -> AnyVersion | None:
        """The one that waits for approval."""
        return next((one for one in self.versions if one.state is ProposalState.PROPOSED), None)


@dataclass(frozen=True, slots=True)
class VersionView(Generic[AnyVersion, Content]):
    """A version as the signer holds it, beside the one that it replaces."""

    version: AnyVersion
    content: Content
    replaced: Content
    challenge: bytes
    """What this officer's passkey signs to approve it."""
    may_approve: bool


@dataclass(frozen=True)
class DecideOnVersions(Generic[AnyVersion, Content]):
    """Look, propose, approve, reject."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    passkeys: Passkeys
    authorize: Authorize
    in_force: InForce[AnyVersion, Content]

    def overview(self, session: str) -> list[SubjectView[AnyVersion, Content]]:
        """Every one of the kind."""
        with self.unit_of_work() as work:
            self.authorize(work, session, *READERS)
            views = [self._view(work, name) for name in sorted(self.in_force)]
            work.commit()
        return views

    def show(self, session: str, name: str) -> SubjectView[AnyVersion, Content]:
        """One of them. Raises NotFound."""
        with self.unit_of_work() as work:
            self.authorize(work, session, *READERS)
            view = self._view(work, name)
            work.commit()
        return view

    def propose(self, session: str, *, name: str, text: str, effective_from: datetime, reason: str) -> AnyVersion:
        """Raises InvalidRequest for what no version may say, InvalidTransition while another version waits."""
        now = self.clock.now()
        kind = self.in_force.kind
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.CA_ADMINISTRATOR)
            view = self._view(work, name)
            if view.waiting is not None:
                raise InvalidTransition("another version waits for approval; decide on that one first")
            last, proposed = view.newest, self.in_force.texts.parse(name, text)
            kind.require_successor(last.content, proposed)
            require_effective(effective_from, now, [last.since] if last.since else [])
            version = kind.version(
                id=self.random(8).hex(),
                revision=1,
                number=proposed.version,
                text=text,
                replaces=last.content.digest,
                reason=verify_text(reason, _LONGEST_REASON),
                effective_from=effective_from,
                maker_person=officer.person,
                proposed_at=now,
                state=ProposalState.PROPOSED,
                **kind.version.about(name, proposed.digest),
            )
            self._save(work, version)
            work.audit.append(_event("proposed", version, officer, now, reason=version.reason))
            work.commit()
        return version

    def show_version(self, session: str, version_id: str) -> VersionView[AnyVersion, Content]:
        """As the signer holds it. Raises NotFound, Tampered."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *READERS)
            version = self._version(work, version_id)
            replaced = self._replaced(work, version)
            work.commit()
        may = TrustedRole.CA_ADMINISTRATOR in officer.roles and officer.person != version.maker_person
        content = self.in_force.texts.parse(version.subject, version.text)
        return VersionView(version, content, replaced, self._decision(version, officer).challenge(), may)

    def approve(self, session: str, version_id: str, *, case_digest: bytes, assertion: Assertion) -> AnyVersion:
        """Raises NotAllowed for who proposed it, InvalidTransition for what is not as it was shown any more."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.CA_ADMINISTRATOR)
            version = self._version(work, version_id)
            if officer.person == version.maker_person:
                raise NotAllowed("who proposed a version may not approve it; another CA administrator must")
            if not hmac.compare_digest(case_digest, version.digest()):
                raise InvalidTransition("the version was changed since it was shown; read it again")
            approved = version.become(ProposalState.APPROVED, officer.person)
            newest = self._view(work, version.subject).newest
            if version.replaces != newest.content.digest:
                raise InvalidTransition(
                    "the last version was changed since this was proposed; reject it and propose anew"
                )
            # Once more, by the rules of today: they may be stricter than those it was proposed under.
            self.in_force.kind.require_successor(
                newest.content, self.in_force.texts.parse(version.subject, version.text)
            )
            try:
                require_effective(version.effective_from, now, [newest.since] if newest.since else [])
            except InvalidRequest as error:
                raise InvalidTransition(f"{error}; reject it and propose it anew") from error
            self.passkeys.decide(work, officer, self._decision(version, officer), assertion)
            self._save(work, approved)
            details = {"case": version.digest().hex(), "effective_from": version.fields()["effective_from"]}
            work.audit.append(_event("approved", version, officer, now, **details))
            work.commit()
        self.in_force.read()
        return approved

    def reject(self, session: str, version_id: str, *, reason: str) -> AnyVersion:
        """By any CA administrator, who proposed it among them."""
        if not reason.strip():
            raise InvalidRequest("say why, in a few words: it is kept in the audit log")
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.CA_ADMINISTRATOR)
            rejected = self._version(work, version_id).become(ProposalState.REJECTED, officer.person)
            self._save(work, rejected)
            work.audit.append(_event("rejected", rejected, officer, now, reason=reason))
            work.commit()
        return rejected

    def _view(self, work: Work, name: str) -> SubjectView[AnyVersion, Content]:
        kind = self.in_force.kind
        if name not in self.in_force.files:
            raise NotFound(f"there is no {kind.name} {name}")
        versions = [kind.sealed(self.seals, found) for found in kind.records(work).list_of(name)]
        past, all_of_them = self.in_force.history(name), self.in_force.decided(name)
        return SubjectView(name, past[-1], tuple(all_of_them), tuple(versions))

    def _version(self, work: Work, version_id: str) -> AnyVersion:
        found = self.in_force.kind.records(work).find(version_id)
        if found is None:
            raise NotFound("there is no such version")
        return self.in_force.kind.sealed(self.seals, found)

    def _replaced(self, work: Work, version: AnyVersion) -> Content:
        """The version before it."""
        kind = self.in_force.kind
        for found in kind.records(work).list_of(version.subject):
            if found[0].content_digest == version.replaces:
                earlier = kind.sealed(self.seals, found)
                return self.in_force.texts.parse(earlier.subject, earlier.text)
        return self.in_force.files[version.subject]

    def _save(self, work: Work, version: AnyVersion) -> None:
        kind = self.in_force.kind
        kind.records(work).save(version, kind.seal(self.seals, version))

    def _decision(self, version: AnyVersion, officer: Officer) -> Decision:
        return Decision(self.in_force.kind.act, version.id, version.digest(), officer.id, officer.person)


def _event(what: str, version: Version, officer: Officer, now: datetime, **details: str) -> AuditEvent:
    told = {"version": version.id, "number": str(version.number), f"{version.kind}_digest": version.content_digest}
    return AuditEvent(f"{version.kind}.{what}", version.subject, officer.person, now, told | details)
