"""After a crash: what was recorded but not finished is brought to its end (DESIGN invariant 1; T-31).

An intent without a certificate may have been signed by the HSM just before the power failed. Signing the same recorded
bytes again makes the same certificate, so finishing is always right; one that nobody fetches is never confirmed and is
revoked by the sweep.
"""

from dataclasses import dataclass
from datetime import timedelta

from ca.domain.certificates import Intent
from ca.domain.errors import KeyStoreUnavailable, NotReady, PKIError, Tampered
from ca.domain.serials import serial_text
from ca.ports import Clock, UnitOfWork
from ca.usecases.issuance import Issuance

_ACTOR = "signer"


@dataclass(frozen=True)
class Reconcile:
    """Finish every unfinished issuance older than a grace period (those younger are still under way)."""

    unit_of_work: UnitOfWork
    clock: Clock
    issuance: Issuance

    def __call__(self, *, grace: timedelta = timedelta(0)) -> list[int]:
        """The serials that were finished. Raise Tampered, once all others are, for one that we did not record so."""
        with self.unit_of_work() as work:
            before = self.clock.now() - grace
            pending = [intent for intent in work.intents.list_unsigned() if intent.intended_at <= before]
        finished, wrong = [], []
        for intent in pending:
            try:
                finished.append(self._finish(intent))
            except (KeyStoreUnavailable, NotReady):
                raise
            except PKIError as error:
                # A row that somebody wrote or edited must not stand in the way of the honest ones behind it.
                wrong.append(f"{serial_text(intent.serial)}: {error}")
        if wrong:
            raise Tampered(f"{len(finished)} finished, {len(wrong)} cannot be: {'; '.join(wrong)}")
        return finished

    def _finish(self, intent: Intent) -> int:
        with self.unit_of_work() as work:
            issuer = work.issuers.get(intent.issuer)
        return self.issuance.finish(intent, issuer, _ACTOR).serial
