"""A job whose work waits for others: it goes on in a thread of its own, and nobody waits for it."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from ca.domain.errors import NotReady, PKIError

_log = logging.getLogger("vermilion.signer")


class InBackground:
    """Each call begins a pass unless one is going on, and answers with how the last one ended."""

    def __init__(self, name: str, work: Callable[[], str], *, patience: float = 300.0) -> None:
        """After `patience` seconds a pass that is still going on is told as a failure."""
        self._name = name
        self._patience = patience
        self._began = 0.0
        self._work = work
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._said = "begun"
        self._failure = ""

    def __call__(self) -> str:
        """Raises NotReady when the last pass failed."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._began = time.monotonic()
                self._thread.start()
            elif time.monotonic() > self._began + self._patience:
                raise NotReady(f"{self._name}: what was begun has not ended for {self._patience:g} s")
            said, failure = self._said, self._failure
        if failure:
            raise NotReady(failure)
        return said

    def wait(self, seconds: float) -> None:
        """Until the pass that is going on has ended."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _run(self) -> None:
        said, failure = "", ""
        try:
            said = self._work()
        except PKIError as error:
            failure = str(error)
        except Exception:  # noqa: BLE001 - the outermost frame of the thread
            _log.exception("%s failed", self._name)
            failure = "this is a defect of ours; the signer's log has its trace"
        with self._lock:
            self._said, self._failure = said, failure


def all_of(passes: Sequence[InBackground]) -> str:
    """What each says. Raises NotReady with all that failed."""
    said, failures = [], []
    for each in passes:
        try:
            said.append(each())
        except NotReady as error:
            failures.append(str(error))
    if failures:
        raise NotReady("; ".join(failures))
    return "; ".join(dict.fromkeys(said)) or "there are no further places"
