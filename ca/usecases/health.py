"""Whether the signer can sign, record and tell the time: asked before a process is called healthy."""

from dataclasses import dataclass

from ca.domain.errors import PKIError
from ca.ports import Clock, KeyId, KeyStore, UnitOfWork

_GOOD = "ok"


@dataclass(frozen=True)
class CheckHealth:
    """One word or one sentence for each part."""

    unit_of_work: UnitOfWork
    clock: Clock
    key_store: KeyStore
    issuer_name: str

    def __call__(self) -> dict[str, str]:
        return {"hsm": self._hsm(), "database": self._database(), "clock": self._clock()}

    def _hsm(self) -> str:
        try:
            with self.unit_of_work() as work:
                issuer = work.issuers.get(self.issuer_name)
            if self.key_store.public_key(KeyId(issuer.key_id)) != issuer.spki_der:
                return "the issuing key in the HSM is not the one in the CA certificate"
        except PKIError as error:
            return str(error)
        return _GOOD

    def _database(self) -> str:
        try:
            with self.unit_of_work() as work:
                work.audit.head()
        except PKIError as error:
            return str(error)
        return _GOOD

    def _clock(self) -> str:
        try:
            with self.unit_of_work() as work:
                last = work.crls.last(self.issuer_name)
        except PKIError as error:
            return str(error)
        if last is not None and self.clock.now() < last.this_update:
            return "the clock is behind the last CRL; set it right"
        return _GOOD
