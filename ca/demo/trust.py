"""`./run trust`: the demo root in this user's browser store, so that https pages may use passkeys."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from ca.domain.errors import NotReady
from config.settings import State

_NAME = "Vermilion demo root"


def trust_root(state: State) -> str:
    """Add `root.pem` to the NSS store that Chromium reads; what was done, in a sentence."""
    root = state.trust / "root.pem"
    if not root.exists():
        raise NotReady(f"{root} is not there yet; start the demo with ./run first")
    certutil = shutil.which("certutil")
    if certutil is None:
        raise NotReady(
            f"certutil is missing (Debian: libnss3-tools). Or import {root} in your browser's settings, "
            "or use the console on its plain http port, where passkeys work without it"
        )
    store = Path.home() / ".pki" / "nssdb"
    if not store.exists():
        store.mkdir(mode=0o700, parents=True)
        _certutil(certutil, "-N", "-d", f"sql:{store}", "--empty-password")
    with suppress(NotReady):  # there is none from an earlier demo
        _certutil(certutil, "-D", "-n", _NAME, "-d", f"sql:{store}")
    _certutil(certutil, "-A", "-n", _NAME, "-t", "C,,", "-i", str(root), "-d", f"sql:{store}")
    return (
        f"Chromium and Chrome now trust {root} for this user. Remove it with: certutil -D -n '{_NAME}' -d sql:{store}"
    )


def _certutil(certutil: str, *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603  found by name in the PATH, fixed arguments
        [certutil, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotReady(f"certutil refused: {done.stderr.strip()}")
