"""Making and publishing bundles, full ones and patches (docs/protocols/bundle.md; DESIGN invariants 1 and 8).

Order of effects as for a CRL: number taken and intent recorded, signed, verified, recorded, published, recorded. A
failure after the first step is repaired by the next run, with a higher number.
"""

import hashlib
import threading
from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ca.domain.audit import AuditEvent
from ca.domain.bundle import NO_BASE, Bundle, BundleKind, BundleRecord, Lists, body_of, draft_header, joined
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.crl import CRLScope, is_final
from ca.domain.crl_reading import entry_serial
from ca.domain.errors import InvalidRequest, NotReady, PKIError, SigningRefused, Tampered
from ca.domain.issuers import Issuer
from ca.domain.tag_lists import tag_of
from ca.keeping import Standings
from ca.ports import Clock, KeyId, KeyStore, UnitOfWork, Work
from ca.publishing import Publisher
from ca.usecases.acted import Acted

BUNDLE_PROFILE = "bundle-signer"

_ACTOR = "signer"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def bundle_key(issuer: str) -> KeyId:
    """The key that signs an issuer's bundles, and nothing else."""
    return KeyId(b"bundle-" + issuer.encode("ascii"))


@dataclass(frozen=True, slots=True)
class _Draft:
    issuer: Issuer
    kind: BundleKind
    number: int
    this_update: datetime
    next_update: datetime
    crl_number: int
    header: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class _Found:
    at: datetime
    issuer: Issuer
    signer: Certificate
    before: list[Bundle]
    full: BundleRecord | None
    last_number: int
    crl_number: int
    revoked: "array[int]"
    held: "array[int]"


@dataclass(frozen=True)
class PublishBundle:
    """A gateway may look up offline what does not hold: sign everything, or what changed since, and put it out."""

    unit_of_work: UnitOfWork
    clock: Clock
    key_store: KeyStore
    publisher: Publisher
    standings: Standings
    life: timedelta = timedelta(hours=4)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __call__(self, issuer: str) -> BundleRecord:
        """A full bundle, and for it a patch without changes; gives the patch.

        Raises NotFound, NotReady (clock, no certificate for the key), Tampered (a revocation was lost),
        KeyStoreUnavailable.
        """
        with self._turn:
            self._publish(issuer, BundleKind.FULL)
            # So that the two files in the public place belong together.
            return self._publish(issuer, BundleKind.PATCH)

    def catch_up(self, issuer: str) -> BundleRecord | None:
        """A patch when a status may have changed since the last one, everything when the public place has it not.

        None when nothing is to be done.
        """
        with self.unit_of_work.look() as work:
            full, patch = (work.bundles.last(issuer, kind) for kind in BundleKind)
            taken = work.bundles.last_number(issuer)
            crl_number, is_due = work.crls.last_number(issuer), work.crls.is_due(issuer)
        if full is None or self.publisher.find_bundle(issuer, BundleKind.FULL) != full.content:
            return self(issuer)
        if (
            patch is None
            or patch.number != taken
            or self.publisher.find_bundle(issuer, BundleKind.PATCH) != patch.content
            # A CRL follows each change of a status, so its number tells whether there was one.
            or patch.crl_number != crl_number
            or is_due
        ):
            with self._turn:
                return self._publish(issuer, BundleKind.PATCH)
        return None

    def _publish(self, issuer: str, kind: BundleKind) -> BundleRecord:
        try:
            draft = self._intend(issuer, kind)
        except (NotReady, Tampered) as refusal:
            details = {"kind": kind.value, "reason": str(refusal)}
            self._record(AuditEvent("bundle.refused", issuer, _ACTOR, self.clock.now(), details))
            raise
        try:
            record = self._sign(draft)
            self.publisher.publish_bundle(issuer, kind, record.content)
        except (PKIError, OSError) as failure:
            reason = str(failure) if isinstance(failure, PKIError) else "the public place cannot be written"
            self._record(_event("bundle.failed", draft, self.clock.now(), reason=reason))
            raise
        self._record(_event("bundle.published", draft, self.clock.now()))
        return record

    def _intend(self, name: str, kind: BundleKind) -> _Draft:
        found = self._look(name)
        # Between two transactions: reading and packing take their time, and hold up nobody.
        lists = Lists.of(found.revoked, found.held)
        leaving = [(bundle, _leaving(bundle.lists, lists)) for bundle in found.before]
        base, lists = _since(found.full, lists) if kind is BundleKind.PATCH else (NO_BASE, lists)
        body, now = body_of(found.signer.der, lists), found.at
        next_update = min(now + self.life, found.signer.not_after)
        with self.unit_of_work() as work:
            above = max([found.last_number, *(bundle.header.number for bundle in found.before)])
            number = work.bundles.take_number(name, above)
            if number != above + 1:
                raise NotReady("another bundle was begun meanwhile; the next run looks again")
            for bundle, tags in leaving:
                for tag in tags:
                    said_final = tag in bundle.lists.revoked
                    self._require_may_leave(work, tag, bundle.header.this_update, is_final=said_final)
            header = draft_header(
                kind=kind,
                issuer=found.issuer,
                number=number,
                this_update=now,
                next_update=next_update,
                base=base,
                body=body,
            )
            draft = _Draft(found.issuer, kind, number, now, next_update, found.crl_number, header, body)
            digest = hashlib.sha256(header).hexdigest()
            work.audit.append(_event("bundle.intended", draft, now, header=digest, entries=str(lists.count)))
            work.commit()
        return draft

    def _require_may_leave(self, work: Work, tag: int, seen_in: datetime, *, is_final: bool) -> None:
        """Raise Tampered when a bundle would take back what an earlier one said (as for CRLs: `ca/domain/crl.py`)."""
        serial = work.intents.find_serial(tag)
        certificate = None if serial is None else work.certificates.find(serial)
        acted = None if serial is None else self.standings.find(serial)
        is_over = certificate is not None and certificate.is_expired(seen_in)
        is_lifted = certificate is not None and not is_final and certificate.status is CertificateStatus.ACTIVE
        if not (is_over or (is_lifted and not (acted and acted.is_final()))):
            which = f"with tag {tag:014x}" if serial is None else f"{serial:x}"
            raise Tampered(f"certificate {which} does not hold by an earlier bundle and holds by the records")

    def _look(self, name: str) -> "_Found":
        """What is to be said now, and what was said before."""
        published, acted = self._published(name), Acted(self.unit_of_work, self.standings)
        now = self.clock.now()
        with self.unit_of_work.look() as work:
            issuer = work.issuers.get(name)
            signer = _signer(work, name, now)
            records = {kind: work.bundles.last(name, kind) for kind in BundleKind}
            before = _before(issuer, [record for record in records.values() if record], published)
            for bundle in before:
                if now < bundle.header.this_update:
                    raise NotReady(f"the clock is behind bundle {bundle.header.number}; set it right first")
            last_number, crl_number = work.bundles.last_number(name), work.crls.last_number(name)
            # An expired certificate stays in one bundle more than its life, as in CRLs (RFC 5280 section 3.3).
            seen = min((bundle.header.this_update for bundle in before), default=_EVER)
            missing = acted.missing(work, name, [bundle.header.this_update for bundle in before])
            revoked, held = _tags(work, name, seen)
        acted.require_recorded(missing)
        return _Found(now, issuer, signer, before, records[BundleKind.FULL], last_number, crl_number, revoked, held)

    def _published(self, name: str) -> list[Bundle]:
        """What the public place holds; junk there proves nothing and is written over."""
        found = []
        for kind in BundleKind:
            blob = self.publisher.find_bundle(name, kind)
            with suppress(InvalidRequest):
                found += [Bundle.parse(blob)] if blob is not None else []
        return found

    def _sign(self, draft: _Draft) -> BundleRecord:
        signature = self.key_store.sign(bundle_key(draft.issuer.name), draft.header)
        content = joined(draft.header, signature, draft.body)
        try:
            Bundle.parse(content).verify(draft.issuer)
        except InvalidRequest as error:
            raise SigningRefused(f"the bundle would not be believed: {error}") from error
        record = BundleRecord(
            issuer=draft.issuer.name,
            kind=draft.kind,
            number=draft.number,
            this_update=draft.this_update,
            next_update=draft.next_update,
            crl_number=draft.crl_number,
            content=content,
        )
        with self.unit_of_work() as work:
            work.bundles.put(record)
            digest = record.digest.hex()
            work.audit.append(_event("bundle.signed", draft, self.clock.now(), sha256=digest))
            work.commit()
        return record

    def _record(self, event: AuditEvent) -> None:
        with self.unit_of_work() as work:
            work.audit.append(event)
            work.commit()


def _signer(work: Work, issuer: str, now: datetime) -> Certificate:
    certificate = work.certificates.find_newest(issuer, BUNDLE_PROFILE)
    if certificate is None or certificate.seen_by_relying_parties() is not None:
        raise NotReady("the key that signs bundles has no certificate that holds; run the jobs to certify it")
    if not certificate.not_before <= now < certificate.not_after:
        raise NotReady("the certificate of the key that signs bundles is not valid now; run the jobs to renew it")
    return certificate


def _before(issuer: Issuer, records: list[BundleRecord], published: list[Bundle]) -> list[Bundle]:
    """What was said last: by our records, and by the public place, which no restore of the records takes back."""
    before = []
    for record in records:
        try:
            bundle = Bundle.parse(record.content)
            bundle.verify(issuer)
        except InvalidRequest as error:
            raise Tampered(f"{record.kind} {record.number} in the records is not one of {issuer.name}") from error
        before.append(bundle)
    for bundle in published:
        with suppress(InvalidRequest):
            bundle.verify(issuer)
            before.append(bundle)
    return before


def _standing(work: Work, issuer: str, seen: datetime) -> Iterator[tuple[int, bool]]:
    """All that a CRL would list: serial number, and whether for good."""
    for piece in work.certificates.list_entries(CRLScope(issuer), seen):
        for entry in piece:
            yield entry_serial(entry), is_final(entry)


def _tags(work: Work, issuer: str, seen: datetime) -> tuple["array[int]", "array[int]"]:
    """Of what is revoked for good, and of what is held. Eight octets for each: there may be millions."""
    revoked, held = array("Q"), array("Q")
    for serial, for_good in _standing(work, issuer, seen):
        (revoked if for_good else held).append(tag_of(serial))
    return revoked, held


def _since(full: BundleRecord | None, now: Lists) -> tuple[bytes, Lists]:
    """The digest of the last full bundle, and what changed since."""
    if full is None:
        raise NotReady("there is no full bundle yet that a patch could be for")
    return full.digest, now.changes_since(Bundle.parse(full.content).lists)


def _leaving(said: Lists, now: Lists) -> list[int]:
    """What was listed and is not, or not as strictly."""
    return [*said.revoked.minus(now.revoked), *said.held.minus(now.held, now.revoked)]


def _event(name: str, draft: _Draft, at: datetime, **details: str) -> AuditEvent:
    given = {"kind": draft.kind.value, "number": str(draft.number), **details}
    return AuditEvent(name, draft.issuer.name, _ACTOR, at, given)
