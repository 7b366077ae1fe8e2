"""Two CA administrators change a profile: one proposes a version, another approves it (DESIGN invariant 2).

The approver's passkey signs the whole text, the version it replaces and the day from which it is in force.
"""

import hmac
from dataclasses import dataclass, replace
from datetime import datetime

from ca.domain.audit import AuditEvent
from ca.domain.decisions import Act, Assertion, Decision
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotFound
from ca.domain.names import verify_text
from ca.domain.officers import Officer, TrustedRole
from ca.domain.profile_versions import ProfileVersion, require_effective, require_successor
from ca.domain.profiles import Profile
from ca.domain.proposals import ProposalState
from ca.ports import Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.authorize import Authorize
from ca.usecases.passkeys import Passkeys
from ca.usecases.profiles_in_force import APPROVED_EVENT, VERSION_SEAL, Dated, ProfilesInForce, sealed_version

READERS = (TrustedRole.CA_ADMINISTRATOR, TrustedRole.SECURITY_OFFICER, TrustedRole.AUDITOR)
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A profile with all its versions."""

    name: str
    newest: Dated
    in_force: Dated
    versions: tuple[ProfileVersion, ...]
    """Proposed, approved and rejected ones; not the configuration's."""

    @property
    def waiting(self) -> ProfileVersion | None:
        """The one that waits for approval."""
        return next((one for one in self.versions if one.state is ProposalState.PROPOSED), None)


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version as the signer holds it, beside the one that it replaces."""

    version: ProfileVersion
    profile: Profile
    replaced: Profile
    challenge: bytes
    """What this officer's passkey signs to approve it."""
    may_approve: bool


@dataclass(frozen=True)
class DecideOnProfile:
    """Look, propose, approve, reject."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    passkeys: Passkeys
    authorize: Authorize
    profiles: ProfilesInForce

    def overview(self, session: str) -> list[ProfileView]:
        """Every profile."""
        with self.unit_of_work() as work:
            self.authorize(work, session, *READERS)
            views = [self._view(work, name) for name in sorted(self.profiles)]
            work.commit()
        return views

    def show(self, session: str, name: str) -> ProfileView:
        """One profile. Raises NotFound."""
        with self.unit_of_work() as work:
            self.authorize(work, session, *READERS)
            view = self._view(work, name)
            work.commit()
        return view

    def text(self, view: ProfileView) -> str:
        """What a proposal of the next version begins with: the last one's text, and the next number."""
        newest = view.newest.profile
        return self.profiles.texts.write(replace(newest, version=newest.version + 1))

    def propose(
        self, session: str, *, profile: str, text: str, effective_from: datetime, reason: str
    ) -> ProfileVersion:
        """Raises InvalidRequest for what no profile may say, InvalidTransition while another version waits."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.CA_ADMINISTRATOR)
            view = self._view(work, profile)
            if view.waiting is not None:
                raise InvalidTransition("another version of this profile waits for approval; decide on that one first")
            proposed = self.profiles.texts.parse(profile, text)
            require_successor(view.newest.profile, proposed)
            require_effective(effective_from, now, [view.newest.since] if view.newest.since else [])
            version = ProfileVersion(
                id=self.random(8).hex(),
                revision=1,
                profile=profile,
                number=proposed.version,
                text=text,
                profile_digest=proposed.digest,
                replaces=view.newest.profile.digest,
                reason=verify_text(reason, _LONGEST_REASON),
                effective_from=effective_from,
                maker_person=officer.person,
                proposed_at=now,
                state=ProposalState.PROPOSED,
            )
            self._save(work, version)
            work.audit.append(_event("profile.proposed", version, officer, now, reason=version.reason))
            work.commit()
        return version

    def show_version(self, session: str, version_id: str) -> VersionView:
        """As the signer holds it. Raises NotFound, Tampered."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *READERS)
            version = self._version(work, version_id)
            replaced = self._replaced(work, version)
            work.commit()
        may = TrustedRole.CA_ADMINISTRATOR in officer.roles and officer.person != version.maker_person
        profile = self.profiles.texts.parse(version.profile, version.text)
        return VersionView(version, profile, replaced, _decision(version, officer).challenge(), may)

    def approve(self, session: str, version_id: str, *, case_digest: bytes, assertion: Assertion) -> ProfileVersion:
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
            newest = self._view(work, version.profile).newest
            if version.replaces != newest.profile.digest:
                raise InvalidTransition(
                    "the profile was changed since this was proposed; reject it and propose it anew"
                )
            # Once more, by the rules of today: they may be stricter than those it was proposed under.
            proposed = self.profiles.texts.parse(version.profile, version.text)
            require_successor(newest.profile, proposed)
            try:
                require_effective(version.effective_from, now, [newest.since] if newest.since else [])
            except InvalidRequest as error:
                raise InvalidTransition(f"{error}; reject it and propose it anew") from error
            self.passkeys.decide(work, officer, _decision(version, officer), assertion)
            self._save(work, approved)
            details = {"case": version.digest().hex(), "effective_from": version.fields()["effective_from"]}
            work.audit.append(_event(APPROVED_EVENT, version, officer, now, **details))
            work.commit()
        self.profiles.read()
        return approved

    def reject(self, session: str, version_id: str, *, reason: str) -> ProfileVersion:
        """By any CA administrator, who proposed it among them."""
        if not reason.strip():
            raise InvalidRequest("say why, in a few words: it is kept in the audit log")
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.CA_ADMINISTRATOR)
            rejected = self._version(work, version_id).become(ProposalState.REJECTED, officer.person)
            self._save(work, rejected)
            work.audit.append(_event("profile.rejected", rejected, officer, now, reason=reason))
            work.commit()
        return rejected

    def _view(self, work: Work, name: str) -> ProfileView:
        if name not in self.profiles.files:
            raise NotFound(f"there is no profile {name}")
        versions = [sealed_version(self.seals, found) for found in work.profile_versions.list_of(name)]
        return ProfileView(name, self.profiles.newest(name), self.profiles.history(name)[-1], tuple(versions))

    def _version(self, work: Work, version_id: str) -> ProfileVersion:
        found = work.profile_versions.find(version_id)
        if found is None:
            raise NotFound("there is no such version of a profile")
        return sealed_version(self.seals, found)

    def _replaced(self, work: Work, version: ProfileVersion) -> Profile:
        """The version before it."""
        for found in work.profile_versions.list_of(version.profile):
            if found[0].profile_digest == version.replaces:
                earlier = sealed_version(self.seals, found)
                return self.profiles.texts.parse(earlier.profile, earlier.text)
        return self.profiles.files[version.profile]

    def _save(self, work: Work, version: ProfileVersion) -> None:
        work.profile_versions.save(version, self.seals.seal(VERSION_SEAL, version.sealed_fields()))


def _decision(version: ProfileVersion, officer: Officer) -> Decision:
    return Decision(Act.APPROVE_PROFILE, version.id, version.digest(), officer.id, officer.person)


def _event(name: str, version: ProfileVersion, officer: Officer, now: datetime, **details: str) -> AuditEvent:
    told = {"version": version.id, "number": str(version.number), "profile_digest": version.profile_digest}
    return AuditEvent(name, version.profile, officer.person, now, told | details)
