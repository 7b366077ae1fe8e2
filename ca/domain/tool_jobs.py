"""Jobs for the customer's U-Shield tool: what a page of ours may have it do (docs/protocols/bridge.md).

A job is signed by the signer, names one operation, one web origin and a nonce, and is over after five minutes.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ca.domain.accounts import Language
from ca.domain.codes import parse_reference
from ca.domain.errors import InvalidRequest
from ca.domain.jws import encoded
from ca.domain.serials import parse_serial, serial_text

LIFE = timedelta(minutes=5)


class ToolOperation(StrEnum):
    """All that a page can have done."""

    CHECK = "check"
    DOWNLOAD = "download"
    PASSWORD = "password"  # noqa: S105  the name of an operation
    SIGN_IN = "sign-in"
    CANCEL = "cancel"
    RENEW = "renew"
    UNLOCK = "unlock"
    COMPANY_APPLY = "company-apply"
    COMPANY_HOLD = "company-hold"


OF_ADMINISTRATORS = frozenset({ToolOperation.COMPANY_APPLY, ToolOperation.COMPANY_HOLD})
"""Those whose statement covers a text that the tool shows; `serial` is the administrator's own certificate."""
STATED = frozenset({ToolOperation.SIGN_IN, ToolOperation.CANCEL}) | OF_ADMINISTRATORS
"""Those that end in a statement signed on the U-Shield, over the job's own nonce."""
_OF_A_REFERENCE = frozenset({ToolOperation.DOWNLOAD, ToolOperation.UNLOCK})
_OF_ONE_CERTIFICATE = frozenset({ToolOperation.CANCEL, ToolOperation.RENEW}) | OF_ADMINISTRATORS


@dataclass(frozen=True, slots=True)
class ToolJob:
    """What the tool is to do, for a page of which origin."""

    id: str
    operation: ToolOperation
    origin: str
    nonce: bytes
    ordered_at: datetime
    reference: str = ""
    """Of a download or an unlock: the reference number."""
    serial: str = ""
    """Of a cancellation, a renewal or an administrator's act: the certificate, in hex."""
    text: str = ""
    """Of an administrator's act: what the tool shows and the key signs, in lines."""
    language: Language = Language.ENGLISH
    """In which the tool speaks."""

    @classmethod
    def order(
        cls,
        operation: str,
        *,
        reference: str = "",
        serial: str = "",
        text: str = "",
        language: str = "en",
        origin: str,
        now: datetime,
        nonce: bytes,
    ) -> "ToolJob":
        """Raise InvalidRequest for an operation that there is not, or without exactly what it needs."""
        try:
            wanted = ToolOperation(operation)
        except ValueError as error:
            raise InvalidRequest("there is no such operation of the tool") from error
        if wanted in _OF_A_REFERENCE:
            reference = parse_reference(reference)
        elif reference:
            raise InvalidRequest("only a download and an unlock have a reference number")
        if wanted in _OF_ONE_CERTIFICATE:
            serial = serial_text(parse_serial(serial))
        elif serial:
            raise InvalidRequest("only a cancellation and a renewal have a serial number")
        if bool(text) is not (wanted in OF_ADMINISTRATORS):
            raise InvalidRequest("an administrator's acts are ordered from the company's page")
        try:
            spoken = Language(language)
        except ValueError as error:
            raise InvalidRequest("the tool does not speak this language") from error
        named = hashlib.sha256(nonce).hexdigest()[:32]
        return cls(named, wanted, origin, nonce, now, reference, serial, text, spoken)

    def claims(self) -> dict[str, Any]:
        """Times in seconds since 1970 (RFC 7519 section 4.1)."""
        ordered = int(self.ordered_at.timestamp())
        parameters = ("reference", self.reference), ("serial", self.serial), ("text", self.text)
        named = {name: value for name, value in parameters if value}
        return {
            "v": 1,
            "id": self.id,
            "op": self.operation.value,
            "origin": self.origin,
            "lang": self.language.value,
            "iat": ordered,
            "exp": ordered + int(LIFE.total_seconds()),
            "nonce": encoded(self.nonce),
            **named,
        }


def statement(operation: ToolOperation, origin: str, nonce: bytes, certificate_der: bytes, text: str = "") -> bytes:
    """What the key on the U-Shield signs: of use for one operation, at one origin, once (docs/protocols/bridge.md)."""
    bound = hashlib.sha256(origin.encode()).digest() + nonce + hashlib.sha256(certificate_der).digest()
    if operation in OF_ADMINISTRATORS:
        bound += hashlib.sha256(text.encode()).digest()
    return b"vermilion statement v1\x00" + operation.value.encode() + b"\x00" + bound
