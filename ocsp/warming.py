"""Answers signed before anybody asks: those that grow old, and after a start those that are not there yet.

One thread in each worker, at a bounded rate, so that neither live requests nor the signer notice. Of all workers one
walks through the certificates; the others only refresh what they are asked about.
"""

import fcntl
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, NotReady, PKIError
from ca.domain.ocsp import CertId
from ca.domain.serials import SERIAL_OCTETS
from ca.domain.standings import KEY_OCTETS, Standing
from ocsp.responder import Issuers, Responder, Wanted
from ocsp.signer import Signer
from ocsp.store import Statuses

_AT_ONCE = 16
_WAITING = 10_000
_HEADS = 32
_STEP_SECONDS = 0.005
_PAUSE_SECONDS = 5.0
_OURS = bytes(KEY_OCTETS - SERIAL_OCTETS) + b"\x01"

_log = logging.getLogger(__name__)


class Heads:
    """How clients write CertIDs, in a file that outlives restarts: one head in hexadecimal a line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[bytes, None] = {}
        with suppress(OSError, ValueError, InvalidRequest):
            heads = [bytes.fromhex(line) for line in path.read_text("ascii").split()[:_HEADS]]
            for head in heads:
                CertId.parse(head + _OURS[-1:] + bytes(SERIAL_OCTETS - 1))
            self._known = dict.fromkeys(heads)

    def read(self) -> list[bytes]:
        return list(self._known)

    def learn(self, cert_id: CertId) -> None:
        """Remember how this one is written, if it is one of ours and not too many are known."""
        if cert_id.head in self._known or len(cert_id.serial_octets) != SERIAL_OCTETS or len(self._known) >= _HEADS:
            return
        self._known[cert_id.head] = None
        with suppress(OSError), self._path.open("a", encoding="ascii") as file:
            file.write(f"{cert_id.head.hex()}\n")


class Warmer:
    """Keeps answers young. `add` is for any thread and never waits."""

    def __init__(
        self,
        *,
        signer: Signer,
        statuses: Statuses,
        issuers: Issuers,
        directory: Path,
        now: Callable[[], datetime],
        per_second: int,
    ) -> None:
        self._signer = signer
        self._statuses = statuses
        self._issuers = issuers
        self._heads = Heads(directory / "heads")
        self._turn = directory / "walking"
        self._now = now
        self._per_second = per_second
        self._waiting: dict[bytes, Wanted] = {}
        self._steps: Iterator[list[Wanted]] = iter(())
        self._stopped = threading.Event()
        self._walking: IO[bytes] | None = None

    def add(self, wanted: Wanted) -> None:
        """Have it signed again soon. When very many are waiting it is forgotten: whoever asks next says so again."""
        (cert_id,) = wanted.question.cert_ids
        if len(self._waiting) < _WAITING:
            self._waiting.setdefault(cert_id.der, wanted)

    def start(self, responder: Responder) -> None:
        threading.Thread(target=self._run, args=(responder,), name="warm", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        if self._walking is not None:
            self._walking.close()

    def _run(self, responder: Responder) -> None:
        while not self._stopped.is_set():
            try:
                rest = self.work(responder)
            except Exception:  # noqa: BLE001 - the outermost frame of the thread
                _log.exception("answers are not kept warm")
                rest = _PAUSE_SECONDS
            self._stopped.wait(rest)

    def work(self, responder: Responder) -> float:
        """Have a few answers signed; how many seconds to rest after it."""
        batch = [self._waiting.pop(key) for key in list(self._waiting)[:_AT_ONCE]] or self._step(responder)
        for wanted in batch:
            self._heads.learn(wanted.question.cert_ids[0])
        if not batch:
            return _STEP_SECONDS if self._walking else 1.0
        for wanted, outcome in zip(batch, self._signer.answer([each.question for each in batch]), strict=True):
            if isinstance(outcome, NotReady | KeyStoreUnavailable):
                return _PAUSE_SECONDS
            responder.finish(wanted, outcome)
        return len(batch) / self._per_second

    def _step(self, responder: Responder) -> list[Wanted]:
        """A few certificates further; at the end, and after a rest, from the beginning."""
        if not self._may_walk():
            return []
        step = next(self._steps, None)
        if step is None:
            self._steps = self._walk(responder)
            self._stopped.wait(_PAUSE_SECONDS)
            return []
        return step

    def _may_walk(self) -> bool:
        if self._walking is None:
            file = self._turn.open("ab")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                return False
            self._walking = file
        return True

    def _walk(self, responder: Responder) -> Iterator[list[Wanted]]:
        after = bytes(KEY_OCTETS)
        while found := self._statuses.walk(after, _AT_ONCE):
            after = found[-1][0]
            yield [wanted for key, packed in found for wanted in self._lacking(responder, key, packed)]

    def _lacking(self, responder: Responder, key: bytes, packed: bytes) -> Iterator[Wanted]:
        try:
            standing = Standing.unpack(packed)
        except PKIError as error:
            _log.warning("certificate %s: %s", key.hex(), error)  # those behind it are warmed all the same
            return
        serial = key[-SERIAL_OCTETS:]
        # A serial of ours starts with 01: what is longer or shorter is not worth walking for.
        if standing.not_after < self._now() or key[: -SERIAL_OCTETS + 1] != _OURS:
            return
        for head in self._heads.read():
            cert_id = CertId.parse(head + serial)
            if self._issuers.find(cert_id) == standing.issuer:
                looked = responder.look_up(cert_id, standing.issuer)
                if isinstance(looked, Wanted):
                    yield looked
