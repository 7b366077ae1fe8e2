"""A small bank on loopback that keeps docs/protocols/enrolment.md, and U-Shields that are SoftHSM tokens.

The tool always runs as a process of its own, with a token directory of its own: one process may have only one
SoftHSM, and this one may have another.
"""

import json
import os
import ssl
import subprocess
import sys
import threading
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_bytes

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509.oid import NameOID

REFERENCE = "0123456789"
CODE = "7K3M-9QWX-2FHT"
PASSWORD = "abc129"
REPOSITORY = Path(__file__).resolve().parents[3]


def name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Ca:
    """A root that certifies the server and the customers."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = name("Test root")
        self.certificate = self.issue(
            self.name,
            self.key.public_key(),
            (x509.BasicConstraints(ca=True, path_length=None), True),
            (
                x509.KeyUsage(
                    digital_signature=False,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=True,
                    crl_sign=True,
                    encipher_only=False,
                    decipher_only=False,
                ),
                True,
            ),
        )

    def issue(self, subject, public_key, *extensions):
        now = datetime.now(UTC).replace(microsecond=0)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256())


@dataclass
class Bank:
    """What the server knows and has seen; tests change it and look at it."""

    ca: Ca
    address: str = ""
    ca_file: str = ""
    key_algorithms: list = field(default_factory=lambda: ["ec-p256", "rsa-2048"])
    device_serial: str | None = None
    requests: list = field(default_factory=list)
    issued: x509.Certificate | None = None
    active: bool = False
    nonces: set = field(default_factory=set)
    seen: list = field(default_factory=list)
    # Paths whose answer is lost once: the work is done, then the connection breaks.
    lose_answer_of: set = field(default_factory=set)
    away: bool = False

    def answer(self, handler, body):
        """Status, media type and body of the answer."""
        if self.away:
            return 503, "text/plain", b"away"
        route = {
            "/enrolment/profile-hints": self.hints,
            "/.well-known/est/simpleenroll": self.enrol,
            "/enrolment/challenge": self.challenge,
            "/enrolment/confirm": self.confirm,
        }[handler.path]
        return route(handler, body)

    def knows(self, handler):
        return handler.headers.get("Authorization") == "Basic " + b64encode(f"{REFERENCE}:{CODE}".encode()).decode()

    def hints(self, handler, _body):
        if not self.knows(handler):
            return 401, "application/json", b'{"error": "not-authenticated", "message": "no"}'
        told = {
            "profile": "personal-signing",
            "subject": "CN=Zhang Wei",
            "device_serial": self.device_serial,
            "key_algorithms": self.key_algorithms,
            "confirm": True,
        }
        return 200, "application/json", json.dumps(told).encode()

    def enrol(self, handler, body):
        if not self.knows(handler):
            return 401, "text/plain", b"no"
        assert handler.headers["Content-Type"] == "application/pkcs10"
        request = b64decode(body, validate=True)
        self.requests.append(request)
        if request != self.requests[0]:
            return 409, "text/plain", b"used"
        if self.issued is None:
            parsed = x509.load_der_x509_csr(request)
            assert parsed.is_signature_valid
            self.issued = self.ca.issue(name("Zhang Wei"), parsed.public_key())
        answer = b64encode(pkcs7.serialize_certificates([self.issued], Encoding.DER))
        return 200, "application/pkcs7-mime; smime-type=certs-only", answer

    def challenge(self, _handler, body):
        if self.issued is None or json.loads(body)["serial"] != f"{self.issued.serial_number:x}":
            return 404, "application/json", b'{"error": "not-found", "message": "unknown serial"}'
        nonce = token_bytes(32)
        self.nonces.add(nonce)
        return 200, "application/json", json.dumps({"nonce": b64encode(nonce).decode(), "expires_in": 300}).encode()

    def confirm(self, _handler, body):
        said = json.loads(body)
        nonce, signature = b64decode(said["nonce"]), b64decode(said["signature"])
        message = b"vermilion confirm v1\x00" + nonce + sha256(self.issued.public_bytes(Encoding.DER)).digest()
        key = self.issued.public_key()
        try:
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            else:
                key.verify(signature, message, ec.ECDSA(hashes.SHA384() if key.key_size == 384 else hashes.SHA256()))
            self.nonces.remove(nonce)
        except (InvalidSignature, KeyError):
            return 400, "application/json", b'{"error": "invalid-request", "message": "proof wrong"}'
        self.active = True
        return 200, "application/json", json.dumps({"serial": said["serial"], "status": "active"}).encode()


def handler_for(bank):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.serve()

        def do_POST(self):
            self.serve()

        def serve(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            bank.seen.append(f"{self.requestline}\n{self.headers}\n".encode() + body)
            status, kind, answer = bank.answer(self, body)
            if self.path in bank.lose_answer_of:
                bank.lose_answer_of.discard(self.path)
                return
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            if status == 503:
                self.send_header("Retry-After", "30")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            return

    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that refuses our certificate is what a test wants to see, not noise in its output."""
        if not isinstance(sys.exception(), ssl.SSLError | ConnectionError):
            super().handle_error(request, client_address)


@pytest.fixture(scope="session")
def ca():
    return Ca()


@pytest.fixture(scope="session")
def server_files(ca, tmp_path_factory):
    directory = tmp_path_factory.mktemp("bank")
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = ca.issue(
        name("localhost"), key.public_key(), (x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
    )
    (directory / "server.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    (directory / "root.pem").write_bytes(ca.certificate.public_bytes(Encoding.PEM))
    return directory


@pytest.fixture
def bank(ca, server_files):
    bank = Bank(ca)
    server = Server(("127.0.0.1", 0), handler_for(bank))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_files / "server.pem")
    # The handshake happens in the handler's thread: one that fails must not stop the others.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    bank.address = f"https://localhost:{server.server_port}"
    bank.ca_file = str(server_files / "root.pem")
    yield bank
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@dataclass
class Computer:
    """The customer's computer: runs the tool, and has a U-Shield plugged in."""

    home: Path
    bank: Bank

    @property
    def token_dir(self):
        return self.home / "tokens"

    def environment(self):
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {**kept, "HOME": str(self.home), "PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1"}

    def python(self, *arguments, stdin=None):
        ran = subprocess.run(
            [sys.executable, *map(str, arguments)],
            env=self.environment(),
            cwd=self.home,
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in ran.stderr, ran.stderr
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def ushield(self, command, *arguments, stdin=None):
        return self.python("-m", "ushield", command, "--token-dir", self.token_dir, *arguments, stdin=stdin)

    def secret(self, text):
        file = self.home / sha256(text.encode()).hexdigest()[:8]
        file.write_text(text + "\n")
        return str(file)

    def download_arguments(self, *, code=CODE, password=PASSWORD, reference=REFERENCE, ca_file=None):
        return (
            *("--server", self.bank.address, "--reference", reference, "--ca-file", ca_file or self.bank.ca_file),
            *("--code-file", self.secret(code), "--password-file", self.secret(password)),
        )

    def download(self, *more, **given):
        return self.ushield("download", "--json", *self.download_arguments(**given), *more)

    def interrupted_after(self, step):
        script = Path(__file__).with_name("interrupted.py")
        return self.python(script, step, "download", "--token-dir", self.token_dir, *self.download_arguments())

    def show(self, password=PASSWORD):
        return self.ushield("show", "--json", "--password-file", self.secret(password)).json

    def pkcs11_tool(self, *arguments):
        module = next(
            p["path"] for p in self.ushield("providers", "--json").json["providers"] if p["name"] == "softhsm"
        )
        environment = {**self.environment(), "SOFTHSM2_CONF": str(self.token_dir / "softhsm2.conf")}
        command = ["pkcs11-tool", "--module", module, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def computer(tmp_path, bank):
    computer = Computer(tmp_path, bank)
    made = computer.ushield("init", "--label", "U-Shield", "--json")
    assert made.status == 0, made
    bank.device_serial = made.json["serial"]
    return computer
