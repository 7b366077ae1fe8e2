"""The audit room: found by anything the log knows, each event in its chain, verified, exported with proof."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session

from admin.views import audit
from ca.adapters.db import log_rows, rows
from ca.adapters.db.mapping.audit import chained_event_values
from ca.adapters.db.rows import db
from ca.domain.audit import AuditEvent, Head
from ca.domain.errors import KeyStoreUnavailable, Tampered
from ca.domain.journal import chained
from ca.dossier_operations import VerifyLog
from ca.operations import NoteLook
from tests.fakes.console import a_customer, console
from tests.fakes.console_signer import NOW, FakeSigner
from tests.unit.admin.conftest import Visitor

SERIAL = "ab" * 16
COUNT = 180


def events():
    """An hour apart: a certificate's, a customer's, an officer's."""
    for number in range(COUNT):
        about = (("certificate.held", SERIAL), ("customer.looked-at", "customer-1"), ("officer.signed-in", "o-maker"))
        name, subject = about[number % 3]
        actor = ("E-maker", "E-super")[number % 2]
        yield AuditEvent(name, subject, actor, NOW - timedelta(hours=COUNT - number), {"reason": "=1+1"})


CHAIN = chained(Head(), list(events()), [], salt=lambda: b"salt").events


class Log:
    def __init__(self, database):
        self.engine = create_engine(f"sqlite:///{database}")
        rows.Row.metadata.create_all(self.engine)
        with Session(self.engine) as session:
            session.add_all(log_rows.AuditEventRow(**chained_event_values(one)) for one in CHAIN)
            session.add(log_rows.AuditHeadRow(id=1, number=COUNT, hash=CHAIN[-1].hash))
            session.add(a_customer("customer-1", "Zhang Wei", "Pudong", "6222"))
            session.add(
                rows.OfficerRow(
                    id="o-maker", person="E-maker", name="M", branch="P", roles="", state="active", version=1, seal=b""
                )
            )
            for number in (50, 120):
                session.add(
                    log_rows.AuditCheckpointRow(number=number, hash=CHAIN[number - 1].hash, at=NOW, signature=b"s")
                )
            session.commit()
        self.signer = FakeSigner()
        self.app = console(database, self.signer)
        self.auditor = Visitor(self.app, self.signer).sign_in("auditor")

    def numbers(self, query=""):
        page = self.auditor.text(f"/admin/audit/?{query}")
        return [int(part.split('"')[0]) for part in page.split('class="row" href="/admin/audit/details/?id=')[1:]]

    def change(self, number, **values):
        with Session(self.engine) as session:
            session.merge(log_rows.AuditEventRow(**chained_event_values(CHAIN[number - 1]) | values))
            session.commit()


@pytest.fixture(scope="module")
def one_log(tmp_path_factory):
    log = Log(tmp_path_factory.mktemp("audit") / "console.sqlite3")
    yield log
    log.engine.dispose()
    with log.app.app_context():
        db.engine.dispose()


@pytest.fixture
def log(one_log):
    one_log.signer.asked.clear()
    one_log.signer.refuse.clear()
    yield one_log
    for number in (55, 60):
        one_log.change(number)


def test_the_log_is_paged_by_number_in_both_directions(log):
    assert log.numbers() == list(range(180, 130, -1))
    assert log.numbers("before=131") == list(range(130, 80, -1))
    assert log.numbers("after=130") == list(range(180, 130, -1))
    assert log.numbers("after=80") == list(range(130, 80, -1))
    assert log.numbers("before=1") == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("actor=E-super", 50),
        ("name=certificate.held&actor=E-maker", 30),
        (f"about={SERIAL}", 50),
        (f"about={int(SERIAL, 16)}&before=100", 33),
        ("about=AB:" + ":".join(["ab"] * 15), 50),
        ("about=6222&before=50", 16),
        ("about=310101199003071234&before=50", 16),
        ("about=E-maker&before=50", 16),
        ("about=nobody", 0),
        ("name=certificate", 0),
        ("name=%25", 0),
    ],
)
def test_events_are_found_by_what_they_are_about(log, query, count):
    assert len(log.numbers(query)) == count


def test_events_are_found_by_day(log):
    day = (NOW - timedelta(hours=48)).astimezone().date()

    found = log.numbers(f"from={day}&to={day}")

    assert len(found) == 24
    assert {CHAIN[number - 1].event.at.astimezone().date() for number in found} == {day}
    assert log.numbers("from=2030-01-01") == log.numbers("to=2001-01-01") == []


def test_no_page_counts_all_events(log):
    statements = []
    with log.app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2].lower()))
    log.auditor.text("/admin/audit/?actor=E-super&from=2026-11-20&before=100")

    assert any("audit_events" in text for text in statements)
    assert not any("count(" in text for text in statements)


@pytest.mark.parametrize("query", ["before=x", "before=-1", "after=" + "9" * 30, "from=x", "to=0001-01-01"])
def test_what_is_no_number_and_no_day_is_refused(log, query):
    assert log.auditor.get(f"/admin/audit/?{query}").status_code == 422


def test_an_event_stands_between_the_one_before_and_the_one_behind(log):
    page = log.auditor.text("/admin/audit/details/?id=60")

    assert all(CHAIN[number - 1].hash.hex() in page for number in (59, 60, 61))
    assert "follows the event before it" in page
    assert "does not follow" not in page
    assert "at event 120" in page
    assert "not made yet" in log.auditor.text("/admin/audit/details/?id=150")
    assert "does not follow" not in log.auditor.text("/admin/audit/details/?id=1")


def test_an_event_that_was_edited_does_not_follow(log):
    log.change(60, actor="somebody else")

    assert "does not follow" in log.auditor.text("/admin/audit/details/?id=60")


# Verifying


def test_a_verification_goes_on_piece_by_piece_until_it_is_done(log):
    page = log.auditor.post("/admin/audit/verify").get_data(as_text=True)
    assert 'max="5000" value="2000"' in page
    assert "data-continue" in page

    done = log.auditor.post("/admin/audit/verify", {"number": "4000", "hash": "aGg="}).get_data(as_text=True)

    assert "All 5000 events follow one another" in done
    assert "data-continue" not in done
    assert [one.number for one in log.signer.asked if isinstance(one, VerifyLog)] == [0, 4000]


def test_the_first_bad_record_is_named(log):
    log.signer.refuse[VerifyLog.path] = Tampered("audit event 17 (certificate.held) was altered or moved")

    page = log.auditor.post("/admin/audit/verify", {"number": "0"}).get_data(as_text=True)

    assert "audit event 17 (certificate.held) was altered or moved" in page
    assert "data-continue" not in page


# Exporting


def exported(log, first, last):
    answer = log.auditor.get(f"/admin/audit/export?first={first}&last={last}")
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.get_data(as_text=True).splitlines()]


def test_an_export_has_the_events_their_links_and_the_nearest_checkpoints(log):
    head, *lines = exported(log, 40, 60)

    assert head == {"format": "vermilion audit v1", "first": 40, "last": 60, "previous": CHAIN[38].hash.hex()}
    assert [one["event"]["number"] for one in lines if "event" in one] == list(range(40, 61))
    assert [one["behind"] for one in lines if "behind" in one] == [one.digest.hex() for one in CHAIN[60:120]]
    assert [one["checkpoint"]["number"] for one in lines if "checkpoint" in one] == [50, 120]


def test_an_export_is_recorded_before_it_leaves(log):
    exported(log, 1, 5)
    assert [one.page for one in log.signer.asked if isinstance(one, NoteLook)] == ["audit-1-5"]

    log.signer.refuse[NoteLook.path] = KeyStoreUnavailable("the signer does not answer")

    assert log.auditor.get("/admin/audit/export?first=1&last=5").status_code == 503


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("first=0&last=5", 422),
        ("first=5&last=4", 422),
        ("first=1&last=x", 422),
        (f"first=1&last={audit.MOST_EXPORTED + 1}", 422),
        ("first=500&last=501", 404),
    ],
)
def test_what_cannot_be_exported_is_refused_in_words(log, query, status):
    assert log.auditor.get(f"/admin/audit/export?{query}").status_code == status


def test_what_was_altered_is_not_exported_as_if_it_were_whole(log):
    log.change(55, subject="another")

    answer = log.auditor.get("/admin/audit/export?first=40&last=60")

    assert answer.status_code == 500
    assert "Audit event 55" in answer.get_data(as_text=True)
