"""Renew my Certificate: a new key pair and certificate beside the old one, asked for and proved by both keys.

The steps are those of a download and can be interrupted as they can: the note on the U-Shield is kept under the old
certificate's serial number. The old certificate holds until the new one is confirmed; it stays on the U-Shield. Where
the bank's profile allows it, the new certificate may be for the old key.
"""

from hashlib import sha256
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ushield import opening
from ushield.download import (
    NOT_READ_BACK,
    Device,
    Download,
    Downloaded,
    Step,
    answers,
    asks_for,
    certificate_for,
    key_id_of,
    label_of,
)
from ushield.enrolment import Hints
from ushield.errors import NothingThere, ReadBackDiffers, RenewalRefused
from ushield.inventory import entries
from ushield.keys import DeviceKey, algorithm_of
from ushield.pending import Pending
from ushield.token import certificate_of

RENEWAL_CONTEXT = b"vermilion renew v1\x00"


class Renewable(Device, Protocol):
    """A U-Shield, as far as a renewal needs it."""

    def keys(self) -> list[DeviceKey]: ...


class RenewingBank(Protocol):
    """The part of the enrolment endpoint that renews."""

    @property
    def origin(self) -> str: ...

    def challenge(self, serial: str) -> bytes: ...

    def renew(self, certificate: bytes, request: bytes, nonce: bytes, signature: bytes) -> list[bytes]: ...


def reference_of(serial: str) -> str:
    """What note, key pair and certificate of a renewal are kept under."""
    return f"renew-{serial}"


class Renewal(Download):
    """A customer renews the certificate with this serial number, or the youngest one, on the U-Shield."""

    device: Renewable
    bank: "RenewingBank"  # type: ignore[assignment]  # a download's bank, and more

    def __call__(self, serial: str) -> Downloaded:
        """Raises UShieldError; the same call again goes on where this one stopped."""
        old, old_key, reference = self._begin(serial)
        key_id = key_id_of(reference)
        pending, stored = self.shelf.load(reference), self._stored(key_id)
        if stored is None or (pending is not None and not answers(pending.request, stored)):
            key, pending = self._request(reference, old, old_key, pending)
            with self.progress.doing(Step.FETCH):
                stored = certificate_for(key, self._renew(old, old_key, pending.request))
            self._store(key_id, stored)
        else:
            for step in (Step.KEY, Step.REQUEST, Step.FETCH, Step.STORE):
                self.progress.done_before(step)
            key = self._key_of(key_id, stored)
        certificate = self._read_back(key, stored)
        status = self._confirm(key, certificate, stored, old_key)
        with self.progress.doing(Step.TIDY):
            self.shelf.drop(reference)
        return Downloaded(certificate, status)

    def _begin(self, serial: str) -> tuple[x509.Certificate, DeviceKey, str]:
        """The certificate to be renewed, its key, and what its renewal is kept under."""
        with self.progress.doing(Step.OPEN):
            opening.open_once(self.device, self.customer.present_password(), last_try=self.last_try)
        with self.progress.doing(Step.LOOK):
            old, key = self._old(serial)
        return old, key, reference_of(f"{old.serial_number:x}")

    def _old(self, serial: str) -> tuple[x509.Certificate, DeviceKey]:
        """The certificate to be renewed. One that an unfinished renewal has written is not renewed itself."""
        found = entries(self.device.certificates(), self.device.keys())
        references = [reference_of(f"{one.certificate.serial_number:x}") for one in found if one.certificate]
        unfinished = {key_id_of(name) for name in references if self.shelf.load(name) is not None}
        usable = [
            (one.certificate, one.key)
            for one in found
            if one.certificate is not None and one.key is not None and one.matches
            if (one.id not in unfinished if not serial else serial == f"{one.certificate.serial_number:x}")
        ]
        if not usable:
            raise NothingThere(
                "There is no such certificate with its key on this U-Shield, so there is nothing to renew. "
                "Plug in the other one, or ask your branch for a new certificate."
            )
        return max(usable, key=lambda pair: pair[0].not_valid_before_utc)

    def _request(
        self, reference: str, old: x509.Certificate, old_key: DeviceKey, pending: Pending | None
    ) -> tuple[DeviceKey, Pending]:
        key = self.device.key(key_id_of(reference))
        if pending is not None and key is not None and asks_for(pending.request, key):
            key.require_born_here()
            self.progress.done_before(Step.KEY)
            self.progress.done_before(Step.REQUEST)
            return key, pending
        hints = self._hints(old, old_key)
        key = self._make_key(key_id_of(reference), reference, key, hints)
        return key, self._make_request(key, reference, hints, old.subject)

    def _hints(self, old: x509.Certificate, old_key: DeviceKey) -> Hints:
        return Hints("", old.subject.rfc4514_string(), None, (algorithm_of(old_key.public_key) or "",), confirm=True)

    def _renew(self, old: x509.Certificate, old_key: DeviceKey, request: bytes) -> list[bytes]:
        der = old.public_bytes(Encoding.DER)
        nonce = self.bank.challenge(f"{old.serial_number:x}")
        bound = sha256(self.bank.origin.encode()).digest() + nonce + sha256(der).digest() + sha256(request).digest()
        return self.bank.renew(der, request, nonce, self.device.sign(old_key, RENEWAL_CONTEXT + bound))


class SameKeyRenewal(Renewal):
    """The new certificate is for the old key and stands beside the old one under the same CKA_ID."""

    def __call__(self, serial: str) -> Downloaded:
        """Raises UShieldError; the same call again goes on where this one stopped."""
        old, key, reference = self._begin(serial)
        key.require_born_here()
        self.progress.done_before(Step.KEY)
        pending = self.shelf.load(reference)
        if pending is None or not asks_for(pending.request, key):
            pending = self._make_request(key, reference, self._hints(old, key), old.subject)
        else:
            self.progress.done_before(Step.REQUEST)
        with self.progress.doing(Step.FETCH):
            issued = certificate_for(key, self._allowed(old, key, pending))
        with self.progress.doing(Step.STORE):
            if not self._holds(key, issued):
                self.device.store_certificate(key.id, label_of(issued), issued)
        with self.progress.doing(Step.CHECK):
            if not self._holds(key, issued):
                raise ReadBackDiffers(NOT_READ_BACK)
        certificate = x509.load_der_x509_certificate(issued)
        status = self._confirm(key, certificate, issued, key)
        with self.progress.doing(Step.TIDY):
            self.shelf.drop(reference)
        return Downloaded(certificate, status)

    def _old(self, serial: str) -> tuple[x509.Certificate, DeviceKey]:
        """Without a serial number, the one of an unfinished renewal: its successor may be the youngest by now."""
        found = self.device.certificates() if not serial else []
        known = [f"{one.serial_number:x}" for stored in found if (one := certificate_of(stored)) is not None]
        begun = [name for name in known if self.shelf.load(reference_of(name)) is not None]
        return super()._old(begun[0] if begun else serial)

    def _allowed(self, old: x509.Certificate, key: DeviceKey, pending: Pending) -> list[bytes]:
        try:
            return self._renew(old, key, pending.request)
        except RenewalRefused:
            # Most profiles want a new key: nothing is left unfinished then.
            self.shelf.drop(pending.reference)
            raise

    def _holds(self, key: DeviceKey, der: bytes) -> bool:
        return any(found.id == key.id and found.der == der for found in self.device.certificates())
