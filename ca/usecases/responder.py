"""The OCSP responder's certificate: short-lived, renewed by itself well before it ends (RFC 6960 section 4.2.2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass

from ca.domain.certificates import Certificate, Intent
from ca.domain.drafting import draft_certificate
from ca.domain.keys import PublicKey
from ca.domain.profiles import Profile
from ca.domain.responders import Responder
from ca.domain.serials import new_serial
from ca.ports import Clock, KeyStore, Random, UnitOfWork
from ca.usecases.answer_ocsp import RESPONDER_PROFILE, responder_key
from ca.usecases.issuance import Issuance

_SIGNER = "signer"


@dataclass(frozen=True)
class CertifyResponder:
    """The signer certifies its own responder key: no application, no code, a profile that only it may use."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    key_store: KeyStore
    issuance: Issuance
    profiles: Mapping[str, Profile]

    def renew_if_due(self, issuer_name: str) -> Certificate | None:
        """The new certificate when the present one has used two thirds of its life, else None."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            current = work.certificates.find_newest(issuer_name, RESPONDER_PROFILE)
        if current is not None and now < Responder.of(current.der).renewal_due:
            return None
        return self(issuer_name)

    def __call__(self, issuer_name: str) -> Certificate:
        """A new certificate for the issuer's responder key."""
        now = self.clock.now()
        profile = self.profiles[RESPONDER_PROFILE]
        public_key = PublicKey.from_spki(self.key_store.public_key(responder_key(issuer_name)))
        with self.unit_of_work() as work:
            issuer = work.issuers.get(issuer_name)
            draft = draft_certificate(
                profile=profile,
                issuer=issuer,
                subject=profile.subject_for({}),
                alternative_names=[],
                public_key=public_key,
                serial=new_serial(self.random),
                now=now,
            )
            intent = Intent(
                serial=draft.serial,
                issuer=issuer.name,
                profile=profile.name,
                application="",
                tbs_der=draft.tbs_der,
                public_key=public_key.fingerprint,
                request="",
                predecessor=None,
                intended_at=now,
            )
            intent = self.issuance.record(work, intent, draft, issuer, profile, _SIGNER)
            work.commit()
        return self.issuance.finish(intent, issuer, _SIGNER)
