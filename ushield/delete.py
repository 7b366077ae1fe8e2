"""Delete a certificate with its key pair from the U-Shield, or a key pair that was left without a certificate."""

from datetime import datetime
from typing import Protocol

from ushield.download import key_id_of
from ushield.errors import NothingThere, StillUsed, StillValid
from ushield.inventory import Entry, entries
from ushield.keys import DeviceKey
from ushield.pending import APPLICATION, Shelf
from ushield.renew import reference_of
from ushield.token import StoredCertificate


class Erasable(Protocol):
    """An open U-Shield, as far as a deletion needs it."""

    def certificates(self) -> list[StoredCertificate]: ...

    def keys(self) -> list[DeviceKey]: ...

    def notes(self, application: str) -> dict[str, bytes]: ...

    def destroy_key(self, key_id: bytes) -> None: ...

    def destroy_certificate(self, key_id: bytes) -> None: ...


def find(device: Erasable, wanted: str) -> list[Entry]:
    """What would go with the certificate of this serial number (hex) or the key pair of this identifier (hex): it, and
    what shares its key. Raises NothingThere.
    """
    plain = "".join(wanted.replace(":", "").split()).casefold()
    found = entries(device.certificates(), device.keys())
    for entry in found:
        name = entry.id.hex() if entry.certificate is None else f"{entry.certificate.serial_number:x}"
        if plain.lstrip("0") == name.lstrip("0"):
            return [one for one in found if one.id == entry.id]
    raise NothingThere(
        "There is no certificate with this serial number and no left-over key pair with this identifier on the "
        "U-Shield. Nothing was deleted. `ushield show` lists them."
    )


def require_unused(device: Erasable, shelf: Shelf, going: list[Entry]) -> None:
    """Raise StillUsed when an unfinished download or renewal needs it: the same command would have to go on with it."""
    written = {key_id_of(reference) for reference in device.notes(APPLICATION)}
    renewals = [reference_of(f"{one.certificate.serial_number:x}") for one in going if one.certificate is not None]
    if any(one.id in written for one in going) or any(shelf.load(renewal) is not None for renewal in renewals):
        raise StillUsed(
            "A download or a renewal that is not finished needs it. Nothing was deleted. Finish it first: "
            "`ushield show` names it, and the same command goes on where it stopped."
        )


def require_ended(going: list[Entry], now: datetime) -> None:
    """Raise StillValid while a certificate may be in use."""
    ends = [one.certificate.not_valid_after_utc for one in going if one.certificate is not None]
    if ends and now <= max(ends):
        raise StillValid(
            f"This certificate is valid until {max(ends):%Y-%m-%d}. Nothing was deleted. Deleting ends its use for "
            "ever and does not cancel it: cancel it at the bank first. If you are sure, run the command again with "
            "--although-valid."
        )


def delete(device: Erasable, going: list[Entry]) -> None:
    """The key first: what a power cut leaves of it is still shown, and the same command removes that."""
    for key_id in {one.id for one in going}:
        device.destroy_key(key_id)
        device.destroy_certificate(key_id)
