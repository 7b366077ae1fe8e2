"""The certificates of signers of status: short-lived, renewed by themselves well before they end.

The OCSP responder's is one (RFC 6960 section 4.2.2.2); who signs bundles has another (docs/protocols/bundle.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ca.domain.certificates import Certificate, Intent
from ca.domain.drafting import draft_certificate
from ca.domain.errors import NotAllowed, NotReady
from ca.domain.keys import PublicKey
from ca.domain.profiles import Profile
from ca.domain.responders import Responder, memory_key_proof
from ca.domain.serials import new_serial
from ca.ports import Clock, KeyId, KeyStore, Random, UnitOfWork
from ca.usecases.answer_ocsp import RESPONDER_PROFILE, responder_key
from ca.usecases.issuance import Issuance

MEMORY_PROFILE = "ocsp-responder-memory"
_SIGNER, _STATUS = "signer", "status"
_DAY = timedelta(days=1)


def own_profile(profiles: Mapping[str, Profile], name: str) -> Profile:
    """Raise NotReady when it is missing: without it, what its key signs ends when the present certificate does."""
    if name not in profiles:
        raise NotReady(f"the profile {name} is missing; put it back beside the others")
    return profiles[name]


@dataclass(frozen=True)
class CertifyResponder:
    """The signer certifies keys of its own and of status: no application, no code, profiles that only it may use."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    key_store: KeyStore
    issuance: Issuance
    profiles: Mapping[str, Profile]
    profile: str = RESPONDER_PROFILE
    key_of: Callable[[str], KeyId] = responder_key

    def renew_if_due(self, issuer_name: str) -> Certificate | None:
        """The new certificate when the present one has used two thirds of its life, else None."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            current = work.certificates.find_newest(issuer_name, self.profile)
        if current is not None and now < Responder.of(current.der).renewal_due:
            return None
        return self(issuer_name)

    def __call__(self, issuer_name: str) -> Certificate:
        """A new certificate for the issuer's key of this purpose in the HSM."""
        profile = own_profile(self.profiles, self.profile)
        public_key = PublicKey.from_spki(self.key_store.public_key(self.key_of(issuer_name)))
        return self.certify(issuer_name, public_key, profile, _SIGNER)

    def certify(self, issuer_name: str, public_key: PublicKey, profile: Profile, actor: str) -> Certificate:
        """A certificate under one of these profiles; recorded before it is signed, as every other."""
        now = self.clock.now()
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
                needs_confirmation=profile.needs_confirmation,
            )
            intent = self.issuance.record(work, intent, draft, issuer, profile, actor)
            work.commit()
        return self.issuance.finish(intent, issuer, actor)


@dataclass(frozen=True)
class CertifyMemoryKey:
    """A status process shows a key that lives only in its memory. Allowed by a setting, and so many times a day."""

    certify: CertifyResponder
    issuer_name: str
    per_day: int
    """0: not allowed."""

    def __call__(self, spki_der: bytes, proof: bytes) -> tuple[Certificate, bytes]:
        """The certificate and that of its issuer. Raises InvalidRequest, ProfileViolation, NotAllowed."""
        if not self.per_day:
            raise NotAllowed("responder keys in memory are not allowed here: the setting ocsp.key says hsm")
        public_key = PublicKey.from_spki(spki_der)
        public_key.verify(proof, memory_key_proof(spki_der))
        now = self.certify.clock.now()
        with self.certify.unit_of_work() as work:
            issuer = work.issuers.get(self.issuer_name)
            made = work.certificates.count_issued(self.issuer_name, MEMORY_PROFILE, now - _DAY)
        if made >= self.per_day:
            raise NotAllowed(f"{made} responder keys in memory were certified in a day; more are not")
        profile = self.certify.profiles[MEMORY_PROFILE]
        return self.certify.certify(self.issuer_name, public_key, profile, _STATUS), issuer.certificate_der
