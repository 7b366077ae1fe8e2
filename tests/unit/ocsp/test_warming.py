"""ocsp/warming.py: answers are signed before anybody asks, by one worker, at a bounded rate."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ca.domain.errors import NotReady, PKIError
from ca.domain.ocsp import CertId, Question, issuer_keys
from ca.domain.serials import SERIAL_OCTETS
from ca.domain.standings import Standing, serial_key
from ocsp import warming
from ocsp.kept import KeptAnswers
from ocsp.request import parse_request
from ocsp.responder import Reply, Responder
from ocsp.warming import Heads, Warmer
from tests.fakes.status_world import DAY, StatusWorld

FIRST = 1 << 8 * (SERIAL_OCTETS - 1)


class Host(StatusWorld):
    """Issuers, statuses and signer in one, with a warmer and a responder over them."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
        self.away = False
        self.signed: list[int] = []
        self.kept = KeptAnswers(directory, limit=1000)
        self.warmer = self.new_warmer()
        self.responder = Responder(
            issuers=self,  # type: ignore[arg-type]  # find is told apart by its argument
            statuses=self,  # type: ignore[arg-type]
            kept=self.kept,
            now=self.clock.now,
            refresh=self.warmer.add,
        )

    def new_warmer(self) -> Warmer:
        return Warmer(
            signer=self,
            statuses=self,  # type: ignore[arg-type]  # as above
            issuers=self,  # type: ignore[arg-type]
            directory=self.directory,
            now=self.clock.now,
            per_second=1000,
        )

    def find(self, what: CertId | bytes) -> str | bytes | None:
        if isinstance(what, CertId):
            return "issuing" if what.issuer_key in issuer_keys(self.issuing.certificate_der) else None
        found = self.unit_of_work.certificates.get(int.from_bytes(what, "big"))
        return None if found is None else Standing.of(found).pack()

    def walk(self, after: bytes, count: int) -> list[tuple[bytes, bytes]]:
        keys = sorted(serial_key(serial) or b"" for serial in self.unit_of_work.certificates)
        return [(key, bytes(self.find(key) or b"")) for key in keys if key > after][:count]  # type: ignore[arg-type]

    def answer(self, questions: Sequence[Question]) -> list[bytes | PKIError]:
        if self.away:
            return [NotReady("away")] * len(questions)
        self.signed += [question.cert_ids[0].serial for question in questions]
        return self.answer_ocsp.each(questions)

    def ask(self, serial: int) -> bool:
        """Whether it was answered at once; otherwise it is signed now."""
        replied = self.responder.reply(self.asked(serial))
        if isinstance(replied, Reply):
            return True
        self.responder.finish(replied, self.answer([replied.question])[0])
        return False

    def warm(self, rounds: int = 20) -> list[float]:
        self.warmer._stopped.set()  # so that it rests for no time
        return [self.warmer.work(self.responder) for _ in range(rounds)]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    yield host
    host.warmer.stop()
    host.kept.environment.close()


def test_once_it_is_known_how_clients_write_all_others_are_signed_ahead(host: Host) -> None:
    for number in range(40):
        host.issue(FIRST + number)
    host.ask(FIRST)
    (cert_id,) = parse_request(host.asked(FIRST)).cert_ids
    host.warmer._heads.learn(cert_id)

    host.warm()

    assert sorted(host.signed) == [FIRST + number for number in range(40)]
    assert all(host.ask(FIRST + number) for number in range(40))


def test_a_damaged_record_keeps_none_of_the_others_from_being_warmed(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        host.issue(FIRST + number)
    (cert_id,) = parse_request(host.asked(FIRST)).cert_ids
    host.warmer._heads.learn(cert_id)
    whole = host.walk

    def damaged(after: bytes, count: int) -> list[tuple[bytes, bytes]]:
        return [(key, b"?" if key == serial_key(FIRST + 3) else packed) for key, packed in whole(after, count)]

    monkeypatch.setattr(host, "walk", damaged)
    host.warm()

    assert sorted(host.signed) == [FIRST + number for number in range(40) if number != 3]


def test_expired_ones_and_those_of_other_lengths_and_issuers_are_not(host: Host) -> None:
    host.issue(FIRST, life=DAY)
    host.issue(FIRST + 1, issuer="root")
    host.issue(0xA1)
    (cert_id,) = parse_request(host.asked(FIRST)).cert_ids
    host.warmer._heads.learn(cert_id)
    host.clock.tick(2 * DAY)

    host.warm()

    assert host.signed == []


def test_what_grows_old_is_signed_anew_and_its_writing_learned(host: Host) -> None:
    host.issue(FIRST)
    host.ask(FIRST)
    host.clock.tick(host.answer_ocsp.life / 2)
    assert host.ask(FIRST)

    assert host.warm(1) == [1 / 1000]

    assert host.signed == [FIRST, FIRST]
    host.clock.tick(host.answer_ocsp.life / 3)
    assert host.ask(FIRST)
    assert len(host.warmer._heads.read()) == 1


def test_while_the_signer_is_away_it_rests(host: Host) -> None:
    host.issue(FIRST)
    host.ask(FIRST)
    host.clock.tick(host.answer_ocsp.life / 2)
    host.ask(FIRST)
    host.away = True

    assert host.warm(1) == [5.0]


def test_what_waits_is_bounded(host: Host) -> None:
    wanted = host.responder.look_up(parse_request(host.asked(1)).cert_ids[0], "issuing")
    assert not isinstance(wanted, Reply)
    host.warmer._waiting = {b"%d" % number: wanted for number in range(10_000)}
    host.warmer.add(wanted)
    assert len(host.warmer._waiting) == 10_000


def test_of_all_workers_one_walks(host: Host) -> None:
    host.warm(2)
    other = host.new_warmer()

    assert (host.warmer._may_walk(), other._may_walk()) == (True, False)
    assert other.work(host.responder) == 1.0
    host.warmer.stop()
    assert other._may_walk()
    other.stop()


def test_how_clients_write_outlives_a_restart(tmp_path: Path) -> None:
    world = StatusWorld()
    path = tmp_path / "heads"
    cert_ids = [parse_request(world.asked(serial)).cert_ids[0] for serial in (FIRST, FIRST + 1, 0xA1)]
    heads = Heads(path)
    for cert_id in cert_ids:
        heads.learn(cert_id)

    assert Heads(path).read() == heads.read() == [cert_ids[0].head]
    for junk in ("zz", "3000", "é"):
        path.write_text(junk)
        assert Heads(path).read() == []


def test_the_thread_goes_on_after_a_failure_and_ends_when_told(
    host: Host, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds, went_on = [], threading.Event()

    def fail_once(responder: Responder) -> float:
        rounds.append(responder)
        if len(rounds) == 1:
            raise RuntimeError("a bug")
        host.warmer.stop()
        went_on.set()
        return 0

    monkeypatch.setattr(warming, "_PAUSE_SECONDS", 0.01)
    host.warmer.work = fail_once  # type: ignore[method-assign]
    host.warmer.start(host.responder)

    assert went_on.wait(20)
    for thread in threading.enumerate():
        if thread.name == "warm":
            thread.join(20)
    assert "a bug" in caplog.text
