"""What auditors and courts ask of `./pki`: is the log whole, what does it say, how did a certificate stand."""

import json
from typing import IO

import click

from ca.adapters.clock import SystemClock
from ca.domain.serials import parse_serial
from ca.domain.times import parse_instant
from ca.telling import as_json, as_lines
from ca.terminal import Context, say, speaking


@click.command()
@click.argument("serial")
@click.option("--at", "moment", help="An instant, like 2026-11-23T15:04:05Z or …T23:04:05+08:00 (default: now).")
@click.option("--json", "plain", is_flag=True, help="As docs/protocols/history.md has it.")
@click.option("--proof", type=click.File("w"), help="Write that JSON, with everything that proves it, into a file.")
@click.pass_obj
@speaking
def status(context: Context, serial: str, moment: str | None, *, plain: bool, proof: IO[str] | None) -> None:
    """How the certificate SERIAL stood at an instant, what relying parties were told, and what proves it."""
    from ca.wiring import build_look_back

    at = parse_instant(moment) if moment else SystemClock().now()
    found = build_look_back(context.state, context.settings)(parse_serial(serial), at)
    if proof is not None:
        proof.write(json.dumps(as_json(found), indent=1) + "\n")
    for line in [json.dumps(as_json(found))] if plain else as_lines(found):
        say(line)


@click.group()
def audit() -> None:
    """Prove or export the audit log."""


@audit.command()
@click.pass_obj
@speaking
def verify(context: Context) -> None:
    """Find any edit, deletion, reorder or cut tail; needs no HSM."""
    from ca.wiring import build_audit

    verification, _ = build_audit(context.state, context.settings)
    report = verification()
    say(f"{report.events} events in one chain, {report.checkpoints} signed checkpoints: all good")
    say(f"head {report.head.hash.hex()}")


@audit.command("export")
@click.pass_obj
@speaking
def audit_export(context: Context) -> None:
    """One JSON object a line, in order."""
    from ca.usecases.audit import export
    from ca.wiring import build_audit

    _, unit_of_work = build_audit(context.state, context.settings)
    for row in export(unit_of_work):
        click.echo(json.dumps(row, ensure_ascii=False))


@click.group()
def journal() -> None:
    """The audit log's second home, outside the database."""


@journal.command("replay")
@click.pass_obj
@speaking
def journal_replay(context: Context) -> None:
    """Bring a database that was restored from a backup up to the last act. Stop everything first."""
    from ca.wiring import replay_journal

    done = replay_journal(context.state, context.settings)
    if not done:
        say("The database has everything that the journal has.")
        return
    say(f"{done.total()} events replayed; the database is where it was before it was restored:")
    for name, times in sorted(done.items()):
        say(f"  {times:6} {name}")
