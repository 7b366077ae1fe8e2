"""The PKCS#11 calls that python-pkcs11 lacks, made by ctypes on the module it has already loaded.

C_GetTokenInfo (for the password lengths), C_InitToken, C_CloseAllSessions. They are found through
C_GetFunctionList, the only symbol that every module must export (PKCS#11 2.40 section 5.4).
"""

import ctypes
import sys
from dataclasses import dataclass

_ULONG = ctypes.c_ulong
_FUNCTIONS = 15
_GET_TOKEN_INFO, _INIT_TOKEN, _CLOSE_ALL_SESSIONS = 6, 9, 14


class CryptokiError(Exception):
    """A PKCS#11 return value other than CKR_OK."""

    def __init__(self, value: int) -> None:
        super().__init__(f"CKR 0x{value:x}")
        self.value = value


class _Version(ctypes.Structure):
    _fields_ = (("major", ctypes.c_ubyte), ("minor", ctypes.c_ubyte))


class _FunctionList(ctypes.Structure):
    # PKCS#11 on Windows packs its structures to one byte; elsewhere the platform's rule holds.
    if sys.platform == "win32":
        _pack_ = 1
    _fields_ = (("version", _Version), ("functions", ctypes.c_void_p * _FUNCTIONS))


class _TokenInfo(ctypes.Structure):
    if sys.platform == "win32":
        _pack_ = 1
    _fields_ = (
        ("label", ctypes.c_char * 32),
        ("manufacturer", ctypes.c_char * 32),
        ("model", ctypes.c_char * 16),
        ("serial", ctypes.c_char * 16),
        ("flags", _ULONG),
        ("counts", _ULONG * 4),
        ("longest_pin", _ULONG),
        ("shortest_pin", _ULONG),
        ("memory", _ULONG * 4),
        ("hardware", _Version),
        ("firmware", _Version),
        ("time", ctypes.c_char * 16),
    )


@dataclass(frozen=True, slots=True)
class PinLengths:
    """How long a password the token itself takes."""

    shortest: int
    longest: int


class Cryptoki:
    """A PKCS#11 module already initialised in this process."""

    def __init__(self, module: str) -> None:
        self._library = ctypes.CDLL(module)
        pointer = ctypes.POINTER(_FunctionList)()
        _require_ok(self._library.C_GetFunctionList(ctypes.byref(pointer)))
        self._functions = pointer.contents.functions

    def pin_lengths(self, slot: int) -> PinLengths:
        info = _TokenInfo()
        call = ctypes.CFUNCTYPE(_ULONG, _ULONG, ctypes.POINTER(_TokenInfo))(self._functions[_GET_TOKEN_INFO])
        _require_ok(call(slot, ctypes.byref(info)))
        return PinLengths(int(info.shortest_pin), int(info.longest_pin))

    def init_token(self, slot: int, so_pin: str, label: str) -> None:
        """Wipe the token in the slot and give it a label and an administrator password."""
        pin = so_pin.encode()
        call = ctypes.CFUNCTYPE(_ULONG, _ULONG, ctypes.c_char_p, _ULONG, ctypes.c_char_p)(self._functions[_INIT_TOKEN])
        _require_ok(call(slot, pin, len(pin), label.encode().ljust(32)))

    def close_all_sessions(self, slot: int) -> None:
        """Needed after every failed login: python-pkcs11 leaks the session that C_Login failed on."""
        call = ctypes.CFUNCTYPE(_ULONG, _ULONG)(self._functions[_CLOSE_ALL_SESSIONS])
        _require_ok(call(slot))


def _require_ok(value: int) -> None:
    if value:
        raise CryptokiError(value & 0xFFFFFFFF)
