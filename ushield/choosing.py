"""Which U-Shield a command means: the one named, or the only one plugged in. Never a guess between two."""

from dataclasses import dataclass

import pkcs11

from ushield.errors import NoDevice, NoProvider, NotPrepared, ProviderBroken, ProviderUnsafe, SeveralDevices
from ushield.providers import Drivers, Found, Plugged, Provider
from ushield.token import PinState, Token, talking


@dataclass(frozen=True, slots=True)
class Choice:
    """What the customer said about provider and U-Shield; both may be left open."""

    provider: str | None = None
    token: str | None = None


def choose(choice: Choice, drivers: Drivers) -> tuple[Provider, Plugged]:
    found = drivers.look(choice.provider)
    if choice.provider and (trouble := found[0].trouble):
        raise ProviderBroken(
            f"The provider {found[0].provider.path} cannot be used: {trouble}. Nothing was done. "
            "Install the newest driver of your U-Shield."
        )
    return pick(found, choice.token)


def plugged(found: list[Found]) -> list[tuple[Provider, Plugged]]:
    """Every U-Shield once: one may show through two drivers, and then the first counts."""
    seen: dict[tuple[str, str], tuple[Provider, Plugged]] = {}
    for result in found:
        for token in result.tokens:
            if token.initialized:
                seen.setdefault((token.serial, token.label), (result.provider, token))
    return list(seen.values())


def ready(found: list[Found]) -> list[tuple[Provider, Plugged]]:
    """Those that have a password."""
    return [pair for pair in plugged(found) if pair[1].password is not PinState.NOT_SET]


def pick(found: list[Found], wanted: str | None) -> tuple[Provider, Plugged]:
    """The one token that fits among all that are plugged in."""
    if not found:
        raise NoProvider(
            "No driver for a U-Shield is installed on this computer. Install the one that came with your U-Shield, "
            "then run the same command again."
        )
    fitting = [pair for pair in plugged(found) if wanted is None or _named(pair[1], wanted)]
    prepared = [pair for pair in fitting if pair in ready(found)]
    if len(prepared) == 1:
        return prepared[0]
    if prepared:
        listed = "; ".join(f"{token.label} (serial {token.serial})" for _, token in prepared)
        raise SeveralDevices(
            f"Several U-Shields are plugged in: {listed}. Nothing was done. Say which one with --token and its serial "
            "number, or unplug the others."
        )
    if fitting:
        raise NotPrepared("This U-Shield has no password yet. Bring it to your branch to be prepared.")
    if wanted is not None:
        raise NoDevice(
            f"No U-Shield with the label or serial number {wanted} is plugged in. Nothing was done. "
            "Plug it in, or run `ushield providers` to see what is there."
        )
    for refused in (one for one in found if one.is_unsafe):
        raise ProviderUnsafe(
            f"The driver {refused.provider.title} was not used: {refused.trouble}. Whoever can change it would get "
            "your password. Install it again from its maker, as the computer's administrator; if you did not put it "
            "there, call the hotline."
        )
    raise NoDevice(
        "No U-Shield is plugged in, or its driver is not installed. Nothing was done. Plug it in and run the same "
        "command again; `ushield providers` shows what the computer sees."
    )


def _named(token: Plugged, wanted: str) -> bool:
    return wanted == token.label or "".join(wanted.split()).casefold() == token.serial.casefold()


def open_token(choice: Choice, drivers: Drivers) -> Token:
    """Load the provider for good and open the chosen U-Shield, without its password."""
    return open_plugged(*choose(choice, drivers))


def open_plugged(provider: Provider, wanted: Plugged) -> Token:
    """The same for one that was found before. Raises NoDevice when it was taken out since."""
    with talking("it was being opened"):
        library = pkcs11.lib(str(provider.path))
        # Slot numbers change; label and serial number do not.
        for slot in library.get_slots(token_present=True):
            token = slot.get_token()
            if token.label == wanted.label and token.serial.decode("utf-8", "replace").strip(" \0") == wanted.serial:
                return Token(str(provider.path), token)
    raise NoDevice("The U-Shield was taken out. Nothing is lost. Plug it in and run the same command again.")
