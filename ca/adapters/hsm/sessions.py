"""Sessions with one token: one login held for life, and a bounded pool of workers opened without the PIN.

The login belongs to the token, not to the session (PKCS #11 v2.40 section 5.6): a second login fails, and closing the
session that logged in logs out all others. A wrong PIN is tried once and never again by this process, because the
third may lock the token. A lost session is answered by one fresh start and one repetition.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self, TypeVar

from pkcs11.constants import TokenFlag
from pkcs11.exceptions import (
    DeviceError,
    DeviceRemoved,
    FunctionFailed,
    GeneralError,
    KeyHandleInvalid,
    ObjectHandleInvalid,
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    SessionClosed,
    SessionHandleInvalid,
    TokenNotPresent,
    TokenNotRecognised,
    UserNotLoggedIn,
    UserPinNotInitialized,
)
from pkcs11.mechanisms import Mechanism
from pkcs11.types import PrivateKey, SecretKey, Session, Token

from ca.adapters.hsm import safekeeping
from ca.adapters.hsm.module import Module, describe
from ca.adapters.hsm.tokens import HsmToken, read_pin, token_lock
from ca.domain.errors import KeyStoreUnavailable, NotReady
from ca.domain.keys import KeyAlgorithm
from ca.ports import KeyId

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_SESSION_LOST = (
    SessionHandleInvalid,
    SessionClosed,
    UserNotLoggedIn,
    KeyHandleInvalid,
    ObjectHandleInvalid,
    DeviceRemoved,
    DeviceError,
    TokenNotPresent,
    TokenNotRecognised,
    GeneralError,
    FunctionFailed,
)
_PIN_REFUSED = (PinIncorrect, PinInvalid, PinLenRange, PinExpired, PinLocked, UserPinNotInitialized)


class _LostSessionError(Exception):
    """The session is gone and a fresh start may help; `generation` says which start it belonged to."""

    def __init__(self, generation: int, error: PKCS11Error, *, begun: bool) -> None:
        super().__init__(describe(error))
        self.generation = generation
        self.error = error
        self.begun = begun


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that was found fit to sign, and what kind it is."""

    private: PrivateKey
    algorithm: KeyAlgorithm


@dataclass(slots=True)
class Worker:
    """A session used by one thread at a time, with the keys it has found (handles belong to their session)."""

    session: Session
    mechanisms: frozenset[Mechanism]
    private_keys: dict[KeyId, SigningKey] = field(default_factory=dict)
    secret_keys: dict[KeyId, SecretKey] = field(default_factory=dict)


class TokenSessions:
    """The token, logged in. Build it with `open()`, end it with `close()`."""

    def __init__(
        self, module: Module, token: HsmToken, *, workers: int = 4, patience: timedelta = timedelta(seconds=10)
    ) -> None:
        """Log in over a module already open; `open()` does the whole. Raises NotReady or KeyStoreUnavailable."""
        self._module = module
        self._token = token
        self._size = workers
        self._patience = patience.total_seconds()
        self._held = ExitStack()
        self._process = os.getpid()
        self._turn = threading.Condition()
        self._idle: list[Worker] = []
        self._out = 0
        self._generation = 0
        self._wanting_all = 0
        self._starting = False
        self._closed = False
        self._refusal: str | None = None
        # The session that logged in; never used, only kept: its end would log out every worker.
        self._root: Session | None = None
        self._log_in()

    @classmethod
    def open(
        cls,
        token: HsmToken,
        *,
        workers: int = 4,
        patience: timedelta = timedelta(seconds=10),
        lock_wait: timedelta = timedelta(seconds=10),
    ) -> Self:
        """Own the token, load its module and log in. Raises NotReady or KeyStoreUnavailable."""
        with ExitStack() as held:
            held.enter_context(token_lock(token.lock_file, lock_wait))
            safekeeping.put_back(token)
            module = Module(token.module, token.configuration)
            held.callback(module.close)
            sessions = cls(module, token, workers=workers, patience=patience)
            safekeeping.keep(token)
            sessions._held = held.pop_all()
        return sessions

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def label(self) -> str:
        return self._token.label

    @property
    def mechanisms(self) -> frozenset[Mechanism]:
        return self._mechanisms

    def run(self, operation: Callable[[Worker], _T]) -> _T:
        """The operation's result, over a worker session.

        If its session is lost, it is done once more over a new one. Raises KeyStoreUnavailable.
        """
        return self._run(operation, alone=False)

    def run_alone(self, operation: Callable[[Worker], _T]) -> _T:
        """As `run`, with nobody else inside the HSM, and not done again if its session is lost in the middle.

        For changes of the token: SoftHSM may answer GeneralError to one that meets another thread's work.
        """
        return self._run(operation, alone=True)

    def _run(self, operation: Callable[[Worker], _T], *, alone: bool) -> _T:
        if os.getpid() != self._process:
            raise NotReady("the HSM was opened before this process was forked: open it in the process that uses it")
        if self._root is None:
            self._start_afresh(self._generation)
        try:
            return self._attempt(operation, alone=alone)
        except _LostSessionError as lost:
            _log.warning("HSM session lost (%s); logging in again", lost)
            self._start_afresh(lost.generation)
            if lost.begun and alone:
                raise KeyStoreUnavailable(
                    f"the HSM lost our session in the middle ({lost}): see what it did before you ask again"
                ) from lost.error
        try:
            return self._attempt(operation, alone=alone)
        except _LostSessionError as lost:
            raise KeyStoreUnavailable(f"the HSM loses our sessions ({lost})") from lost.error

    def close(self) -> None:
        """Log out and let the module and the token go. Raises KeyStoreUnavailable while an operation hangs."""
        with self._turn:
            if self._closed:
                return
            self._closed = True
            self._turn.notify_all()
            if not self._turn.wait_for(lambda: self._out == 0 and not self._starting, self._patience):
                self._closed = False
                raise KeyStoreUnavailable("an HSM operation is still running: the token cannot be closed under it")
            self._forget_sessions()
        self._held.close()

    def _attempt(self, operation: Callable[[Worker], _T], *, alone: bool) -> _T:
        with self._reserved(alone=alone) as generation:
            begun = False
            try:
                with self._worker() as worker:
                    # Without a login private keys do not fail but look as if they did not exist.
                    self._module.require_logged_in(worker.session)
                    begun = True
                    return operation(worker)
            except PKCS11Error as error:
                # An error without a class of its own has a code of the vendor: it may well mean a lost connection.
                if isinstance(error, _SESSION_LOST) or type(error) is PKCS11Error:
                    raise _LostSessionError(generation, error, begun=begun) from error
                raise KeyStoreUnavailable(f"the HSM refused ({describe(error)})") from error

    @contextmanager
    def _worker(self) -> Iterator[Worker]:
        with self._turn:
            idle = self._idle.pop() if self._idle else None
        # Read-write although most only sign: some HSMs know no read-only sessions.
        worker = idle or Worker(self._opened_token.open(rw=True), self._mechanisms)
        try:
            yield worker
        except PKCS11Error:
            # Not given back: the session may be dead, or have an operation active.
            with suppress(PKCS11Error):
                worker.session.close()
            raise
        except BaseException:
            self._give_back(worker)
            raise
        self._give_back(worker)

    def _give_back(self, worker: Worker) -> None:
        with self._turn:
            self._idle.append(worker)

    @contextmanager
    def _reserved(self, *, alone: bool) -> Iterator[int]:
        """A place in the pool, or all of them; the generation they belong to."""
        places = self._size if alone else 1

        def free_for_us() -> bool:
            # Who wants all places goes first, or it would never find them free together.
            ours = alone or not self._wanting_all
            return self._closed or (ours and not self._starting and self._out + places <= self._size)

        with self._turn:
            self._wanting_all += alone
            try:
                free = self._turn.wait_for(free_for_us, self._patience)
            finally:
                self._wanting_all -= alone
                self._turn.notify_all()
            if self._closed:
                raise KeyStoreUnavailable("the HSM is closed")
            if not free:
                raise KeyStoreUnavailable(f"all {self._size} HSM sessions were busy for {self._patience:g} s")
            self._out += places
            generation = self._generation
        try:
            yield generation
        finally:
            with self._turn:
                self._out -= places
                self._turn.notify_all()

    def _start_afresh(self, generation: int) -> None:
        """Restart the module and log in, once for all who lost the sessions of that generation."""
        deadline = time.monotonic() + self._patience
        with self._turn:
            if not self._turn.wait_for(lambda: not self._starting, self._patience):
                raise KeyStoreUnavailable("the HSM does not come back")
            if self._closed:
                raise KeyStoreUnavailable("the HSM is closed")
            if self._generation != generation and self._root is not None:
                return
            self._starting = True
            try:
                # Nobody may be inside the module while it is finalized.
                if not self._turn.wait_for(lambda: self._out == 0, deadline - time.monotonic()):
                    raise KeyStoreUnavailable("an HSM operation hangs")
                self._forget_sessions()
                self._module.reopen()
                self._log_in()
                self._generation += 1
            finally:
                self._starting = False
                self._turn.notify_all()

    def _forget_sessions(self) -> None:
        self._idle.clear()
        if self._root is not None:
            self._root = None
            self._module.close_all_sessions(self._opened_token)

    def _log_in(self) -> None:
        if self._refusal is not None:
            raise NotReady(self._refusal)
        pin = read_pin(self._token.pin_file)
        token = self._module.find_token(self._token.label)
        require_pin_can_be_tried(token.label, self._module.token_state(token).flags)
        try:
            self._mechanisms = frozenset(token.slot.get_mechanisms())
            self._root = token.open(rw=True, user_pin=pin)
        except _PIN_REFUSED as error:
            self._module.close_all_sessions(token)
            self._refusal = self._refused(token, error)
            raise NotReady(self._refusal) from error
        except PKCS11Error as error:
            self._module.close_all_sessions(token)
            raise KeyStoreUnavailable(f"the HSM would not log us in ({describe(error)})") from error
        self._opened_token = token

    def _refused(self, token: Token, error: PKCS11Error) -> str:
        locked = TokenFlag.USER_PIN_LOCKED in self._module.token_state(token).flags or isinstance(error, PinLocked)
        sentence = (
            f'token "{token.label}" refuses the PIN in {self._token.pin_file} ({describe(error)}); it was tried once '
            "and will not be tried again before a restart"
        )
        return f"{sentence}; the PIN is locked now and must be unblocked with the SO PIN" if locked else sentence


def require_pin_can_be_tried(label: str, flags: TokenFlag) -> None:
    """Raise NotReady where a try would be refused, or would lock the token if it were wrong."""
    if TokenFlag.USER_PIN_INITIALIZED not in flags:
        raise NotReady(f'token "{label}" has no PIN yet: initialise it')
    if TokenFlag.USER_PIN_LOCKED in flags:
        raise NotReady(f'the PIN of token "{label}" is locked: unblock it with the SO PIN')
    if TokenFlag.USER_PIN_FINAL_TRY in flags:
        raise NotReady(
            f'one more wrong PIN locks token "{label}": log in once by hand with the right PIN, then start again'
        )
