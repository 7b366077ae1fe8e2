"""The second officer's word on a certificate's end, as the log, the sealed case and the passkey tell it.

Whether there was one is asked of the log: its chain cannot be changed unseen, but a row can be put in or taken away.
"""

from dataclasses import dataclass
from datetime import datetime

from ca.domain.audit import ChainedEvent
from ca.domain.certificates import Certificate
from ca.domain.decisions import Evidence
from ca.domain.errors import NotFound, Tampered
from ca.domain.revocation_cases import RevocationCase, RevocationCaseState
from ca.domain.serials import serial_text
from ca.ports import Seals, Work
from ca.usecases.dossier import Dossier
from ca.usecases.revoke_by_two import revocation_approval
from ca.usecases.sealed import unsealed
from ca.usecases.second_officer import REVOCATION_APPROVED, REVOCATION_SEAL


@dataclass(frozen=True, slots=True)
class SecondDecision:
    """What the log says of the decision, and what is wrong with its proof now; empty when its signature holds."""

    case: str
    person: str
    at: datetime
    digest: str
    wrong: str


def find_approval(work: Work, serial: int) -> ChainedEvent | None:
    """The event of it: a certificate ends once. None where one officer was enough, or it has not ended."""
    about = work.audit.about(serial_text(serial))
    return next((one for one in about if one.event.name == REVOCATION_APPROVED), None)


def ended_by(work: Work, seals: Seals, certificate: Certificate, approved: ChainedEvent) -> RevocationCase:
    """The case that was approved. Raises Tampered unless it is sealed and the certificate ended as it says."""
    found = work.revocation_cases.find(approved.event.details["case"])
    if found is None:
        raise Tampered("the case that two officers decided on is gone")
    case = unsealed(seals, REVOCATION_SEAL, found)
    by_the_log = RevocationCaseState.APPROVED, approved.event.actor, approved.event.details["digest"]
    if (case.state, case.decided_by, case.digest().hex()) != by_the_log:
        raise Tampered("the case is not the one that the log says was approved")
    ended = certificate.revocation
    as_it_says = case.serial, case.reason, case.invalid_since
    if ended is None or (certificate.serial, ended.reason, ended.invalid_since) != as_it_says:
        raise Tampered("the certificate did not end as the case says that two officers decided on")
    return case


def examine_end(work: Work, dossier: Dossier, certificate: Certificate) -> SecondDecision | None:
    """Verified again; None where no second officer decided. That the officer has left takes nothing away from it."""
    approved = find_approval(work, certificate.serial)
    if approved is None:
        return None
    event = approved.event
    try:
        case = ended_by(work, dossier.seals, certificate, approved)
    except Tampered as error:
        wrong = str(error)
    else:
        flaws = [_flaw(work, dossier, case, one) for one in work.applications.list_evidence(case.id)]
        wrong = min(flaws, key=bool, default="no signature of the second officer is kept")
    return SecondDecision(event.details["case"], event.actor, event.at, event.details["digest"], wrong)


def _flaw(work: Work, dossier: Dossier, case: RevocationCase, evidence: Evidence) -> str:
    """Why this does not prove that another officer decided on exactly this case; empty when it does."""
    try:
        second = dossier.authorize.sealed_officer(work, evidence.decision.officer)
    except (NotFound, Tampered):
        return "the officer's record is not one that the signer wrote"
    if evidence.decision != revocation_approval(case, second) or second.person != case.decided_by:
        return "it is about another case or another officer"
    if second.person == case.proposed_by:
        return "the same person proposed the revocation"
    return dossier.flaw_of_signature(second, evidence)
