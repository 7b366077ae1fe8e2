"""What a check of this computer finds out beside drivers and U-Shields: is the tool the bank's, does OCSP answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from cryptography import x509

from ushield import __version__, choosing, ocsp, release
from ushield.bank_file import BankFile
from ushield.enrolment import Bank
from ushield.errors import UShieldError
from ushield.providers import Drivers
from ushield.words import Words

_LOOKED_UP = 5


class Server(Protocol):
    """The part of the bank's server that tells what everybody may know."""

    def offered(self, name: str, longest: int) -> bytes: ...

    def ca_certificates(self) -> list[x509.Certificate]: ...


@dataclass(frozen=True)
class Environment:
    """`place` is the running tool's file; None when it is no packed one."""

    bank: BankFile
    server: Server
    place: Path | None
    now: datetime
    words: Words = field(default_factory=Words)

    def signature(self) -> dict[str, str]:
        """{state: newest | other | unpacked | unchecked, sentence}: whether the bank signed the running tool.

        The tool says it of itself: it finds out a damaged or an old copy, not one that was made to lie.
        """
        if self.place is None:
            return {"state": "unpacked", "sentence": ""}
        try:
            offered = release.newest(self.server, self.bank, now=int(self.now.timestamp()))
        except UShieldError as error:
            return {"state": "unchecked", "sentence": self.words.of_error(error)}
        own = sha256(self.place.read_bytes()).hexdigest()
        return {"state": "newest" if own == offered.sha256 else "other", "sentence": ""}

    def status(self, stored: Sequence[bytes]) -> dict[str, str]:
        """{state: good | revoked | unknown | reached | unreached, sentence}: good when one of these certificates (DER)
        that the bank issued holds, else how the youngest stands; without any only whether the responder is reached.
        """
        try:
            issuers = self.server.ca_certificates()
        except UShieldError as error:
            return {"state": "unreached", "sentence": self.words.of_error(error)}
        found = [(one, issuer) for one in _readable(stored) if (issuer := ocsp.issuer_of(one, issuers)) is not None]
        try:
            if not found:
                ocsp.reach(self.bank.ocsp, issuers)
                return {"state": "reached", "sentence": ""}
            found.sort(key=lambda pair: pair[0].not_valid_before_utc, reverse=True)
            states = [ocsp.ask(self.bank.ocsp, *pair, self.now) for pair in found[:_LOOKED_UP]]
            return {"state": "good" if "good" in states else states[0], "sentence": ""}
        except ocsp.NoAnswer as error:
            return {"state": "unreached", "sentence": self.words.say(str(error))}


def look_around(bank: BankFile, drivers: Drivers, words: Words) -> dict[str, Any]:
    """Everything that a check finds out."""
    now, found = datetime.now(UTC), drivers.look(with_certificates=True)
    plugged = [token for _, token in choosing.plugged(found)]
    environment = Environment(bank, Bank(bank.origin, root_pem=bank.root_pem), release.running(), now, words)
    return {
        "tool": __version__,
        "clock": int(now.timestamp()),
        "providers": [{"name": one.provider.title, "works": one.trouble is None} for one in found],
        "devices": [
            {"label": token.label, "serial": token.serial, "password": token.password.name.lower()} for token in plugged
        ],
        "signature": environment.signature(),
        "status": environment.status([der for token in plugged for der in token.certificates]),
    }


def _readable(stored: Sequence[bytes]) -> list[x509.Certificate]:
    found = []
    for der in stored:
        try:
            found.append(x509.load_der_x509_certificate(der))
        except ValueError:
            continue
    return found
