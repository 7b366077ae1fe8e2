"""When relying parties could see a change of status, channel by channel (DESIGN invariant 7; CPS section 4.9.7).

A prober asks again and again, so what is measured is an interval: the change became visible after the last question
that did not show it was sent, and before the first answer that did was read. All times are `Millis`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import InvalidRequest
from ca.domain.policy import NUMBERS
from ca.domain.revocation import RevocationReason
from ca.domain.serials import serial_text
from ca.domain.times import Millis

DATABASE, OCSP, OCSP_NONCE, OCSP_GET = "database", "ocsp", "ocsp-nonce", "ocsp-get"
DELTA_CRL, FULL_CRL, PARTITION_CRL = "delta-crl", "full-crl", "partition-crl"
OCSP_CHANNELS = (OCSP, OCSP_NONCE, OCSP_GET)
_TARGET = "target:"

ANSWER_WITHIN = 1000
"""Milliseconds until every OCSP answer shows it, on other hosts too. On the signer's own it is the next answer."""
ASKED_FOR = 2 * 24 * 3600 * 1000
"""Milliseconds after the change: what was not seen until then stays open and is not asked for any more."""

_KEPT_ANSWER, _KEPT_LIST = 60_000, 300_000
"""How much longer a cache may give what it has, in milliseconds: max-age of what is asked for by GET."""
_SOON = NUMBERS["crl_within"].most // timedelta(milliseconds=1) + _KEPT_LIST


@dataclass(frozen=True, slots=True)
class Place:
    """A place where CRLs are published: `url` is the base under which `issuing.crl` is found."""

    name: str
    url: str

    @property
    def channel(self) -> str:
        return _TARGET + self.name

    def address(self, name: str) -> str:
        """Of a CRL by its published name (`CRLScope.name`)."""
        return f"{self.url.rstrip('/')}/{name}.crl"


class Verdict(StrEnum):
    """What an interval proves about a promise."""

    WAITING = "waiting"
    IN_TIME = "in time"
    LATE = "late"
    AT_LATEST = "at latest"
    """Seen after the bound, but not asked about when it ran out: visible then at latest, so neither is proved."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One channel of a receipt. `promised` is the bound in milliseconds after the change."""

    channel: str
    promised: int
    not_before: Millis | None = None
    """When the last question was sent that did not show it, or was not answered; None: none was."""
    seen_at: Millis | None = None
    """When the first answer that showed it was read."""

    def verdict(self, changed_at: Millis) -> Verdict:
        if self.not_before is not None and self.not_before - changed_at > self.promised:
            return Verdict.LATE
        if self.seen_at is None:
            return Verdict.WAITING
        return Verdict.IN_TIME if self.seen_at - changed_at <= self.promised else Verdict.AT_LATEST


@dataclass(frozen=True, slots=True)
class Receipt:
    """A change of a certificate's status and where it has been seen. `serial` and `changed_at` are its identity."""

    serial: int
    changed_at: Millis
    """Read in the transaction that changed the status, right before its commit: nothing can be seen earlier."""
    issuer: str
    became: CertificateStatus
    after_crl: int
    """The last CRL number taken before: every CRL with a higher one tells the change (`ports.Certificates.save`)."""
    sightings: tuple[Sighting, ...]
    overtaken: bool = False
    """The status changed again: what was not seen until then never will be."""

    @property
    def missing(self) -> Sequence[Sighting]:
        """What is still waited for."""
        return () if self.overtaken else [each for each in self.sightings if each.seen_at is None]

    @property
    def is_soon(self) -> bool:
        """Whether something is missing that was promised within minutes, not with the next full CRL."""
        return any(each.channel != FULL_CRL or each.promised <= _SOON for each in self.missing)

    def sighting(self, channel: str) -> Sighting:
        """Raises InvalidRequest for a channel that nothing was promised for."""
        for each in self.sightings:
            if each.channel == channel:
                return each
        raise InvalidRequest(f"the receipt has no channel {channel[:40]!r}")

    def see(self, channel: str, not_before: Millis | None, seen_at: Millis | None, *, now: Millis) -> "Receipt":
        """With one more observation; what was seen first stands.

        Raises InvalidRequest for times before the change, after `now`, or in the wrong order.
        """
        known = self.sighting(channel)
        times = [self.changed_at, *(at for at in (not_before, seen_at) if at is not None), now]
        if times != sorted(times):
            raise InvalidRequest("a sighting lies between the change and now, behind the question before it")
        if known.seen_at is not None:
            return self
        # A prober that was started again knows nothing of earlier questions.
        asked = max((at for at in (known.not_before, not_before) if at is not None), default=None)
        if seen_at is not None and asked is not None and asked > seen_at:
            raise InvalidRequest("it was still not visible when it is said to have been seen")
        new = replace(known, not_before=asked, seen_at=seen_at)
        return replace(self, sightings=tuple(new if each is known else each for each in self.sightings))


def promised_channels(
    certificate: Certificate,
    *,
    full_at_once: bool,
    crl_period: int,
    crl_within: int,
    places: Iterable[Place],
    cached: bool,
) -> tuple[Sighting, ...]:
    """Every channel with its bound (docs/flows/revocation.md, the table of CRLs); `crl_*` in milliseconds.

    `cached`: through a cache that keeps what is asked for by GET as long as it may.
    """
    promised = dict.fromkeys((DATABASE, OCSP, OCSP_NONCE), ANSWER_WITHIN)
    promised[OCSP_GET] = ANSWER_WITHIN + _KEPT_ANSWER * cached
    at_once = crl_within + _KEPT_LIST * cached
    promised[DELTA_CRL] = at_once
    if certificate.crl_partition is not None:
        promised[PARTITION_CRL] = at_once
    promised[FULL_CRL] = at_once if full_at_once else crl_period + at_once
    promised |= {place.channel: at_once for place in places}
    return tuple(Sighting(channel, bound) for channel, bound in promised.items())


def tells(became: CertificateStatus, reason: RevocationReason | None) -> bool:
    """Whether an answer or entry with that reason (None: good, or no entry) shows the change."""
    if became is CertificateStatus.ACTIVE:
        return reason is None
    if became is CertificateStatus.ON_HOLD:
        return reason is RevocationReason.CERTIFICATE_HOLD
    return reason is not None and reason is not RevocationReason.CERTIFICATE_HOLD


@dataclass(frozen=True, slots=True)
class Latency:
    """One channel over many receipts, in milliseconds; by `seen_at`, so none of it is too small."""

    channel: str
    promised: int
    """The longest bound among them."""
    count: int
    p50: int | None
    p95: int | None
    longest: int | None
    late: int
    waiting: int
    slowest: str
    """Serial number of the certificate that took longest, in hexadecimal; empty while none was seen."""


def latencies(receipts: Iterable[Receipt]) -> list[Latency]:
    """By channel, in the order in which a receipt has them. Quantiles are observed values (nearest rank)."""
    seen: dict[str, list[tuple[int, int]]] = {}
    bounds: dict[str, int] = {}
    late: dict[str, int] = {}
    waiting: dict[str, int] = {}
    for receipt in receipts:
        for each in receipt.sightings:
            channel = each.channel
            bounds[channel] = max(bounds.get(channel, 0), each.promised)
            taken = seen.setdefault(channel, [])
            late[channel] = late.get(channel, 0) + (each.verdict(receipt.changed_at) is Verdict.LATE)
            waiting[channel] = waiting.get(channel, 0) + (each in receipt.missing)
            if each.seen_at is not None:
                taken.append((each.seen_at - receipt.changed_at, receipt.serial))
    return [_latency(channel, sorted(taken), bounds, late, waiting) for channel, taken in seen.items()]


def _latency(
    channel: str, taken: list[tuple[int, int]], bounds: dict[str, int], late: dict[str, int], waiting: dict[str, int]
) -> Latency:
    def rank(percent: int) -> int | None:
        return taken[max(0, -(-len(taken) * percent // 100) - 1)][0] if taken else None

    slowest = serial_text(taken[-1][1]) if taken else ""
    quantiles = rank(50), rank(95), rank(100)
    return Latency(channel, bounds[channel], len(taken), *quantiles, late[channel], waiting[channel], slowest)
