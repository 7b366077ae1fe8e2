"""A branch whose profile asks for two officers before a certificate ends."""

from typing import Any

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.officers import TrustedRole
from ca.domain.revocation import RevocationReason
from ca.domain.revocation_cases import RevocationCase, RevocationCaseState
from ca.usecases.revoke_by_two import RevocationView
from tests.fakes.bank import PAVEL, SUPERVISOR, Bank, Colleague

REASON = RevocationReason.CESSATION_OF_OPERATION
WHY = "the customer closed the account"
OTHER, OPERATOR = "E1050", "E1060"
"""A second approver; one who may only enter applications."""


def a_bank_of_two() -> Bank:
    """Where two officers decide before a personal certificate ends."""
    bank = Bank()
    bank.amend("personal-signing", revocation_by_two=True)
    bank.officer(OTHER, frozenset({TrustedRole.RA_APPROVER}))
    return bank


def propose(bank: Bank, certificate: Certificate, by: str = PAVEL, **changes: Any) -> RevocationCase:
    asked: dict[str, Any] = {"reason": REASON, "why": WHY} | changes
    changed = bank.change_status.revoke(bank.session(by), certificate.serial, **asked)
    assert changed.status is CertificateStatus.ON_HOLD
    return newest(bank, certificate)


def newest(bank: Bank, certificate: Certificate) -> RevocationCase:
    cases = [case for case, _ in bank.stored.revocation_cases.values() if case.serial == certificate.serial]
    return max(cases, key=lambda case: (case.proposed_at, case.state is RevocationCaseState.PROPOSED))


def kept(bank: Bank, case: RevocationCase) -> RevocationCase:
    return bank.stored.revocation_cases[case.id][0]


def view(bank: Bank, case: RevocationCase, by: str = SUPERVISOR) -> RevocationView:
    return bank.revoking.show(bank.session(by), case.id)


def approve(
    bank: Bank, case: RevocationCase, by: str | Colleague = SUPERVISOR, digest: bytes | None = None
) -> Certificate:
    colleague = bank[by] if isinstance(by, str) else by
    shown = bank.revoking.show(colleague.session, case.id)
    return bank.revoking.approve(
        colleague.session,
        case.id,
        case_digest=shown.case.digest() if digest is None else digest,
        assertion=colleague.passkey.sign(shown.challenge),
    )
