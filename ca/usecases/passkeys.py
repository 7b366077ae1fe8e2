"""An officer's passkey decides: the assertion is checked, kept as evidence, and its use counted."""

from datetime import datetime

from ca.domain.decisions import Assertion, Decision, Evidence
from ca.domain.errors import NotAuthenticated
from ca.domain.officers import Officer
from ca.ports import Authenticators, Work


def seal_decision(
    work: Work,
    authenticators: Authenticators,
    officer: Officer,
    decision: Decision,
    assertion: Assertion,
    now: datetime,
) -> None:
    """Raise NotAuthenticated unless this officer's own passkey signed exactly this decision."""
    credential = officer.find_credential(assertion.credential_id)
    if credential is None:
        raise NotAuthenticated("this passkey is not yours")
    count = authenticators.verify_assertion(
        assertion,
        challenge=decision.challenge(),
        public_key=credential.public_key,
        previous_sign_count=credential.sign_count,
    )
    work.officers.note_sign_count(credential.id, count)
    work.applications.add_evidence(decision.subject, Evidence(decision, assertion, credential.public_key, now))
