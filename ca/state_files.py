"""Files that processes expect in the state directory beside the keys: the console's secret, trust, publication."""

import logging
import secrets

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from ca.adapters.files import write_atomically
from ca.adapters.publication import DirectoryPublisher
from ca.domain.errors import NotReady
from ca.ports import UnitOfWork
from config.settings import EDGE_KEY, SECRET_BYTES, State

_log = logging.getLogger("vermilion.state")


def make_secrets(state: State) -> None:
    """The key of the console's CSRF tokens, made once."""
    secret = state / "secrets" / "console-key"
    if not secret.exists():
        secret.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(secret, secrets.token_bytes(SECRET_BYTES), mode=0o600)


def make_door_key(state: State) -> None:
    """The edge's key for vouching, made once, and its public half for the signer. Raises NotReady when damaged."""
    if not state.door_key.exists():
        private = ec.generate_private_key(ec.SECP256R1())
        state.tls.mkdir(mode=0o700, exist_ok=True)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_atomically(state.door_key, pem, mode=0o600)
    try:
        key = load_pem_private_key(state.door_key.read_bytes(), None).public_key()
    except ValueError as error:
        raise NotReady(f"{state.door_key} is damaged; delete it: a new one is made") from error
    write_atomically(state.trust / EDGE_KEY, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def republish(unit_of_work: UnitOfWork, publisher: DirectoryPublisher, *, own: str) -> None:
    """What the public place has lost: CA certificates, and CRLs that no job here signs anew as that of issuer `own`."""
    try:
        with unit_of_work() as work:
            for issuer in work.issuers.list():
                if publisher.find_certificate(issuer.name) != issuer.certificate_der:
                    publisher.publish_certificate(issuer.name, issuer.certificate_der)
                if issuer.name != own:
                    publisher.put_back_crl(issuer.name)
    except OSError as error:
        # Issuing and revoking go on; the status service's health and the doctor show what is not there.
        _log.warning("the public place could not be completed: %s", error)


def root_fingerprint(state: State) -> str:
    """SHA-256 of the root certificate, for letters: from the ceremony's file, since whoever writes rows could lie."""
    try:
        root = x509.load_pem_x509_certificates((state.trust / "chain.pem").read_bytes())[-1]
    except (OSError, ValueError) as error:
        raise NotReady(f"{state.trust / 'chain.pem'} cannot be read; restore the state directory") from error
    return root.fingerprint(SHA256()).hex()


def write_chain(state: State) -> None:
    """`root.pem` and `chain.pem` from the ceremony's certificates. Raises NotReady when those are damaged."""
    try:
        ders = [(state.trust / f"{name}.cer").read_bytes() for name in ("issuing", "root")]
        issuing, root = (x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in ders)
    except (OSError, ValueError) as error:
        raise NotReady(f"{state.trust} is damaged: {error}; restore it from your backup") from error
    write_atomically(state.trust / "root.pem", root)
    write_atomically(state.trust / "chain.pem", issuing + root)
