"""What proves that a certificate may be issued: checked by the signer itself, from evidence alone (DESIGN invariant 2).

Rows count for nothing here. The case must carry the seal given when its maker submitted it; the approval must be a
passkey's signature over exactly this case, by an officer whose sealed record says approver, another person than the
maker.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ca.domain.applications import Application, Case
from ca.domain.decisions import Act, Evidence
from ca.domain.errors import NotAuthenticated, NotFound, SigningRefused, Tampered
from ca.domain.officers import OfficerState, TrustedRole
from ca.domain.profiles import Profile
from ca.ports import Authenticators, Seals, Work
from ca.usecases.apply import require_sealed
from ca.usecases.authorize import Authorize


@dataclass(frozen=True)
class Dossier:
    """The proof that two people wanted this certificate."""

    seals: Seals
    authenticators: Authenticators
    authorize: Authorize
    profiles: Mapping[str, Profile]

    def require(self, work: Work, application_id: str) -> tuple[Application, Profile]:
        """Raise SigningRefused unless the case is sealed, approved by another person, and its profile unchanged."""
        try:
            application, seal = work.applications.get(application_id)
            require_sealed(self.seals, application, seal)
        except (NotFound, Tampered) as error:
            raise SigningRefused("the case was not entered through the signer or was edited since") from error
        evidence = work.applications.list_evidence(application_id)
        if not any(self._proves(work, application.case, item) for item in evidence):
            raise SigningRefused("there is no valid approval of this case by a second officer")
        profile = self.profiles.get(application.case.profile)
        if profile is None or profile.digest != application.case.profile_digest:
            raise SigningRefused("the profile was changed after the case was approved; a new application is needed")
        return application, profile

    def _proves(self, work: Work, case: Case, evidence: Evidence) -> bool:
        decision = evidence.decision
        if decision.act is not Act.APPROVE_APPLICATION or decision.subject != case.application:
            return False
        if decision.subject_digest != case.digest():
            return False
        try:
            approver = self.authorize.sealed_officer(work, decision.officer)
        except (NotFound, Tampered):
            return False
        credential = approver.find_credential(evidence.assertion.credential_id)
        if credential is None or credential.public_key != evidence.public_key:
            return False
        if approver.person != decision.person or approver.person == case.maker_person:
            return False
        if approver.state is not OfficerState.ACTIVE or TrustedRole.RA_APPROVER not in approver.roles:
            return False
        try:
            self.authenticators.verify_assertion(
                evidence.assertion, challenge=decision.challenge(), public_key=credential.public_key
            )
        except NotAuthenticated:
            return False
        return True
