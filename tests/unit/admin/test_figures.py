"""The home page's figures: whose they are, how old they are, and that each picture says its numbers."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, delete

from ca.adapters.db.figure_rows import FigureRow
from ca.adapters.db.log_rows import JobRunRow
from ca.adapters.db.receipt_rows import ReceiptRow
from ca.adapters.db.rows import CRLRow, db
from ca.domain.errors import KeyStoreUnavailable
from ca.operations import Health
from tests.fakes.console import console, fill
from tests.fakes.console_signer import NOW, FakeSigner
from tests.unit.admin.conftest import Visitor


def _board(page):
    return page.split('class="board"')[1]


def _titles(page):
    return re.findall(r'role="img"[^>]*><title>([^<]+)</title>', page)


def test_an_officer_sees_the_figures_of_the_own_branch_and_how_old_they_are(at):
    board = _board(at("supervisor").text("/admin/"))
    assert "Pudong · as of 3 min ago" in board
    assert "today 41, in 14 days 58" in board
    assert "today 12, in 14 days 12" in board
    assert "1041" not in board


def test_oversight_sees_all_branches_together(at):
    board = _board(at("auditor").text("/admin/"))
    assert "all branches · as of 3 min ago" in board
    assert "today 1041, in 14 days 1058" in board


def test_a_branch_without_certificates_sees_noughts(at):
    assert "today 0, in 14 days 0" in _board(at("hotline").text("/admin/"))


def test_every_picture_says_its_numbers_in_words(at):
    titles = _titles(at("supervisor").text("/admin/"))
    assert [title.split(":")[0] for title in titles] == ["Issued", "Renewed", "Revoked"]
    assert titles[0].endswith("21 Nov 17, 22 Nov 0, 23 Nov 41")


def test_months_and_states_stand_beside_their_numbers(at):
    board = _board(at("supervisor").text("/admin/"))
    for name, value in (("Jan 2027", 210), ("Feb 2027", 0)):
        assert re.search(rf"<dt>{name}</dt><dd><span>{value}</span>", board)
    assert re.search(r"active</span></dt><dd><span>4711</span>", board)
    assert re.search(r"in use</span></dt><dd><span>4800</span>", board)


def test_latency_stands_beside_the_promise_and_what_is_late_says_so(at):
    board = _board(at("supervisor").text("/admin/"))
    assert re.search(r"<dt>ocsp</dt><dd>9 ms.*?promised 1000 ms.*?in time", board)
    assert re.search(r"<dt>delta-crl</dt><dd>.*?waiting.*?promised 10000 ms.*?late", board)


def test_the_queue_says_what_is_due_and_what_is_overdue(at):
    officer = at("auditor").text("/admin/")
    assert re.search(r"<dt>1 to 4 h</dt><dd><span>4</span>", officer)
    assert re.search(r"<dt>4 to 24 h</dt><dd><span>1</span>.*?overdue", officer)
    queue = at("approver").text("/admin/")
    assert "3 h · due in 1 h" in queue
    assert "overdue" not in queue
    assert re.search(r"5 h · <span class=\"badge bad\">.*?overdue", at("elsewhere").text("/admin/"))


def test_codes_that_end_soon_are_on_the_list(at):
    page = at("maker").text("/admin/")
    assert "Codes that end soon" in page
    assert "codes end in 3 days" in page
    assert "Codes that end soon" not in at("elsewhere").text("/admin/")


def test_what_the_signer_says_of_itself_is_shown(at, signer):
    officer = at("maker")
    assert re.search(r"HSM</span> works", officer.text("/admin/"))
    signer.refuse[Health.path] = KeyStoreUnavailable("the HSM does not answer")
    page = officer.text("/admin/")
    assert "The HSM does not answer" in page


def test_the_last_answer_of_ocsp_is_told(at):
    page = at("maker").text("/admin/")
    assert re.search(r"OCSP <span class=\"badge good\">.*?in time.*?last change seen at", page)


@pytest.fixture
def bare(tmp_path):
    """A console whose database has no figures, no job and no CRL yet."""
    signer = FakeSigner(database=tmp_path / "console.sqlite3")
    fill(signer.database, signer)
    engine = create_engine(f"sqlite:///{signer.database}")
    with engine.begin() as connection:
        for row in (FigureRow, ReceiptRow, CRLRow, JobRunRow):
            connection.execute(delete(row))
    engine.dispose()
    app = console(signer.database, signer, now=lambda: NOW + timedelta(hours=1))
    yield Visitor(app, signer)
    with app.app_context():
        db.engine.dispose()


def test_before_the_first_count_the_page_says_who_counts(bare):
    page = bare.sign_in("supervisor").text("/admin/")
    assert "Nothing was counted yet. The jobs process counts every five minutes." in page
    assert "no status changed yet that the prober could look for" in page
