"""`./run`: a demo from nothing to open doors, and every later start of it.

Each step leaves the state directory either as it was or one step further, so that an interrupted first start is simply
started again.
"""

import secrets
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca.adapters.db.engine import open_database
from ca.adapters.db.schema import migrate
from ca.adapters.files import write_atomically
from ca.ceremony_run import run_ceremony
from ca.demo import setup
from ca.demo.settings import Ports, settle
from ca.domain.ceremony import Step
from ca.domain.errors import NotReady
from ca.programs import other_programs, signer_program
from ca.signer_client import SignerClient
from ca.supervisor import StateLock, Supervisor, require_free_port
from ca.usecases.ceremony import Record
from config.ceremony_files import load_script
from config.settings import Settings, State

CEREMONIES = Path(__file__).parent.parent / "config" / "ceremonies"

Say = Callable[[str], None]


def start(directory: Path, ports: Ports, say: Say) -> None:
    """Bring everything up and stay until Ctrl-C. Raises PKIError with a sentence for the person at the terminal."""
    state = State(directory)
    _make_directory(state)
    with StateLock(state.directory) as lock:
        settings = settle(state, ports, say)
        if not settings.demo:
            raise NotReady(f"{state.settings_file} is not a demo's; start its processes as deploy/ describes")
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
    secret = state / "secrets" / "console-key"
    if not secret.exists():
        secret.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(secret, secrets.token_bytes(32), mode=0o600)
    done = state.ceremony / "held"
    if not done.exists():
        _forget_unfinished(state, settings)
    url = state.database_url(settings)
    if done.exists() and url.startswith("sqlite") and not state.database_file.exists():
        raise NotReady(f"{state.database_file} is missing; restore it from your backup, nothing was changed")
    if not done.exists():
        say("Key ceremony")
        _hold_ceremony(state, say)
    else:
        engine = open_database(url)
        migrate(engine)
        engine.dispose()
    _write_chain(state)


def _forget_unfinished(state: State, settings: Settings) -> None:
    """A ceremony that was interrupted put nothing into service: its keys go, and it is held again."""
    if state.database_url(settings).startswith("sqlite"):
        for suffix in ("", "-wal", "-shm"):
            Path(f"{state.database_file}{suffix}").unlink(missing_ok=True)
    for place in (state / "hsm", state.trust, state.publication, state.demo, state.ceremony):
        shutil.rmtree(place, ignore_errors=True)
    for name in ("audit-head", "audit-checkpoints.jsonl"):
        (state / name).unlink(missing_ok=True)


def _hold_ceremony(state: State, say: Say) -> None:
    script = CEREMONIES / "demo.toml"
    total = len(load_script(script).steps)

    def attend(step: Step) -> None:
        say(f"  {step.number}/{total} {step.words}")

    def keep(record: Record) -> None:
        # Before the ceremony counts as held: codes that died with this process could never be handed out again.
        setup.keep_appointments(state, record.appointments)

    run_ceremony(state, script, attend=attend, say=lambda line: say(f"  {line}"), keep=keep)


def _write_chain(state: State) -> None:
    try:
        ders = [(state.trust / f"{name}.cer").read_bytes() for name in ("issuing", "root")]
        issuing, root = (x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in ders)
    except (OSError, ValueError) as error:
        raise NotReady(f"{state.trust} is damaged: {error}; restore it from your backup") from error
    write_atomically(state.trust / "root.pem", root)
    write_atomically(state.trust / "chain.pem", issuing + root)


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
    flag = "" if state.directory == Path("var").resolve() else f" --state {state.directory}"
    say(f"  Try                  ./pki{flag} demo codes    ./run tour{flag}")
    say("Stop with Ctrl-C.")
    sys.stdout.flush()
