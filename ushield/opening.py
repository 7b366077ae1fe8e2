"""Opening the U-Shield with its password, and getting the factory password out of the way.

PKCS#11 does not say whether a U-Shield still has the factory password, so a download tries it: once, and only while
the U-Shield reports no wrong try, so that the customer's own tries are never at risk. Nothing else is tried that the
customer did not type, and nothing twice.
"""

from collections.abc import Iterable
from typing import Protocol

from ushield.errors import DeviceLocked, LastTry, NotPrepared, PasswordNotTaken, UnacceptablePassword, WrongPassword
from ushield.passwords import FACTORY_PASSWORD, require_acceptable
from ushield.token import PinState


class Lock(Protocol):
    """The part of a U-Shield that asks for a password."""

    def pin_state(self) -> PinState: ...

    def log_in(self, password: str) -> None: ...

    def change_password(self, old: str, new: str) -> None: ...


class Person(Protocol):
    """Whoever knows the passwords: a terminal, or files in automation."""

    def present_password(self) -> str: ...

    def new_password(self) -> str:
        """A password typed twice the same. Whether it is good enough is not decided here."""


def require_tries_left(lock: Lock, *, last_try: bool) -> None:
    """Raise DeviceLocked or NotPrepared, or LastTry unless the customer has allowed the last try."""
    match lock.pin_state():
        case PinState.LOCKED:
            raise DeviceLocked(
                "The U-Shield is locked: the password was typed wrongly too often. Its keys are safe. "
                "Bring the U-Shield and your identity document to your branch."
            )
        case PinState.NOT_SET:
            raise NotPrepared("This U-Shield has no password yet. Bring it to your branch to be prepared.")
        case PinState.FINAL if not last_try:
            raise LastTry(
                "One try is left: another wrong password locks the U-Shield. The password was not tried. If you are "
                "sure of it, run the same command with --last-try; if not, ask your branch."
            )
        case _:
            return


def open_once(lock: Lock, password: str, *, last_try: bool) -> None:
    """Open with a password that the customer gave; a wrong one says how things stand now."""
    require_tries_left(lock, last_try=last_try)
    try:
        lock.log_in(password)
    except WrongPassword as error:
        raise WrongPassword(f"{error.sentence} {_standing(lock.pin_state())}") from error


def _standing(state: PinState) -> str:
    match state:
        case PinState.LOCKED:
            return (
                "That was the last try: the U-Shield is locked now. Bring it and your identity document to your branch."
            )
        case PinState.FINAL:
            return (
                "One try is left, and another wrong password locks the U-Shield. If you are not sure, ask your branch."
            )
        case PinState.LOW:
            return (
                "The U-Shield counts wrong passwords and locks itself after some, without telling how many are left. "
                "If the branch has reset it, its password is 12345678 again: give that to `ushield password`."
            )
        case _:
            return "Run the command again with the right one."


def open_for_download(lock: Lock, person: Person, *, begun: bool, last_try: bool, own: Iterable[str] = ()) -> None:
    """Open the U-Shield so that what is written to it is never guarded by the factory password.

    `begun` says that an earlier run of this download has got past this point; `own` is what no password may be part of.
    """
    require_tries_left(lock, last_try=last_try)
    state = lock.pin_state()
    untouched = state is PinState.SET and not begun
    if (untouched or state is PinState.TO_BE_CHANGED) and _opens_with_factory_password(lock):
        replace_password(lock, FACTORY_PASSWORD, person.new_password(), own)
        return
    password = person.present_password()
    open_once(lock, password, last_try=last_try)
    if password == FACTORY_PASSWORD or state is PinState.TO_BE_CHANGED:
        replace_password(lock, password, person.new_password(), own)


def _opens_with_factory_password(lock: Lock) -> bool:
    try:
        lock.log_in(FACTORY_PASSWORD)
    except WrongPassword:
        return False
    return True


def replace_password(lock: Lock, old: str, new: str, own: Iterable[str] = ()) -> None:
    """Change the password and prove it: the U-Shield is open with the new one afterwards."""
    require_acceptable(new, own)
    if new == old:
        raise UnacceptablePassword("The new password is the old one. Nothing was changed. Choose another.")
    lock.change_password(old, new)
    try:
        lock.log_in(new)
    except WrongPassword:
        raise PasswordNotTaken(
            "The U-Shield said its password was changed, but the new one does not open it. Nothing was written to it. "
            "Bring it to your branch."
        ) from None
