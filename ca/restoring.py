"""`./pki restore`: a backup becomes a state directory of its own, or nothing of it stays.

Everything in the file is checked before anything is written: that it is whole, that our audit key signed it, that this
program knows its schema. Then it is written beside the place it is meant for, the journal is replayed and the audit log
proven there, and only then it gets its name.
"""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from ca.adapters.backup.age import SealedReader
from ca.adapters.backup.archive import Readable, Take, read_archive, write_part
from ca.adapters.backup.keys import Identity
from ca.adapters.clock import SystemClock
from ca.adapters.db.dump import PostgresLoad, end_sessions
from ca.adapters.db.engine import database_url as parse_url
from ca.adapters.db.schema import our_revision
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.adapters.hsm.signatures import require_signature
from ca.adapters.journal import checkpoints, journal, lines
from ca.backing_up import JOURNAL, PROFILES, PROVIDERS
from ca.domain.audit import AuditEvent, Head
from ca.domain.backups import Manifest, backup_message, manifest_digest
from ca.domain.errors import InvalidRequest, NotReady, PKIError, Tampered
from ca.domain.journal import Entry
from ca.domain.times import timestamp
from ca.usecases.audit import VerifyAudit
from ca.usecases.learn_from_crl import LearnFromCRL, Learnt
from ca.wiring import (
    Files,
    disposing,
    journaled,
    open_current_database,
    open_to_read,
    replay_journal,
    verify_audit_key,
)
from config.settings import DATABASE_VARIABLE, FILE_NAME, Settings, State, load_settings, replaced

_AUDIT_KEY = "trust/audit.spki"
_MARK = ".vermilion-restore"
_KEPT = {FILE_NAME, _AUDIT_KEY}
_SMALL = 1 << 20

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What the operator says about the new place."""

    state: State
    database_url: str = ""
    """An empty PostgreSQL database, for a backup of one."""
    journal_mirror: str = ""
    """The new `journal_mirror`; nothing is written there before the first start."""
    survived: Path | None = None
    """The directory of a journal that goes further than the backup's."""
    last_crl: Path | None = None
    """The last full CRL that relying parties have, where no journal survived."""


@dataclass(frozen=True)
class Checked:
    """A backup that is whole, and ours."""

    manifest: Manifest
    digest: bytes
    """Of the manifest (32 bytes)."""
    settings: str


@dataclass(frozen=True)
class Restored:
    """What came of it."""

    checked: Checked
    replayed: Counter[str]
    events: int
    """In the audit log, which was verified."""
    last_act: datetime
    """The last event before the restore."""
    learnt: Learnt | None
    """What the last CRL told beyond that."""


def check_backup(path: Path, identity: Identity) -> Checked:
    """Read all of it. Raises InvalidRequest, NotAllowed, NotReady, Tampered with what to do; nothing is written."""
    kept: dict[str, bytes] = {}

    def keep(name: str, content: Readable, _mode: int) -> None:
        if name in _KEPT:
            kept[name] = content.read(_SMALL)

    manifest, content, signature = _read(path, identity, keep)
    spki = kept.get(_AUDIT_KEY, b"")
    if hashlib.sha256(spki).hexdigest() != identity.audit_key:
        raise Tampered(
            "this is not a backup of the bank whose audit key the key file names: the one in it is "
            f"{hashlib.sha256(spki).hexdigest()}. Restore nothing of it before you know where it comes from"
        )
    digest = manifest_digest(content)
    try:
        require_signature(spki, backup_message(digest, manifest.journal), signature)
    except PKIError as error:
        raise Tampered("the backup is not signed by our audit key: somebody else put it together") from error
    if manifest.schema != our_revision():
        raise NotReady(
            f"the backup has the schema {manifest.schema} and this version of the program {our_revision()}: restore it "
            "with the version that made it, then start the newer one, which migrates it"
        )
    return Checked(manifest, digest, kept.get(FILE_NAME, b"").decode("utf-8"))


def restore(path: Path, identity: Identity, wanted: Wanted, say: Say) -> Restored:
    """Into a directory that is not there, or empty. An interrupted one is simply begun again.

    Raises InvalidRequest, NotAllowed, NotReady, Tampered; nothing has the directory's name then.
    """
    _require_free(wanted)
    say("Checking the backup; nothing is written yet")
    checked = check_backup(path, identity)
    _require_database(checked.manifest, wanted)
    text = _settings_text(checked.settings, wanted, checked.manifest)
    try:
        with _beside(wanted.state.directory) as staging:
            say(f"It is whole and ours. Writing it to {staging.directory}")
            _write(path, identity, checked, wanted, staging)
            staging.settings_file.unlink()
            staging.settings_file.write_text(text, "utf-8")
            staging.settings_file.chmod(0o600)
            restored = _bring_up(staging, checked, wanted, say)
            # Only now is it a state directory that somebody may start.
            _name(staging, wanted.state.directory)
    except OSError as error:
        raise NotReady(f"{error.filename or wanted.state.directory} cannot be written: {error.strerror}") from error
    return restored


def _read(path: Path, identity: Identity, take: Take) -> tuple[Manifest, bytes, bytes]:
    try:
        with path.open("rb", buffering=1 << 20) as file:
            return read_archive(SealedReader(file, identity.keys), take)
    except OSError as error:
        raise NotReady(f"{path} cannot be read: {error.strerror}") from error


def _require_free(wanted: Wanted) -> None:
    place = wanted.state.directory
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise InvalidRequest(f"{place} is not empty; restore into a new directory, nothing is ever written over")
    wanted.state.socket("customer")  # the longest name: a path too long shows now
    if wanted.journal_mirror and (Path(wanted.journal_mirror) / journal.FILE).exists():
        raise InvalidRequest(f"{wanted.journal_mirror} holds a journal; name an empty directory, and see --journal")


def _require_database(manifest: Manifest, wanted: Wanted) -> None:
    is_postgres = bool(wanted.database_url) and parse_url(wanted.database_url).get_backend_name() == "postgresql"
    if is_postgres != (manifest.database == "postgresql") or bool(wanted.database_url) != is_postgres:
        needs = "an empty one by --database-url" if manifest.database == "postgresql" else "no --database-url"
        raise InvalidRequest(f"this is a backup of a {manifest.database} database; it needs {needs}")
    if wanted.state.database_url(Settings.model_construct(database_url=wanted.database_url)) != (
        wanted.database_url or f"sqlite:///{wanted.state.database_file}"
    ):
        raise InvalidRequest(f"{DATABASE_VARIABLE} names a database in use; unset it for the restore")


def _settings_text(text: str, wanted: Wanted, manifest: Manifest) -> str:
    """As they were, but for what lies elsewhere now."""
    values = {"database_url": wanted.database_url, "journal_mirror": wanted.journal_mirror}
    if any(name.startswith(f"{PROFILES}/") for name in manifest.parts):
        values["profiles"] = str(wanted.state / PROFILES)
    if PROVIDERS in manifest.parts:
        values["providers"] = str(wanted.state / PROVIDERS)
    return replaced(text, values)


@contextmanager
def _beside(place: Path) -> Iterator[State]:
    """A directory beside the place, thrown away unless it got its name; so is what a killed restore left there."""
    staging = place.with_name(f".{place.name}.restoring")
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if staging.exists():
        if not (staging / _MARK).exists():
            raise InvalidRequest(f"{staging} is in the way, and it is not from a restore; move it")
        shutil.rmtree(staging)
    staging.mkdir(mode=0o700)
    (staging / _MARK).touch()
    try:
        yield State(staging)
    finally:
        if staging.exists():
            shutil.rmtree(staging, ignore_errors=True)


def _name(staging: State, place: Path) -> None:
    (staging / _MARK).unlink()
    staging.directory.rename(place)  # an empty directory gives way
    descriptor = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, identity: Identity, checked: Checked, wanted: Wanted, staging: State) -> None:
    """Read a second time: what is written is what was checked, or it goes away again."""

    def write(name: str, content: Readable, mode: int) -> None:
        write_part(staging / name, content, mode)

    if not wanted.database_url:
        _require_the_same(_read(path, identity, write), checked)
        return
    with closing(PostgresLoad(wanted.database_url)) as load:

        def take(name: str, content: Readable, mode: int) -> None:
            if name.startswith("database/"):
                load.take(name, content)
            else:
                write(name, content, mode)

        _require_the_same(_read(path, identity, take), checked)
        load.commit()


def _require_the_same(found: tuple[Manifest, bytes, bytes], checked: Checked) -> None:
    if manifest_digest(found[1]) != checked.digest:
        raise Tampered("the backup changed while it was restored; begin again")


def _bring_up(staging: State, checked: Checked, wanted: Wanted, say: Say) -> Restored:
    """Journal replayed, sessions over, the restore recorded, the log proven."""
    # The mirror's place is for the first start: until then nothing lies outside of the directory.
    settings = load_settings(staging).model_copy(
        update={"journal_mirror": "", "database_url": wanted.database_url, "profiles": "", "providers": ""}
    )
    if wanted.survived is not None:
        _take_survived(staging, wanted.survived, checked.manifest.journal)
    last_act = _last_act(staging)
    say("Replaying the journal")
    replayed = replay_journal(staging, settings)
    files = Files.of(staging, settings)
    with closing(files.journal), disposing(open_current_database(staging, settings)) as engine:
        end_sessions(engine)
        unit_of_work = journaled(engine, files.journal)
        learnt = None
        if wanted.last_crl is not None:
            learnt = LearnFromCRL(unit_of_work, SystemClock())(wanted.last_crl.read_bytes())
        with unit_of_work() as work:
            details = {"made_at": timestamp(checked.manifest.made_at), "number": str(files.journal.head.number)}
            event = AuditEvent("backup.restored", checked.digest.hex(), "operator", SystemClock().now(), details)
            work.audit.append(event)
            work.commit()
    say("Verifying the audit log")
    with disposing(open_to_read(staging, settings)) as engine:
        verify = partial(verify_audit_key, files.trust)
        report = VerifyAudit(SqlUnitOfWork(engine), files.checkpoints, files.journal, verify)()
    if wanted.journal_mirror:
        shutil.rmtree(staging.journal_mirror(settings))
    return Restored(checked, replayed, report.events, last_act, learnt)


def _last_act(staging: State) -> datetime:
    with (staging / JOURNAL).open("rb") as file:
        last = lines.line_ending_at(file.fileno(), lines.whole_size(file.fileno()))
    return Entry.parse(last).events[-1].event.at


def _take_survived(staging: State, survived: Path, head: Head) -> None:
    """A journal that was not lost goes on where the backup's ends. Raises InvalidRequest, Tampered, NotReady."""
    found = journal.Journal(survived, survived)
    if found.last().number < head.number:
        raise InvalidRequest(f"the journal in {survived} ends before the backup's; leave --journal out")
    if found.head_at(head.number) != head:
        raise Tampered(f"the journal in {survived} tells another story of event {head.number} than the backup")
    for name in (journal.FILE, checkpoints.FILE):
        with suppress(FileNotFoundError), (survived / name).open("rb") as content:
            target = staging.journal / name
            target.unlink(missing_ok=True)
            write_part(target, content, 0o600)
