"""Every list, search and page of the console is read by an index: however many rows there are, a page looks at few.

Asked of SQLite, which says how it would go about each statement, and over the rooms there are: a new one is caught.
"""

import re
import sqlite3
from contextlib import closing

import pytest
from flask import g
from sqlalchemy import BigInteger, event

from admin.access import ROOMS, SignedIn
from admin.paging import apart, key_of
from admin.views.rooms import VIEWS
from ca.adapters.db.columns import UtcSeconds
from ca.adapters.db.rows import db
from ca.domain.officers import TrustedRole
from tests.fakes.console import console, fill
from tests.fakes.console_signer import NOW, OFFICERS, FakeSigner
from tests.unit.admin.conftest import Visitor
from tests.unit.admin.test_routes import ROUTES

FEW = {"id", "serial", "number", "customer_number", "document_number", "device_serial", "reference", "officer"}
"""A value of these is in few rows: what is found by one may be sorted."""
SMALL = {"issuers", "officers", "officer_credentials", "job_runs", "audit_head"}
"""Tables that do not grow with the bank's customers."""
TYPED = ["zhang wei", "6222021001", "张伟", "Pudong"]


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A console, and how its database goes about each statement since the last call."""
    database, signer = tmp_path_factory.mktemp("plans") / "plans.sqlite3", FakeSigner()
    fill(database, signer)
    app = console(database, signer)
    statements = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2:4]))

    def plans():
        with closing(sqlite3.connect(database)) as connection:
            told = [
                (text, [line for *_numbers, line in connection.execute(f"EXPLAIN QUERY PLAN {text}", parameters)])
                for text, parameters in statements
                if text.startswith("SELECT")
            ]
        statements.clear()
        return told

    yield app, signer, plans
    with app.app_context():
        db.engine.dispose()


def faults(plans, *, may_sort=False):
    """Statements that read a whole table, or sort more than a few rows."""
    return [(text, plan) for text, plan in plans if any(map(_scans, plan)) or (not may_sort and _sorts(plan))]


def _scans(line):
    found = re.fullmatch(r"SCAN (\w+)", line)
    # What SQLAlchemy calls anon_1 is what a part of the statement found; its own line says how.
    return bool(found) and found[1] not in SMALL and not found[1].startswith("anon_")


def _sorts(plan):
    searched = [line for line in plan if line.startswith("SEARCH")]
    by_few = all(re.search(r"\((\w+)=\?", line) and re.search(r"\((\w+)=", line)[1] in FEW for line in searched)
    return "USE TEMP B-TREE FOR ORDER BY" in plan and not (searched and by_few)


def signed_in(name):
    known = OFFICERS[name]
    roles = frozenset(map(TrustedRole, known["roles"]))
    return SignedIn("token", known["id"], known["person"], known["name"], known["branch"], roles)


def place_in(order):
    return tuple(_some(column.type) for column in order)


def _some(kind):
    if isinstance(kind, UtcSeconds):
        return NOW
    return 5 if isinstance(kind, BigInteger) else "m"


def walks_of(view, typed):
    if typed:
        return apart(view.search(typed)) + apart(view.own_number(typed))
    names = (view.default_order[0], *view.column_sortable_list)
    return [view.walk((name, descending)) for name in names for descending in (False, True)]


ASKED = [
    (endpoint, typed)
    for view, _rows, endpoint, _path in VIEWS
    for typed in ("", *(TYPED if "column_searchable_list" in vars(view) else ()))
]


@pytest.mark.parametrize("officer", ["both", "auditor", "hotline"])
@pytest.mark.parametrize(("endpoint", "typed"), ASKED)
def test_a_list_is_read_along_an_index(asked, endpoint, officer, typed):
    app, _signer, plans = asked
    view = app.extensions["vermilion_rooms"][endpoint]
    for chip in ("", *(view.chips[1][:1] if view.chips else ())):
        with app.test_request_context(f"/admin/?state={chip}"):
            g.officer = signed_in(officer)
            for walk in walks_of(view, typed):
                for behind in (None, place_in(walk.order)):
                    for backward in (False, True):
                        db.session.execute(walk.look(key_of(view.model), behind, backward=backward, limit=50)).all()

    told = plans()
    assert told
    assert faults(told) == []


@pytest.mark.parametrize("endpoint", [endpoint for _view, _rows, endpoint, _path in VIEWS])
def test_what_a_list_is_sorted_by_is_never_empty(asked, endpoint):
    app, _signer, _plans = asked
    view = app.extensions["vermilion_rooms"][endpoint]

    with app.test_request_context("/admin/"):
        g.officer = signed_in("auditor")
        orders = [walk.order for walk in walks_of(view, "")]

    assert [column.key for order in orders for column in order if column.expression.nullable] == []


PAGES = [(name, path) for name, (path, verbs) in ROUTES.items() if "GET" in verbs and name in ROOMS]


@pytest.mark.parametrize(("name", "path"), PAGES)
def test_no_page_reads_a_whole_table(asked, name, path):
    app, signer, plans = asked
    for officer in ("both", "supervisor", "auditor", "security", "elsewhere"):
        Visitor(app, signer).sign_in(officer).get(path)

    assert faults(plans(), may_sort=True) == []


@pytest.mark.parametrize("typed", [*TYPED, "us-2026-000123", "4711 081511", "aa:bb:cc:dd"])
def test_the_search_over_all_rooms_reads_no_whole_table(asked, typed):
    app, signer, plans = asked
    for officer in ("both", "auditor", "hotline"):
        Visitor(app, signer).sign_in(officer).get(f"/admin/search?q={typed}")

    assert faults(plans()) == []


@pytest.mark.parametrize("officer", ["supervisor", "auditor"])
def test_what_ends_soon_is_read_in_the_order_of_its_end(asked, officer):
    app, signer, plans = asked
    Visitor(app, signer).sign_in(officer).get("/admin/expiring/?days=90")

    assert faults(plans()) == []


def test_no_list_is_counted(asked):
    app, signer, plans = asked
    for path in ("/admin/customers/", "/admin/certificates/?state=active", "/admin/audit/"):
        Visitor(app, signer).sign_in("auditor").get(path)

    assert [text for text, _plan in plans() if "count(" in text.lower()] == []
