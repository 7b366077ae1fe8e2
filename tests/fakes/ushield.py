"""Fakes of what a download talks to: a U-Shield, the bank's server, the customer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from ushield.download import CONFIRMATION_CONTEXT, Download, Downloaded, Step
from ushield.enrolment import Codes, Hints
from ushield.errors import CodeUsed, ConfirmationRefused, DeviceLocked, WrongPassword
from ushield.keys import CURVES, DeviceKey, KeyAlgorithm, PublicKey, hash_of, require_signature
from ushield.pending import Pending, Shelf
from ushield.token import PinState, StoredCertificate

FACTORY = "12345678"
OWN = "abc129"
REFERENCE = "0123456786"
_CA_KEY = ec.generate_private_key(ec.SECP256R1())
_CA_NAME = x509.Name.from_rfc4514_string("CN=Fake bank")
_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class PulledOut(Exception):
    """The power failed."""


@dataclass
class FakeDevice:
    """A U-Shield in memory that locks after five wrong passwords and remembers every one it was given."""

    serial: str = "0A1B2C3D"
    password: str = FACTORY
    offered: frozenset[KeyAlgorithm] = frozenset({KeyAlgorithm.EC_P256, KeyAlgorithm.RSA_2048})
    keeps_notes: bool = True
    garbles: bool = False
    makes: dict[str, bool] = field(default_factory=dict)
    wrong: int = 0
    tried: list[str] = field(default_factory=list)
    opened: bool = False
    private_keys: dict[bytes, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey] = field(default_factory=dict)
    made: int = 0
    stored: list[StoredCertificate] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)

    def pin_state(self) -> PinState:
        return {0: PinState.SET, 4: PinState.FINAL, 5: PinState.LOCKED}.get(self.wrong, PinState.LOW)

    def log_in(self, password: str) -> None:
        self.opened = False
        if self.wrong >= 5:
            raise DeviceLocked("locked")
        self.tried.append(password)
        if password != self.password:
            self.wrong += 1
            raise WrongPassword("wrong")
        self.wrong, self.opened = 0, True

    def change_password(self, old: str, new: str) -> None:
        assert old == self.password
        self.password = new

    def algorithms(self) -> frozenset[KeyAlgorithm]:
        return self.offered

    def generate(self, algorithm: KeyAlgorithm, key_id: bytes, label: str) -> DeviceKey:
        assert self.opened
        assert self.password != FACTORY
        self.made += 1
        self.private_keys[key_id] = (
            ec.generate_private_key(CURVES[algorithm])
            if algorithm in CURVES
            else rsa.generate_private_key(public_exponent=65537, key_size=2048)
        )
        made = self.key(key_id)
        assert made is not None
        return made

    def key(self, key_id: bytes) -> DeviceKey | None:
        if not self.opened or key_id not in self.private_keys:
            return None
        return DeviceKey(
            id=key_id,
            label="",
            public_key=self.private_keys[key_id].public_key(),
            local=self.makes.get("local", True),
            sensitive=self.makes.get("sensitive", True),
            always_sensitive=self.makes.get("always_sensitive", True),
            extractable=self.makes.get("extractable", False),
            never_extractable=self.makes.get("never_extractable", True),
            mechanism=0x1040,
        )

    def keys(self) -> list[DeviceKey]:
        return [key for key_id in self.private_keys if (key := self.key(key_id)) is not None]

    def destroy_key(self, key_id: bytes) -> None:
        self.private_keys.pop(key_id, None)

    def sign(self, key: DeviceKey, message: bytes) -> bytes:
        private = self.private_keys[key.id]
        if isinstance(private, rsa.RSAPrivateKey):
            return private.sign(message, padding.PKCS1v15(), hash_of(private.public_key()))
        return private.sign(message, ec.ECDSA(hash_of(private.public_key())))

    def certificates(self) -> list[StoredCertificate]:
        return list(self.stored)

    def destroy_certificate(self, key_id: bytes) -> None:
        self.stored = [kept for kept in self.stored if kept.id != key_id]

    def store_certificate(self, key_id: bytes, label: str, der: bytes) -> None:
        assert self.password != FACTORY
        if self.garbles:
            der = der[:-1] + bytes([der[-1] ^ 1])
        self.stored.append(StoredCertificate(key_id, label, der))

    def notes(self, application: str) -> dict[str, bytes]:
        return dict(self.kept)

    def write_note(self, application: str, label: str, value: bytes) -> bool:
        if self.keeps_notes:
            self.kept[label] = value
        return self.keeps_notes

    def remove_note(self, application: str, label: str) -> None:
        self.kept.pop(label, None)


@dataclass
class FakeBank:
    """Keeps the contract of docs/protocols/enrolment.md in memory."""

    told: Hints = field(
        default_factory=lambda: Hints("personal-signing", "CN=Zhang Wei", None, ("ec-p256", "rsa-2048"), confirm=True)
    )
    requests: list[bytes] = field(default_factory=list)
    issued: bytes | None = None
    active: bool = False
    nonce: bytes = bytes(range(32))
    status: str = "active"
    origin: str = "https://bank.example"

    def hints(self, codes: Codes) -> Hints:
        return self.told

    def enrol(self, codes: Codes, request: bytes) -> list[bytes]:
        self.requests.append(request)
        if self.requests[0] != request:
            raise CodeUsed("used")
        if self.issued is None:
            key = x509.load_der_x509_csr(request).public_key()
            assert isinstance(key, PublicKey)
            self.issued = certificate_for(key)
        return [self.issued]

    def challenge(self, serial: str) -> bytes:
        return self.nonce

    def confirm(self, serial: str, nonce: bytes, signature: bytes, by_old_key: bytes | None = None) -> str:
        assert self.issued is not None
        certificate = x509.load_der_x509_certificate(self.issued)
        if serial != f"{certificate.serial_number:x}" or nonce != self.nonce:
            raise ConfirmationRefused("unknown")
        key = certificate.public_key()
        assert isinstance(key, PublicKey)
        origin, issued = sha256(self.origin.encode()), sha256(self.issued)
        require_signature(key, signature, CONFIRMATION_CONTEXT + origin.digest() + nonce + issued.digest())
        self.active = True
        return self.status


def certificate_for(public_key: PublicKey) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string("CN=Zhang Wei"))
        .issuer_name(_CA_NAME)
        .public_key(public_key)
        .serial_number(0xA1B2C3D4E5)
        .not_valid_before(_NOON)
        .not_valid_after(_NOON + timedelta(days=365))
    )
    return builder.sign(_CA_KEY, hash_of(_CA_KEY.public_key())).public_bytes(Encoding.DER)


@dataclass
class FakeCustomer:
    present: str = OWN
    new: str = OWN
    asked: list[str] = field(default_factory=list)

    def authorization_code(self) -> str:
        self.asked.append("code")
        return "7K3M-9QWX-2FH3"

    def present_password(self) -> str:
        self.asked.append("password")
        return self.present

    def new_password(self) -> str:
        self.asked.append("new password")
        return self.new


@dataclass
class Watcher:
    """Sees each step, and pulls the U-Shield out after one of them."""

    pull_out_after: Step | None = None
    done: list[Step] = field(default_factory=list)
    skipped: list[Step] = field(default_factory=list)

    @contextmanager
    def doing(self, step: Step) -> Iterator[None]:
        yield
        self.done.append(step)
        if step is self.pull_out_after:
            raise PulledOut

    def done_before(self, step: Step) -> None:
        self.skipped.append(step)

    def waiting_for(self, hints: Hints) -> None:
        return


@dataclass
class World:
    """One customer, one U-Shield, one bank; `run` is the command typed once more."""

    state_directory: Path
    device: FakeDevice = field(default_factory=FakeDevice)
    bank: FakeBank = field(default_factory=FakeBank)
    customer: FakeCustomer = field(default_factory=FakeCustomer)

    def run(self, watcher: Watcher | None = None, *, last_try: bool = False) -> Downloaded:
        self.device.opened = False
        self.customer.asked.clear()
        shelf = Shelf(self.device, self.state_directory)
        return Download(self.device, self.bank, shelf, self.customer, watcher or Watcher(), last_try)(REFERENCE)

    def pending(self) -> Pending | None:
        return Shelf(self.device, self.state_directory).load(REFERENCE)
