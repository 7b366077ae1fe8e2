"""What proves that a certificate may be issued: checked by the signer itself, from evidence alone (DESIGN invariant 2).

Rows count for nothing here. The case must carry the seal given when its maker submitted it; the approval must be a
passkey's signature over exactly this case, by an officer whose sealed record says approver, another person than the
maker.
"""

from dataclasses import dataclass

from ca.domain.applications import Application, Case
from ca.domain.batches import batch_approval
from ca.domain.certificates import CertificateStatus
from ca.domain.companies import ADMINISTRATOR_PROFILE, OPERATOR_PROFILE, Asked, Operator, application_text
from ca.domain.decisions import Act, Evidence, approval
from ca.domain.errors import InvalidRequest, NotAuthenticated, NotFound, SigningRefused, Tampered
from ca.domain.keys import PublicKey
from ca.domain.officers import Officer, OfficerState, TrustedRole
from ca.domain.profiles import Profile
from ca.domain.revocation import RevocationReason
from ca.domain.tbs import read_certificate
from ca.domain.tool_jobs import ToolOperation, statement
from ca.ports import Authenticators, Seals, Work
from ca.usecases.answered import answered_case
from ca.usecases.authorize import Authorize
from ca.usecases.batches import BATCH_SEAL
from ca.usecases.cases import require_sealed
from ca.usecases.sealed import unsealed
from ca.usecases.versions_in_force import ProfilesInForce


@dataclass(frozen=True)
class Dossier:
    """The proof that two people wanted this certificate."""

    seals: Seals
    authenticators: Authenticators
    authorize: Authorize
    profiles: ProfilesInForce
    origin: str
    """Of our own pages: administrators of companies sign for it alone."""

    def require(self, work: Work, application_id: str, *, renewal: bool = False) -> tuple[Application, Profile]:
        """Raise SigningRefused unless the case is sealed, approved by another person, and its profile unchanged.

        For a first certificate the approver must still be in office: an approval by somebody who was sent away is not
        used any more. A renewal rests on the certificate that was issued then, so it outlives its approver, and its
        profile's version: it follows the one in force, if that names people in the same way.
        """
        application = self.require_approved(work, application_id, renewal=renewal)
        case = application.case
        profile = self.profiles.get(case.profile)
        if profile is None or not (case.is_under(profile) or (renewal and self._follows(case, profile))):
            raise SigningRefused("the profile was changed after the case was approved; a new application is needed")
        return application, profile

    def _follows(self, case: Case, profile: Profile) -> bool:
        """Whether two officers made the present profile out of the one that the case was approved under."""
        earlier = (dated.content for dated in self.profiles.history(case.profile))
        return any(
            (one.digest, one.subject, one.alternative_names)
            == (case.profile_digest, profile.subject, profile.alternative_names)
            for one in earlier
        )

    def require_approved(self, work: Work, application_id: str, *, renewal: bool) -> Application:
        """As `require`, whatever became of the profile since."""
        try:
            application, seal = work.applications.get(application_id)
            require_sealed(self.seals, application, seal)
        except (NotFound, Tampered) as error:
            raise SigningRefused("the case was not entered through the signer or was edited since") from error
        evidence = work.applications.list_evidence(application_id)
        if not any(self._proves(work, application.case, item, renewal=renewal) for item in evidence):
            raise SigningRefused("there is no valid approval of this case by a second officer")
        if application.case.asked is not None:
            self._require_asked(work, application.case, application.case.asked, renewal=renewal)
        return application

    def _require_asked(self, work: Work, case: Case, asked: Asked, *, renewal: bool) -> None:
        """Raise SigningRefused unless the company's own administrator signed for exactly this operator."""
        try:
            administrator = work.certificates.get(int(asked.administrator, 16))
            own = answered_case(work, self.seals, administrator)
            operator = Operator(case.customer_number, case.customer_name, case.document_number, asked.email)
            company = dict(own.subject)["organization"]
            text = application_text(company, operator, case.device_serial)
            nonce, signature = bytes.fromhex(asked.nonce), bytes.fromhex(asked.signature)
            message = statement(ToolOperation.COMPANY_APPLY, self.origin, nonce, administrator.der, text)
            PublicKey.from_spki(read_certificate(administrator.der).spki_der).verify(signature, message)
        except (InvalidRequest, NotFound, NotAuthenticated, Tampered, KeyError, ValueError) as error:
            raise SigningRefused("the case does not carry the signature of a company's administrator") from error
        is_within = own.company == case.company != "" and dict(case.subject)["organization"] == company
        if not is_within or own.profile != ADMINISTRATOR_PROFILE or case.profile != OPERATOR_PROFILE:
            raise SigningRefused("the administrator signed beyond the own company and its operators")
        reason = administrator.revocation.reason if administrator.revocation else None
        stands = administrator.status is CertificateStatus.ACTIVE or reason is RevocationReason.SUPERSEDED
        # As with an approver who was sent away: what an administrator asked for does not outlive their hold.
        if not renewal and not stands:
            raise SigningRefused("the administrator who applied has no certificate that holds any more")

    def examine(self, work: Work, application_id: str) -> list[tuple[Evidence, str]]:
        """Every decision on a case with what is wrong with it now; empty when its signature holds.

        As for a renewal: that the officer has left since takes nothing away from what was decided then.
        Raises NotFound, Tampered.
        """
        application, seal = work.applications.get(application_id)
        require_sealed(self.seals, application, seal)
        evidence = work.applications.list_evidence(application_id)
        return [(item, self._flaw(work, application.case, item)) for item in evidence]

    def _proves(self, work: Work, case: Case, evidence: Evidence, *, renewal: bool) -> bool:
        if self._flaw(work, case, evidence):
            return False
        return renewal or _in_office(self.authorize.sealed_officer(work, evidence.decision.officer))

    def _flaw(self, work: Work, case: Case, evidence: Evidence) -> str:
        """Why this does not prove that another officer approved exactly this case; empty when it does."""
        try:
            approver = self.authorize.sealed_officer(work, evidence.decision.officer)
        except (NotFound, Tampered):
            return "the officer's record is not one that the signer wrote"
        if not self._decides(work, case, approver, evidence):
            return "it is about another case or another officer"
        if approver.person == case.maker_person:
            return "the same person entered the case"
        return self.flaw_of_signature(approver, evidence)

    def flaw_of_signature(self, approver: Officer, evidence: Evidence) -> str:
        """Why no passkey of this officer signed the decision; empty when one did."""
        credential = approver.find_credential(evidence.assertion.credential_id)
        if credential is None:
            return "the passkey is not one of this officer's"
        try:
            self.authenticators.verify_assertion(
                evidence.assertion, challenge=evidence.decision.challenge(), public_key=credential.public_key
            )
        except NotAuthenticated:
            return "the passkey's signature does not hold"
        return ""

    def _decides(self, work: Work, case: Case, approver: Officer, evidence: Evidence) -> bool:
        """Whether the decision is about exactly this case: alone, or in the list of its batch."""
        if evidence.decision.act is not Act.APPROVE_BATCH:
            return evidence.decision == approval(case, approver)
        try:
            batch = unsealed(self.seals, BATCH_SEAL, work.batches.get(evidence.decision.subject))
        except (NotFound, Tampered):
            return False
        is_listed = batch.holds(case.application, case.digest()) and approver.person != batch.maker_person
        return is_listed and evidence.decision == batch_approval(batch, approver)


def _in_office(approver: Officer) -> bool:
    return approver.state is OfficerState.ACTIVE and TrustedRole.RA_APPROVER in approver.roles
