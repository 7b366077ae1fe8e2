"""The public place in memory, and a linter that says what it is told to."""

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from ca.domain.bundle import BundleKind


class FakeFile:
    """PublishedFile. Two files of one content are one version here: nobody can tell them apart."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.version: Hashable = content
        self.size = len(content)

    def read(self, offset: int, length: int) -> bytes:
        return self.content[offset : offset + length]


class FakeDraft:
    """DraftFile. What is put into the public place there goes to `copies` too."""

    def __init__(self, publisher: "FakePublisher", name: str) -> None:
        self._publisher = publisher
        self._name = name
        self._chunks: list[bytes] = []

    @property
    def size(self) -> int:
        return sum(map(len, self._chunks))

    def write(self, chunk: bytes) -> None:
        self._publisher.step("write")
        self._chunks.append(chunk)

    def __iter__(self) -> Iterator[bytes]:
        self._publisher.step("read")
        return iter(list(self._chunks))

    def publish(self, before: bytes, after: bytes) -> None:
        whole = b"".join([before, *self._chunks, after])
        self._publisher.step("copy")
        self._publisher.copies[self._name] = whole
        self._publisher.step("publish")
        self._publisher.step(f"publish {self._name}")
        if self._publisher.refusal:
            raise self._publisher.refusal
        self._publisher.crls[self._name] = whole
        self._publisher.step("flush")


class FakePublisher:
    """Publisher. `refusal` is raised instead of publishing; `crls`, `copies`, `certificates` are what is there.

    `fail_at` names a step (`turn`, `draft`, `write`, `read`, `copy`, `publish`, `publish issuing-delta`, `flush`) that
    fails as a full disk does.
    """

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.fail_at = ""
        self.crls: dict[str, bytes] = {}
        self.copies: dict[str, bytes] = {}
        self.certificates: dict[str, bytes] = {}
        self.bundles: dict[tuple[str, BundleKind], bytes] = {}
        self._turn = threading.Lock()

    def step(self, name: str) -> None:
        if name == self.fail_at:
            raise OSError(28, "No space left on device")

    @contextmanager
    def turn(self) -> Iterator[None]:
        self.step("turn")
        with self._turn:
            yield

    @contextmanager
    def find_crl(self, name: str) -> Iterator[FakeFile | None]:
        yield FakeFile(self.crls[name]) if name in self.crls else None

    @contextmanager
    def find_copy(self, name: str) -> Iterator[FakeFile | None]:
        yield FakeFile(self.copies[name]) if name in self.copies else None

    @contextmanager
    def draft_crl(self, name: str) -> Iterator[FakeDraft]:
        self.step("draft")
        yield FakeDraft(self, name)

    def publish_certificate(self, issuer: str, der: bytes) -> None:
        self.certificates[issuer] = der

    def find_bundle(self, issuer: str, kind: BundleKind) -> bytes | None:
        return self.bundles.get((issuer, kind))

    def publish_bundle(self, issuer: str, kind: BundleKind, content: bytes) -> None:
        if self.refusal:
            raise self.refusal
        self.bundles[issuer, kind] = content


class FakeLinter:
    """ports.Linter. `findings` are its opinion of everything; `seen` is what it was shown."""

    def __init__(self) -> None:
        self.findings: list[str] = []
        self.seen: list[bytes] = []

    def lint_certificate(self, der: bytes) -> list[str]:
        self.seen.append(der)
        return list(self.findings)

    def lint_crl(self, der: bytes) -> list[str]:
        self.seen.append(der)
        return list(self.findings)
