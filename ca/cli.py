"""`./pki`: the operator's and auditor's command line. A refusal is one sentence and a non-zero exit code.

Exit codes: 0 good; 1 refused, not ready or tampered with; 2 wrongly asked; 3 a defect, with its trace in the log.
"""

import json
import logging
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from ca import operations as ops
from ca.auditing import audit, journal, status
from ca.backup_cli import backup, backup_key, restore
from ca.domain.ceremony import Step
from ca.domain.errors import InvalidRequest, Tampered
from ca.notices_cli import notices
from ca.receipts_cli import receipt, receipts
from ca.signer_client import SignerClient
from ca.terminal import Context, console, say, speaking
from ca.usecases.ceremony import Record
from config.settings import DEFAULT_STATE


class _Directory(click.Path):
    """A directory by its name. An empty name would be the directory the program itself lies in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the name of the state directory is empty", param, ctx)
        return super().convert(value, param, ctx)


_HELP = "The state directory (default: var)"
_STATE = click.option("--state", "directory", default=DEFAULT_STATE, type=_Directory(path_type=Path), help=_HELP)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@_STATE
@click.pass_context
def cli(context: click.Context, directory: Path) -> None:
    """Vermilion's command line. Works on one state directory."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    context.obj = Context(directory)


for command in (audit, journal, status, receipt, receipts, notices, backup_key, backup, restore):
    cli.add_command(command)


def _at(context: Context, directory: Path | None) -> Context:
    return context if directory is None else Context(directory)


_OWN_STATE = click.option("--state", "directory", default=None, type=_Directory(path_type=Path), help=_HELP)


@cli.command()
@_OWN_STATE
@click.option("--https-port", type=click.IntRange(1, 65535), help="Portal, console, EST (default: 8443).")
@click.option("--http-port", type=click.IntRange(1, 65535), help="OCSP, CRL, CA certificates (default: 8080).")
@click.option("--console-port", type=click.IntRange(1, 65535), help="Console on plain http, loopback, demo only.")
@click.pass_obj
@speaking
def start(
    context: Context, directory: Path | None, https_port: int | None, http_port: int | None, console_port: int | None
) -> None:
    """Set up a demo if there is none, start every process, stay until Ctrl-C."""
    from ca.demo.settings import Ports
    from ca.start import start as begin

    begin(_at(context, directory).state.directory, Ports(https_port, http_port, console_port), say)


@cli.command()
@_OWN_STATE
@click.pass_obj
@speaking
def tour(context: Context, directory: Path | None) -> None:
    """One certificate's whole life, each step judged by an independent program; starts the demo if it is not up."""
    from ca.demo.tour import running, take_tour

    here = _at(context, directory)
    with running(here.state):
        holds = take_tour(here.state, here.settings, console)
    sys.exit(0 if holds else 1)


@cli.command()
@_OWN_STATE
@click.pass_obj
@speaking
def trust(context: Context, directory: Path | None) -> None:
    """Add the demo root to this user's browser certificate store (needs certutil)."""
    from ca.demo.trust import trust_root

    say(trust_root(_at(context, directory).state))


@cli.command()
@click.argument("process")
@click.pass_obj
@speaking
def serve(context: Context, process: str) -> None:
    """Become one PROCESS (signer, console, customer, edge, status, jobs, prober); for systemd, see deploy/README.md."""
    from ca.programs import serve as become

    become(context.state, context.settings, process)


@cli.command("jobs-process", hidden=True)
@speaking
def jobs_process() -> None:
    """The jobs process; the supervisor starts it."""
    from ca.jobs import run_jobs
    from config.settings import current_state

    run_jobs(SignerClient(current_state().socket("signer")))


@cli.command("prober-process", hidden=True)
@speaking
def prober_process() -> None:
    """The prober process; the supervisor starts it."""
    from ca.metrics import serve_metrics, tell_latencies
    from ca.prober import PAUSES, reporter, run_prober
    from ca.wiring import build_probe
    from config.settings import current_state, load_settings

    state = current_state()
    settings = load_settings(state)
    probe, changed, database = build_probe(state, settings, reporter(SignerClient(state.socket("signer"))))
    if settings.listening.metrics_port:
        serve_metrics(settings.listening.metrics_port, partial(tell_latencies, probe.unit_of_work, 1))
    run_prober(probe, changed, pause=PAUSES[database])


@cli.command()
@click.pass_obj
@speaking
def doctor(context: Context) -> None:
    """Say in words what is wrong with HSM, database, clock, ports and files."""
    from ca.doctor import examine

    findings = examine(context.state)
    for finding in findings:
        say(f"{'ok ' if finding.ok else 'BAD'}  {finding.subject}: {finding.sentence}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


@cli.command()
@click.pass_obj
@speaking
def reconcile(context: Context) -> None:
    """Bring recorded but unfinished issuances to their end."""
    finished = context.client.call(ops.Reconcile())["finished"]
    say(f"{len(finished)} unfinished issuance(s) finished")
    for serial in finished:
        say(f"  {serial}")


@cli.command("report-unknown")
@click.argument("certificate", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
@speaking
def report_unknown(context: Context, certificate: Path) -> None:
    """Ask about a CERTIFICATE (DER or PEM) met in the field; exit code 1 and an alarm when ours and unknown to us."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    content = certificate.read_bytes()
    if b"-----BEGIN" in content:
        try:
            content = x509.load_pem_x509_certificate(content).public_bytes(Encoding.DER)
        except ValueError as error:
            raise InvalidRequest(f"{certificate} holds no certificate that can be read") from error
    if context.client.call(ops.ReportUnknown(certificate=content))["alarm"]:
        raise Tampered("ALARM: it carries our signature and we have no record of it; follow the key compromise runbook")
    say("What it says is in our records, bit for bit.")


@cli.command()
@click.pass_obj
@speaking
def jobs(context: Context) -> None:
    """Each job with its last result."""
    from ca.adapters.db.unit_of_work import SqlUnitOfWork
    from ca.wiring import open_to_read

    table = Table("job", "last run (UTC)", "", "result")
    with SqlUnitOfWork(open_to_read(context.state, context.settings))() as work:
        for run in work.jobs.list():
            table.add_row(run.name, f"{run.ran_at:%d %b %Y, %H:%M:%S}", "ok" if run.ok else "FAILED", run.result)
    console.print(table)


@cli.group()
def ceremony() -> None:
    """Key ceremonies."""


@ceremony.command("run")
@click.argument("script", type=click.Path(path_type=Path))
@click.option("--attended/--unattended", default=True, help="Wait for Enter before each step (on a terminal).")
@click.pass_obj
@speaking
def ceremony_run(context: Context, script: Path, *, attended: bool) -> None:
    """Hold the ceremony that SCRIPT describes; it is held once."""
    from ca.ceremony_run import run_ceremony
    from ca.demo import setup
    from ca.demo.settings import Ports, settle
    from ca.start import CEREMONIES
    from config.ceremony_files import load_script

    def attend(step: Step) -> None:
        say(f"\nStep {step.number}. {step.role}: {step.words}")
        if attended and sys.stdin.isatty():
            click.pause("  Press any key when everyone agrees …")

    load_script(script)  # before anything is made: one that cannot be read leaves nothing behind
    # Only the demo's own ceremony makes a demo; a bank's settings are there before its keys.
    is_demos = script.resolve() == (CEREMONIES / "demo.toml").resolve()
    settings = settle(context.state, Ports(), say) if is_demos else context.settings

    def hand_out(record: Record) -> None:
        if settings.demo:
            setup.keep_appointments(context.state, record.appointments)
            say("Go on with ./run: it registers the demo officers and prints one-time links for people.")
            return
        for one in record.appointments:
            say(f"For {one.name} ({one.person}), one-time: /admin/invitation/{one.invitation}#{one.code}")

    run_ceremony(context.state, script, attend=attend, say=say, keep=hand_out)


@cli.group()
def demo() -> None:
    """What exists in a demo only."""


@demo.command()
@click.option("--profile", default="personal-signing", show_default=True)
@click.option("--count", default=1, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--device-serial", default="", help="Bind to this U-Shield instead of a new made-up one.")
@click.option("--host-name", "host_names", multiple=True, help="For machine and tls-server; may be repeated.")
@click.pass_obj
@speaking
def codes(context: Context, profile: str, count: int, device_serial: str, host_names: tuple[str, ...]) -> None:
    """Register demo customers, apply, approve, hand out codes: one JSON object a line."""
    from ca.demo.codes import make_codes

    officers = _demo_officers(context)
    for row in make_codes(officers, profile, count, device_serial=device_serial, host_names=host_names):
        click.echo(json.dumps(row, ensure_ascii=False))
        sys.stdout.flush()


def _act(name: str, kind: type[ops.OfficerOperation], *, with_reason: bool, words: str) -> None:
    options: list[Any] = [click.argument("serial")]
    if with_reason:
        options.append(click.option("--reason", default="unspecified", show_default=True))

    @click.pass_obj
    @speaking
    def command(context: Context, serial: str, reason: str | None = None) -> None:
        from ca.demo.officers import CHECKER

        fields = {"serial": serial} | ({"reason": reason} if reason is not None else {})
        answer = _demo_officers(context)[CHECKER].call(kind, **fields)
        click.echo(json.dumps(answer))

    for option in options:
        command = option(command)
    demo.command(name, help=words)(command)


_act("hold", ops.Hold, with_reason=False, words="Hold a certificate.")
_act("release", ops.Release, with_reason=False, words="Release a held certificate.")
_act("revoke", ops.Revoke, with_reason=True, words="Revoke a certificate for good.")


@demo.command()
@click.argument("application")
@click.pass_obj
@speaking
def approve(context: Context, application: str) -> None:
    """Approve an APPLICATION of a company's administrator and hand out its codes, as one JSON object."""
    from ca.demo.officers import CHECKER, MAKER

    officers = _demo_officers(context)
    officers[CHECKER].approve(application)
    click.echo(json.dumps(officers[MAKER].call(ops.HandOutCodes, application=application)))


@demo.command()
@click.argument("number")
@click.pass_obj
@speaking
def letter(context: Context, number: str) -> None:
    """The letter that opens the portal to the customer with this NUMBER, as one JSON object."""
    from ca.demo.officers import MAKER
    from ca.portal_operations import HandOutLetter

    click.echo(json.dumps(_demo_officers(context)[MAKER].call(HandOutLetter, number=number)))


@demo.command()
@click.argument("device_serial")
@click.pass_obj
@speaking
def unlock(context: Context, device_serial: str) -> None:
    """Reference number and unlock code for the U-Shield with this serial number, as one JSON object."""
    from ca.demo.officers import CHECKER, MAKER
    from ca.unlock_operations import OpenUnlock

    officers = _demo_officers(context)
    opened = officers[MAKER].call(OpenUnlock, device_serial=device_serial, reason="demo")
    code = opened["half"] + officers[CHECKER].approve_unlock(opened["reference"])
    click.echo(json.dumps({"reference_number": opened["reference"], "unlock_code": code}))


@demo.command()
@click.pass_obj
@speaking
def links(context: Context) -> None:
    """New one-time links by which the two demo officers register passkeys."""
    from ca.demo import setup

    _demo_officers(context)
    console = f"http://localhost:{context.settings.listening.console_port}"
    for name, link in setup.new_links(context.state, context.client, console):
        say(f"{name}: {link}")


def _demo_officers(context: Context) -> Any:
    from ca.demo.officers import DemoOfficers, require_demo

    require_demo(demo=context.settings.demo)
    return DemoOfficers(context.client, context.state.demo)


def main() -> None:
    """The outermost frame: a defect is logged with its trace and said in one sentence."""
    os.umask(0o077)  # whatever is made here, in the state directory or beside it, is for this user alone
    try:
        cli(prog_name="./pki")
    except Exception:
        logging.getLogger("vermilion").exception("a defect")
        click.echo("error: this is a defect of ours; the trace above helps us to mend it", err=True)
        sys.exit(3)
