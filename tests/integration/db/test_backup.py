"""ca/backing_up.py, ca/restoring.py: a state directory leaves the machine in one file and comes back whole, or not."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import select

from ca import backing_up
from ca.adapters.backup.keys import Identity
from ca.adapters.db.base import Row
from ca.adapters.db.engine import open_database
from ca.backing_up import Made, make_backup
from ca.domain.errors import InvalidRequest, NotAllowed, NotReady, Tampered
from ca.domain.revocation import RevocationReason
from ca.ports import Work
from ca.restoring import Restored, Wanted, check_backup, restore
from ca.wiring import Files, journaled, open_current_database
from config.settings import Settings, State, load_settings
from tests.builders import NOW, SEAL, a_certificate, a_customer, an_event, an_issuer, an_officer
from tests.fakes.backups import FakeSigner

SETTINGS = """\
public_url = "http://pki.example"
enrolment_url = "https://pki.example"
origins = []
journal_mirror = "{mirror}"  # on another disk
database_url = "{url}"
profiles = "{profiles}"
[listening]
https_port = 1
http_port = 2
"""
KEY, OTHER = X25519PrivateKey.generate(), X25519PrivateKey.generate()


class Bank:
    """A state directory with records, journal and trust files; its signer signs nothing but backups."""

    def __init__(self, place: Path, url: str, migrated: Path) -> None:
        self.place, self.signer = place, FakeSigner()
        self.state = State(place / "state")
        self.state.directory.mkdir()
        (place / "profiles").mkdir()
        (place / "profiles" / "own.toml").write_text("a profile")
        text = SETTINGS.format(mirror=place / "mirror", url=url, profiles=place / "profiles")
        self.state.settings_file.write_text(text)
        if not url:
            shutil.copy(migrated, self.state.database_file)
        self.files.trust.write("audit.spki", self.signer.spki)
        for name in ("publication/crl/issuing.crl", "publication/crl/.turn", "outbox/1.eml", "ceremony/bank.txt"):
            (self.state / name).parent.mkdir(parents=True, exist_ok=True)
            (self.state / name).write_text(name)
        for name in ("secrets/console-key", "tls/server.key", "hsm/issuing/pin", "hsm/issuing/so-pin", "demo/E1.json"):
            (self.state / name).parent.mkdir(parents=True, exist_ok=True)
            (self.state / name).write_text("SECRET")
        self.commit(lambda work: work.customers.save(a_customer(name="Zhang Min")))
        self.commit(lambda work: work.officers.save(an_officer(), SEAL))
        self.commit(lambda work: work.issuers.save(an_issuer()))

    @property
    def settings(self) -> Settings:
        return load_settings(self.state)

    @property
    def files(self) -> Files:
        return Files.of(self.state, self.settings)

    def commit(self, *acts: Callable[[Work], object]) -> None:
        commit(self.state, self.settings, *acts)

    def back_up(self, name: str = "backup") -> Made:
        keys = [OTHER.public_key(), KEY.public_key()]
        return make_backup(self.state, self.settings, self.place / name, keys, self.signer)  # type: ignore[arg-type]

    def identity(self, *keys: X25519PrivateKey) -> Identity:
        return Identity(keys or (KEY,), self.signer.fingerprint)

    def restore(self, made: Made, **wanted: Any) -> Restored:
        place = State(self.place / "restored")
        return restore(made.path, self.identity(), Wanted(place, **wanted), lambda _: None)

    @property
    def restored(self) -> State:
        return State(self.place / "restored")


def commit(state: State, settings: Settings, *acts: Callable[[Work], object]) -> None:
    """As the signer does: into the database, the journal and its mirror."""
    engine, files = open_current_database(state, settings), Files.of(state, settings)
    with closing(files.journal), journaled(engine, files.journal)() as work:
        for act in acts:
            act(work)
        work.audit.append(an_event())
        work.commit()
    engine.dispose()


def rows(state: State, *but: str) -> dict[str, list[tuple[object, ...]]]:
    engine = open_database(state.database_url(load_settings(state)))
    try:
        with engine.connect() as connection:
            tables = [table for table in Row.metadata.sorted_tables if table.name not in but]
            return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in tables}
    finally:
        engine.dispose()


def tree(directory: Path) -> set[str]:
    """What lies there, but for what SQLite puts beside a database that is open."""
    found = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
    return {name for name in found if not name.endswith(("-wal", "-shm"))}


LOG = ("audit_events", "audit_head", "journal_outbox")
"""What a restore adds to."""


@pytest.fixture
def bank(tmp_path: Path, migrated_sqlite: Path) -> Bank:
    return Bank(tmp_path, "", migrated_sqlite)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def each_bank(request: pytest.FixtureRequest, tmp_path: Path, migrated_sqlite: Path) -> tuple[Bank, dict[str, str]]:
    """One on each database, with what its restore needs."""
    if request.param == "sqlite":
        return Bank(tmp_path, "", migrated_sqlite), {}
    bank = Bank(tmp_path, request.getfixturevalue("postgres_url"), migrated_sqlite)
    return bank, {"database_url": request.getfixturevalue("empty_postgres_url")}


def test_everything_comes_back_and_nothing_secret_was_in_it(each_bank: tuple[Bank, dict[str, str]]) -> None:
    bank, wanted = each_bank
    before = rows(bank.state, *LOG)
    made = bank.back_up()

    done = bank.restore(made, **wanted)

    assert rows(bank.restored, *LOG) == before
    assert done.last_act == made.last_act
    database = set() if wanted else {"database.sqlite3"}
    assert tree(bank.restored.directory) == database | {
        *("settings.toml", "profiles/own.toml", "trust/audit.spki", "ceremony/bank.txt", "outbox/1.eml"),
        *("publication/crl/issuing.crl", "journal/journal.jsonl", "journal-mirror/journal.jsonl"),
    }
    settings = load_settings(bank.restored)
    assert (settings.public_url, settings.listening.http_port) == ("http://pki.example", 2)
    assert settings.profiles == str(bank.restored / "profiles")
    assert settings.journal_mirror == ""  # never the mirror of the place that it was a backup of
    assert b"SECRET" not in made.path.read_bytes()


def test_what_was_done_while_it_was_made_is_replayed_from_the_journal(
    each_bank: tuple[Bank, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bank, wanted = each_bank
    tokens = backing_up._tokens

    def meanwhile(*arguments: Any) -> bool:
        # The database is copied by then, the journal is not.
        bank.commit(lambda work: work.customers.save(a_customer(id="c-2", number="2", name="Late")))
        bank.commit(lambda work: work.certificates.add(a_certificate()))
        revoked = a_certificate().revoke(RevocationReason.KEY_COMPROMISE, at=NOW)
        bank.commit(lambda work: work.certificates.save(revoked))
        return tokens(*arguments)

    monkeypatch.setattr(backing_up, "_tokens", meanwhile)
    made = bank.back_up()

    done = bank.restore(made, **wanted)

    assert done.replayed.total() == 3
    assert rows(bank.restored, *LOG) == rows(bank.state, *LOG)


def test_a_journal_that_survived_brings_back_the_last_act(bank: Bank) -> None:
    made = bank.back_up()
    bank.commit(lambda work: work.customers.save(a_customer(id="c-2", number="2", name="Late")))

    done = bank.restore(made, survived=bank.place / "mirror")

    assert done.replayed.total() == 1
    assert rows(bank.restored, *LOG) == rows(bank.state, *LOG)


def test_a_journal_of_another_story_or_an_older_one_is_refused(
    bank: Bank, tmp_path: Path, migrated_sqlite: Path
) -> None:
    older = Path(shutil.copytree(bank.state.journal, tmp_path / "older"))
    bank.commit(lambda work: work.customers.save(a_customer(id="c-2", number="2", name="Late")))
    made = bank.back_up()
    forked = tmp_path / "forked"
    forked.mkdir()
    other = Bank(forked, "", migrated_sqlite)
    other.commit()
    other.commit()

    with pytest.raises(InvalidRequest, match="ends before"):
        bank.restore(made, survived=older)
    with pytest.raises(Tampered, match="another story"):
        bank.restore(made, survived=other.state.journal)
    assert not bank.restored.directory.exists()


def test_the_mirror_is_put_elsewhere_by_the_first_start(bank: Bank, tmp_path: Path) -> None:
    made = bank.back_up()

    with pytest.raises(InvalidRequest, match="holds a journal"):
        bank.restore(made, journal_mirror=str(bank.place / "mirror"))
    bank.restore(made, journal_mirror=str(tmp_path / "disk" / "mirror"))

    assert load_settings(bank.restored).journal_mirror == str(tmp_path / "disk" / "mirror")
    assert not (tmp_path / "disk").exists()
    commit(bank.restored, load_settings(bank.restored))
    mirrored = (tmp_path / "disk" / "mirror" / "journal.jsonl").read_bytes()
    assert mirrored == (bank.restored.journal / "journal.jsonl").read_bytes()


def test_a_backup_never_takes_the_place_of_another(bank: Bank) -> None:
    made = bank.back_up()
    content = made.path.read_bytes()

    with pytest.raises(InvalidRequest, match="is there already"):
        bank.back_up()

    assert made.path.read_bytes() == content


def test_a_backup_that_fails_leaves_no_file(bank: Bank) -> None:
    before = tree(bank.place)

    class Refusing(FakeSigner):
        def call(self, operation: Any) -> dict[str, Any]:
            if operation.path == "health":
                return {}
            raise NotReady("the HSM is away")

    bank.signer = Refusing()
    with pytest.raises(NotReady, match="HSM is away"):
        bank.back_up()

    assert tree(bank.place) == before


def test_what_a_killed_backup_left_is_in_nobodys_way(bank: Bank) -> None:
    (bank.state / "backup-unfinished").mkdir()
    (bank.state / "backup-unfinished" / "database.sqlite3").write_bytes(b"half")
    (bank.place / ".backup.unfinished").write_bytes(b"half")

    bank.restore(bank.back_up())

    assert not (bank.state / "backup-unfinished").exists()
    assert not (bank.place / ".backup.unfinished").exists()


def test_without_the_signer_nothing_is_begun(bank: Bank) -> None:
    bank.signer.down = NotReady("the signer does not answer")

    with pytest.raises(NotReady, match="does not answer"):
        bank.back_up()


def test_a_journal_that_differs_from_its_mirror_is_not_backed_up(bank: Bank) -> None:
    mirror = bank.place / "mirror" / "journal.jsonl"
    mirror.write_bytes(mirror.read_bytes().replace(b"Zhang", b"Wang "))

    with pytest.raises(Tampered, match="mirror"):
        bank.back_up()


def test_a_place_that_is_not_empty_is_left_alone(bank: Bank) -> None:
    made = bank.back_up()
    bank.restored.directory.mkdir()
    (bank.restored / "mine").write_text("mine")

    with pytest.raises(InvalidRequest, match="not empty"):
        bank.restore(made)

    assert tree(bank.restored.directory) == {"mine"}


def test_an_interrupted_restore_is_begun_again(bank: Bank) -> None:
    made, left = bank.back_up(), bank.place / ".restored.restoring"
    left.mkdir()
    (left / ".vermilion-restore").touch()
    (left / "settings.toml").write_text("half")
    bank.restored.directory.mkdir()  # an empty one is as good as none

    bank.restore(made)

    assert not left.exists()
    assert bank.restored.settings_file.exists()


def test_a_directory_of_somebody_else_is_not_thrown_away(bank: Bank) -> None:
    made, left = bank.back_up(), bank.place / ".restored.restoring"
    left.mkdir()
    (left / "mine").write_text("mine")

    with pytest.raises(InvalidRequest, match="in the way"):
        bank.restore(made)

    assert tree(left) == {"mine"}


@pytest.mark.parametrize("place", [0.2, 0.6, 0.95])
def test_a_damaged_backup_writes_nothing(bank: Bank, place: float) -> None:
    made = bank.back_up()
    content = bytearray(made.path.read_bytes())
    content[int(len(content) * place)] ^= 1
    made.path.write_bytes(content)

    with pytest.raises(Tampered, match="damaged"):
        bank.restore(made)

    assert not list(bank.place.glob("*restor*"))
    assert not list(bank.place.glob(".*restor*"))


def test_a_backup_that_somebody_else_put_together_is_refused(bank: Bank) -> None:
    """Everybody can encrypt to our recipients; only the audit key can sign."""
    theirs = FakeSigner()
    spki, fingerprint = bank.signer.spki, bank.signer.fingerprint

    bank.signer = theirs
    made = bank.back_up("with our audit key in it, signed by theirs")
    with pytest.raises(Tampered, match="not signed by our audit key"):
        check_backup(made.path, Identity((KEY,), fingerprint))

    bank.files.trust.write("audit.spki", theirs.spki)
    made = bank.back_up("with theirs in it")
    with pytest.raises(Tampered, match="not a backup of the bank"):
        check_backup(made.path, Identity((KEY,), fingerprint))
    assert spki != theirs.spki


def test_only_a_recipient_can_read_it(bank: Bank) -> None:
    made = bank.back_up()

    with pytest.raises(NotAllowed, match="other recipients"):
        check_backup(made.path, bank.identity(X25519PrivateKey.generate()))
    assert check_backup(made.path, bank.identity(OTHER)).manifest.journal == made.journal


def test_one_of_another_schema_says_which_version_restores_it(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backing_up, "our_revision", lambda: "0003")
    made = bank.back_up()

    with pytest.raises(NotReady, match="has the schema 0003"):
        bank.restore(made)


@pytest.mark.parametrize("url", ["postgresql:///none", "sqlite:////tmp/elsewhere.sqlite3"])
def test_a_database_of_the_wrong_kind_is_refused_before_anything_is_written(bank: Bank, url: str) -> None:
    made = bank.back_up()

    with pytest.raises(InvalidRequest, match="backup of a sqlite database"):
        bank.restore(made, database_url=url)


def test_a_restore_never_writes_into_the_database_that_the_environment_names(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = bank.back_up()
    monkeypatch.setenv("VERMILION_DATABASE_URL", f"sqlite:///{bank.state.database_file}")

    with pytest.raises(InvalidRequest, match="unset it"):
        bank.restore(made)


@pytest.mark.postgres
def test_a_postgres_database_in_use_is_never_filled(tmp_path: Path, migrated_sqlite: Path, postgres_url: str) -> None:
    bank = Bank(tmp_path, postgres_url, migrated_sqlite)
    made = bank.back_up()

    with pytest.raises(InvalidRequest, match="not empty"):
        bank.restore(made, database_url=postgres_url)
    with pytest.raises(InvalidRequest, match="by --database-url"):
        bank.restore(made)
    assert not bank.restored.directory.exists()


def test_a_file_that_is_not_there_is_one_sentence(bank: Bank) -> None:
    made = bank.back_up()
    made.path.unlink()

    with pytest.raises(NotReady, match="cannot be read"):
        bank.restore(made)
