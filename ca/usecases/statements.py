"""A statement of the U-Shield is checked: by which certificate, for which act, at our origin, once (T-43, T-44)."""

from dataclasses import dataclass

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import InvalidRequest, NotAuthenticated, NotFound, SigningRefused
from ca.domain.keys import PublicKey
from ca.domain.tbs import read_certificate
from ca.domain.tool_jobs import ToolOperation, statement
from ca.ports import Clock, UnitOfWork, Work
from ca.usecases.answered import require_signed
from ca.usecases.tool_jobs import purpose_of

REFUSED = "this U-Shield did not prove that it is yours; try again, or ask your branch"


@dataclass(frozen=True, slots=True)
class Stated:
    """What came from the tool by way of the page."""

    certificate_der: bytes
    nonce: bytes
    signature: bytes


@dataclass(frozen=True)
class Statements:
    """Whatever the web tier says of them, they are checked here."""

    unit_of_work: UnitOfWork
    clock: Clock
    origin: str

    def take(self, operation: ToolOperation, stated: Stated) -> None:
        """Use the nonce up. Raises NotAuthenticated when it was not given for this, is used or too old."""
        with self.unit_of_work() as work:
            challenge = work.challenges.take(purpose_of(operation), stated.nonce)
            work.commit()  # it stays used, whatever comes of it
        if challenge is None or challenge.is_over(self.clock.now()):
            raise NotAuthenticated(REFUSED)

    def proved(
        self,
        work: Work,
        operation: ToolOperation,
        stated: Stated,
        allowed: frozenset[CertificateStatus],
        *,
        text: str = "",
    ) -> Certificate:
        """The customer's certificate whose key made the statement. Raises NotAuthenticated."""
        try:
            shown = read_certificate(stated.certificate_der)
            current = work.certificates.get(shown.serial)
            require_signed(work, current)
            message = statement(operation, self.origin, stated.nonce, current.der, text)
            PublicKey.from_spki(shown.spki_der).verify(stated.signature, message)
        except (InvalidRequest, NotFound, SigningRefused, NotAuthenticated) as error:
            raise NotAuthenticated(REFUSED) from error
        is_theirs = current.der == stated.certificate_der and current.application and current.customer
        if not is_theirs or current.status not in allowed or current.is_expired(self.clock.now()):
            raise NotAuthenticated(REFUSED)
        return current
