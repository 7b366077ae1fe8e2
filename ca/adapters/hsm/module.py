"""The PKCS#11 module of this process: initialised with locking, closed on purpose.

python-pkcs11 calls C_Initialize(NULL), by which a module may assume that one thread alone uses it (PKCS #11 v2.40
section 5.4); SoftHSM then works without mutexes and crashes under threads. So we initialise it ourselves with
CKF_OS_LOCKING_OK. C_InitToken, C_CloseAllSessions and the fresh flags of C_GetTokenInfo are missing there too.
"""

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import pkcs11
from pkcs11.constants import TokenFlag
from pkcs11.exceptions import PKCS11Error, UserNotLoggedIn
from pkcs11.types import Session, Token

from ca.domain.errors import KeyStoreUnavailable, NotReady

_CKR_OK = 0
_CKF_OS_LOCKING_OK = 2
# CKS_RO_USER_FUNCTIONS and CKS_RW_USER_FUNCTIONS.
_USER_STATES = frozenset({1, 3})
_CONFIGURATION_VARIABLE = "SOFTHSM2_CONF"

# C_Initialize is per process, so what is open has to be known per process; a fork inherits the answer, which is right.
_opened: set[Path] = set()
_opening = threading.Lock()


class _InitializeArgs(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS."""

    _fields_ = (
        ("create_mutex", ctypes.c_void_p),
        ("destroy_mutex", ctypes.c_void_p),
        ("lock_mutex", ctypes.c_void_p),
        ("unlock_mutex", ctypes.c_void_p),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class _TokenInfo(ctypes.Structure):
    """CK_TOKEN_INFO."""

    _fields_ = (
        ("label", ctypes.c_char * 32),
        ("manufacturer", ctypes.c_char * 32),
        ("model", ctypes.c_char * 16),
        ("serial", ctypes.c_char * 16),
        ("flags", ctypes.c_ulong),
        ("max_sessions", ctypes.c_ulong),
        ("sessions", ctypes.c_ulong),
        ("max_rw_sessions", ctypes.c_ulong),
        ("rw_sessions", ctypes.c_ulong),
        ("max_pin", ctypes.c_ulong),
        ("min_pin", ctypes.c_ulong),
        ("memory", ctypes.c_ulong * 4),
        ("versions", ctypes.c_ubyte * 4),
        ("clock", ctypes.c_char * 16),
    )


class _SessionInfo(ctypes.Structure):
    """CK_SESSION_INFO."""

    _fields_ = (
        ("slot", ctypes.c_ulong),
        ("state", ctypes.c_ulong),
        ("flags", ctypes.c_ulong),
        ("device_error", ctypes.c_ulong),
    )


class _HasHandle(Protocol):
    """What the compiled Session has and its stub does not say."""

    handle: int


@dataclass(frozen=True, slots=True)
class TokenState:
    """What the token says of itself now; python-pkcs11 keeps the flags of the first look."""

    flags: TokenFlag
    shortest_pin: int
    longest_pin: int


class Module:
    """One PKCS#11 module, open in this process until `close()`."""

    def __init__(self, path: Path, configuration: Path | None = None) -> None:
        """Raise NotReady if the files cannot be used, KeyStoreUnavailable if the module will not start."""
        self.path = path
        self._require_files(path, configuration)
        self._configuration = configuration
        self._earlier_configuration = os.environ.get(_CONFIGURATION_VARIABLE)
        with _opening:
            if path in _opened:
                raise NotReady(f"the HSM module {path} is open already in this process or the one it was forked from")
            _opened.add(path)
        try:
            self._start()
        except BaseException:
            self._forget()
            raise

    @staticmethod
    def _require_files(path: Path, configuration: Path | None) -> None:
        if not path.is_file():
            raise NotReady(f"there is no HSM module at {path}: install it (softhsm2) or correct the path")
        if configuration is not None and not os.access(configuration, os.R_OK):
            raise NotReady(f"the HSM configuration {configuration} is missing or not readable for this user")

    def _start(self) -> None:
        if self._configuration is not None:
            os.environ[_CONFIGURATION_VARIABLE] = str(self._configuration)
        try:
            self._functions = ctypes.CDLL(str(self.path))
            self._lib = pkcs11.lib(str(self.path))
            # It is initialised now, but for one thread only: end that and begin again with locking.
            self._lib.finalize()
        except (PKCS11Error, OSError) as error:
            raise KeyStoreUnavailable(
                f"the HSM module {self.path} does not start ({error or type(error).__name__}):"
                " its configuration or its token directory is missing or damaged"
            ) from error
        self._functions.C_InitToken.argtypes = [ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
        self._functions.C_CloseAllSessions.argtypes = [ctypes.c_ulong]
        self._initialise()

    def _initialise(self) -> None:
        arguments = _InitializeArgs(flags=_CKF_OS_LOCKING_OK)
        self._require_ok(self._functions.C_Initialize(ctypes.byref(arguments)), "start")

    def _forget(self) -> None:
        if self._configuration is not None:
            if self._earlier_configuration is None:
                os.environ.pop(_CONFIGURATION_VARIABLE, None)
            else:
                os.environ[_CONFIGURATION_VARIABLE] = self._earlier_configuration
        _opened.discard(self.path)

    def reopen(self) -> None:
        """Start afresh: a module may not see a returned device, nor SoftHSM a restored token, before that.

        No other thread may be inside the module.
        """
        self._functions.C_Finalize(None)
        self._initialise()

    def close(self) -> None:
        """End every session and login; no thread may be inside the module. The process may then open it again."""
        self._functions.C_Finalize(None)
        self._forget()

    def find_token(self, label: str) -> Token:
        """The one token of that label: slot numbers change, labels are ours.

        Raises KeyStoreUnavailable if there is none, NotReady if there are several.
        """
        with unavailable("list its tokens"):
            found = list(self._lib.get_tokens(token_label=label))
        if not found:
            raise KeyStoreUnavailable(f'the HSM shows no token labelled "{label}"')
        if len(found) > 1:
            raise NotReady(f'{len(found)} tokens are labelled "{label}": remove or rename all but one')
        return found[0]

    def token_state(self, token: Token) -> TokenState:
        info = _TokenInfo()
        slot = ctypes.c_ulong(token.slot.slot_id)
        self._require_ok(self._functions.C_GetTokenInfo(slot, ctypes.byref(info)), "describe its token")
        return TokenState(TokenFlag(info.flags), info.min_pin, info.max_pin)

    def require_logged_in(self, session: Session) -> None:
        """Raise UserNotLoggedIn if the session is gone or its login is."""
        info = _SessionInfo()
        handle = ctypes.c_ulong(cast("_HasHandle", session).handle)
        if self._functions.C_GetSessionInfo(handle, ctypes.byref(info)) != _CKR_OK or info.state not in _USER_STATES:
            raise UserNotLoggedIn

    def initialise_blank_token(self, label: str, so_pin: str) -> Token:
        """Take the first uninitialised slot for a new token of that label, and make `so_pin` its SO PIN."""
        with unavailable("list its slots"):
            blanks = [
                slot
                for slot in self._lib.get_slots(token_present=True)
                if TokenFlag.TOKEN_INITIALIZED not in slot.get_token().flags
            ]
        if not blanks:
            raise NotReady("the HSM has no slot without a token: free one first")
        pin, padded = so_pin.encode(), label.encode().ljust(32)
        self._require_ok(self._functions.C_InitToken(blanks[0].slot_id, pin, len(pin), padded), "initialise a token")
        return self.find_token(label)

    def close_all_sessions(self, token: Token) -> None:
        """Needed after every failed login: python-pkcs11 leaks the session it opened for it."""
        self._functions.C_CloseAllSessions(token.slot.slot_id)

    def _require_ok(self, result: int, wish: str) -> None:
        if result != _CKR_OK:
            raise KeyStoreUnavailable(f"the HSM module {self.path} would not {wish} (CKR 0x{result:x})")


@contextmanager
def unavailable(wish: str) -> Iterator[None]:
    """Turn the driver's errors into KeyStoreUnavailable."""
    try:
        yield
    except PKCS11Error as error:
        raise KeyStoreUnavailable(f"the HSM would not {wish} ({describe(error)})") from error


def describe(error: PKCS11Error) -> str:
    """The driver's error in one word, with the code it had no word for."""
    name = type(error).__name__
    return f"{name}: {error}" if str(error) else name
