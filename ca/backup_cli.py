"""`./pki backup`, `./pki backup-key` and `./pki restore`: the state directory leaves the machine and comes back."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ca.adapters.backup.keys import Identity, make_identity, parse_recipient
from ca.adapters.clock import SystemClock
from ca.domain.serials import serial_text
from ca.terminal import Context, say, speaking

_FILE = click.Path(path_type=Path, dir_okay=False)
_PLACE = click.Path(path_type=Path, file_okay=False)
_RESTORE_FIRST = "docs/runbooks/restore-from-backup.md"


@click.command("backup-key")
@click.argument("file", type=_FILE)
@click.pass_obj
@speaking
def backup_key(context: Context, file: Path) -> None:
    """A new key pair for backups: the private key into FILE, to be kept elsewhere; prints the public one."""
    from ca.backing_up import audit_key_of

    audit_key = audit_key_of(context.state, context.settings)
    recipient = make_identity(file, audit_key)
    click.echo(f"The private key is in {file}: take it away from this machine, keep two copies.", err=True)
    click.echo(f"It opens backups whose audit key is {audit_key}", err=True)
    click.echo(f"Backups are made for it with --recipient {recipient}", err=True)
    click.echo(recipient)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--recipient", "recipients", multiple=True, required=True, help="A public key, age1…; may be repeated.")
@click.pass_obj
@speaking
def backup(context: Context, file: Path, recipients: tuple[str, ...]) -> None:
    """Everything that cannot be made again into one new encrypted FILE, while all processes run. No PIN is in it."""
    from ca.backing_up import audit_key_of, make_backup

    keys = [parse_recipient(each) for each in recipients]
    made = make_backup(context.state, context.settings, file, keys, context.client)
    say(f"{made.path}: {made.size} octets, for {len(keys)} recipient(s)")
    say(f"It holds every act up to event {made.journal.number} of {_moment(made.last_act)}")
    say(f"Signed by the audit key {audit_key_of(context.state, context.settings)}")
    if not made.has_tokens:
        say("The HSM's keys are not in it: make the HSM's own backup.")
    say("Not in it: PINs, TLS keys, keys of officers. Keep those apart from it.")


@click.command()
@click.argument("file", type=_FILE)
@click.option("--identity", required=True, type=_FILE, help="The private key: what ./pki backup-key wrote.")
@click.option("--state", "directory", default=None, type=_PLACE, help="The new state directory (default: var)")
@click.option("--audit-key", default="", help="SHA-256 of our audit key, for a key file that does not name it.")
@click.option("--database-url", default="", help="An empty PostgreSQL database, for a backup of one.")
@click.option("--journal-mirror", default="", help="Where the journal's mirror will be, on another disk.")
@click.option("--journal", "survived", type=_PLACE, help="The journal's directory, or its mirror's, that was not lost.")
@click.option("--last-crl", type=_FILE, help="The last CRL that relying parties have, where the journal was lost.")
@click.pass_obj
@speaking
def restore(
    context: Context, /, file: Path, identity: Path, directory: Path | None, audit_key: str, **wanted: Any
) -> None:
    """Check the backup FILE, write it into a new state directory, replay its journal and prove its audit log."""
    from ca.doctor import examine
    from ca.domain.errors import InvalidRequest
    from ca.restoring import Wanted
    from ca.restoring import restore as begin

    opened = Identity.read(identity)
    expected = audit_key.lower() or opened.audit_key
    if not expected:
        raise InvalidRequest(
            f"{identity} does not name our audit key; say it with --audit-key, as ./pki backup told it"
        )
    here = context if directory is None else Context(directory)
    done = begin(file, Identity(opened.keys, expected), Wanted(here.state, **wanted), say)
    lost = SystemClock().now() - done.last_act
    say(f"Restored in {here.state.directory}, from the backup of {_moment(done.checked.manifest.made_at)}.")
    say(f"{done.events} events in the audit log, all good; {done.replayed.total()} of them from the journal")
    say(f"The last act that is there: {_moment(done.last_act)}, {int(lost.total_seconds() // 60)} minutes ago.")
    say("What was done after it is not there." if wanted["survived"] is None else "It comes from the other journal.")
    if done.learnt is not None:
        say(f"CRL {done.learnt.number} told of {done.learnt.revoked} more that do not hold; the next number is higher.")
        for serial in done.learnt.unknown:
            say(f"  {serial_text(serial)} is on it and in no record: it was issued after the last act")
    say("Everybody has to sign in again.")
    for finding in examine(here.state):
        say(f"{'ok ' if finding.ok else 'BAD'}  {finding.subject}: {finding.sentence}")
    say(f"BAD is what is still missing: PIN, TLS key, running processes. Go on with {_RESTORE_FIRST}, step 5.")
    sys.stdout.flush()


def _moment(at: datetime) -> str:
    return f"{at:%d %b %Y, %H:%M:%S} UTC"
