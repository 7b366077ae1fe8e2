"""The status process, put together. It has a way to read and a way to ask."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ca.domain.ocsp import PLAIN, Policy
from ocsp.asking import Asking
from ocsp.connection import Patience
from ocsp.files import Publication, PublishedIssuers
from ocsp.history import History
from ocsp.http import StatusApp
from ocsp.kept import KeptAnswers
from ocsp.memory_key import MemorySigner
from ocsp.responder import Responder
from ocsp.server import PATIENT, StatusServer
from ocsp.signer import SocketSigner
from ocsp.store import open_statuses
from ocsp.warming import Warmer


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Where everything is, and what the settings say."""

    database_url: str
    standings: Path
    kept: Path
    publication: Path
    signer_socket: Path
    answers_socket: Path
    """The signer's door for OCSP."""
    policy: Policy = PLAIN
    kept_answers: int = 1_000_000
    warm_per_second: int = 50
    key_in_memory: bool = False
    life: timedelta = timedelta(hours=1)
    """Of answers that a key in memory signs."""
    patience: Patience = PATIENT


def status_app(setup: Setup, now: Callable[[], datetime]) -> StatusServer:
    """The server of one worker. Signer, map and published files may come later."""
    statuses = open_statuses(setup.database_url, setup.standings)
    issuers = PublishedIssuers(setup.publication)
    signer = SocketSigner(setup.signer_socket, setup.answers_socket)
    memory = MemorySigner(signer, statuses, now=now, policy=setup.policy, life=setup.life)
    kept = KeptAnswers(setup.kept, limit=setup.kept_answers)
    warmer = Warmer(
        signer=memory,
        statuses=statuses,
        issuers=issuers,
        directory=setup.kept,
        now=now,
        per_second=setup.warm_per_second,
    )
    responder = Responder(
        issuers=issuers, statuses=statuses, kept=kept, now=now, refresh=warmer.add, policy=setup.policy
    )
    return StatusServer(
        StatusApp(
            responder=responder,
            publication=Publication(setup.publication),
            statuses=statuses,
            history=History(signer, now),
            now=now,
        ),
        responder,
        Asking(memory),
        now=now,
        reads_at_once=statuses.reads_at_once,
        at_once=memory,
        background=[warmer, *([memory] if setup.key_in_memory else [])],
        patience=setup.patience,
    )
