"""The prober: asks as relying parties do until every change of a status has been seen, and reports when that was.

It has no power. Its memory is bounded: of what waits it looks at a page of receipts at a time, beside those that
changed just now, so that nothing old holds up what is new; a CRL is asked for once for all that wait for it; OCSP
questions are spread over rounds. Who has to wait for a first question is reported as seen "at latest" then. After a
restart open receipts are found again in the records.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ca.domain.certificates import Certificate
from ca.domain.crl import CRLScope
from ca.domain.errors import InvalidRequest, NotFound, PKIError, Tampered
from ca.domain.issuers import Issuer
from ca.domain.receipts import (
    ASKED_FOR,
    DATABASE,
    DELTA_CRL,
    FULL_CRL,
    OCSP_CHANNELS,
    PARTITION_CRL,
    Place,
    Receipt,
    Sighting,
    Verdict,
    tells,
)
from ca.domain.times import Millis
from ca.ports import UnitOfWork, Work
from ca.probing import AskedCRL, Asker, ExactClock
from ca.usecases.receipts import Observation

_FIRST_PAUSE, _LONGEST_PAUSE = 50, 5000
"""Milliseconds until the next question, doubled each time."""
_LATER_PAUSE = 2000
_PAGE_PAUSE = 500
"""Milliseconds until the next look at those that changed earlier."""
_REFUSED_PAUSE = 60_000
_KEPT_UNWANTED = 10_000
"""Milliseconds: longer than between two pages, so that each finds the lists of the one before."""
_JUST_NOW = 30_000
"""Milliseconds in which a change is looked at in every round: OCSP and CRLs made at once are promised within them."""
_TOGETHER = 200
_REMEMBERED = 20_000
"""Receipts of which it is known when they were asked about; the others are read afresh each time."""
_QUESTIONS = 60
"""OCSP questions a round."""
_ANSWERS = {DATABASE, *OCSP_CHANNELS}
_SLOW = 500
"""Milliseconds for a question after which the channel is left alone for a while."""
_IN_ONE_REPORT = 50
_COLLECT = 1000
"""Milliseconds in which sightings of one receipt become one report."""


@dataclass(slots=True)
class _Pace:
    """When a thing is asked for next."""

    next_at: int = 0
    pause: int = _FIRST_PAUSE
    not_before: Millis | None = None

    def missed(self, sent: Millis, now: Millis) -> None:
        self.not_before = sent
        self.next_at = now + self.pause
        self.pause = min(2 * self.pause, _LONGEST_PAUSE)


@dataclass(slots=True)
class _Fetched:
    """A CRL's address: its pace, and what it gave last."""

    pace: _Pace = field(default_factory=_Pace)
    crl: AskedCRL | None = None
    received: Millis | None = None
    """When the answer was read that was the first with this CRL."""
    asked_by: int = 0
    wanted_at: int = 0


@dataclass(slots=True)
class _Followed:
    """One receipt that is being asked about."""

    receipt: Receipt
    paces: dict[str, _Pace] = field(default_factory=dict)
    seen: dict[str, Observation] = field(default_factory=dict)
    first_at: Millis | None = None
    told_late: set[str] = field(default_factory=set)
    turn: int = 0
    """In which pass over all that waits it was met last."""
    refused_until: int = 0
    """The signer did not take what was seen; it is told again then."""

    @property
    def wanted(self) -> list[Sighting]:
        return [one for one in self.receipt.missing if one.channel not in self.seen]

    def pace(self, channel: str) -> _Pace:
        return self.paces.setdefault(channel, _Pace())


Key = tuple[int, Millis]


@dataclass
class Probe:
    """One round after the other; `report` hands observations to the signer and raises NotReady when it is away."""

    unit_of_work: UnitOfWork
    clock: ExactClock
    asker: Asker
    report: Callable[[Sequence[Observation]], None]
    places: Sequence[Place]
    say: Callable[[str], None] = lambda _: None
    _followed: dict[Key, _Followed] = field(default_factory=dict, repr=False)
    _lists: dict[str, _Fetched] = field(default_factory=dict, repr=False)
    _silent: dict[str, _Pace] = field(default_factory=dict, repr=False)
    """Channels on which an answer takes long, until one does not."""
    _places: dict[bool, Key] = field(default_factory=dict, repr=False)
    _turns: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0}, repr=False)
    _page_at: int = 0
    _later_at: int = 0

    def round(self) -> bool:
        """Ask what is due. Whether something is waited for that changed just now."""
        now = self.clock.milliseconds()
        with self.unit_of_work.look() as work:
            fresh, earlier = self._fresh(work, now), self._earlier(work, now)
            known = {(one.serial, one.changed_at) for one in fresh}
            receipts = [*fresh, *(one for one in earlier if (one.serial, one.changed_at) not in known)]
            certificates = {one.serial: self._certificate(work, one.serial) for one in receipts}
            issuers = {one.name: one for one in work.issuers.list()} if receipts else {}
            read_at = self.clock.milliseconds()
        current = [self._follow(receipt) for receipt in receipts]
        budget = _QUESTIONS
        for followed in current:
            certificate = certificates[followed.receipt.serial]
            issuer = issuers.get(followed.receipt.issuer)
            if certificate is None or issuer is None:
                continue
            if certificate.status is followed.receipt.became:
                self._saw(followed, DATABASE, read_at)
            budget = self._ask_ocsp(followed, certificate, issuer, budget)
        self._look_at_lists(current, certificates, issuers)
        self._report(current)
        return bool(fresh)

    def _certificate(self, work: Work, serial: int) -> Certificate | None:
        try:
            return work.certificates.find(serial)
        except Tampered as error:
            # Others name it; whoever edited one record must not keep the others from being asked about.
            self.say(str(error))
            return None

    def _fresh(self, work: Work, now: Millis) -> list[Receipt]:
        since = Millis(max(0, now - _JUST_NOW))
        return list(work.receipts.waiting(soon=True, since=since, after=(Millis(0), 0), limit=_TOGETHER))

    def _earlier(self, work: Work, now: Millis) -> list[Receipt]:
        """Pages of all that wait; of those that wait for the hourly CRL not so often."""
        found: list[Receipt] = []
        if now >= self._page_at:
            found += self._page(work, now, soon=True)
            self._page_at = now + _PAGE_PAUSE
        if now >= self._later_at:
            found += self._page(work, now, soon=False)
            self._later_at = now + _LATER_PAUSE
        return found

    def _page(self, work: Work, now: Millis, *, soon: bool) -> list[Receipt]:
        """From where the last page ended."""
        serial, at = self._places.pop(soon, (0, Millis(0)))
        since = Millis(max(0, now - ASKED_FOR))
        found = list(work.receipts.waiting(soon=soon, since=since, after=(at, serial), limit=_TOGETHER))
        for receipt in found:
            self._follow(receipt)
        if len(found) == _TOGETHER:
            self._places[soon] = found[-1].serial, found[-1].changed_at
        else:
            # What the whole pass did not meet is complete, overtaken or given up.
            turn = self._turns[soon]
            self._followed = {
                key: one for key, one in self._followed.items() if one.receipt.is_soon is not soon or one.turn == turn
            }
            self._turns[soon] = turn + 1
        return found

    def _follow(self, receipt: Receipt) -> _Followed:
        key = receipt.serial, receipt.changed_at
        followed = self._followed.get(key) or _Followed(receipt)
        if len(self._followed) < _REMEMBERED:
            self._followed[key] = followed
        followed.receipt, followed.turn = receipt, self._turns[receipt.is_soon]
        return followed

    def _saw(self, followed: _Followed, channel: str, at: Millis) -> None:
        receipt = followed.receipt
        if channel not in {one.channel for one in followed.wanted}:
            return
        asked = followed.pace(channel).not_before
        not_before = asked if asked is not None and asked >= receipt.changed_at else None
        seen_at = Millis(max(at, not_before or at))
        followed.seen[channel] = Observation(receipt.serial, receipt.changed_at, channel, not_before, seen_at)
        followed.first_at = followed.first_at or at

    def _ask_ocsp(self, followed: _Followed, certificate: Certificate, issuer: Issuer, budget: int) -> int:
        for sighting in followed.wanted:
            pace = followed.pace(sighting.channel)
            sent = self.clock.milliseconds()
            silent = self._silent.get(sighting.channel)
            is_due = sent >= max(pace.next_at, silent.next_at if silent else 0)
            if sighting.channel not in OCSP_CHANNELS or budget <= 0 or not is_due:
                continue
            budget -= 1
            try:
                reason = self.asker.ocsp(certificate, issuer.certificate_der, sighting.channel)
                told = tells(followed.receipt.became, reason)
            except PKIError as error:
                self.say(f"{sighting.channel}: {error}")
                told = False
            now = self.clock.milliseconds()
            if now - sent < _SLOW:
                self._silent.pop(sighting.channel, None)
            else:
                # Who hangs must not hold up the round with the patience of every question, nor the other channels:
                # they have the next rounds.
                self._silent.setdefault(sighting.channel, _Pace(pause=_LONGEST_PAUSE)).missed(sent, now)
                budget = 0
            if told:
                self._saw(followed, sighting.channel, now)
            else:
                pace.missed(sent, now)
        return budget

    def _look_at_lists(
        self, current: Iterable[_Followed], certificates: dict[int, Certificate | None], issuers: dict[str, Issuer]
    ) -> None:
        waiting: dict[str, list[tuple[_Followed, str]]] = {}
        for followed in current:
            issuer, certificate = issuers.get(followed.receipt.issuer), certificates[followed.receipt.serial]
            if issuer is not None and certificate is not None:
                for channel, url in self._addresses(followed, certificate, issuer):
                    waiting.setdefault(url, []).append((followed, channel))
        issuer_of = {url: issuers[pairs[0][0].receipt.issuer] for url, pairs in waiting.items()}
        for url, pairs in waiting.items():
            self._look_at(url, issuer_of[url], pairs)
        now = self.clock.milliseconds()
        wanted = {url: one for url, one in self._lists.items() if now - one.wanted_at < _KEPT_UNWANTED}
        if len(wanted) < len(self._lists):
            # Nobody waits for them: megabytes need not be kept.
            self._lists = wanted
            self.asker.forget(but=list(wanted))

    def _addresses(self, followed: _Followed, certificate: Certificate, issuer: Issuer) -> Iterable[tuple[str, str]]:
        """Channel and address of every list that may tell of it."""
        named = self.asker.addresses(certificate).crl or issuer.crl_url
        full_url = issuer.crl_url if certificate.crl_partition is not None else named
        full = self._lists.get(full_url)
        for sighting in followed.wanted:
            channel = sighting.channel
            if channel == PARTITION_CRL:
                yield channel, named
            elif channel == FULL_CRL:
                yield channel, full_url
            elif channel == DELTA_CRL:
                # The full CRL says where the delta is.
                yield "", full_url
                if full is not None and full.crl is not None and full.crl.freshest:
                    yield channel, full.crl.freshest
        for place in self.places:
            if any(one.channel == place.channel for one in followed.wanted):
                for delta in (True, False):
                    yield place.channel, place.address(CRLScope(issuer.name, delta=delta).name)

    def _look_at(self, url: str, issuer: Issuer, pairs: list[tuple[_Followed, str]]) -> None:
        fetched = self._lists.setdefault(url, _Fetched())
        fetched.wanted_at = self.clock.milliseconds()
        newest = max(followed.receipt.changed_at for followed, _ in pairs)
        if newest > fetched.asked_by:
            fetched.pace, fetched.asked_by = _Pace(not_before=fetched.pace.not_before), newest
        sent = self.clock.milliseconds()
        if sent >= fetched.pace.next_at:
            try:
                crl = self.asker.crl(url, issuer.certificate_der)
                if crl is not fetched.crl:
                    fetched.crl, fetched.received = crl, self.clock.milliseconds()
                    told = True
                else:
                    told = False
            except PKIError as error:
                self.say(f"{url}: {error}")
                told = False
            self._miss(fetched, sent, pairs, told=told)
        elif fetched.crl is not None:
            self._match(fetched, pairs)

    def _miss(self, fetched: _Fetched, sent: Millis, pairs: list[tuple[_Followed, str]], *, told: bool) -> None:
        missed = self._match(fetched, pairs)
        now = self.clock.milliseconds()
        fetched.pace.missed(sent, now)
        if told:
            fetched.pace.pause = _FIRST_PAUSE
        for followed, channel in missed:
            # Without a full CRL nobody learns where the delta is.
            about = channel or (DELTA_CRL if fetched.crl is None else "")
            if about and sent > followed.receipt.changed_at:
                followed.pace(about).not_before = sent

    def _match(self, fetched: _Fetched, pairs: list[tuple[_Followed, str]]) -> list[tuple[_Followed, str]]:
        """Those that this list does not tell of."""
        if fetched.crl is None or fetched.received is None:
            return pairs
        # A list with a lower number cannot know: no need to search it.
        able = [pair for pair in pairs if pair[1] and fetched.crl.number > pair[0].receipt.after_crl]
        if not able:
            return pairs
        reasons = fetched.crl.reasons([followed.receipt.serial for followed, _ in able])
        seen: set[tuple[Key, str]] = set()
        for followed, channel in able:
            receipt = followed.receipt
            if tells(receipt.became, reasons.get(receipt.serial)):
                self._saw(followed, channel, fetched.received)
                seen.add(((receipt.serial, receipt.changed_at), channel))
        return [pair for pair in pairs if ((pair[0].receipt.serial, pair[0].receipt.changed_at), pair[1]) not in seen]

    def _report(self, current: Iterable[_Followed]) -> None:
        now = self.clock.milliseconds()
        reported: list[tuple[_Followed, list[Observation]]] = []
        for followed in current:
            if now < followed.refused_until:
                continue
            late = self._newly_late(followed)
            answered = not any(one.channel in _ANSWERS for one in followed.wanted)
            collected = followed.first_at is not None and (now - followed.first_at >= _COLLECT or not followed.wanted)
            if late or (followed.seen and (collected or (answered and not _ANSWERS.isdisjoint(followed.seen)))):
                reported.append((followed, [*followed.seen.values(), *late]))
        try:
            for start in range(0, len(reported), _IN_ONE_REPORT):
                self._tell(reported[start : start + _IN_ONE_REPORT])
        except PKIError as error:
            # The signer is away: what was seen is kept and told again.
            self.say(f"report: {error}")

    def _tell(self, piece: Sequence[tuple[_Followed, Sequence[Observation]]]) -> None:
        try:
            self.report([one for _, observations in piece for one in observations])
        except (InvalidRequest, NotFound, Tampered) as error:
            if len(piece) > 1:
                # One that is refused is no reason to lose the others.
                for told in piece:
                    self._tell([told])
                return
            self.say(f"report: {error}")
            piece[0][0].refused_until = self.clock.milliseconds() + _REFUSED_PAUSE
            return
        for followed, observations in piece:
            followed.told_late |= {one.channel for one in observations if one.seen_at is None}
            followed.first_at = None
            for one in observations:
                if one.seen_at is not None:
                    followed.receipt = _seen(followed.receipt, one)
            followed.seen.clear()

    def _newly_late(self, followed: _Followed) -> list[Observation]:
        receipt, late = followed.receipt, []
        for sighting in followed.wanted:
            not_before = followed.pace(sighting.channel).not_before
            if sighting.channel in followed.told_late or not_before is None or not_before < receipt.changed_at:
                continue
            asked = Sighting(sighting.channel, sighting.promised, not_before)
            is_known = sighting.verdict(receipt.changed_at) is Verdict.LATE
            if not is_known and asked.verdict(receipt.changed_at) is Verdict.LATE:
                late.append(Observation(receipt.serial, receipt.changed_at, sighting.channel, not_before, None))
        return late


def _seen(receipt: Receipt, one: Observation) -> Receipt:
    return receipt.see(one.channel, one.not_before, one.seen_at, now=one.seen_at or receipt.changed_at)
