"""`./run`: a demo from nothing to open doors, and every later start of it.

Each step leaves the state directory either as it was or one step further, so that an interrupted first start is simply
started again.
"""

import secrets
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ca.adapters.clock import SystemClock
from ca.adapters.db.engine import open_database
from ca.adapters.db.schema import SchemaState, migrate, schema_state
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.ceremony_run import run_ceremony
from ca.demo import setup
from ca.demo.settings import Ports, settle
from ca.domain.ceremony import Step
from ca.domain.errors import NotFound, NotReady
from ca.programs import other_programs, signer_program
from ca.signer_client import SignerClient
from ca.state_files import make_door_key, make_secrets, write_chain
from ca.supervisor import StateLock, Supervisor, require_free_port
from ca.usecases.ceremony import Record, find_held
from ca.wiring import open_to_read
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
            say("Starting console, customer, edge, status, jobs and prober")
            supervisor.start(other_programs(state, settings))
            if supervisor.stopping:
                return
            _welcome(state, settings, client, say)
            supervisor.watch()
        say("Stopped.")


def _make_directory(state: State) -> None:
    try:
        state.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _close_to_others(state.directory)
    except OSError as error:
        raise NotReady(f"{state.directory} cannot be made: {error.strerror}; choose another with --state") from error
    state.socket("customer")  # the longest name: a path too long shows now


def _close_to_others(directory: Path) -> None:
    """A directory made for us is closed; one that has something else in it is not ours to close."""
    if not directory.stat().st_mode & 0o077:
        return
    if any(directory.iterdir()):
        raise NotReady(f"others can enter {directory}: run chmod go= on it, or choose another with --state")
    directory.chmod(0o700)


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
    if settings.officer_certificates:
        make_door_key(state)


def _is_held(state: State, settings: Settings) -> bool:
    """Whether the database tells of a finished ceremony. Raises NotReady when keys are there and it knows nothing."""
    url = state.database_url(settings)
    if url.startswith("sqlite") and not state.database_file.exists():
        _require_no_keys(state, f"{state.database_file} is missing")
        return False
    engine = open_database(url)
    try:
        if schema_state(engine) is SchemaState.EMPTY:
            _require_no_keys(state, "the database is empty")
            return False
        unit_of_work = SqlUnitOfWork(engine)
        if find_held(unit_of_work) is not None:
            return True
        # A ceremony writes its first event before its first key, and only a finished one leaves the chain's file.
        with unit_of_work() as work:
            lost = not work.audit.head().number and (state / "hsm").exists()
            if lost or (state.trust / "chain.pem").exists():
                _require_no_keys(state, "the database knows nothing of the key ceremony that was held here")
        return False
    finally:
        engine.dispose()


def _require_no_keys(state: State, what_is_wrong: str) -> None:
    # The migration comes before the ceremony: no interrupted first start leaves keys beside an empty database.
    if any(path.exists() for path in (state / "hsm", state.ceremony, state.journal)):
        raise NotReady(f"{what_is_wrong} though its keys are here; restore it from your backup, nothing was changed")


def _set_aside_unfinished(state: State, settings: Settings, say: Say) -> None:
    """A ceremony that was interrupted put nothing into service: it is held again. Even so, no key is ever deleted."""
    left = [state / "hsm", state.trust, state.publication, state.demo, state.ceremony, state.standings]
    left += [state.journal, state.journal_mirror(settings)]
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


def _is_open(state: State, settings: Settings, invitation: str) -> bool:
    """Whether a link still opens something: not when it was used, and not after its day."""
    engine = open_to_read(state, settings)
    try:
        with SqlUnitOfWork(engine)() as work:
            return work.invitations.get(invitation)[0].is_redeemable(SystemClock().now())
    except NotFound:
        return False
    finally:
        engine.dispose()


def _welcome(state: State, settings: Settings, client: SignerClient, say: Say) -> None:
    listening = settings.listening
    console = f"http://localhost:{listening.console_port}"
    flag = "" if state.directory == DEFAULT_STATE else f" --state {state.directory}"
    say("")
    say("Vermilion is up. Open next:")
    links = setup.open_links(state, client, console, is_open=partial(_is_open, state, settings))
    for name, link in links:
        say(f"  {name} registers a passkey (one-time link):")
        say(f"    {link}")
    if not links:
        say(f"  Register a passkey   with a new one-time link: ./pki{flag} demo links")
    say(f"  Officers' console    {console}/admin/   (or {settings.enrolment_url}/admin/ once the demo root is trusted)")
    say(f"  Customers' portal    {settings.enrolment_url}/")
    say(f"  OCSP, CRL, CA        {settings.public_url}/ocsp  /crl/issuing.crl  /ca/issuing.cer")
    say(f"  Root certificate     {state.trust / 'root.pem'}   (./run trust adds it to your browser)")
    say(f"  Try                  ./pki{flag} demo codes    ./run tour{flag}")
    say("Stop with Ctrl-C.")
    sys.stdout.flush()
