"""The ports to what is kept outside the database, where no restore takes it back, and to the tokens of a ceremony."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from ca.domain.audit import Checkpoint, Head
from ca.domain.journal import Entry
from ca.domain.standings import Standing
from ca.ports import KeyId, KeyStore, Seals

Record = tuple[bytes, bytes]
"""A `serial_key` and the packed standing under it (`ca/domain/standings.py`)."""


class TrustFiles(Protocol):
    """Where the public parts that everything else is checked against are kept: CA certificates, the audit key."""

    def write(self, name: str, content: bytes) -> None: ...


class CheckpointFile(Protocol):
    """Signed checkpoints kept outside the database, so that a restore cannot take them back."""

    def append(self, checkpoint: Checkpoint) -> None: ...

    def read(self) -> Sequence[Checkpoint]: ...


class Journal(Protocol):
    """The audit log kept a second time, outside the database."""

    def last(self) -> Head:
        """Where it ends. Raises NotReady, Tampered."""

    def head_at(self, number: int) -> Head:
        """Where the chain ended at an event, the last of its entry. Raises Tampered when no entry ends there."""

    def read(self, after: Head = Head()) -> Iterator[Entry]:  # noqa: B008 - a frozen value
        """Every entry behind `after` there is when it is called, each checked to follow the one before.

        From the first one when nothing is said. Raises Tampered, also when it tells another story of `after`.
        """

    def require_mirrored(self) -> None:
        """Raise Tampered unless the journal's mirror says the same."""


class Standings(Protocol):
    """How every certificate stands by what was committed, kept beside the database in the same act as each commit."""

    def applied(self) -> int:
        """The number of the last audit event that is in it, 0 when it is empty. Raises NotReady."""

    def find(self, serial: int) -> Standing | None:
        """None for a serial that was never issued. Raises NotReady."""

    def list_not_good(self, issuer: str, since: datetime) -> Iterator[tuple[int, Standing]]:
        """Those revoked at that time or later, oldest first, then unconfirmed and held ones. Raises NotReady."""

    def apply(self, changed: Iterable[tuple[int, Standing]], *, after: int, number: int) -> None:
        """Take in a commit that brought the audit chain from `after` to `number`. Raises NotReady.

        When it lacks what came before `after`, it takes the changes in and still says so by `applied`. A certificate
        that is revoked for good stays so, whatever is said of it later (DESIGN invariant 8).
        """

    def rebuild(self, records: Iterable[Record], *, number: int) -> None:
        """Forget everything, and hold this, the later record of a certificate counting. Raises NotReady.

        Readers see what was there or all of it; a revoked one stays revoked as in `apply`.
        """

    def records(self) -> AbstractContextManager[tuple[int, Iterator[Record]]]:
        """What it holds as of one moment, in order, and the event to which that goes. Raises NotReady.

        It keeps nobody from writing.
        """


class StandingsSnapshot(Protocol):
    """How every certificate stood at an event, on disk beside the journal, signed with the audit key."""

    def number(self) -> int:
        """The event to which it goes by its signature; 0 when there is none that is signed."""

    def read(self) -> tuple[Head, Iterator[Record]] | None:
        """None when there is none. Raises Tampered when it is not what was signed, or not whole."""

    def write(self, head: Head, records: Iterator[Record], sign: Callable[[bytes], bytes]) -> None:
        """In place of the one before, whole and on disk when it returns. Raises NotReady."""


class KeyRoom(Protocol):
    """The HSM tokens of a key ceremony, entered one at a time."""

    @property
    def places(self) -> Collection[str]:
        """The tokens there can be, by name."""

    def make_token(self, token: str) -> None:
        """A new, empty token with PINs of its own. Raises NotReady when there is one already."""

    def enter(self, token: str) -> AbstractContextManager[KeyStore]: ...

    def seals(self, token: str, key: KeyId) -> AbstractContextManager[Seals]: ...

    def make_seal_key(self, token: str, key: KeyId) -> None: ...
