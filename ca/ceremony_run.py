"""`./pki ceremony run`: the ceremony at a terminal, with its transcript kept beside the keys' public parts."""

from collections.abc import Callable
from pathlib import Path

from ca.adapters.db.engine import open_database
from ca.adapters.db.schema import migrate
from ca.adapters.files import write_atomically
from ca.domain.ceremony import Step
from ca.domain.errors import InvalidTransition
from ca.usecases.ceremony import Record
from ca.wiring import build_ceremony
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
    held = state.ceremony / "held"
    if held.exists():
        transcript = held.read_text("utf-8").strip()
        raise InvalidTransition(f"a key ceremony was held in this state directory: {transcript}; it is held once")
    script = load_script(script_file)
    settings = load_settings(state)
    engine = open_database(state.database_url(settings), create=True)
    migrate(engine)
    try:
        record = build_ceremony(state, settings, engine)(script, attend=attend)
    finally:
        engine.dispose()
    keep(record)
    transcript_file = state.ceremony / f"{script_file.stem}.txt"
    write_atomically(transcript_file, record.transcript.text.encode())
    write_atomically(held, f"{transcript_file} (SHA-256 {record.transcript.digest})\n".encode())
    say(f"Transcript {transcript_file}, SHA-256 {record.transcript.digest}")
