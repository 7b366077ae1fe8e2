"""`./run`: a demo from nothing to open doors, and every later start of it.

Each step leaves the state directory either as it was or one step further, so that an interrupted first start is simply
started again.
"""

import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from ca.adapters.db.engine import open_database
from ca.adapters.db.schema import SchemaState, migrate, schema_state
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.ceremony_run import run_ceremony
from ca.demo import setup
from ca.demo.settings import Ports, settle
from ca.domain.ceremony import Step
from ca.domain.errors import NotReady
from ca.programs import other_programs, signer_program
from ca.signer_client import SignerClient
from ca.state_files import make_secrets, write_chain
from ca.supervisor import StateLock, Supervisor, require_free_port
from ca.usecases.ceremony import Record, find_held
from config.ceremony_files import load_script
from config.settings import DEFAULT_STATE, Settings, State

CEREMONIES = Path(__file__).parent.parent / "config" / "ceremonies"

Say = Callable[[str], None]


def start(directory: Path, ports: Ports, say: Say) -> None:
    """Bring everything up and stay until Ctrl-C. Raises PKIError with a sentence for the person at the terminal."""
    state = State(directory)
    _make_directory(state)
    with StateLock(state.directory) as lock:
        settings = settle(state, ports, say)
        if not settings.demo:
            raise NotReady(f"{state.settings_file} is not a demo's; start its processes as deploy/README.md says")
        _require_ports(settings)
        _prepare(state, settings, say)
        with Supervisor(log=state.log, run=state.run, say=say, keep_open=(lock.descriptor,)) as supervisor:
            say("Starting the signer")
            supervisor.start([signer_program(state)])
            if supervisor.stopping:
                return
            client = SignerClient(state.socket("signer"))
            _demo_setup(state, settings, client, say)
            say("Starting console, customer, edge, status and jobs")
            supervisor.start(other_programs(state, settings))
            if supervisor.stopping:
                return
            _welcome(state, settings, client, say)
            supervisor.watch()
        say("Stopped.")


def _make_directory(state: State) -> None:
    try:
        state.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotReady(f"{state.directory} cannot be made: {error.strerror}; choose another with --state") from error
    state.socket("customer")  # the longest name: a path too long shows now


def _require_ports(settings: Settings) -> None:
    listening = settings.listening
    require_free_port(listening.host, listening.https_port, option="--https-port")
    require_free_port(listening.host, listening.http_port, option="--http-port")
    require_free_port("127.0.0.1", listening.console_port, option="--console-port")


def _prepare(state: State, settings: Settings, say: Say) -> None:
    """Secrets, database, key ceremony, trust files."""
    make_secrets(state)
    if _is_held(state, settings):
        engine = open_database(state.database_url(settings))
        migrate(engine)
        engine.dispose()
    else:
        _set_aside_unfinished(state, settings, say)
        say("Key ceremony")
        _hold_ceremony(state, say)
    write_chain(state)


def _is_held(state: State, settings: Settings) -> bool:
    """Whether the database tells of a finished ceremony. Raises NotReady when keys are there and it is not."""
    url = state.database_url(settings)
    if url.startswith("sqlite") and not state.database_file.exists():
        if (state / "hsm").exists() or state.ceremony.exists():
            raise NotReady(f"{state.database_file} is missing; restore it from your backup, nothing was changed")
        return False
    engine = open_database(url)
    try:
        return schema_state(engine) is not SchemaState.EMPTY and find_held(SqlUnitOfWork(engine)) is not None
    finally:
        engine.dispose()


def _set_aside_unfinished(state: State, settings: Settings, say: Say) -> None:
    """A ceremony that was interrupted put nothing into service: it is held again. Even so, no key is ever deleted."""
    left = [state / "hsm", state.trust, state.publication, state.demo, state.ceremony, state.standings]
    left += [state / name for name in ("audit-head", "audit-checkpoints.jsonl")]
    if state.database_url(settings).startswith("sqlite"):
        left += [Path(f"{state.database_file}{suffix}") for suffix in ("", "-wal", "-shm")]
    found = [path for path in left if path.exists()]
    if not found:
        return
    aside = state / "unfinished" / secrets.token_hex(4)
    aside.mkdir(mode=0o700, parents=True)
    for path in found:
        path.rename(aside / path.name)
    say(f"The ceremony begun here was interrupted and put nothing into service; what it left is in {aside}")


def _hold_ceremony(state: State, say: Say) -> None:
    script = CEREMONIES / "demo.toml"
    total = len(load_script(script).steps)

    def attend(step: Step) -> None:
        say(f"  {step.number}/{total} {step.words}")

    def keep(record: Record) -> None:
        setup.keep_appointments(state, record.appointments)

    run_ceremony(state, script, attend=attend, say=lambda line: say(f"  {line}"), keep=keep)


def _demo_setup(state: State, settings: Settings, client: SignerClient, say: Say) -> None:
    if (state.demo / "appointments.json").exists():
        say("Registering the demo officers")
    setup.register_officers(state, settings, client)
    if setup.make_tls_certificate(state, client):
        say("TLS certificate issued by our own CA")


def _welcome(state: State, settings: Settings, client: SignerClient, say: Say) -> None:
    listening = settings.listening
    console = f"http://localhost:{listening.console_port}"
    say("")
    say("Vermilion is up. Open next:")
    for name, link in setup.links(state, client, console, fresh=False):
        say(f"  {name} registers a passkey (one-time link):")
        say(f"    {link}")
    say(f"  Officers' console    {console}/admin/   (or {settings.enrolment_url}/admin/ once the demo root is trusted)")
    say(f"  Customers' portal    {settings.enrolment_url}/")
    say(f"  OCSP, CRL, CA        {settings.public_url}/ocsp  /crl/issuing.crl  /ca/issuing.cer")
    say(f"  Root certificate     {state.trust / 'root.pem'}   (./run trust adds it to your browser)")
    flag = "" if state.directory == DEFAULT_STATE else f" --state {state.directory}"
    say(f"  Try                  ./pki{flag} demo codes    ./run tour{flag}")
    say("Stop with Ctrl-C.")
    sys.stdout.flush()
