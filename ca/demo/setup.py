"""The demo's own first hours: officers' software passkeys, links for people, the server's TLS certificate.

All of it goes through the signer's operations, as at a branch; the TLS certificate is applied for and approved too.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ca import operations as ops
from ca.adapters.files import write_atomically
from ca.demo.codes import make_codes
from ca.demo.officers import DemoOfficers
from ca.domain.errors import InvalidTransition, NotReady
from ca.signer_client import SignerClient
from ca.usecases.ceremony import Appointment
from config.settings import Settings, State

_RENEW_BEFORE = timedelta(days=30)
_HOST = "localhost"
_BRANCH = "pudong"
_ROLES = ["ra-operator", "ra-approver", "ra-supervisor"]
_LINKS = "links.json"
_PEOPLE = {"E1001": "Zhang Min", "E1002": "Li Na"}


def keep_appointments(state: State, appointments: list[Appointment]) -> None:
    """Remember the ceremony's one-time codes until they are redeemed, seconds later."""
    state.demo.mkdir(mode=0o700, exist_ok=True)
    rows = [{"invitation": one.invitation, "code": one.code, "person": one.person} for one in appointments]
    write_atomically(state.demo / "appointments.json", json.dumps(rows).encode(), mode=0o600)


def register_officers(state: State, settings: Settings, client: SignerClient) -> None:
    """Redeem what the ceremony handed out; a first start that was interrupted goes on where it stopped."""
    waiting = state.demo / "appointments.json"
    if not waiting.exists():
        return
    officers = DemoOfficers(client, state.demo)
    rows = _kept_rows(waiting, instead="begin again in a new state directory")
    while rows:
        row = rows[0]
        try:
            officers.register(
                row["person"],
                row["invitation"],
                row["code"],
                origin=settings.origins[0],
                relying_party=settings.relying_party,
            )
        except InvalidTransition as error:
            # Redeemed just before this could be written down: then the passkey is there and signs in.
            if not officers.can_sign_in(row["person"]):
                raise NotReady(
                    f"{waiting} waits for {row['person']}, whose invitation was used or is out of date, and no "
                    "passkey here signs them in; this demo cannot be finished: begin one in a new state directory"
                ) from error
        rows = rows[1:]
        write_atomically(waiting, json.dumps(rows).encode(), mode=0o600)
    waiting.unlink()


def new_links(state: State, client: SignerClient, console_url: str) -> list[tuple[str, str]]:
    """(name, one-time link) for the two demo officers; kept in the demo directory so that a later start shows them."""
    officers = DemoOfficers(client, state.demo)
    made = [officers.invite(person, name=name, branch=_BRANCH, roles=_ROLES) for person, name in _PEOPLE.items()]
    write_atomically(state.demo / _LINKS, json.dumps(made).encode(), mode=0o600)
    return [(row["name"], _link(row, console_url)) for row in made]


def open_links(
    state: State, client: SignerClient, console_url: str, *, is_open: Callable[[str], bool]
) -> list[tuple[str, str]]:
    """The links made at the first start, as far as they still open anything; `is_open` tells by the invitation's id."""
    kept = state.demo / _LINKS
    if not kept.exists():
        return new_links(state, client, console_url)
    rows = _kept_rows(kept, instead="delete it: new links are made")
    return [(row["name"], _link(row, console_url)) for row in rows if is_open(row["invitation"])]


def _link(row: Mapping[str, str], console_url: str) -> str:
    return f"{console_url}/admin/invitation/{row['invitation']}#{row['code']}"


def _kept_rows(path: Path, *, instead: str) -> list[dict[str, str]]:
    try:
        rows = json.loads(path.read_text("utf-8"))
        return [{name: str(row[name]) for name in ("invitation", "code", *row)} for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise NotReady(f"{path} is damaged; restore it from your backup, or {instead}") from error


def make_tls_certificate(state: State, client: SignerClient) -> bool:
    """The server's certificate from our own CA, when there is none or it ends within 30 days."""
    certificate_file, key_file = state.tls / "server.pem", state.tls / "server.key"
    if _is_usable(certificate_file, key_file):
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _HOST)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    codes = next(make_codes(DemoOfficers(client, state.demo), "tls-server", 1, host_names=(_HOST,)))
    answer = client.call(
        ops.Enrol(
            reference=codes["reference_number"],
            code=codes["authorization_code"],
            request=request.public_bytes(serialization.Encoding.DER),
        )
    )
    chain = client.call(ops.CACertificates())["certificates"]
    certificates = [ops.decode_base64(text) for text in (answer["certificate"], *chain[:-1])]
    pem = b"".join(x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM) for der in certificates)
    state.tls.mkdir(mode=0o700, exist_ok=True)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # The key first: a certificate without its key would look finished.
    write_atomically(key_file, private, mode=0o600)
    key_file.chmod(0o400)
    write_atomically(certificate_file, pem)
    return True


def _is_usable(certificate_file: Path, key_file: Path) -> bool:
    """Whether the pair is there, whole, of one another, and good for a while."""
    try:
        certificate = x509.load_pem_x509_certificates(certificate_file.read_bytes())[0]
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    fits = key.public_key() == certificate.public_key()
    return fits and certificate.not_valid_after_utc >= datetime.now(UTC) + _RENEW_BEFORE
