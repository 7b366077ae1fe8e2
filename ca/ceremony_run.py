"""`./pki ceremony run`: the ceremony at a terminal, with its transcript kept beside the keys' public parts."""

from collections.abc import Callable
from pathlib import Path

from ca.adapters.db.engine import open_database
from ca.adapters.db.schema import migrate
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.adapters.files import write_atomically
from ca.domain.ceremony import Step
from ca.domain.errors import InvalidTransition
from ca.usecases.ceremony import Record, find_held
from ca.wiring import open_ceremony
from config.ceremony_files import load_script
from config.settings import State, load_settings


def run_ceremony(
    state: State,
    script_file: Path,
    *,
    attend: Callable[[Step], None],
    say: Callable[[str], None],
    keep: Callable[[Record], None],
) -> None:
    """Hold it once; `keep` gets the invitations. Raises InvalidTransition when one was held already."""
    script = load_script(script_file)
    settings = load_settings(state)
    transcript_file = state.ceremony / f"{script_file.stem}.txt"

    def put_down(record: Record) -> None:
        write_atomically(transcript_file, record.transcript.text.encode())
        keep(record)

    engine = open_database(state.database_url(settings), create=True)
    try:
        migrate(engine)
        held = find_held(SqlUnitOfWork(engine))
        if held is not None:
            raise InvalidTransition(
                f"the key ceremony “{held.subject}” was held here on {held.at:%d %b %Y}, transcript SHA-256 "
                f"{held.details['transcript']}; it is held once"
            )
        with open_ceremony(state, settings, engine) as hold:
            record = hold(script, attend=attend, keep=put_down)
    finally:
        engine.dispose()
    say(f"Transcript {transcript_file}, SHA-256 {record.transcript.digest}")
