"""One U-Shield: its password, its keys, its certificates, by PKCS#11 2.40.

Single-threaded by design, so the module may be initialised without locking. Login state belongs to the token, not to
a session: there is one session at a time, public until `log_in` replaces it by one opened with the password.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pkcs11
from cryptography import x509
from pkcs11 import Attribute, ObjectClass, TokenFlag
from pkcs11.util.x509 import decode_x509_certificate

from ushield import mechanisms
from ushield.cryptoki import Cryptoki, CryptokiError
from ushield.errors import (
    DeviceFull,
    DeviceLocked,
    DeviceTrouble,
    HasKeyPad,
    NotPrepared,
    PasswordNotTaken,
    SoPasswordWrong,
    TakenOut,
    WrongPassword,
)
from ushield.keys import DeviceKey, KeyAlgorithm, require_signature

_GONE = (
    pkcs11.DeviceRemoved,
    pkcs11.TokenNotPresent,
    pkcs11.TokenNotRecognised,
    pkcs11.SessionHandleInvalid,
    pkcs11.SessionClosed,
    pkcs11.SlotIDInvalid,
    pkcs11.NoSuchToken,
)


class PinState(Enum):
    """What the U-Shield tells of its password without being asked for it. PKCS#11 has flags, no counter."""

    SET = "set"
    LOW = "set, was typed wrongly lately"
    FINAL = "set, one try left"
    LOCKED = "locked"
    TO_BE_CHANGED = "must be changed"
    NOT_SET = "not set"


def pin_state(flags: TokenFlag) -> PinState:
    if not flags & TokenFlag.USER_PIN_INITIALIZED:
        return PinState.NOT_SET
    for flag, state in (
        (TokenFlag.USER_PIN_LOCKED, PinState.LOCKED),
        (TokenFlag.USER_PIN_FINAL_TRY, PinState.FINAL),
        (TokenFlag.USER_PIN_COUNT_LOW, PinState.LOW),
        (TokenFlag.USER_PIN_TO_BE_CHANGED, PinState.TO_BE_CHANGED),
    ):
        if flags & flag:
            return state
    return PinState.SET


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    id: bytes
    label: str
    der: bytes


class Token:
    """A U-Shield plugged in. Close it when done."""

    def __init__(self, module: str, token: pkcs11.Token) -> None:
        self._cryptoki = Cryptoki(module)
        self._token = token
        self._slot: int = token.slot.slot_id
        self.label = token.label
        self.serial = token.serial.decode("utf-8", "replace").strip(" \0")
        self.model = token.model
        if token.flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH:
            raise HasKeyPad(
                "This U-Shield takes its password on keys of its own, which this version of the tool cannot use. "
                "Nothing was changed. Ask your branch for a U-Shield without a key pad."
            )
        with talking("it was being opened"):
            self._session = token.open(rw=True)

    def close(self) -> None:
        # The U-Shield may be gone by now, and there is nothing left to do with it.
        try:
            self._session.close()
            self._cryptoki.close_all_sessions(self._slot)
        except (pkcs11.PKCS11Error, CryptokiError):
            return

    # -- the password ------------------------------------------------------------------------------------------------

    def pin_state(self) -> PinState:
        with talking("it was being looked at"):
            return pin_state(self._token.slot.get_token().flags)

    def log_in(self, password: str) -> None:
        """Open the U-Shield. Raise WrongPassword or DeviceLocked; a wrong password is tried once, never again."""
        with talking("it was being opened"):
            self._session.close()
            try:
                self._session = self._token.open(rw=True, user_pin=password)
            except pkcs11.PKCS11Error:
                self._cryptoki.close_all_sessions(self._slot)
                self._session = self._token.open(rw=True)
                raise

    def change_password(self, old: str, new: str) -> None:
        """Replace the password. The U-Shield is open, or still closed: PKCS#11 allows it in both states."""
        with talking("its password was being changed"):
            try:
                self._session.set_pin(old, new)
            except (pkcs11.PinLenRange, pkcs11.PinInvalid, pkcs11.PinTooWeak):
                lengths = self._cryptoki.pin_lengths(self._slot)
                raise PasswordNotTaken(
                    f"The U-Shield did not take the new password: it wants {lengths.shortest} to {lengths.longest} "
                    "characters and may have rules of its own. The password is still the old one. Choose another."
                ) from None

    def reset_password(self, so_password: str, next_so_password: str, new: str) -> None:
        """Set a password without knowing the old one, and replace the SO password. The U-Shield is open afterwards.

        A run that was cut off may have replaced the SO password already: then the next one is the one that opens.
        """
        with talking("its password was being reset"):
            used, following = self._cut(so_password), self._cut(next_so_password)
            opened_with = self._log_in_as_so(used, following)
            self._session.init_pin(new)
            if opened_with != following:
                self._session.set_pin(used, following)
            self._reopen()
        self.log_in(new)

    def set_so_password(self, present: str, new: str, user_password: str) -> None:
        """Replace the SO password of a U-Shield in the stock, and give it the password it is handed out with."""
        with talking("it was being prepared"):
            wanted = self._cut(new)
            opened_with = self._log_in_as_so(present, wanted)
            self._session.init_pin(user_password)
            if opened_with != wanted:
                self._session.set_pin(opened_with, wanted)
            self._reopen()

    def _log_in_as_so(self, *candidates: str) -> str:
        """The first that opens. Each wrong one costs a try of the SO, so there are never more than two."""
        self._session.close()
        for candidate in candidates:
            try:
                self._session = self._token.open(rw=True, so_pin=candidate)
            except pkcs11.PinIncorrect:
                # A session that was opened in vain stays, and the SO is let in only when there is no other.
                self._cryptoki.close_all_sessions(self._slot)
            else:
                return candidate
        self._session = self._token.open(rw=True)
        raise SoPasswordWrong(
            "The bank's SO password does not open this U-Shield: it was not prepared by the bank, or it is locked for "
            "good. Nothing was changed. Bring it to your branch."
        )

    def _reopen(self) -> None:
        """Public again; whoever was logged in is out."""
        self._session.close()
        self._cryptoki.close_all_sessions(self._slot)
        self._session = self._token.open(rw=True)

    def _cut(self, so_password: str) -> str:
        return so_password[: self._cryptoki.pin_lengths(self._slot).longest]

    # -- keys --------------------------------------------------------------------------------------------------------

    def algorithms(self) -> frozenset[KeyAlgorithm]:
        with talking("it was being looked at"):
            return mechanisms.algorithms(self._token.slot)

    def generate(self, algorithm: KeyAlgorithm, key_id: bytes, label: str) -> DeviceKey:
        with talking("the key pair was being made"):
            mechanisms.generate(self._session, algorithm, key_id, label)
        key = self.key(key_id)
        if key is None:
            raise DeviceTrouble(
                "The U-Shield said it made a key pair, but does not show it. Nothing is lost. Plug it in again and run "
                "the same command; if this stays, bring it to your branch."
            )
        return key

    def key(self, key_id: bytes) -> DeviceKey | None:
        """The key pair with this identifier; None when there is none, or only half of one."""
        return next((key for key in self.keys() if key.id == key_id), None)

    def keys(self) -> list[DeviceKey]:
        """All whole key pairs that are visible: none before the U-Shield is open."""
        with talking("its keys were being read"):
            privates = self._find({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
            publics = {o[Attribute.ID]: o for o in self._find({Attribute.CLASS: ObjectClass.PUBLIC_KEY})}
            return [
                key
                for private in privates
                if (public := publics.get(private[Attribute.ID])) is not None
                and (key := mechanisms.describe(private, public)) is not None
            ]

    def destroy_key(self, key_id: bytes) -> None:
        """Remove every key object with this identifier, so that a half-made pair leaves nothing behind."""
        with talking("a half-made key pair was being removed"):
            for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
                for found in self._find({Attribute.CLASS: kind, Attribute.ID: key_id}):
                    found.destroy()

    def sign(self, key: DeviceKey, message: bytes) -> bytes:
        """Sign with the hash that goes with the key; the signature is checked before anybody sees it."""
        with talking("it was signing"):
            found = self._find({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: key.id})
            if not found:
                raise TakenOut(
                    "The U-Shield does not show its key any more: was it taken out? Nothing was signed, and nothing is "
                    "lost. Plug it in and run the same command again."
                )
            if len(found) != 1:
                raise DeviceTrouble(
                    f"The U-Shield holds {len(found)} keys under one name, so the tool cannot tell which to use. "
                    "Nothing was signed. Bring the U-Shield to your branch."
                )
            signature = mechanisms.sign(self._token.slot, found[0], key.public_key, message)
        require_signature(key.public_key, signature, message)
        return signature

    # -- certificates and notes ----------------------------------------------------------------------------------------

    def certificates(self) -> list[StoredCertificate]:
        with talking("its certificates were being read"):
            return [
                StoredCertificate(o[Attribute.ID], _text(o, Attribute.LABEL), o[Attribute.VALUE])
                for o in self._find({Attribute.CLASS: ObjectClass.CERTIFICATE})
            ]

    def destroy_certificate(self, key_id: bytes) -> None:
        """Remove every certificate object with this identifier."""
        with talking("a half-written certificate was being removed"):
            for found in self._find({Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.ID: key_id}):
                found.destroy()

    def store_certificate(self, key_id: bytes, label: str, der: bytes) -> None:
        with talking("the certificate was being written"):
            self._session.create_object(
                {
                    **decode_x509_certificate(der),
                    Attribute.TOKEN: True,
                    Attribute.PRIVATE: False,
                    Attribute.ID: key_id,
                    Attribute.LABEL: label,
                }
            )

    def notes(self, application: str) -> dict[str, bytes]:
        """The data objects that an application keeps on the U-Shield, by label; visible without the password."""
        with talking("its notes were being read"):
            found = self._find({Attribute.CLASS: ObjectClass.DATA, Attribute.APPLICATION: application})
            return {_text(o, Attribute.LABEL): o[Attribute.VALUE] for o in found}

    def write_note(self, application: str, label: str, value: bytes) -> bool:
        """Keep a data object on the U-Shield. False when it keeps none: many cards hold keys and certificates only."""
        try:
            self._session.create_object(
                {
                    Attribute.CLASS: ObjectClass.DATA,
                    Attribute.TOKEN: True,
                    Attribute.PRIVATE: False,
                    Attribute.APPLICATION: application,
                    Attribute.LABEL: label,
                    Attribute.VALUE: value,
                }
            )
        except _GONE:
            with talking("a note was being written"):
                raise
        except pkcs11.PKCS11Error:
            return False
        return True

    def remove_note(self, application: str, label: str) -> None:
        with talking("a note was being removed"):
            template = {Attribute.CLASS: ObjectClass.DATA, Attribute.APPLICATION: application, Attribute.LABEL: label}
            for found in self._find(template):
                found.destroy()

    def _find(self, template: Mapping[Attribute, Any]) -> list[Any]:
        return list(self._session.get_objects(dict(template)))


def _text(found: Any, attribute: Attribute) -> str:
    try:
        return str(found[attribute])
    except pkcs11.AttributeTypeInvalid:
        return ""


def certificate_of(stored: StoredCertificate) -> x509.Certificate | None:
    """The certificate, or None when what is stored is not one we can read."""
    try:
        return x509.load_der_x509_certificate(stored.der)
    except ValueError:
        return None


@contextmanager
def talking(while_what: str) -> Iterator[None]:
    """Turn what PKCS#11 raises into what the customer can act on. `while_what` ends a sentence about the U-Shield."""
    try:
        yield
    except _GONE as error:
        raise TakenOut(
            f"The U-Shield was taken out while {while_what}. Nothing is lost. "
            "Plug it in and run the same command again."
        ) from error
    except pkcs11.PinIncorrect as error:
        raise WrongPassword("The password is not the one of this U-Shield. It was tried once and no more.") from error
    except pkcs11.PinLocked as error:
        raise DeviceLocked(
            "The U-Shield is locked: the password was typed wrongly too often. Its keys are safe. "
            "Bring the U-Shield and your identity document to your branch."
        ) from error
    except pkcs11.UserPinNotInitialized as error:
        raise NotPrepared("This U-Shield has no password yet. Bring it to your branch to be prepared.") from error
    except (pkcs11.DeviceMemory, pkcs11.HostMemory) as error:
        raise DeviceFull(
            f"The U-Shield is full: there was no room while {while_what}. Nothing is lost. "
            "Bring it to your branch, where old certificates can be removed."
        ) from error
    except (pkcs11.PKCS11Error, CryptokiError) as error:
        raise DeviceTrouble(
            f"The U-Shield or its driver failed while {while_what}. Nothing is lost. Plug it in again and run "
            "the same command; if this stays, install the newest driver or bring it to your branch."
        ) from error
