"""Looking at one certificate again: is it well made, and does what is behind it hold (DESIGN invariant 2)?"""

from collections.abc import Sequence
from dataclasses import dataclass

from ca.domain.certificates import Certificate
from ca.domain.decisions import Evidence
from ca.domain.errors import NotFound, Tampered
from ca.domain.officers import TrustedRole
from ca.ports import Linter, UnitOfWork, Work
from ca.usecases.authorize import require_branch
from ca.usecases.dossier import Dossier
from ca.usecases.ended_by_two import SecondDecision, examine_end
from ca.usecases.issuance import require_recorded


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found just now."""

    certificate: Certificate
    findings: Sequence[str]
    """Of the independent linter; our own rules were asked before it was signed, and a finding would have stopped it."""
    approvals: Sequence[tuple[Evidence, str]]
    """With what is wrong with each; empty when its signature holds."""
    ended_by_two: SecondDecision | None
    """The second officer's decision on its revocation, where the log has one."""
    request_wrong: str
    """What is wrong with the record of its request; empty when the kept bytes are those that were recorded."""


@dataclass(frozen=True)
class ExamineCertificate:
    """For whoever may see the certificate."""

    unit_of_work: UnitOfWork
    dossier: Dossier
    linter: Linter

    def __call__(self, session: str, serial: int) -> Examined:
        """Raises NotFound, also for another branch's; Tampered when its case was edited."""
        with self.unit_of_work() as work:
            officer = self.dossier.authorize.who(work, session)
            found = work.certificates.find(serial)
            if found is None:
                raise NotFound("there is no such certificate at your branch")
            if TrustedRole.HOTLINE not in officer.roles:
                require_branch(officer, found.branch, "certificate")
            approvals = self.dossier.examine(work, found.application) if found.application else []
            second = examine_end(work, self.dossier, found)
            request_wrong = self._flaw_of_request(work, serial)
            work.commit()
        return Examined(found, self.linter.lint_certificate(found.der), approvals, second, request_wrong)

    def _flaw_of_request(self, work: Work, serial: int) -> str:
        intent = work.intents.find(serial)
        if intent is None:
            return ""
        try:
            require_recorded(self.dossier.seals, intent)
        except Tampered as error:
            return str(error)
        return ""
