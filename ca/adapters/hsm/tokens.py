"""One token: where its module, label, PIN and lock are; how a new SoftHSM token is made.

A SoftHSM token directory belongs to one process at a time: a login alone rewrites a file of it, and a second process
starting meanwhile does not see the token. `token_lock` keeps the others out.
"""

import fcntl
import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ca.adapters.files import write_atomically
from ca.adapters.hsm.module import Module, unavailable
from ca.domain.errors import NotReady

_MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),  # Debian, Ubuntu
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/softhsm/libsofthsm2.so"),  # Fedora
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
    Path("/usr/lib64/libsofthsm2.so"),
    Path("/usr/local/lib/softhsm/libsofthsm2.so"),
)
_TOKENDIR = re.compile(r"^directories\.tokendir *=.*$", re.MULTILINE)
_LONGEST_LABEL = 32
_LOCK_POLL = 0.05
_LOCK_WAIT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class HsmToken:
    """Everything needed to reach one token. `configuration` is SoftHSM's file; other modules have none."""

    module: Path
    label: str
    pin_file: Path
    lock_file: Path
    configuration: Path | None = None


@dataclass(frozen=True, slots=True)
class TokenDirectory:
    """The layout of one token below the state directory; the PIN's file is there whatever the module, the rest is
    SoftHSM's."""

    path: Path

    @property
    def configuration(self) -> Path:
        return self.path / "softhsm2.conf"

    @property
    def tokens(self) -> Path:
        return self.path / "tokens"

    @property
    def pin_file(self) -> Path:
        return self.path / "pin"

    @property
    def so_pin_file(self) -> Path:
        return self.path / "so-pin"

    @property
    def lock_file(self) -> Path:
        return self.path / "lock"

    def token(self, label: str, module: Path | None = None) -> HsmToken:
        """Raises NotReady if no module is given and SoftHSM is not installed."""
        self._follow_move()
        # Another maker's module has its own ways to find its tokens, and would stumble over SoftHSM's file.
        is_softhsm = module is None or self.configuration.exists()
        configuration = self.configuration if is_softhsm else None
        return HsmToken(module or find_module(), label, self.pin_file, self.lock_file, configuration)

    def _follow_move(self) -> None:
        # SoftHSM wants an absolute path. A state directory that was moved, or restored beside its original, must never
        # use the tokens of the place where it was made.
        try:
            written = self.configuration.read_text()
        except (OSError, UnicodeDecodeError):
            return  # none yet, damaged, or not for us to read: who opens the module says so
        settled = _TOKENDIR.sub(lambda _: f"directories.tokendir = {self.tokens.resolve()}", written)
        if settled != written:
            write_atomically(self.configuration, settled.encode(), mode=0o600)


def find_module(candidates: Sequence[Path] = _MODULES) -> Path:
    """SoftHSM's PKCS#11 module where Debian, Ubuntu and Fedora put it."""
    for path in candidates:
        if path.is_file():
            return path
    raise NotReady("SoftHSM is not installed: install softhsm2 (apt-get install softhsm2, or dnf install softhsm)")


def initialise_token(directory: TokenDirectory, label: str, module: Path | None = None) -> HsmToken:
    """Make a new SoftHSM token with random PINs. Raises NotReady rather than touch a directory in use."""
    if not 1 <= len(label.encode()) <= _LONGEST_LABEL:
        raise NotReady(f"a token label has 1 to {_LONGEST_LABEL} octets")
    if directory.path.exists() and any(directory.path.iterdir()):
        raise NotReady(f"{directory.path} holds a token already; a token is never overwritten")
    directory.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.path.chmod(0o700)
    directory.tokens.mkdir(mode=0o700)
    directory.configuration.write_text(
        f"directories.tokendir = {directory.tokens.resolve()}\n"
        "objectstore.backend = file\n"
        "log.level = ERROR\n"
        "slots.removable = false\n"
    )
    token = directory.token(label, module)
    # The PINs are on disk before the token exists: a token whose PIN died with the process would be lost.
    so_pin, pin = secrets.token_hex(16), secrets.token_hex(16)
    _write_secret(directory.so_pin_file, so_pin)
    _write_secret(directory.pin_file, pin)
    with token_lock(token.lock_file):
        opened = Module(token.module, token.configuration)
        try:
            blank = opened.initialise_blank_token(label, so_pin)
            with unavailable("set the PIN"), blank.open(rw=True, so_pin=so_pin) as session:
                session.init_pin(pin)
        finally:
            opened.close()
    return token


def read_pin(path: Path) -> str:
    """The PIN, if its file is ours alone to read."""
    try:
        mode = path.stat().st_mode
        pin = path.read_text("ascii").strip()
    except OSError as error:
        raise NotReady(f"the PIN file {path} is missing or not readable for this user") from error
    except UnicodeDecodeError as error:
        raise NotReady(f"the PIN file {path} holds something else than a PIN") from error
    if mode & 0o077:
        raise NotReady(f"the PIN file {path} can be read by others: make it mode 0400")
    if not pin:
        raise NotReady(f"the PIN file {path} is empty")
    return pin


@contextmanager
def token_lock(path: Path, wait: timedelta = _LOCK_WAIT) -> Iterator[None]:
    """Own the token while the block runs; the kernel ends a dead process' ownership by itself."""
    deadline = time.monotonic() + wait.total_seconds()
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise NotReady(f"the token's lock {path} cannot be opened: is the token directory there?") from error
    try:
        while not _locked(descriptor):
            if time.monotonic() >= deadline:
                raise NotReady(f"another signer is using this token (it holds {path})")
            time.sleep(_LOCK_POLL)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_secret(path: Path, secret: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(file.fileno())
