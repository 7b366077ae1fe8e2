"""What the customer's views are given: the way to the signer, the brake on guessing, and a few public facts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from flask import current_app, request

from ca.operations import Operation
from ca.throttle import Throttle

_KEY = "vermilion.customer"
SOURCE_HEADER = "X-Forwarded-For"


class Signer(Protocol):
    """Whoever carries out operations: `ca.signer_client.SignerClient` or a fake."""

    def call(self, operation: Operation) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class ToolPlace:
    """What customers may download, as the signer packed it."""

    directory: Path
    release_key_path: Path
    """SubjectPublicKeyInfo, DER, of the key that signs releases."""


@dataclass(frozen=True, slots=True)
class Services:
    """One set for each app."""

    signer: Signer
    throttle: Throttle
    accounts: Throttle
    """The brake on one account from one network; others sign in to it as ever (T-08, THREATS 46)."""
    organization: str
    enrolment_url: str
    public_url: str
    chain_pem_path: Path
    tool: ToolPlace
    hotline: str

    @property
    def origin(self) -> str:
        """Web origin of our own pages."""
        parts = urlsplit(self.enrolment_url)
        return f"{parts.scheme}://{parts.netloc}"

    def install(self, extensions: dict[str, Any]) -> None:
        extensions[_KEY] = self


def services() -> Services:
    """Those of the app that answers the current request."""
    return cast("Services", current_app.extensions[_KEY])


def through_edge(header: str) -> str:
    """A header that only the edge may set; empty unless the request came over our Unix socket, which has no address.

    Whoever reached this process over TCP could otherwise claim any address and any client certificate (THREATS 45).
    """
    return "" if request.remote_addr else request.headers.get(header, "").strip()


def source() -> str:
    """Where the current request came from, as the edge saw it."""
    return request.remote_addr or through_edge(SOURCE_HEADER).rpartition(",")[2].strip() or "local"
