"""Which PKCS#11 modules (providers, CSP) this computer has, and which U-Shields are plugged into them.

Only well-known places and p11-kit's registered modules are looked at; a path given by hand is taken as it is. Every
module is first loaded in a process of its own (`ushield.probe`), because a broken driver may take its host down.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ushield.errors import ProviderUnknown
from ushield.token import PinState

_PROBE_SECONDS = 20

# Where vendors install. The first part is the name for --provider.
_LINUX: dict[str, tuple[str, ...]] = {
    "softhsm": (
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/*/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/lib64/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
    ),
    "opensc": ("/usr/lib/*/opensc-pkcs11.so", "/usr/lib64/opensc-pkcs11.so", "/usr/lib/opensc-pkcs11.so"),
    "opencryptoki": (
        "/usr/lib/*/opencryptoki/libopencryptoki.so",
        "/usr/lib64/opencryptoki/libopencryptoki.so",
        "/usr/lib/opencryptoki/libopencryptoki.so",
    ),
    "feitian": (
        "/usr/lib/libcastle.so.1.0.0",
        "/usr/lib/*/libcastle.so.1.0.0",
        "/opt/ePass*/redist/libcastle.so.1.0.0",
    ),
    "safenet": ("/usr/lib/libeToken.so", "/usr/lib/libeTPkcs11.so", "/usr/lib64/libeToken.so"),
    "idprime": ("/usr/lib/libIDPrimePKCS11.so", "/usr/lib/pkcs11/libIDPrimePKCS11.so"),
    "yubikey": ("/usr/lib/*/libykcs11.so", "/usr/lib64/libykcs11.so", "/usr/local/lib/libykcs11.so"),
    "bit4id": ("/usr/lib/libbit4xpki.so", "/usr/lib/bit4id/libbit4xpki.so"),
}
_MACOS: dict[str, tuple[str, ...]] = {
    "softhsm": ("/opt/homebrew/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"),
    "opensc": ("/Library/OpenSC/lib/opensc-pkcs11.so",),
    "feitian": ("/usr/local/lib/libcastle.1.0.0.dylib",),
    "safenet": ("/usr/local/lib/libeTPkcs11.dylib",),
    "yubikey": ("/usr/local/lib/libykcs11.dylib", "/opt/homebrew/lib/libykcs11.dylib"),
}
_WINDOWS: dict[str, tuple[str, ...]] = {
    "softhsm": ("C:/SoftHSM2/lib/softhsm2-x64.dll",),
    "opensc": ("C:/Program Files/OpenSC Project/OpenSC/pkcs11/opensc-pkcs11.dll",),
    "feitian": ("C:/Windows/System32/eps2003csp11.dll",),
    "safenet": ("C:/Windows/System32/eTPKCS11.dll",),
    "yubikey": ("C:/Program Files/Yubico/Yubico PIV Tool/bin/libykcs11.dll",),
}
_PLACES = _MACOS if sys.platform == "darwin" else _WINDOWS if sys.platform == "win32" else _LINUX

_P11_KIT = ("/usr/share/p11-kit/modules", "/etc/pkcs11/modules", "~/.config/pkcs11/modules")
_P11_KIT_MODULES = ("/usr/lib/*/pkcs11", "/usr/lib64/pkcs11", "/usr/lib/pkcs11", "/usr/local/lib/pkcs11")
# No U-Shield is behind these: the system's list of trusted roots, a relay to the other modules, a debugger.
_NOT_PROVIDERS = ("p11-kit-trust", "p11-kit-proxy", "pkcs11-spy", "libnssckbi", "gnome-keyring", "onepin-opensc")


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Plugged:
    """A token as its provider describes it without being asked for the password."""

    label: str
    serial: str
    model: str
    manufacturer: str
    initialized: bool
    password: PinState


@dataclass(frozen=True, slots=True)
class Found:
    """What became of looking at a provider: tokens, or the reason why it is of no use."""

    provider: Provider
    description: str
    tokens: tuple[Plugged, ...]
    trouble: str | None


def installed() -> list[Provider]:
    """The providers on this computer, each module once."""
    found: dict[Path, Provider] = {}
    for name, path in (*_well_known(), *_registered()):
        real = path.resolve()
        if path.is_file() and not any(word in real.name for word in _NOT_PROVIDERS):
            found.setdefault(real, Provider(name, path))
    return list(found.values())


def resolve(wanted: str) -> Provider:
    """The provider with this name, or the module at this path."""
    path = Path(wanted).expanduser()
    if path.is_absolute() or os.sep in wanted:
        if path.is_file():
            return Provider(path.stem, path.absolute())
        raise ProviderUnknown(
            f"There is no provider at {wanted}. Nothing was done. Run `ushield providers` to see those found."
        )
    choices = installed()
    for provider in choices:
        if provider.name == wanted.casefold():
            return provider
    names = ", ".join(sorted({provider.name for provider in choices})) or "none"
    raise ProviderUnknown(
        f"No provider called {wanted} is installed. Nothing was done. Found: {names}. "
        "Install the driver that came with the U-Shield, or give the path of its PKCS#11 module."
    )


def look_at(providers: list[Provider]) -> list[Found]:
    """Probe each provider. Never raises: a broken one says so in `trouble`."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(_probe, providers))


def _probe(provider: Provider) -> Found:
    package_parent = str(Path(__file__).resolve().parent.parent)
    search = os.pathsep.join(filter(None, (package_parent, os.environ.get("PYTHONPATH"))))
    try:
        ran = subprocess.run(  # noqa: S603 - our own interpreter and module; the path of the provider is data to it
            [sys.executable, "-P", "-m", "ushield.probe", str(provider.path)],
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
    tokens = tuple(Plugged(**{**token, "password": PinState[token["password"]]}) for token in read["tokens"])
    return Found(provider, read["description"] or read["manufacturer"], tokens, None)


def _well_known() -> Iterator[tuple[str, Path]]:
    for name, patterns in _PLACES.items():
        for pattern in patterns:
            path = Path(pattern)
            for match in sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor)))):
                yield name, match


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
