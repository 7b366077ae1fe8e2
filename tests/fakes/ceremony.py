"""The room of a key ceremony in memory: one key store a token, and what is written to the trust directory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ca.domain.audit import Checkpoint, Head
from ca.domain.ceremony import Script
from ca.domain.errors import NotFound, NotReady, Tampered
from ca.domain.journal import Entry
from ca.ports import KeyId
from ca.usecases.ceremony import HoldCeremony, Record
from config.ceremony_files import load_script
from tests.drafts import PROFILES
from tests.fakes.clock import FakeClock, FakeRandom
from tests.fakes.key_store import FakeKeyStore, FakeSeals
from tests.fakes.publisher import FakePublisher
from tests.fakes.work import FakeUnitOfWork

SCRIPT = Path(__file__).parents[2] / "config" / "ceremonies" / "demo.toml"
ISSUING = "issuing"
SEAL_KEY = KeyId(b"seals-1")


class FakeKeyRoom:
    """keeping.KeyRoom."""

    def __init__(self) -> None:
        self.places = ("root", ISSUING)
        self.tokens: dict[str, FakeKeyStore] = {}
        self.seal_keys: dict[tuple[str, KeyId], FakeSeals] = {}

    def make_token(self, token: str) -> None:
        if token in self.tokens:
            raise NotReady(f"there is a token {token} already")
        self.tokens[token] = FakeKeyStore()

    @contextmanager
    def enter(self, token: str) -> Iterator[FakeKeyStore]:
        if token not in self.tokens:
            raise NotFound(f"there is no token {token}")
        yield self.tokens[token]

    @contextmanager
    def seals(self, token: str, key: KeyId) -> Iterator[FakeSeals]:
        yield self.seal_keys[token, key]

    def make_seal_key(self, token: str, key: KeyId) -> None:
        self.seal_keys[token, key] = FakeSeals()


class FakeTrustFiles:
    """ports.TrustFiles."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def write(self, name: str, content: bytes) -> None:
        self.kept[name] = content


@dataclass
class FakeCheckpointFile:
    """ports.CheckpointFile."""

    kept: list[Checkpoint] = field(default_factory=list)

    def append(self, checkpoint: Checkpoint) -> None:
        self.kept.append(checkpoint)

    def read(self) -> list[Checkpoint]:
        return list(self.kept)


_BEGINNING = Head()


@dataclass
class FakeJournal:
    """ports.Journal."""

    kept: list[Entry] = field(default_factory=list)
    mirror_differs: bool = False

    def last(self) -> Head:
        return self.kept[-1].head if self.kept else Head()

    def head_at(self, number: int) -> Head:
        for entry in self.kept:
            if entry.head.number == number:
                return entry.head
        raise Tampered(f"the journal has no entry that ends at audit event {number}")

    def read(self, after: Head = _BEGINNING) -> Iterator[Entry]:
        if after.number and self.head_at(after.number) != after:
            raise Tampered(f"the journal tells another story of audit event {after.number}")
        return (entry for entry in list(self.kept) if entry.head.number > after.number)

    def require_mirrored(self) -> None:
        if self.mirror_differs:
            raise Tampered("line 1 of the journal is not the one of its mirror")


class Ceremony:
    """A key ceremony in memory, held with the demo's script unless another one is given."""

    def __init__(self, unit_of_work: FakeUnitOfWork, clock: FakeClock, random: FakeRandom) -> None:
        self.room = FakeKeyRoom()
        self.trust = FakeTrustFiles()
        self.publisher = FakePublisher()
        self.hold = HoldCeremony(
            unit_of_work=unit_of_work,
            clock=clock,
            random=random,
            room=self.room,
            publisher=self.publisher,
            trust=self.trust,
            profiles=PROFILES,
            public_url="http://localhost:8080",
            seals_in=ISSUING,
            seal_key=SEAL_KEY,
        )

    def __call__(self, script: Script | None = None) -> Record:
        return self.hold(script or load_script(SCRIPT), attend=lambda _: None, keep=lambda _: None)
