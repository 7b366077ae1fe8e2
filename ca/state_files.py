"""What every process expects in the state directory beside the keys: the console's secret and the trust files."""

import secrets

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca.adapters.files import write_atomically
from ca.domain.errors import NotReady
from config.settings import State


def make_secrets(state: State) -> None:
    """The key of the console's CSRF tokens, made once."""
    secret = state / "secrets" / "console-key"
    if not secret.exists():
        secret.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(secret, secrets.token_bytes(32), mode=0o600)


def write_chain(state: State) -> None:
    """`root.pem` and `chain.pem` from the ceremony's certificates. Raises NotReady when those are damaged."""
    try:
        ders = [(state.trust / f"{name}.cer").read_bytes() for name in ("issuing", "root")]
        issuing, root = (x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in ders)
    except (OSError, ValueError) as error:
        raise NotReady(f"{state.trust} is damaged: {error}; restore it from your backup") from error
    write_atomically(state.trust / "root.pem", root)
    write_atomically(state.trust / "chain.pem", issuing + root)
