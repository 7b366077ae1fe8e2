"""Download my Certificate: from two codes to an active certificate on the U-Shield, in steps that can be interrupted.

After each step the U-Shield itself tells how far the download has come (key pair, note with the request, certificate),
so the same command again goes on from there: never a second key pair, never another request for the same codes.
The bank is asked before anything on the U-Shield is changed: wrong codes or another customer's U-Shield leave no trace.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ushield import opening
from ushield.enrolment import Codes, Hints, certificate_with_key
from ushield.errors import (
    CertificateForOtherKey,
    ConfirmationRefused,
    KeyNotSafe,
    NoCommonKey,
    OtherDevice,
    ReadBackDiffers,
)
from ushield.keys import DeviceKey, KeyAlgorithm, algorithm_of, spki
from ushield.opening import Lock, Person
from ushield.pending import Pending
from ushield.request import certification_request, named
from ushield.token import StoredCertificate

# Fixed first octets, so that what the key signs here can never be mistaken for anything else it signs.
CONFIRMATION_CONTEXT = b"vermilion confirm v2\x00"


class Step(Enum):
    """The steps of a download, in order, as the customer sees them."""

    LOOK = "Looking at the U-Shield"
    ASK = "Asking the bank which certificate is waiting"
    OPEN = "Opening the U-Shield with its password"
    KEY = "Making the key pair on the U-Shield"
    REQUEST = "Signing the request with the new key"
    FETCH = "Getting the certificate from the bank"
    STORE = "Writing the certificate to the U-Shield"
    CHECK = "Reading it back and comparing it with the key"
    CONFIRM = "Proving the new key to the bank"
    TIDY = "Tidying up"


class Device(Lock, Protocol):
    """A U-Shield, as far as a download needs it; `ushield.token.Token` is the real one."""

    @property
    def serial(self) -> str: ...

    def algorithms(self) -> frozenset[KeyAlgorithm]: ...

    def key(self, key_id: bytes) -> DeviceKey | None: ...

    def generate(self, algorithm: KeyAlgorithm, key_id: bytes, label: str) -> DeviceKey: ...

    def destroy_key(self, key_id: bytes) -> None: ...

    def sign(self, key: DeviceKey, message: bytes) -> bytes: ...

    def certificates(self) -> list[StoredCertificate]: ...

    def destroy_certificate(self, key_id: bytes) -> None: ...

    def store_certificate(self, key_id: bytes, label: str, der: bytes) -> None: ...


class Bank(Protocol):
    """The enrolment endpoint; `ushield.enrolment.Bank` is the real one."""

    @property
    def origin(self) -> str: ...

    def hints(self, codes: Codes) -> Hints: ...

    def enrol(self, codes: Codes, request: bytes) -> list[bytes]: ...

    def challenge(self, serial: str) -> bytes: ...

    def confirm(self, serial: str, nonce: bytes, signature: bytes, by_old_key: bytes | None = None) -> str: ...


class Shelf(Protocol):
    """Where the note of an unfinished download is kept; `ushield.pending.Shelf` is the real one."""

    def load(self, reference: str) -> Pending | None: ...

    def save(self, pending: Pending) -> None: ...

    def drop(self, reference: str) -> None: ...


class Customer(Person, Protocol):
    """Who has the letters from the branch and chooses the password."""

    def authorization_code(self) -> str: ...


class Progress(Protocol):
    """Shows what is really being done."""

    def doing(self, step: Step, /) -> AbstractContextManager[None]: ...

    def waiting_for(self, hints: Hints, /) -> None:
        """Told once the bank has said which certificate is waiting."""

    def done_before(self, step: Step, /) -> None:
        """An earlier run has already done this."""


NOT_READ_BACK = (
    "The certificate read back from the U-Shield is not the one that was written. It is not active yet. Plug the "
    "U-Shield in again and run the same command; if this stays, bring it to your branch."
)


@dataclass(frozen=True, slots=True)
class Downloaded:
    certificate: x509.Certificate
    status: str


def key_id_of(reference: str) -> bytes:
    """CKA_ID of the key pair and certificate of one reference number: the same in every run, on every computer."""
    return sha256(b"vermilion enrolment v1\x00" + reference.encode()).digest()[:20]


@dataclass(frozen=True)
class Download:
    """A customer downloads the certificate of one reference number into the U-Shield."""

    device: Device
    bank: Bank
    shelf: Shelf
    customer: Customer
    progress: Progress
    last_try: bool = False

    def __call__(self, reference: str) -> Downloaded:
        key_id = key_id_of(reference)
        with self.progress.doing(Step.LOOK):
            pending = self.shelf.load(reference)
            stored = self._stored(key_id)
        if stored is None or (pending is not None and not answers(pending.request, stored)):
            codes = Codes(reference, self.customer.authorization_code())
            key, pending, stored = self._obtain(codes, key_id, pending)
        else:
            for step in (Step.ASK, Step.KEY, Step.REQUEST, Step.FETCH, Step.STORE):
                self.progress.done_before(step)
            self._open(begun=True)
            key = self._key_of(key_id, stored)
        certificate = self._read_back(key, stored)
        status = "active"
        # Without the note, whether this certificate must be confirmed is not known here; the bank knows, and
        # confirming an active one again changes nothing.
        if pending is None or pending.confirm:
            status = self._confirm(key, certificate, stored)
        with self.progress.doing(Step.TIDY):
            self.shelf.drop(reference)
        return Downloaded(certificate, status)

    def _obtain(self, codes: Codes, key_id: bytes, pending: Pending | None) -> tuple[DeviceKey, Pending, bytes]:
        hints = None if pending else self._ask(codes)
        own = (codes.reference, *((hints.subject,) if hints else ()))
        self._open(begun=pending is not None, own=own)
        key = self.device.key(key_id)
        if pending is not None and (key is None or not asks_for(pending.request, key)):
            # The note is left from a key that is no more (the U-Shield was wiped): begin anew.
            pending, hints = None, self._ask(codes)
        if pending is not None and key is not None:
            key.require_born_here()
            self.progress.done_before(Step.KEY)
            self.progress.done_before(Step.REQUEST)
        else:
            hints = hints or self._ask(codes)
            key = self._make_key(key_id, codes.reference, key, hints)
            pending = self._make_request(key, codes.reference, hints, named(codes.reference))
        with self.progress.doing(Step.FETCH):
            issued = certificate_for(key, self.bank.enrol(codes, pending.request))
        self._store(key_id, issued)
        return key, pending, issued

    def _store(self, key_id: bytes, issued: bytes) -> None:
        with self.progress.doing(Step.STORE):
            # What a power cut left half-written is no certificate, and would hide the whole one.
            self.device.destroy_certificate(key_id)
            self.device.store_certificate(key_id, label_of(issued), issued)

    def _ask(self, codes: Codes) -> Hints:
        with self.progress.doing(Step.ASK):
            hints = self.bank.hints(codes)
            wanted = hints.device_serial
            if wanted is not None and _plain(wanted) != _plain(self.device.serial):
                raise OtherDevice(
                    f"These codes are for the U-Shield with the serial number {wanted}, but the one plugged in has "
                    f"{self.device.serial}. Nothing was changed on it. Plug in the other one and run the same command."
                )
        self.progress.waiting_for(hints)
        return hints

    def _open(self, *, begun: bool, own: tuple[str, ...] = ()) -> None:
        with self.progress.doing(Step.OPEN):
            opening.open_for_download(
                self.device, self.customer, begun=begun, last_try=self.last_try, own=(self.device.serial, *own)
            )

    def _make_key(self, key_id: bytes, reference: str, key: DeviceKey | None, hints: Hints) -> DeviceKey:
        usable = self.device.algorithms()
        wanted = [name for name in hints.key_algorithms if name in usable]
        if not wanted:
            raise NoCommonKey(
                f"This U-Shield cannot make any of the keys the bank takes ({', '.join(hints.key_algorithms)}): "
                "what it can make is too weak or of another kind. No key was made. "
                "Your branch exchanges it for a newer one."
            )
        if key is not None and algorithm_of(key.public_key) in wanted:
            key.require_born_here()
            self.progress.done_before(Step.KEY)
            return key
        with self.progress.doing(Step.KEY):
            # Nothing was ever asked for with what is left here: half a pair, or a kind the bank no longer takes.
            self.device.destroy_key(key_id)
            made = self.device.generate(KeyAlgorithm(wanted[0]), key_id, f"U-Shield key {reference}")
            try:
                made.require_born_here()
            except KeyNotSafe:
                self.device.destroy_key(key_id)
                raise
        return made

    def _make_request(self, key: DeviceKey, reference: str, hints: Hints, subject: x509.Name) -> Pending:
        with self.progress.doing(Step.REQUEST):
            request = certification_request(key, subject, lambda data: self.device.sign(key, data))
            pending = Pending(reference, hints.profile, request, hints.confirm)
            # Kept before it is sent: the bank will take no other for these codes.
            self.shelf.save(pending)
        return pending

    def _stored(self, key_id: bytes) -> bytes | None:
        return next((found.der for found in self.device.certificates() if found.id == key_id), None)

    def _key_of(self, key_id: bytes, certificate: bytes) -> DeviceKey:
        key = self.device.key(key_id)
        if key is None or certificate_with_key([certificate], spki(key.public_key)) is None:
            raise CertificateForOtherKey(
                "The certificate on the U-Shield has no matching key beside it. It cannot be used. "
                "Bring the U-Shield to your branch."
            )
        return key

    def _read_back(self, key: DeviceKey, written: bytes) -> x509.Certificate:
        with self.progress.doing(Step.CHECK):
            if self._stored(key.id) != written:
                raise ReadBackDiffers(NOT_READ_BACK)
            self._key_of(key.id, written)
            key.require_born_here()
            return x509.load_der_x509_certificate(written)

    def _confirm(self, key: DeviceKey, certificate: x509.Certificate, der: bytes, old: DeviceKey | None = None) -> str:
        """By the new key, and by the `old` one too when this is a renewal."""
        serial = f"{certificate.serial_number:x}"
        with self.progress.doing(Step.CONFIRM):
            nonce = self.bank.challenge(serial)
            stated = CONFIRMATION_CONTEXT + sha256(self.bank.origin.encode()).digest() + nonce + sha256(der).digest()
            proof = self.device.sign(key, stated)
            status = self.bank.confirm(serial, nonce, proof, self.device.sign(old, stated) if old else None)
            if status != "active":
                raise ConfirmationRefused(
                    f"The bank took the proof but says the certificate is not active ({status[:20]!a}). "
                    "Run the same command again; if this stays, call the hotline."
                )
        return status


def certificate_for(key: DeviceKey, sent: list[bytes]) -> bytes:
    """The one of them for this key. Raises CertificateForOtherKey."""
    issued = certificate_with_key(sent, spki(key.public_key))
    if issued is None:
        raise CertificateForOtherKey(
            "The bank sent a certificate that is not for the key on this U-Shield. It was not written. "
            "Call the hotline."
        )
    return issued


def asks_for(request: bytes, key: DeviceKey) -> bool:
    """Whether the request is for this key."""
    parsed = x509.load_der_x509_csr(request)
    return parsed.is_signature_valid and parsed.public_key() == key.public_key


def answers(request: bytes, certificate: bytes) -> bool:
    """Whether it is a certificate, whole enough to be read, for the key of the request."""
    key = x509.load_der_x509_csr(request).public_key()
    spki_der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return certificate_with_key([certificate], spki_der) is not None


def label_of(certificate: bytes) -> str:
    """Of a certificate object: whose it is."""
    names = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else "Certificate"


def _plain(serial: str) -> str:
    return "".join(serial.split()).casefold()
