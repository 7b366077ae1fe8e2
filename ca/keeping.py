"""The ports to what is kept outside the database, where no restore takes it back, and to the tokens of a ceremony."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from ca.domain.audit import Checkpoint
from ca.domain.journal import Entry
from ca.domain.standings import Standing
from ca.ports import KeyId, KeyStore, Seals


class TrustFiles(Protocol):
    """Where the public parts that everything else is checked against are kept: CA certificates, the audit key."""

    def write(self, name: str, content: bytes) -> None: ...


class CheckpointFile(Protocol):
    """Signed checkpoints kept outside the database, so that a restore cannot take them back."""

    def append(self, checkpoint: Checkpoint) -> None: ...

    def read(self) -> Sequence[Checkpoint]: ...


class Journal(Protocol):
    """The audit log kept a second time, outside the database."""

    def read(self) -> Iterator[Entry]:
        """Every entry there is when it is called, each checked to follow the one before. Raises Tampered."""

    def require_mirrored(self) -> None:
        """Raise Tampered unless the journal's mirror says the same."""


class Standings(Protocol):
    """How every certificate stands by what was committed, kept beside the database in the same act as each commit."""

    def applied(self) -> int:
        """The number of the last audit event that is in it, 0 when it is empty. Raises NotReady."""

    def find(self, serial: int) -> Standing | None:
        """None for a serial that was never issued. Raises NotReady."""

    def list_not_good(self, issuer: str) -> Iterator[tuple[int, Standing]]:
        """Unconfirmed, held and revoked ones, in the order of their serial numbers."""

    def apply(self, changed: Iterable[tuple[int, Standing]], *, after: int, number: int) -> None:
        """Take in a commit that brought the audit chain from `after` to `number`. Raises NotReady.

        When it lacks what came before `after`, it takes the changes in and still says so by `applied`.
        """

    def rebuild(self, everything: Iterable[tuple[int, Standing]], *, number: int) -> None:
        """Forget everything, and hold this. Raises NotReady."""


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
