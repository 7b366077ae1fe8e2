"""The delegated OCSP responder: a key that one issuing CA has certified to answer for it (RFC 6960 section 4.2.2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from ca.domain import ocsp
from ca.domain.errors import NotReady
from ca.domain.keys import SIGNATURE_OF, PublicKey
from ca.domain.standings import Standing
from ca.domain.tbs import read_certificate
from ca.domain.times import CLOCK_TOLERANCE

LAST_MINUTES = timedelta(minutes=1)
"""A responder certificate is not used in its last minute: the answer must outlive its way to the client."""


def memory_key_proof(spki_der: bytes) -> bytes:
    """What a key that lives in a status process signs to show that it does."""
    return b"vermilion ocsp responder key v1\x00" + spki_der


def require_forward(now: datetime, latest: datetime | None) -> datetime:
    """The latest instant. Raise NotReady when the clock went back by more than the tolerance."""
    if latest is not None and now < latest - CLOCK_TOLERANCE:
        raise NotReady("the clock went backwards; set it right, nothing is signed until then")
    return now if latest is None else max(latest, now)


def renewal_due(not_before: datetime, not_after: datetime) -> datetime:
    """From then on a successor is made: a third of its life before its end, so that both overlap."""
    return not_after - (not_after - not_before) / 3


@dataclass(frozen=True, slots=True)
class Responder:
    """Who signs for an issuer: a certificate and what it says of itself."""

    certificate_der: bytes
    public_key: PublicKey
    not_before: datetime
    not_after: datetime

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, certificate_der: bytes) -> "Responder":
        """Raises InvalidRequest when it is no certificate."""
        read = read_certificate(certificate_der)
        return cls(certificate_der, PublicKey.from_spki(read.spki_der), read.not_before, read.not_after)

    @property
    def renewal_due(self) -> datetime:
        """When its successor is made."""
        return renewal_due(self.not_before, self.not_after)

    def require_valid(self, now: datetime) -> None:
        """Raise NotReady unless it holds now and a minute longer."""
        if now < self.not_before:
            raise NotReady("the OCSP responder's certificate is not valid yet: the clock is behind")
        if now + LAST_MINUTES > self.not_after:
            raise NotReady("the OCSP responder's certificate has run out; run the jobs to renew it")

    def data(self, question: ocsp.Question, said: "Said") -> bytes:
        """What is to be signed; nothing in it outlives this certificate. Raises NotReady."""
        self.require_valid(said.at)
        until = min(said.at + said.life, self.not_after)
        answers = [said.of(cert_id, until) for cert_id in question.cert_ids]
        key_bits = self.public_key.key_bits
        return ocsp.response_data(answers, responder_key_bits=key_bits, produced_at=said.at, nonce=question.nonce)

    def response(self, data: bytes, signature: bytes) -> bytes:
        """Signed data as it is sent."""
        algorithm = SIGNATURE_OF[self.public_key.algorithm]
        return ocsp.basic_response(
            data, algorithm=algorithm, signature=signature, responder_certificate=self.certificate_der
        )


@dataclass(frozen=True, slots=True)
class Said:
    """What an issuer has its responder say at an instant."""

    issuer: str
    records_since: datetime
    """No record is older: when the issuing CA began."""
    policy: ocsp.Policy
    standings: Mapping[int, Standing]
    at: datetime
    life: timedelta

    def of(self, cert_id: ocsp.CertId, until: datetime) -> ocsp.Answer:
        standing = self.standings.get(cert_id.serial)
        status = self.policy.status(standing, self.issuer)
        expired = standing is not None and standing.issuer == self.issuer and standing.not_after < self.at
        cutoff = self.records_since if expired and self.policy.archive_cutoff else None
        return ocsp.Answer(cert_id.der, status, self.at, until, cutoff)
