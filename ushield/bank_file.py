"""Whom this tool belongs to: the bank's address, root certificate and keys, packed into the tool when it was built.

Nothing here can be set by a page, an argument or a variable: the file is inside the package, and the package is signed
(docs/protocols/bridge.md). A tool without it serves the command line alone.
"""

import json
from base64 import b64decode
from dataclasses import dataclass
from importlib.resources import files

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ushield.errors import BankFileBroken
from ushield.provider_list import Listed, brought_along, listed

NAME = "bank.json"
_VERSION = 2


@dataclass(frozen=True, slots=True)
class BankFile:
    """What the bank packed."""

    name: str
    origin: str
    """The one web origin whose jobs are taken, and the address of enrolment: https://name[:port]."""
    hotline: str
    ocsp: str
    """Where the responder is, http://…/ocsp."""
    root_pem: str
    """Root certificate that the bank's server is verified with, beside the computer's own."""
    job_key: ec.EllipticCurvePublicKey
    """Signs jobs."""
    release_key: ec.EllipticCurvePublicKey
    """Signs releases of this tool."""
    extension: str
    """Id of the Chromium extension that may start this tool."""
    firefox_extension: str
    providers: tuple[Listed, ...]
    """The drivers that the bank supports: a page has no other loaded."""


def built_in() -> BankFile | None:
    """None when this tool was not built by a bank. Raises BankFileBroken."""
    packed = files("ushield").joinpath(NAME)
    return parse(packed.read_text("utf-8")) if packed.is_file() else None


def supported_providers() -> tuple[Listed, ...]:
    """The bank's list, else the one brought along. Raises BankFileBroken."""
    bank = built_in()
    return brought_along() if bank is None else bank.providers


def parse(text: str) -> BankFile:
    """Raise BankFileBroken for anything but a whole file of this version."""
    try:
        read = json.loads(text)
        if read["version"] != _VERSION:
            raise ValueError("another version")
        job_key, release_key = (_key(read[name]) for name in ("job_key", "release_key"))
        named = {name: read[name] for name in ("name", "origin", "hotline", "ocsp", "root_pem", "extension")}
        named["firefox_extension"] = read["firefox_extension"]
        if not all(isinstance(value, str) for value in named.values()):
            raise ValueError("not text")
        supported = listed(read["providers"])
        return BankFile(providers=supported, job_key=job_key, release_key=release_key, **named)
    except (ValueError, KeyError, TypeError):
        raise BankFileBroken(
            "This tool is damaged: it does not say which bank it belongs to. Nothing was done. Download it again."
        ) from None


def _key(encoded: str) -> ec.EllipticCurvePublicKey:
    key = load_der_public_key(b64decode(encoded, validate=True))
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("another kind of key")  # noqa: TRY004 - a damaged file, like any other
    return key
