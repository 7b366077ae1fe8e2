"""The room of a key ceremony in memory: one key store a token, and what is written to the trust directory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ca.domain.audit import Checkpoint, Head
from ca.domain.errors import NotFound, NotReady
from ca.ports import KeyId
from tests.fakes.key_store import FakeKeyStore, FakeSeals


class FakeKeyRoom:
    """ports.KeyRoom."""

    def __init__(self) -> None:
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


@dataclass
class FakeHeadFile:
    """ports.HeadFile."""

    kept: Head | None = None

    def write(self, head: Head) -> None:
        self.kept = head

    def read(self) -> Head | None:
        return self.kept
