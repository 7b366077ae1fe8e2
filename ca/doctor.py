"""`./pki doctor`: what is wrong with files, HSM, database, clock and ports, in words an operator can act on."""

import socket
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import islice

from sqlalchemy import Engine

from ca.adapters.clock import SystemClock
from ca.adapters.db.recovery import require_agreement
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.adapters.files import TrustDirectory
from ca.adapters.hsm.diagnosis import Expectation, ExpectedKey, Finding, diagnose
from ca.adapters.standings import StandingsMap
from ca.domain.crl_reading import read_head
from ca.domain.errors import NotReady, PKIError, Tampered
from ca.domain.receipts import ASKED_FOR, latencies
from ca.domain.serials import serial_text
from ca.domain.times import Millis
from ca.operations import Health
from ca.ports import KeyId
from ca.signer_client import SignerClient
from ca.usecases.acted import Acted
from ca.usecases.answer_ocsp import responder_key
from ca.usecases.audit import AUDIT_KEY
from ca.usecases.publish_bundle import bundle_key
from ca.usecases.publish_tool import TOOL_RELEASE_KEY
from ca.usecases.tool_jobs import TOOL_JOB_KEY
from ca.wiring import ISSUING, ROOT, SEAL_KEY, Files, issuing_token, open_to_read
from config.settings import Settings, State, load_settings

_DAY = 24 * 3600 * 1000
_ROOT_CRL_NOTICE = timedelta(days=60)
_TRUST = ("root.cer", "issuing.cer", "audit.spki")
_ISSUERS = (ROOT, ISSUING)
_NAMED = 10


def examine(state: State) -> list[Finding]:
    """Everything that can be looked at, from the outside in; stops early when settings cannot be read."""
    try:
        settings = load_settings(state)
    except PKIError as error:
        return [Finding("settings", ok=False, sentence=str(error))]
    trust = Files.of(state, settings).trust
    findings = [Finding("settings", ok=True, sentence=f"{state.settings_file} can be read")]
    findings += [_look(f"trust/{name}", "is there", partial(trust.read, name)) for name in _TRUST]
    findings += [_secrecy(state)]
    findings += _hsm(state, settings, trust)
    findings += [
        _look("database", "can be read, of the right schema", lambda: open_to_read(state, settings).dispose()),
        _look("journal", "agrees with the database", lambda: _require_journal(state, settings)),
        _standings(state, settings),
        _look("root CRL", "holds for longer than 60 days", lambda: _require_root_crl(state, settings)),
        _look("clock", "not behind what was signed", lambda: _require_clock(state, settings)),
    ]
    findings += [
        _look(f"publication of {name}", "is complete", partial(_require_published, state, settings, name))
        for name in _ISSUERS
    ]
    good = "every change of a status was seen in time"
    findings.append(_look("receipts", good, lambda: _require_seen(state, settings)))
    if settings.publication.targets:
        findings.append(_look("targets", "hold everything", lambda: _require_followed(state, settings)))
    running = _look("signer", "answers and is healthy", lambda: _require_healthy(state))
    return [*findings, running, *_ports(settings, running=running.ok)]


def _look(subject: str, good: str, look: Callable[[], object]) -> Finding:
    try:
        look()
    except PKIError as error:
        return Finding(subject, ok=False, sentence=str(error))
    except OSError as error:
        return Finding(subject, ok=False, sentence=f"a file cannot be read: {error}")
    return Finding(subject, ok=True, sentence=good)


def _secrecy(state: State) -> Finding:
    secret = [state.directory, state.token("root"), state.token(ISSUING), state / "secrets", state.tls / "server.key"]
    open_to_others = [str(path) for path in secret if path.exists() and path.stat().st_mode & 0o077]
    if open_to_others:
        return Finding("secrets", ok=False, sentence=f"others can read {open_to_others[0]}: run chmod go= on it")
    return Finding("secrets", ok=True, sentence="only this user can read them")


def _hsm(state: State, settings: Settings, trust: TrustDirectory) -> list[Finding]:
    try:
        with SqlUnitOfWork(open_to_read(state, settings))() as work:
            issuer = work.issuers.get(ISSUING)
        expected = Expectation(
            algorithms=[issuer.algorithm],
            keys=[
                ExpectedKey(KeyId(issuer.key_id), "issuing key", issuer.spki_der),
                ExpectedKey(responder_key(ISSUING), "OCSP responder key"),
                ExpectedKey(bundle_key(ISSUING), "bundle key"),
                ExpectedKey(AUDIT_KEY, "audit key", trust.read("audit.spki")),
                *_tool_keys(trust),
            ],
            seal_key=SEAL_KEY,
        )
    except PKIError:
        # Database or trust files are reported on their own lines; the token can still be looked at.
        expected = Expectation()
    try:
        return diagnose(issuing_token(state, settings), expected, try_login=True)
    except PKIError as error:
        return [Finding("HSM", ok=False, sentence=str(error))]


def _tool_keys(trust: TrustDirectory) -> list[ExpectedKey]:
    try:
        return [
            ExpectedKey(TOOL_JOB_KEY, "key of the tool's jobs", trust.read("tool-jobs.spki")),
            ExpectedKey(TOOL_RELEASE_KEY, "key of the tool's releases", trust.read("tool-release.spki")),
        ]
    except PKIError:
        return []  # a ceremony without them: no tool is offered


def _require_journal(state: State, settings: Settings) -> None:
    engine = open_to_read(state, settings)
    try:
        require_agreement(engine, Files.of(state, settings).journal.last())
    finally:
        engine.dispose()


def _standings(state: State, settings: Settings) -> Finding:
    """The map is read beside the signer; after another boot there is none until the signer has built it."""
    standings = StandingsMap(state.standings, read_only=True)
    try:
        if not standings.applied():
            raise NotReady("there is no standings map yet; the signer builds it when it starts")
    except PKIError as error:
        return Finding("standings", ok=True, sentence=str(error))
    try:
        return _look("standings", "the database agrees with the journal", lambda: _compare(state, settings, standings))
    finally:
        standings.close()


def _compare(state: State, settings: Settings, standings: StandingsMap) -> None:
    engine = open_to_read(state, settings)
    try:
        _require_acted(engine, standings)
    finally:
        engine.dispose()


def _require_acted(engine: Engine, standings: StandingsMap) -> None:
    contradicted = Acted(SqlUnitOfWork(engine), standings).contradictions()
    named = [serial_text(serial) for serial in islice(contradicted, _NAMED + 1)]
    if named:
        more = " and others" if len(named) > _NAMED else ""
        raise Tampered(
            f"the database contradicts the journal about certificate {', '.join(named[:_NAMED])}{more}: somebody "
            "changed it; nothing is signed about them (docs/runbooks/contradicted-certificate.md)"
        )


def _require_clock(state: State, settings: Settings) -> None:
    now = SystemClock().now()
    with Files.of(state, settings).publisher.find_crl(ISSUING) as published:
        behind = published is not None and now < read_head(published.read, published.size).this_update
    if behind:
        raise NotReady(f"the clock says {now:%d %b %Y %H:%M} UTC, before the last CRL was signed; set it right")


def _require_published(state: State, settings: Settings, issuer: str) -> None:
    files = Files.of(state, settings)
    if files.publisher.find_certificate(issuer) != files.trust.read(f"{issuer}.cer"):
        raise NotReady(f"ca/{issuer}.cer is lost or another; OCSP answers for it are refused. Restart the signer")
    with files.publisher.find_crl(issuer) as published:
        lost = published is None
    if lost:
        raise NotReady(f"crl/{issuer}.crl is lost, relying parties cannot get it. Restart the signer")


def _require_root_crl(state: State, settings: Settings) -> None:
    with Files.of(state, settings).publisher.find_crl(ROOT) as published:
        ends = read_head(published.read, published.size).next_update if published else None
    if ends is None:
        raise NotReady("it is not in the public place; restore it from a backup")
    if ends < SystemClock().now() + _ROOT_CRL_NOTICE:
        raise NotReady(f"it holds until {ends:%d %b %Y %H:%M} UTC only, and the root signs another in a ceremony only")


def _require_seen(state: State, settings: Settings) -> None:
    engine, now = open_to_read(state, settings), SystemClock().milliseconds()
    try:
        with SqlUnitOfWork(engine).look() as work:
            oldest = work.receipts.waiting(soon=True, since=Millis(now - ASKED_FOR), after=(Millis(0), 0), limit=1)
            late = sum(row.late for row in latencies(work.receipts.since(Millis(now - _DAY))))
    finally:
        engine.dispose()
    for receipt in oldest:
        missing = ", ".join(one.channel for one in receipt.missing)
        if now - receipt.changed_at > max(one.promised for one in receipt.missing):
            serial = serial_text(receipt.serial)
            raise NotReady(f"the change of {serial} was not seen yet in {missing}; are status and prober running?")
    if late:
        raise NotReady(f"{late} promise(s) of the last day were broken; `./pki receipts` tells where")


def _require_followed(state: State, settings: Settings) -> None:
    engine = open_to_read(state, settings)
    try:
        with SqlUnitOfWork(engine).look() as work:
            runs = [run for run in work.jobs.list() if run.name == "targets"]
    finally:
        engine.dispose()
    for run in runs:
        if not run.ok:
            raise NotReady(run.result)


def _require_healthy(state: State) -> None:
    answer = SignerClient(state.socket("signer"), timeout=5).call(Health())
    wrong = [f"{part}: {sentence}" for part, sentence in answer.items() if sentence != "ok"]
    if wrong:
        raise NotReady("; ".join(wrong))


def _ports(settings: Settings, *, running: bool) -> list[Finding]:
    listening = settings.listening
    findings = []
    for name, port in (("https", listening.https_port), ("http", listening.http_port)):
        answers = _listens(listening.host, port)
        good = answers == running
        words = "answers" if answers else "is free"
        hint = "" if good else (": the process behind it is not running" if running else ": another program has it")
        findings.append(Finding(f"{name} port {port}", ok=good, sentence=words + hint))
    return findings


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
