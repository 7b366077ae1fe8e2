"""What auditors and courts ask of `./pki`: is the log whole, what does it say, how did a certificate stand."""

import json
from collections.abc import Iterator
from datetime import datetime

import click

from ca.adapters.clock import SystemClock
from ca.domain.errors import InvalidRequest
from ca.domain.revocation import RFC_NAMES
from ca.domain.serials import parse_serial
from ca.domain.times import instant, timestamp
from ca.terminal import Context, say, speaking
from ca.usecases.look_back import LookedBack


@click.command()
@click.argument("serial")
@click.option("--at", "moment", help="An instant in UTC, like 2026-11-23T15:04:05Z (default: now).")
@click.pass_obj
@speaking
def status(context: Context, serial: str, moment: str | None) -> None:
    """How the certificate SERIAL stood at an instant, by the audit log, and what proves it."""
    from ca.wiring import build_look_back

    at = _instant(moment) if moment else SystemClock().now()
    for line in _told(build_look_back(context.state, context.settings)(parse_serial(serial), at)):
        say(line)


def _instant(text: str) -> datetime:
    try:
        return instant(text)
    except ValueError as error:
        raise InvalidRequest(f"{text!r} is no instant; write it in UTC like 2026-11-23T15:04:05Z") from error


def _told(found: LookedBack) -> Iterator[str]:
    yield f"at       {timestamp(found.at)}"
    if found.certificate is None:
        yield "status   unknown: no certificate of ours has this serial number"
        return
    yield f"subject  {found.certificate.subject}"
    if found.moment is None:
        yield "status   unknown: it was not issued yet"
        return
    told = found.moment.told
    status = "good" if told is None else f"revoked since {timestamp(told.revoked_at)}, {RFC_NAMES[told.reason]}"
    yield f"status   {status}{'; expired' if found.is_expired else ''}"
    event = found.moment.event
    yield f"by       audit event {event.number}, {event.event.name} at {timestamp(event.event.at)}, {event.hash.hex()}"
    if found.checkpoint is None:
        yield "proof    not under a signed checkpoint yet; the next one is made within minutes"
    else:
        yield f"proof    checkpoint at event {found.checkpoint.number}, signed {timestamp(found.checkpoint.at)}"


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
