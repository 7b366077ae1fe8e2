"""A small bank on loopback that keeps docs/protocols/enrolment.md, and U-Shields that are SoftHSM tokens.

The tool always runs as a process of its own, with a token directory of its own: one process may have only one
SoftHSM, and this one may have another.
"""

import contextlib
import json
import os
import ssl
import subprocess
import sys
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_bytes
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
Answer = tuple[int, str, bytes]

REFERENCE = "0123456786"
CODE = "7K3M-9QWX-2FH3"
PASSWORD = "abc129"
REPOSITORY = Path(__file__).resolve().parents[2]


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Ca:
    """A root that certifies the server and the customers."""

    def __init__(self) -> None:
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

    def issue(
        self, subject: x509.Name, public_key: PublicKey, *extensions: tuple[x509.ExtensionType, bool]
    ) -> x509.Certificate:
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
    key_algorithms: list[str] = field(default_factory=lambda: ["ec-p256", "rsa-2048"])
    device_serial: str | None = None
    requests: list[bytes] = field(default_factory=list)
    issued: x509.Certificate | None = None
    old: x509.Certificate | None = None
    """The one that is being renewed."""
    active: bool = False
    nonces: set[bytes] = field(default_factory=set)
    seen: list[bytes] = field(default_factory=list)
    # Paths whose answer is lost once: the work is done, then the connection breaks.
    lose_answer_of: set[str] = field(default_factory=set)
    away: bool = False
    refuses_renewal: str = ""

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
        """Status, media type and body of the answer."""
        if self.away:
            return 503, "text/plain", b"away"
        route = {
            "/enrolment/profile-hints": self.hints,
            "/.well-known/est/simpleenroll": self.enrol,
            "/enrolment/challenge": self.challenge,
            "/enrolment/confirm": self.confirm,
            "/enrolment/renew": self.renew,
        }[handler.path]
        return route(handler, body)

    def knows(self, handler: BaseHTTPRequestHandler) -> bool:
        return handler.headers.get("Authorization") == "Basic " + b64encode(f"{REFERENCE}:{CODE}".encode()).decode()

    def hints(self, handler: BaseHTTPRequestHandler, _body: bytes) -> Answer:
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

    def enrol(self, handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
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
            key = parsed.public_key()
            assert isinstance(key, PublicKey)
            self.issued = self.ca.issue(name("Zhang Wei"), key)
        answer = b64encode(pkcs7.serialize_certificates([self.issued], Encoding.DER))
        return 200, "application/pkcs7-mime; smime-type=certs-only", answer

    def challenge(self, _handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
        known = {f"{one.serial_number:x}" for one in (self.issued, self.old) if one is not None}
        if json.loads(body)["serial"] not in known:
            return 404, "application/json", b'{"error": "not-found", "message": "unknown serial"}'
        nonce = token_bytes(32)
        self.nonces.add(nonce)
        return 200, "application/json", json.dumps({"nonce": b64encode(nonce).decode(), "expires_in": 300}).encode()

    def begin_renewal(self) -> None:
        """What was downloaded is the old certificate from now on."""
        self.old, self.issued, self.active = self.issued, None, False
        self.requests.clear()

    def renew(self, _handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
        assert self.old is not None
        if self.refuses_renewal:
            told = {"error": "profile-violation", "message": self.refuses_renewal}
            return 400, "application/json", json.dumps(told).encode()
        said = {name: b64decode(text) for name, text in json.loads(body).items()}
        request = x509.load_der_x509_csr(said["request"])
        self.requests.append(said["request"])
        parts = self.address.encode(), said["certificate"], said["request"]
        origin, *others = (sha256(part).digest() for part in parts)
        message = b"".join([b"vermilion renew v1\x00", origin, said["nonce"], *others])
        try:
            verify(self.old, said["signature"], message)
            self.nonces.remove(said["nonce"])
        except (InvalidSignature, KeyError):
            return 403, "application/json", b'{"error": "not-allowed", "message": "proof wrong"}'
        assert request.is_signature_valid
        assert request.subject == self.old.subject
        if self.issued is None:
            key = request.public_key()
            assert isinstance(key, PublicKey)
            self.issued = self.ca.issue(self.old.subject, key)
        told = {"certificate": b64encode(self.issued.public_bytes(Encoding.DER)).decode(), "confirm": True}
        return 200, "application/json", json.dumps(told).encode()

    def confirm(self, _handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
        assert self.issued is not None
        said = json.loads(body)
        nonce, signature = b64decode(said["nonce"]), b64decode(said["signature"])
        origin, certificate = sha256(self.address.encode()), sha256(self.issued.public_bytes(Encoding.DER))
        message = b"vermilion confirm v2\x00" + origin.digest() + nonce + certificate.digest()
        try:
            verify(self.issued, signature, message)
            if self.old is not None:
                verify(self.old, b64decode(said["predecessor_signature"]), message)
            self.nonces.remove(nonce)
        except (InvalidSignature, KeyError):
            return 400, "application/json", b'{"error": "invalid-request", "message": "proof wrong"}'
        self.active = True
        return 200, "application/json", json.dumps({"serial": said["serial"], "status": "active"}).encode()


def verify(certificate: x509.Certificate, signature: bytes, message: bytes) -> None:
    """Raise InvalidSignature."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, message, ec.ECDSA(hashes.SHA384() if key.key_size == 384 else hashes.SHA256()))


def handler_for(bank: Bank) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.serve()

        def do_POST(self) -> None:
            self.serve()

        def serve(self) -> None:
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

        def log_message(self, *_: object) -> None:
            return

    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that refuses our certificate is what a test wants to see, not noise in its output."""
        if not isinstance(sys.exception(), ssl.SSLError | ConnectionError):
            super().handle_error(request, client_address)


@dataclass
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Computer:
    """The customer's computer: runs the tool, and has a U-Shield plugged in."""

    home: Path
    bank: Bank

    @property
    def token_dir(self) -> Path:
        return self.home / "tokens"

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {**kept, "HOME": str(self.home), "PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1"}

    def python(self, *arguments: object) -> Ran:
        ran = subprocess.run(
            [sys.executable, *map(str, arguments)],
            env=self.environment(),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in ran.stderr, ran.stderr
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def ushield(self, command: str, *arguments: object) -> Ran:
        return self.python("-m", "ushield", command, "--token-dir", self.token_dir, *arguments)

    def at_terminal(self, *arguments: str, typed: dict[str, str]) -> tuple[int, str]:
        """Run the tool at a terminal, typing the answer when the prompt that ends so shows; each answer once."""
        controller, terminal = os.openpty()
        command = [sys.executable, "-m", "ushield", arguments[0], "--token-dir", str(self.token_dir), *arguments[1:]]
        # A session of its own has no /dev/tty, so the tool reads from the terminal it is given.
        running = subprocess.Popen(
            command,
            env={**self.environment(), "TERM": "dumb"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        shown, left = b"", dict(typed)
        with contextlib.suppress(OSError):  # Linux says EIO when the other side is closed.
            while got := os.read(controller, 4096):
                shown += got
                prompt = next((prompt for prompt in left if shown.endswith(prompt.encode())), None)
                if prompt is not None:
                    os.write(controller, left.pop(prompt).encode() + b"\n")
        os.close(controller)
        return running.wait(timeout=60), shown.decode()

    def secret(self, text: str) -> str:
        file = self.home / sha256(text.encode()).hexdigest()[:8]
        file.write_text(text + "\n")
        return str(file)

    def download_arguments(
        self, *, code: str = CODE, password: str = PASSWORD, ca_file: str | None = None
    ) -> tuple[str, ...]:
        return (
            *("--server", self.bank.address, "--reference", REFERENCE, "--ca-file", ca_file or self.bank.ca_file),
            *("--code-file", self.secret(code), "--password-file", self.secret(password)),
        )

    def download(self, *more: str, code: str = CODE, password: str = PASSWORD, ca_file: str | None = None) -> Ran:
        given = self.download_arguments(code=code, password=password, ca_file=ca_file)
        return self.ushield("download", "--json", *given, *more)

    def interrupted_after(self, step: str) -> Ran:
        return self._interrupted(step, "download", *self.download_arguments())

    def _interrupted(self, step: str, *arguments: str) -> Ran:
        script = REPOSITORY / "tests" / "integration" / "ushield" / "interrupted.py"
        return self.python(script, step, *arguments, "--token-dir", self.token_dir)

    def renew(self, *more: str, interrupted_after: str = "") -> Ran:
        given = ("--server", self.bank.address, "--ca-file", self.bank.ca_file)
        given += ("--password-file", self.secret(PASSWORD), *more)
        if interrupted_after:
            return self._interrupted(interrupted_after, "renew", *given)
        return self.ushield("renew", "--json", *given)

    def show(self, password: str = PASSWORD) -> Any:
        return self.ushield("show", "--json", "--password-file", self.secret(password)).json

    def pkcs11_tool(self, *arguments: str) -> str:
        module = next(
            p["path"] for p in self.ushield("providers", "--json").json["providers"] if p["name"] == "softhsm"
        )
        environment = {**self.environment(), "SOFTHSM2_CONF": str(self.token_dir / "softhsm2.conf")}
        command = ["pkcs11-tool", "--module", module, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout
