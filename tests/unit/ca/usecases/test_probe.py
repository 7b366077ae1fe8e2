"""ca/usecases/probe.py and receipts.py: a receipt tells what a scripted world showed, whoever dies."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import InvalidRequest, NotFound, NotReady, Tampered
from ca.domain.receipts import (
    DATABASE,
    DELTA_CRL,
    FULL_CRL,
    OCSP,
    OCSP_GET,
    OCSP_NONCE,
    Place,
    Receipt,
    Sighting,
    Verdict,
)
from ca.domain.revocation import RevocationReason
from ca.domain.times import Millis
from ca.probing import Addresses
from ca.usecases.probe import Probe
from ca.usecases.receipts import Observation, OpenReceipt, RecordSightings
from tests.fakes.bank import SUPERVISOR, Bank
from tests.fakes.certificates import FakeCertificates
from tests.fakes.work import FakeUnitOfWork, FakeWork

FULL, DELTA = "http://pki.example/crl/issuing.crl", "http://pki.example/crl/issuing-delta.crl"
STEP = timedelta(milliseconds=10)


@dataclass
class ScriptedCRL:
    number: int
    freshest: str | None
    entries: dict[int, RevocationReason | None]

    def reasons(self, serials: Sequence[int]) -> dict[int, RevocationReason | None]:
        return {serial: self.entries[serial] for serial in serials if serial in self.entries}


@dataclass
class ScriptedWorld:
    """Relying parties see the change only from these milliseconds on; each question takes 10 ms."""

    bank: Bank
    serial: int
    ocsp_at: int = 0
    lists_at: int = 0
    away_until: int = 0
    questions: list[str] = field(default_factory=list)
    forgotten: int = 0
    _lists: dict[tuple[str, bool], ScriptedCRL] = field(default_factory=dict)

    @property
    def now(self) -> Millis:
        return self.bank.clock.milliseconds()

    def addresses(self, certificate: Certificate) -> Addresses:
        return Addresses("http://pki.example/ocsp", FULL)

    def ocsp(self, certificate: Certificate, issuer_der: bytes, channel: str) -> RevocationReason | None:
        self.questions.append(channel)
        self.bank.clock.tick(STEP)
        if self.now < self.away_until:
            raise NotReady("no answer")
        return RevocationReason.SUPERSEDED if self.now >= self.ocsp_at else None

    def crl(self, url: str, issuer_der: bytes) -> ScriptedCRL:
        self.questions.append(url)
        self.bank.clock.tick(STEP)
        if self.now < self.away_until:
            raise NotReady("no answer")
        there = self.now >= self.lists_at
        entries = {self.serial: RevocationReason.SUPERSEDED} if there else {}
        crl = ScriptedCRL(900 if there else 0, DELTA if url == FULL else None, entries)
        return self._lists.setdefault((url, there), crl)

    def forget(self, but: Sequence[str]) -> None:
        self.forgotten += 1


@pytest.fixture
def revoked(bank: Bank) -> Certificate:
    return bank.change_status.revoke(bank.session(SUPERVISOR), bank.active().serial, RevocationReason.SUPERSEDED)


@pytest.fixture
def world(bank: Bank, revoked: Certificate) -> ScriptedWorld:
    return ScriptedWorld(bank, revoked.serial)


def a_probe(bank: Bank, world: ScriptedWorld, places: Sequence[Place] = ()) -> Probe:
    record = RecordSightings(bank.unit_of_work, bank.clock)
    return Probe(bank.unit_of_work, bank.clock, world, lambda told: bool(record(told)) and None, places)


def the_receipt(bank: Bank) -> Receipt:
    return list(bank.stored.receipts.values())[-1]


def play(bank: Bank, probe: Probe, rounds: int) -> None:
    for _ in range(rounds):
        probe.round()
        bank.clock.tick(STEP * 4)


def test_the_receipt_tells_when_the_world_showed_it(bank: Bank, world: ScriptedWorld) -> None:
    changed_at = the_receipt(bank).changed_at
    world.ocsp_at, world.lists_at = changed_at + 400, changed_at + 2000
    probe = a_probe(bank, world)
    play(bank, probe, 120)
    receipt = the_receipt(bank)
    assert not receipt.missing
    for channel, visible in ((OCSP, world.ocsp_at), (OCSP_NONCE, world.ocsp_at), (FULL_CRL, world.lists_at)):
        sighting = receipt.sighting(channel)
        assert sighting.not_before is not None
        assert sighting.seen_at is not None
        assert sighting.not_before < visible <= sighting.seen_at
        assert sighting.verdict(changed_at) is Verdict.IN_TIME
    assert set(bank.unit_of_work.event_names[-2:]) == {"receipt.seen"}
    play(bank, probe, 300)
    assert world.forgotten


def test_what_comes_after_its_bound_is_late_and_told_once(bank: Bank, world: ScriptedWorld) -> None:
    changed_at = the_receipt(bank).changed_at
    world.away_until = changed_at + 30_000
    probe = a_probe(bank, world)
    play(bank, probe, 600)
    receipt = the_receipt(bank)
    assert receipt.sighting(DATABASE).verdict(changed_at) is Verdict.IN_TIME
    assert receipt.sighting(OCSP).verdict(changed_at) is Verdict.LATE
    assert receipt.sighting(DELTA_CRL).verdict(changed_at) is Verdict.LATE
    late = [event for event in bank.unit_of_work.events if event.name == "receipt.late"]
    told = [channel for event in late for channel in event.details]
    assert sorted(told) == sorted(set(told))
    world_again = len(world.questions)
    play(bank, probe, 400)
    assert not the_receipt(bank).missing
    assert len(world.questions) > world_again


def test_a_prober_started_anew_goes_on_from_the_records(bank: Bank, world: ScriptedWorld) -> None:
    world.lists_at = the_receipt(bank).changed_at + 3000
    play(bank, a_probe(bank, world), 5)
    play(bank, a_probe(bank, world, [Place("directory", "http://pki.example/crl")]), 120)
    assert not the_receipt(bank).missing


def test_what_was_seen_while_the_signer_was_away_is_told_later(bank: Bank, world: ScriptedWorld) -> None:
    told: list[Observation] = []
    record = RecordSightings(bank.unit_of_work, bank.clock)

    def report(observations: Sequence[Observation]) -> None:
        told.extend(observations)
        if bank.clock.milliseconds() < the_receipt(bank).changed_at + 5000:
            raise NotReady("the signer is away")
        record(observations)

    play(bank, Probe(bank.unit_of_work, bank.clock, world, report, ()), 200)
    receipt = the_receipt(bank)
    assert not receipt.missing
    assert receipt.sighting(OCSP).verdict(receipt.changed_at) is Verdict.IN_TIME


def test_one_list_is_asked_for_once_for_all_that_wait(bank: Bank, world: ScriptedWorld) -> None:
    for _ in range(3):
        bank.change_status.revoke(bank.session(SUPERVISOR), bank.active().serial, RevocationReason.SUPERSEDED)
    a_probe(bank, world).round()
    assert world.questions.count(FULL) == 1


def test_the_next_change_overtakes_what_was_not_seen(bank: Bank) -> None:
    serial = bank.active().serial
    bank.change_status.hold(bank.session(SUPERVISOR), serial)
    bank.change_status.release(bank.session(SUPERVISOR), serial)
    held, released = list(bank.stored.receipts.values())[-2:]
    assert (held.became, released.became) == (CertificateStatus.ON_HOLD, CertificateStatus.ACTIVE)
    assert held.overtaken
    assert not released.overtaken
    assert released.changed_at > held.changed_at


def test_a_serial_without_such_a_change_is_refused(bank: Bank, world: ScriptedWorld) -> None:
    receipt = the_receipt(bank)
    record = RecordSightings(bank.unit_of_work, bank.clock)
    before = dict(bank.stored.receipts)
    good = Observation(receipt.serial, receipt.changed_at, DATABASE, None, receipt.changed_at)
    for wrong in (Observation(0xDEAD, receipt.changed_at, OCSP, None, receipt.changed_at),):
        with pytest.raises(NotFound):
            record([good, wrong])
    far = Millis(receipt.changed_at + 10**6)
    with pytest.raises(InvalidRequest):
        record([Observation(receipt.serial, receipt.changed_at, OCSP, None, far)])
    assert bank.stored.receipts == before


def test_the_same_again_records_nothing(bank: Bank, world: ScriptedWorld) -> None:
    receipt = the_receipt(bank)
    record = RecordSightings(bank.unit_of_work, bank.clock)
    asked = Observation(receipt.serial, receipt.changed_at, OCSP, receipt.changed_at, None)
    assert (record([asked]), record([asked])) == (1, 0)
    assert bank.unit_of_work.event_names[-1] == "receipt.asked"


def test_a_compromised_key_has_its_full_list_at_once(bank: Bank, revoked: Certificate) -> None:
    opened = OpenReceipt(bank.clock, timedelta(hours=1), (Place("directory", "http://pki.example/crl"),), bank.policy)
    with bank.unit_of_work() as work:
        opened(work, revoked)
        work.commit()
    assert the_receipt(bank).sightings[-1].channel == "target:directory"


def revoke_another(bank: Bank) -> int:
    other = bank.active()
    bank.change_status.revoke(bank.session(SUPERVISOR), other.serial, RevocationReason.SUPERSEDED)
    return other.serial


def test_a_backlog_that_nobody_sees_does_not_hold_up_a_new_change(bank: Bank, world: ScriptedWorld) -> None:
    first = the_receipt(bank)
    backlog = {
        (serial, first.changed_at): replace(first, serial=serial, sightings=(Sighting("target:away", 10_000),))
        for serial in range(1, 1001)
    }
    bank.stored.receipts.update(backlog)
    bank.clock.tick(timedelta(hours=1))
    revoke_another(bank)
    newest = the_receipt(bank)
    probe = a_probe(bank, world)
    probe.round()
    play(bank, probe, 5)
    seen = bank.stored.receipts[newest.serial, newest.changed_at]
    assert seen.sighting(OCSP).verdict(newest.changed_at) is Verdict.IN_TIME
    play(bank, probe, 200)
    assert not bank.stored.receipts[first.serial, first.changed_at].missing


def test_one_report_that_is_refused_does_not_lose_the_others(bank: Bank, world: ScriptedWorld) -> None:
    refused = the_receipt(bank).serial
    other = revoke_another(bank)
    record, asked = RecordSightings(bank.unit_of_work, bank.clock), list[int]()

    def report(observations: Sequence[Observation]) -> None:
        asked.extend(one.serial for one in observations if one.serial == refused)
        if any(one.serial == refused for one in observations):
            raise InvalidRequest("not this one")
        record(observations)

    play(bank, Probe(bank.unit_of_work, bank.clock, world, report, ()), 120)
    by_serial = {receipt.serial: receipt for receipt in bank.stored.receipts.values()}
    assert all(by_serial[other].sighting(channel).seen_at for channel in (DATABASE, OCSP, OCSP_NONCE, OCSP_GET))
    assert not any(one.seen_at for one in by_serial[refused].sightings)
    # It is not told again and again.
    assert len(asked) < 60


def test_who_hangs_on_one_channel_keeps_no_other_from_being_asked(bank: Bank, world: ScriptedWorld) -> None:
    class Hanging(ScriptedWorld):
        def ocsp(self, certificate: Certificate, issuer_der: bytes, channel: str) -> RevocationReason | None:
            if channel == OCSP:
                bank.clock.tick(timedelta(milliseconds=700))
                raise NotReady("no answer")
            return super().ocsp(certificate, issuer_der, channel)

    changed_at = the_receipt(bank).changed_at
    play(bank, a_probe(bank, Hanging(bank, world.serial)), 40)
    receipt = the_receipt(bank)
    assert receipt.sighting(OCSP).seen_at is None
    for channel in (OCSP_NONCE, OCSP_GET):
        assert receipt.sighting(channel).seen_at is not None
    assert receipt.sighting(OCSP_NONCE).verdict(changed_at) is Verdict.IN_TIME


def test_what_was_not_seen_in_two_days_is_given_up(bank: Bank, world: ScriptedWorld) -> None:
    bank.clock.tick(timedelta(days=2, seconds=1))
    play(bank, a_probe(bank, world), 10)
    assert world.questions == []
    assert the_receipt(bank).missing


@dataclass
class EditedCertificates:
    """Records in which somebody edited a certificate."""

    real: FakeUnitOfWork
    edited: int

    @contextmanager
    def look(self) -> Iterator[FakeWork]:
        with self.real.look() as work:
            work.certificates = Edited(work.certificates, self.edited)
            yield work


@dataclass
class Edited:
    real: FakeCertificates
    edited: int

    def find(self, serial: int) -> Certificate | None:
        if serial == self.edited:
            raise Tampered("somebody edited it")
        return self.real.find(serial)


def test_an_edited_certificate_keeps_no_other_from_being_asked_about(bank: Bank, world: ScriptedWorld) -> None:
    edited, other = the_receipt(bank).serial, revoke_another(bank)
    unit_of_work = EditedCertificates(bank.unit_of_work, edited)
    record = RecordSightings(bank.unit_of_work, bank.clock)
    said: list[str] = []
    play(bank, Probe(unit_of_work, bank.clock, world, lambda told: bool(record(told)) and None, (), said.append), 60)
    by_serial = {receipt.serial: receipt for receipt in bank.stored.receipts.values()}
    assert by_serial[other].sighting(OCSP).seen_at is not None
    assert by_serial[edited].sighting(OCSP).seen_at is None
    assert "somebody edited it" in said
