"""Fakes of what a download talks to: a U-Shield, the bank's server, the customer."""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from ushield.download import CONFIRMATION_CONTEXT, Download, Step
from ushield.enrolment import Hints
from ushield.errors import CodeUsed, ConfirmationRefused, DeviceLocked, WrongPassword
from ushield.keys import CURVES, DeviceKey, KeyAlgorithm, hash_of
from ushield.pending import Pending, Shelf
from ushield.token import PinState, StoredCertificate

FACTORY = "12345678"
OWN = "abc129"
REFERENCE = "0123456789"
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
    makes: dict[str, bool] = field(default_factory=dict)
    wrong: int = 0
    tried: list[str] = field(default_factory=list)
    opened: bool = False
    private_keys: dict[bytes, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey] = field(default_factory=dict)
    made: int = 0
    stored: list[StoredCertificate] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)

    def pin_state(self):
        return {0: PinState.SET, 4: PinState.FINAL, 5: PinState.LOCKED}.get(self.wrong, PinState.LOW)

    def log_in(self, password):
        self.opened = False
        if self.wrong >= 5:
            raise DeviceLocked("locked")
        self.tried.append(password)
        if password != self.password:
            self.wrong += 1
            raise WrongPassword("wrong")
        self.wrong, self.opened = 0, True

    def change_password(self, old, new):
        assert old == self.password
        self.password = new

    def algorithms(self):
        return self.offered

    def generate(self, algorithm, key_id, label):
        assert self.opened
        assert self.password != FACTORY
        self.made += 1
        self.private_keys[key_id] = (
            ec.generate_private_key(CURVES[algorithm])
            if algorithm in CURVES
            else rsa.generate_private_key(public_exponent=65537, key_size=2048)
        )
        return self.key(key_id)

    def key(self, key_id):
        if not self.opened or key_id not in self.private_keys:
            return None
        key = DeviceKey(
            id=key_id,
            label="",
            public_key=self.private_keys[key_id].public_key(),
            local=True,
            sensitive=True,
            always_sensitive=True,
            extractable=False,
            never_extractable=True,
        )
        return replace(key, **self.makes)

    def destroy_key(self, key_id):
        self.private_keys.pop(key_id, None)

    def sign(self, key, message):
        private = self.private_keys[key.id]
        if isinstance(private, rsa.RSAPrivateKey):
            return private.sign(message, padding.PKCS1v15(), hash_of(private.public_key()))
        return private.sign(message, ec.ECDSA(hash_of(private.public_key())))

    def certificates(self):
        return list(self.stored)

    def store_certificate(self, key_id, label, der):
        assert self.password != FACTORY
        self.stored.append(StoredCertificate(key_id, label, der))

    def notes(self, application):
        return dict(self.kept)

    def write_note(self, application, label, value):
        if self.keeps_notes:
            self.kept[label] = value
        return self.keeps_notes

    def remove_note(self, application, label):
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

    def hints(self, codes):
        return self.told

    def enrol(self, codes, request):
        self.requests.append(request)
        if self.requests[0] != request:
            raise CodeUsed("used")
        if self.issued is None:
            self.issued = certificate_for(x509.load_der_x509_csr(request).public_key())
        return [self.issued]

    def challenge(self, serial):
        return self.nonce

    def confirm(self, serial, nonce, signature):
        certificate = x509.load_der_x509_certificate(self.issued)
        if serial != f"{certificate.serial_number:x}" or nonce != self.nonce:
            raise ConfirmationRefused("unknown")
        key = certificate.public_key()
        message = CONFIRMATION_CONTEXT + nonce + sha256(self.issued).digest()
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), hash_of(key))
        else:
            key.verify(signature, message, ec.ECDSA(hash_of(key)))
        self.active = True
        return self.status


def certificate_for(public_key):
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

    def authorization_code(self):
        self.asked.append("code")
        return "7K3M-9QWX-2FHT"

    def present_password(self):
        self.asked.append("password")
        return self.present

    def new_password(self):
        self.asked.append("new password")
        return self.new


@dataclass
class Watcher:
    """Sees each step, and pulls the U-Shield out after one of them."""

    pull_out_after: Step | None = None
    done: list[Step] = field(default_factory=list)
    skipped: list[Step] = field(default_factory=list)

    @contextmanager
    def doing(self, step):
        yield
        self.done.append(step)
        if step is self.pull_out_after:
            raise PulledOut

    def done_before(self, step):
        self.skipped.append(step)

    def waiting_for(self, hints):
        return


@dataclass
class World:
    """One customer, one U-Shield, one bank; `run` is the command typed once more."""

    state_directory: object
    device: FakeDevice = field(default_factory=FakeDevice)
    bank: FakeBank = field(default_factory=FakeBank)
    customer: FakeCustomer = field(default_factory=FakeCustomer)

    def run(self, watcher=None, *, last_try=False):
        self.device.opened = False
        self.customer.asked.clear()
        shelf = Shelf(self.device, self.state_directory)
        return Download(self.device, self.bank, shelf, self.customer, watcher or Watcher(), last_try)(REFERENCE)

    def pending(self):
        return Shelf(self.device, self.state_directory).load(REFERENCE)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "state")


@pytest.fixture
def pulled_out():
    return PulledOut


@pytest.fixture
def watcher():
    return Watcher


@pytest.fixture
def pending():
    return Pending
