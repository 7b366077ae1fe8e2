"""An officer's own passkey signs a challenge: the one place where that is checked for an officer who is signed in."""

from dataclasses import dataclass

from ca.domain.decisions import Assertion, Decision, Evidence
from ca.domain.errors import NotAuthenticated
from ca.domain.officers import Credential, Officer
from ca.ports import Authenticators, Clock, Work


@dataclass(frozen=True)
class Passkeys:
    """Checks the signature, notes the use."""

    authenticators: Authenticators
    clock: Clock

    def require(self, work: Work, officer: Officer, challenge: bytes, assertion: Assertion) -> Credential:
        """The passkey that signed. Raises NotAuthenticated unless it is this officer's and signed this challenge."""
        credential = officer.find_credential(assertion.credential_id)
        if credential is None:
            raise NotAuthenticated("this passkey is not yours")
        count = self.authenticators.verify_assertion(
            assertion,
            challenge=challenge,
            public_key=credential.public_key,
            previous_sign_count=credential.sign_count,
        )
        work.officers.note_use(credential.id, count, self.clock.now())
        return credential

    def sign(self, work: Work, officer: Officer, decision: Decision, assertion: Assertion) -> Evidence:
        """The same for a decision: the evidence for it."""
        credential = self.require(work, officer, decision.challenge(), assertion)
        return Evidence(decision, assertion, credential.public_key, self.clock.now())

    def decide(self, work: Work, officer: Officer, decision: Decision, assertion: Assertion) -> None:
        """The same, kept with what was decided on."""
        work.applications.add_evidence(decision.subject, self.sign(work, officer, decision, assertion))
