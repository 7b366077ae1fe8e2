"""Making and publishing CRLs (RFC 5280 section 5, CPS section 4.9.7; DESIGN invariants 1, 7 and 8).

What is made together has one number. Order of effects: number taken, drafted, intent recorded, signed, verified,
recorded, published, recorded. A failure after the first step leaves CRLs due, and the next run makes others with a
higher number.
"""

import hashlib
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ca.domain.audit import AuditEvent
from ca.domain.crl import CRLRecord, CRLScope, says_key_compromise, signed_around
from ca.domain.errors import InvalidRequest, NotReady, PKIError, SigningRefused, Tampered
from ca.domain.issuers import Issuer
from ca.domain.keys import SIGNATURE_OF, PublicKey
from ca.domain.times import timestamp
from ca.keeping import Standings
from ca.ports import Clock, KeyId, KeyStore, Linter, UnitOfWork, Work
from ca.publishing import Publisher
from ca.usecases.acted import Acted
from ca.usecases.crl_contents import Edition, contents
from ca.usecases.draft_crl import DraftCRL, draft, lint
from ca.usecases.last_crls import LastCRL, LastCRLs

ACTOR = "signer"


@dataclass(frozen=True, slots=True)
class _Signed:
    draft: DraftCRL
    record: CRLRecord
    around: tuple[bytes, bytes]


@dataclass(frozen=True)
class PublishCRL:
    """Everyone may know which certificates do not hold: sign new CRLs and put them in the public place."""

    unit_of_work: UnitOfWork
    clock: Clock
    key_store: KeyStore
    publisher: Publisher
    linter: Linter
    standings: Standings
    life: timedelta = timedelta(hours=24)
    delta_life: timedelta = timedelta(hours=2)
    short: int = 10_000
    """A full CRL of fewer entries, half a megabyte, is made with every change: not everybody knows deltas."""
    last: LastCRLs = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "last", LastCRLs(self.publisher))

    def __call__(self, issuer: str) -> CRLRecord:
        """New full CRL, with a delta and the CRLs of all partitions. Raises NotFound, NotReady (clock), Tampered (a
        revocation was lost), LintFailed, KeyStoreUnavailable.
        """
        # One at a time: of two that overlap, the one with the lower number must not be published last.
        with self.publisher.turn():
            with self.unit_of_work.look() as work:
                scopes = _scopes(work, issuer)
            return self._publish(issuer, scopes)[0]

    def publish_changes(self, issuer: str) -> list[CRLRecord]:
        """What is due and no more: a delta, the partitions that changed, and the full CRL when it is short or a key was
        compromised. Raises as above.
        """
        with self.publisher.turn():
            # Of many who waited for their turn, the first told everything.
            if not self.is_due(issuer):
                return []
            with self.unit_of_work.look() as work:
                scopes = self._due(work, work.issuers.get(issuer))
            return self._publish(issuer, scopes)

    def is_due(self, issuer: str) -> bool:
        """A status changed, or the public place does not hold the last CRLs that were begun."""
        with self.unit_of_work.look() as work:
            if work.crls.is_due(issuer):
                return True
            known, scopes = work.issuers.get(issuer), _scopes(work, issuer)
            newest = max(_last_number(work, scope) for scope in scopes)
            return newest < work.crls.last_number(issuer) or any(self._is_behind(work, known, each) for each in scopes)

    def _due(self, work: Work, issuer: Issuer) -> list[CRLScope]:
        full, delta, *partitions = _scopes(work, issuer.name)
        numbers = {scope.partition: _last_number(work, scope) for scope in partitions}
        changed = work.certificates.changed_partitions(issuer.name, min(numbers.values())) if numbers else {}
        touched = [
            scope
            for scope in partitions
            if changed.get(scope.partition or 0, 0) > numbers[scope.partition] or self._is_behind(work, issuer, scope)
        ]
        last = work.crls.find_last(full)
        is_short = last is None or last.entries < self.short
        if is_short or self._is_behind(work, issuer, full) or _was_compromised(work, full):
            return [full, delta, *touched]
        return [delta, *touched]

    def _is_behind(self, work: Work, issuer: Issuer, scope: CRLScope) -> bool:
        last, shown = work.crls.find_last(scope), self.last.find_shown(scope.name, issuer.spki_der)
        return last is None or not last.published or shown is None or shown.number != last.number

    def _publish(self, name: str, scopes: list[CRLScope]) -> list[CRLRecord]:
        with self.unit_of_work.look() as work:
            issuer = work.issuers.get(name)
        waiting, records = list(scopes), []
        with ExitStack() as files:
            try:
                drafts = self._draft(issuer, scopes, files)
            except (NotReady, Tampered) as refusal:
                self._note_failure("crl.refused", issuer, [CRLScope(name)], refusal)
                raise
            except (PKIError, OSError) as failure:
                self._note_failure("crl.failed", issuer, waiting, failure)
                raise
            try:
                self._intend(drafts)
                for signed in self._sign(drafts):
                    signed.draft.file.publish(*signed.around)
                    # Read back once: from then on a look at the public place costs nothing, however long the list.
                    self.last.find_shown(signed.record.scope.name, issuer.spki_der)
                    records.append(self._published(signed))
                    waiting.remove(signed.record.scope)
            except (PKIError, OSError) as failure:
                self._note_failure("crl.failed", issuer, waiting, failure)
                raise
        return records

    def _note_failure(self, event: str, issuer: Issuer, scopes: list[CRLScope], failure: Exception) -> None:
        reason = str(failure) if isinstance(failure, PKIError) else "the public place cannot be written"
        now = self.clock.now()
        with self.unit_of_work() as work:
            work.crls.set_due(issuer.name, due=True)
            for scope in scopes:
                work.audit.append(AuditEvent(event, scope.name, ACTOR, now, {"reason": reason}))
            work.commit()

    def _draft(self, issuer: Issuer, scopes: list[CRLScope], files: ExitStack) -> list[DraftCRL]:
        with self.unit_of_work.look() as work:
            everything, partitions = _scopes(work, issuer.name), work.crls.list_partitions(issuer.name)
        before = self._before(issuer, everything, files)
        now = self.clock.now()
        number = self._take_number(issuer.name, [last for lasts in before.values() for last in lasts], now)
        edition = Edition(issuer, number, now, self.life, self.delta_life, partitions)
        drafts, acted = [], Acted(self.unit_of_work, self.standings)
        # What changes from here on has the number of a later CRL; this one may show it or not.
        with self.unit_of_work.look() as work:
            told = [last.head.this_update for last in before[CRLScope(issuer.name)]]
            missing = acted.missing(work, issuer.name, told)
            for scope in scopes:
                said = contents(work, edition, scope, before[scope])
                file = files.enter_context(self.publisher.draft_crl(scope.name))
                drafts.append(draft(work, scope, said, file, before[scope], self.standings))
        acted.require_recorded(missing)
        return drafts

    def _before(self, issuer: Issuer, scopes: Iterable[CRLScope], files: ExitStack) -> dict[CRLScope, list[LastCRL]]:
        """What was said last in each scope, and must not be taken back."""
        return {scope: files.enter_context(self.last.open(scope.name, issuer.spki_der)) for scope in scopes}

    def _take_number(self, name: str, before: list[LastCRL], now: datetime) -> int:
        with self.unit_of_work() as work:
            recorded = work.crls.last(name)
            said = [(last.head.number, last.head.this_update) for last in before]
            if recorded is not None:
                said.append((recorded.number, recorded.this_update))
            for number, this_update in said:
                if now < this_update:
                    raise NotReady(f"the clock is behind CRL {number}; set it right before another one is signed")
            taken = work.crls.take_number(name, max((number for number, _ in said), default=0))
            # A status that changes from here on makes the next CRL due.
            work.crls.set_due(name, due=False)
            work.audit.append(AuditEvent("crl.numbered", name, ACTOR, now, {"number": str(taken)}))
            work.commit()
        return taken

    def _intend(self, drafts: list[DraftCRL]) -> None:
        now = self.clock.now()
        events = []
        for each in drafts:
            digest = hashlib.sha256()
            for chunk in each.file:
                digest.update(chunk)
            events.append(_event("crl.intended", each, now, tbs=digest.hexdigest(), entries=str(each.entries)))
        with self.unit_of_work() as work:
            for event in events:
                work.audit.append(event)
            work.commit()

    def _sign(self, drafts: list[DraftCRL]) -> list[_Signed]:
        for each in drafts:
            lint(each, self.linter)
        signed = [self._signed(each) for each in drafts]
        now = self.clock.now()
        with self.unit_of_work() as work:
            for one in signed:
                work.crls.add(one.record)
                work.audit.append(_event("crl.signed", one.draft, now))
            work.commit()
        return signed

    def _signed(self, drafted: DraftCRL) -> _Signed:
        frame, issuer, file = drafted.frame, drafted.frame.issuer, drafted.file
        signature = self.key_store.sign(KeyId(issuer.key_id), file)
        try:
            PublicKey.from_spki(issuer.spki_der).verify(signature, file)
        except InvalidRequest as error:
            raise SigningRefused(f"the HSM's key is not the one of {issuer.name}'s certificate") from error
        before, after = signed_around(file.size, SIGNATURE_OF[issuer.algorithm], signature)
        digest = hashlib.sha256(before)
        for chunk in file:
            digest.update(chunk)
        digest.update(after)
        record = CRLRecord(
            scope=drafted.scope,
            number=frame.number,
            this_update=frame.this_update,
            next_update=frame.next_update,
            entries=drafted.entries,
            size=len(before) + file.size + len(after),
            sha256=digest.hexdigest(),
            base=frame.base,
        )
        return _Signed(drafted, record, (before, after))

    def _published(self, signed: _Signed) -> CRLRecord:
        with self.unit_of_work() as work:
            work.crls.mark_published(signed.record)
            work.audit.append(_event("crl.published", signed.draft, self.clock.now(), **_proof(signed)))
            work.commit()
        return replace(signed.record, published=True)


def _scopes(work: Work, issuer: str) -> list[CRLScope]:
    """Every CRL of an issuer, in the order of their publication: a delta never before its base."""
    partitions = [CRLScope(issuer, partition) for partition in work.crls.list_partitions(issuer)]
    return [CRLScope(issuer), CRLScope(issuer, delta=True), *partitions]


def _last_number(work: Work, scope: CRLScope) -> int:
    last = work.crls.find_last(scope)
    return last.number if last else 0


def _was_compromised(work: Work, full: CRLScope) -> bool:
    """Whether a key's compromise is not in the last full CRL yet."""
    last = work.crls.find_last(full)
    if last is None:
        return False
    changed = work.certificates.list_changed(full.issuer, last.number, last.this_update)
    return any(entry is not None and says_key_compromise(entry) for piece in changed for _, entry in piece)


def _proof(signed: _Signed) -> dict[str, str]:
    """What shows, years later, what this CRL said and which file it is (`ca/domain/history.py`)."""
    draft, record = signed.draft, signed.record
    base = {} if record.base is None else {"base": str(record.base)}
    return base | {
        "sha256": record.sha256,
        "this_update": timestamp(record.this_update),
        "next_update": timestamp(record.next_update),
        "shows": str(draft.shows),
        "unexpired_at": timestamp(draft.unexpired_at),
    }


def _event(name: str, drafted: DraftCRL, at: datetime, **details: str) -> AuditEvent:
    return AuditEvent(name, drafted.scope.name, ACTOR, at, {"number": str(drafted.frame.number), **details})
