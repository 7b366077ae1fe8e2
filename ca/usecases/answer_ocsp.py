"""The signer answers relying parties (RFC 6960): statuses from its own records, signed by the issuer's responder.

The caller only says which certificates are asked about. What is said of them comes from the records the signer itself
keeps, so a status process that was taken over can make nobody good.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from ca.domain import ocsp
from ca.domain.certificates import Certificate
from ca.domain.errors import InvalidRequest, NotFound, NotReady, SigningRefused
from ca.domain.issuers import Issuer
from ca.domain.keys import SIGNATURE_OF, PublicKey
from ca.domain.tbs import read_certificate
from ca.ports import Clock, KeyId, KeyStore, UnitOfWork, Work
from ca.usecases.clock import CLOCK_TOLERANCE, latest_recorded

RESPONDER_PROFILE = "ocsp-responder"
LAST_MINUTES = timedelta(minutes=1)
"""A responder certificate is not used in its last minute: the answer must outlive its way to the client."""


def responder_key(issuer: str) -> KeyId:
    """The key of an issuer's responder: one per CA key (RFC 6960 section 4.2.2.2)."""
    return KeyId(b"ocsp-" + issuer.encode("ascii"))


@dataclass
class Latest:
    """The latest instant seen, over all threads of a process; it begins with what is on record."""

    _at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def advance(self, now: datetime, recorded: Callable[[], datetime | None]) -> None:
        """Raise NotReady when the clock went back by more than the tolerance; nothing is signed then."""
        with self._lock:
            if self._at is None:
                self._at = recorded()
            if self._at is not None and now < self._at - CLOCK_TOLERANCE:
                raise NotReady("the clock went backwards; set it right, nothing is signed until then")
            self._at = now if self._at is None else max(self._at, now)


@dataclass(frozen=True, slots=True)
class Responder:
    """Who signs for an issuer: the newest certificate of its responder key."""

    certificate: Certificate
    public_key: PublicKey

    @classmethod
    def of(cls, certificate: Certificate | None, now: datetime) -> "Responder":
        """Raises NotReady when there is no certificate that holds now and a minute longer."""
        if certificate is None:
            raise NotReady("the OCSP responder has no certificate; run the jobs to certify it")
        if certificate.seen_by_relying_parties() is not None:
            raise NotReady("the OCSP responder's certificate does not hold; certify it anew")
        if now < certificate.not_before:
            raise NotReady("the OCSP responder's certificate is not valid yet: the clock is behind")
        if now + LAST_MINUTES > certificate.not_after:
            raise NotReady("the OCSP responder's certificate has run out; run the jobs to renew it")
        return cls(certificate, _public_key(certificate.der))


@lru_cache(maxsize=64)
def _public_key(certificate_der: bytes) -> PublicKey:
    return PublicKey.from_spki(read_certificate(certificate_der).spki_der)


@dataclass(frozen=True)
class AnswerOCSP:
    """A relying party asks how certificates stand (RFC 6960 section 2.2)."""

    unit_of_work: UnitOfWork
    clock: Clock
    key_store: KeyStore
    life: timedelta = timedelta(hours=1)
    latest: Latest = field(default_factory=Latest)

    def __call__(self, cert_ids: Sequence[bytes], nonce: bytes | None = None) -> bytes:
        """The OCSPResponse, signed and verified.

        Raises InvalidRequest; NotFound when the issuer is not one of those we answer for (nothing is signed);
        NotReady when the responder's certificate or the clock does not allow an answer now.
        """
        asked = _parsed(cert_ids, nonce)
        now = self.clock.now()
        with self.unit_of_work() as work:
            self.latest.advance(now, lambda: latest_recorded(work))
            issuer = _issuer_of(work, asked)
            responder = Responder.of(work.certificates.find_newest(issuer.name, RESPONDER_PROFILE), now)
            until = min(now + self.life, responder.certificate.not_after)
            answers = [ocsp.Answer(one.der, _status(work, issuer.name, one.serial), now, until) for one in asked]
        data = ocsp.response_data(
            answers, responder_key_bits=responder.public_key.key_bits, produced_at=now, nonce=nonce
        )
        return ocsp.basic_response(
            data,
            algorithm=SIGNATURE_OF[responder.public_key.algorithm],
            signature=self._signature(issuer.name, responder.public_key, data),
            responder_certificate=responder.certificate.der,
        )

    def _signature(self, issuer: str, public_key: PublicKey, data: bytes) -> bytes:
        signature = self.key_store.sign(responder_key(issuer), data)
        try:
            public_key.verify(signature, data)
        except InvalidRequest as error:
            raise SigningRefused("the HSM's responder key is not the one the responder's certificate names") from error
        return signature


def _parsed(cert_ids: Sequence[bytes], nonce: bytes | None) -> list[ocsp.CertId]:
    if not 1 <= len(cert_ids) <= ocsp.MAX_CERT_IDS:
        raise InvalidRequest(f"ask about 1 to {ocsp.MAX_CERT_IDS} certificates at a time")
    if nonce is not None and not 1 <= len(nonce) <= ocsp.MAX_NONCE:
        raise InvalidRequest("a nonce has 1 to 128 octets (RFC 9654 section 2.1)")
    return [ocsp.CertId.parse(blob) for blob in cert_ids]


def _issuer_of(work: Work, asked: Sequence[ocsp.CertId]) -> Issuer:
    """The one issuer of all of them: a responder speaks for one CA key (RFC 6960 section 4.2.2.2)."""
    named = {one.issuer_key for one in asked}
    for issuer in work.issuers.list():
        # An issuer without an OCSP address has no responder: its certificates are looked up in its CRL.
        if issuer.ocsp_url and named <= ocsp.issuer_keys(issuer.certificate_der):
            return issuer
    raise NotFound("this responder does not speak for the issuer that is asked about")


def _status(work: Work, issuer: str, serial: int) -> ocsp.CertStatus:
    certificate = work.certificates.find(serial)
    # A serial that is only intended, or another issuer's, was not issued by this one (DESIGN invariant 10).
    if certificate is None or certificate.issuer != issuer:
        return ocsp.Unknown()
    return ocsp.status_of(certificate.seen_by_relying_parties())
