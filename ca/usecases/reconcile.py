"""After a crash: what was recorded but not finished is brought to its end (DESIGN invariant 1; T-31).

An intent without a certificate may have been signed by the HSM just before the power failed. Signing the same recorded
bytes again makes the same certificate, so finishing is always right; one that nobody fetches is never confirmed and is
revoked by the sweep.
"""

from dataclasses import dataclass
from datetime import timedelta

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
        """The serials that were finished."""
        with self.unit_of_work() as work:
            before = self.clock.now() - grace
            pending = [intent for intent in work.intents.list_unsigned() if intent.intended_at <= before]
            issuers = {issuer.name: issuer for issuer in work.issuers.list()}
        return [self.issuance.finish(intent, issuers[intent.issuer], _ACTOR).serial for intent in pending]
