"""A SoftHSM token plays the U-Shield: for demonstrations and tests, prepared as the bank prepares the real ones.

`--token-dir DIR` keeps such tokens in a directory of their own, apart from every other SoftHSM token on the computer:
two programs on one token directory break each other.
"""

import os
import secrets
from pathlib import Path

import pkcs11
from pkcs11 import TokenFlag

from ushield.cryptoki import Cryptoki
from ushield.errors import DeviceTrouble, LabelTaken, NotSoftHsm, TokenDirUnusable
from ushield.passwords import FACTORY_PASSWORD
from ushield.providers import Provider
from ushield.token import talking

_LONGEST_LABEL = 32


def use_token_dir(directory: Path, *, create: bool) -> None:
    """Make SoftHSM use this directory, in this process and in those it starts."""
    os.environ["SOFTHSM2_CONF"] = str(config_of(directory, create=create))


def config_of(directory: Path, *, create: bool = False) -> Path:
    """SoftHSM's settings for the U-Shields in this directory. Raises TokenDirUnusable."""
    directory = directory.absolute()
    config, tokens = directory / "softhsm2.conf", directory / "tokens"
    try:
        if create:
            tokens.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not config.exists():
                config.write_text(
                    f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
                    "slots.removable = true\n",
                    "utf-8",
                )
    except OSError as error:
        raise TokenDirUnusable(
            f"The directory {directory} cannot hold U-Shields: {error.strerror}. Nothing was made. Name another one."
        ) from None
    if not config.is_file():
        raise TokenDirUnusable(
            f"There are no U-Shields in {directory}. Nothing was done. "
            f"Make one with `ushield init --token-dir {directory}`."
        )
    return config


def prepare(provider: Provider, label: str, so_pin_file: Path | None) -> str:
    """Make a new token with the factory password, as the bank hands them out; answer its serial number."""
    label = label.strip()  # PKCS#11 fills labels up with blanks, so none at the end would be found again
    if not 1 <= len(label.encode()) <= _LONGEST_LABEL:
        raise TokenDirUnusable(f"A label has 1 to {_LONGEST_LABEL} characters. Nothing was made. Choose another.")
    so_pin = _so_pin(so_pin_file)
    with talking("it was being prepared"):
        library = pkcs11.lib(str(provider.path))
        if "softhsm" not in library.manufacturer_id.casefold():
            raise NotSoftHsm(
                "Only a SoftHSM token can be prepared by this tool; real U-Shields are prepared by the bank. "
                "Nothing was changed."
            )
        tokens = [slot.get_token() for slot in library.get_slots(token_present=True)]
        if any(token.label == label and token.flags & TokenFlag.TOKEN_INITIALIZED for token in tokens):
            raise LabelTaken(f"There is a U-Shield called {label} already. Nothing was changed. Choose another label.")
        free = next((token for token in tokens if not token.flags & TokenFlag.TOKEN_INITIALIZED), None)
        if free is None:
            raise DeviceTrouble("SoftHSM offers no free slot for another token. Nothing was made.")
        cryptoki = Cryptoki(str(provider.path))
        lengths = cryptoki.pin_lengths(free.slot.slot_id)
        if not lengths.shortest <= len(so_pin) <= lengths.longest:
            raise TokenDirUnusable(
                f"The administrator password in {so_pin_file} must have {lengths.shortest} to {lengths.longest} "
                "characters. Nothing was made. Name another file."
            )
        cryptoki.init_token(free.slot.slot_id, so_pin, label)
        # SoftHSM gives the token its own slot now.
        library.reinitialize()
        made = library.get_token(token_label=label)
        with made.open(rw=True, so_pin=so_pin) as session:
            session.init_pin(FACTORY_PASSWORD)
        return made.serial.decode("ascii").strip(" \0")


def _so_pin(file: Path | None) -> str:
    """The administrator password of the branch: read from its file, made there first, or made up and forgotten."""
    made = secrets.token_hex(16)
    if file is None:
        return made
    try:
        if file.exists():
            return file.read_text("ascii").strip()
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w", encoding="ascii") as written:
            written.write(made + "\n")
    except (OSError, ValueError):
        raise TokenDirUnusable(
            f"The administrator password cannot be kept in {file}. Nothing was made. Name another file."
        ) from None
    return made
