"""Which PKCS#11 modules (providers, CSP) this computer has, and which U-Shields are plugged into them.

The listed places are looked at and, at a terminal, p11-kit's registered modules; a path given by hand is taken as it
is. Every module is first loaded in a process of its own (`ushield.probe`): a broken driver may take its host down.
"""

import json
import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ushield import trusted
from ushield.errors import ProviderUnknown
from ushield.provider_list import Listed
from ushield.token import PinState

_PROBE_SECONDS = 20

_P11_KIT = ("/usr/share/p11-kit/modules", "/etc/pkcs11/modules", "~/.config/pkcs11/modules")
_P11_KIT_MODULES = ("/usr/lib/*/pkcs11", "/usr/lib64/pkcs11", "/usr/lib/pkcs11", "/usr/local/lib/pkcs11")
# No U-Shield is behind these: the system's list of trusted roots, a relay to the other modules, a debugger.
_NOT_PROVIDERS = ("p11-kit-trust", "p11-kit-proxy", "pkcs11-spy", "libnssckbi", "gnome-keyring", "onepin-opensc")


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    path: Path
    title: str
    """For customers."""


@dataclass(frozen=True, slots=True)
class Plugged:
    """A token as its provider describes it without being asked for the password."""

    label: str
    serial: str
    model: str
    manufacturer: str
    initialized: bool
    password: PinState
    certificates: tuple[bytes, ...] = ()
    """DER; only read when asked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """What became of looking at a provider: tokens, or the reason why it is of no use."""

    provider: Provider
    description: str
    tokens: tuple[Plugged, ...]
    trouble: str | None
    is_unsafe: bool = False
    """Others could have changed the module."""


@dataclass(frozen=True, slots=True)
class Drivers:
    """Which modules may be loaded: at a terminal what the customer names, for a page what the bank has listed."""

    listed: tuple[Listed, ...]
    for_page: bool = False

    def installed(self) -> list[Provider]:
        """The providers on this computer, each module once. p11-kit's belong to the terminal: whatever program the
        customer once installed may have registered one."""
        candidates = [Provider(one.name, path, one.title) for one in self.listed for path in one.modules()]
        if not self.for_page:
            candidates += [Provider(name, path, name) for name, path in _registered()]
        found: dict[Path, Provider] = {}
        for provider in candidates:
            real = provider.path.resolve()
            if provider.path.is_file() and not any(word in real.name for word in _NOT_PROVIDERS):
                found.setdefault(real, provider)
        return list(found.values())

    def resolve(self, wanted: str) -> Provider:
        """At a terminal: the provider with this name, or the module at this path."""
        path = Path(wanted).expanduser()
        if path.is_absolute() or os.sep in wanted:
            if path.is_file():
                return Provider(path.stem, path.absolute(), path.stem)
            raise ProviderUnknown(
                f"There is no provider at {wanted}. Nothing was done. Run `ushield providers` to see those found."
            )
        choices = self.installed()
        for provider in choices:
            if provider.name == wanted.casefold():
                return provider
        names = ", ".join(sorted({provider.name for provider in choices})) or "none"
        raise ProviderUnknown(
            f"No provider called {wanted} is installed. Nothing was done. Found: {names}. "
            "Install the driver that came with the U-Shield, or give the path of its PKCS#11 module."
        )

    def look(self, named: str | None = None, *, with_certificates: bool = False) -> list[Found]:
        """Look at the one that is named, else at what is installed. For a page, a module that others could have changed
        is not loaded."""
        if named is not None:
            return look_at([self.resolve(named)])
        found, safe = [], []
        for provider in self.installed():
            reason = trusted.objection(provider.path) if self.for_page else None
            if reason is None:
                safe.append(provider)
            else:
                found.append(Found(provider, "", (), f"it was not loaded, because {reason}", is_unsafe=True))
        return look_at(safe, with_certificates=with_certificates) + found


def look_at(providers: list[Provider], *, with_certificates: bool = False) -> list[Found]:
    """Probe each provider. Never raises: a broken one says so in `trouble`."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(partial(_probe, more=("certificates",) if with_certificates else ()), providers))


def _probe(provider: Provider, more: tuple[str, ...]) -> Found:
    package_parent = str(Path(__file__).resolve().parent.parent)
    search = os.pathsep.join(filter(None, (package_parent, os.environ.get("PYTHONPATH"))))
    try:
        ran = subprocess.run(  # noqa: S603 - our own interpreter and module; the path of the provider is data to it
            [sys.executable, "-P", "-m", "ushield.probe", str(provider.path), *more],
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
            env={**os.environ, "PYTHONPATH": search},
        )
    except subprocess.TimeoutExpired:
        return Found(provider, "", (), f"it did not answer within {_PROBE_SECONDS} seconds")
    if ran.returncode != 0:
        died = f"signal {-ran.returncode}" if ran.returncode < 0 else f"status {ran.returncode}"
        return Found(provider, "", (), f"it crashed while it was being loaded ({died})")
    return _read(provider, ran.stdout)


def _read(provider: Provider, answer: bytes) -> Found:
    try:
        read = json.loads(answer)
    except ValueError:
        return Found(provider, "", (), "it gave no answer that could be read")
    if "error" in read:
        return Found(provider, "", (), str(read["error"]))
    tokens = tuple(_plugged(token) for token in read["tokens"])
    return Found(provider, read["description"] or read["manufacturer"], tokens, None)


def _plugged(told: dict[str, Any]) -> Plugged:
    certificates = tuple(b64decode(one) for one in told["certificates"])
    return Plugged(**{**told, "password": PinState[told["password"]], "certificates": certificates})


def _registered() -> Iterator[tuple[str, Path]]:
    """Modules registered with p11-kit: one file each, with a line `module: path`."""
    for directory in _P11_KIT:
        for config in sorted(Path(directory).expanduser().glob("*.module")):
            try:
                lines = config.read_text("utf-8").splitlines()
            except (OSError, ValueError):
                continue
            for line in lines:
                key, _, value = line.partition(":")
                if key.strip() == "module" and value.strip():
                    yield from ((config.stem.casefold(), path) for path in _module_paths(value.strip()))


def _module_paths(value: str) -> Iterator[Path]:
    if Path(value).is_absolute():
        yield Path(value)
        return
    for pattern in _P11_KIT_MODULES:
        yield from (directory / value for directory in sorted(Path("/").glob(pattern.lstrip("/"))))
