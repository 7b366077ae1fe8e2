"""The status process, put together. It has a way to read and a way to ask, and no key."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ocsp.files import Publication, PublishedIssuers
from ocsp.http import StatusApp
from ocsp.responder import Responder
from ocsp.rsgi import StatusServer
from ocsp.signer import SocketSigner
from ocsp.store import open_statuses


def status_app(
    *,
    database_url: str,
    standings: Path,
    publication: Path,
    signer_socket: Path,
    now: Callable[[], datetime],
    kept_answers: int = 50_000,
    body_seconds: float = 5.0,
) -> StatusServer:
    """The RSGI application. Opens nothing before it is asked: database, signer and files may come later."""
    statuses = open_statuses(database_url, standings)
    responder = Responder(
        issuers=PublishedIssuers(publication),
        statuses=statuses,
        signer=SocketSigner(signer_socket),
        now=now,
        kept_answers=kept_answers,
    )
    app = StatusApp(responder=responder, publication=Publication(publication), statuses=statuses, now=now)
    # PostgreSQL may be far away and may keep us waiting; a file does not.
    return StatusServer(app, reads_at_once=database_url.startswith("sqlite"), body_seconds=body_seconds)
