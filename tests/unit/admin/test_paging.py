"""Pages of a list: every row once, whatever comes in meanwhile, and addresses that nobody made up."""

import base64
import html
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from admin import paging
from admin.paging import Place, mark_of
from ca.adapters.db import rows
from ca.adapters.db.names import file_name
from ca.adapters.db.rows import db
from ca.domain.errors import InvalidRequest
from tests.fakes.console import a_customer, console, fill
from tests.fakes.console_signer import NOW, FakeSigner
from tests.unit.admin.conftest import Visitor

_MANY = 130


class Bank:
    """A console with many customers, of whom a branch has all but every tenth."""

    def __init__(self, directory):
        self.database = directory / "many.sqlite3"
        self.signer = FakeSigner()
        fill(self.database, self.signer)
        self.app = console(self.database, self.signer)
        self.add(
            a_customer(
                f"many-{number:03}", f"Wang {number % 7} Li", "Xuhui" if number % 10 == 0 else "Pudong", f"7{number:06}"
            )
            for number in range(_MANY)
        )

    def add(self, customers):
        with Session(create_engine(f"sqlite:///{self.database}", poolclass=NullPool)) as session:
            for customer in customers:
                session.add(customer)
                session.flush()
                file_name(session, customer.id)
            session.commit()

    def visitor(self, name):
        return Visitor(self.app, self.signer).sign_in(name)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    bank = Bank(tmp_path_factory.mktemp("bank"))
    yield bank
    with bank.app.app_context():
        db.engine.dispose()


@pytest.fixture
def bank(tmp_path):
    """One of the test's own, to write into."""
    bank = Bank(tmp_path)
    yield bank
    with bank.app.app_context():
        db.engine.dispose()


def ids(page):
    return re.findall(r'details/\?id=([^"&]+)"', page.split("<main")[1])


def link(page, rel):
    found = re.search(rf'href="([^"]+)" rel="{rel}"', page)
    return html.unescape(found[1]) if found else None


def walked(visitor, path, rel="next", meanwhile=lambda: None):
    """All rows of all pages, in order, and the address of the last page."""
    found, last = [], path
    while path:
        page = visitor.text(path)
        found += ids(page)
        path, last = link(page, rel), path
        meanwhile()
    return found, last


ORDERS = ["", "?sort=registered_at", "?sort=name", "?sort=-name", "?state=person", "?state=person&sort=name"]
SEARCHES = ["?search=wang", "?search=li", "?search=wang%203", "?search=Xuhui", "?search=WANG&state=person"]


@pytest.mark.parametrize("query", ORDERS)
@pytest.mark.parametrize(("officer", "count"), [("both", 117), ("auditor", 130)])
def test_every_row_of_ones_branch_is_on_one_page(crowd, officer, count, query):
    found, _last = walked(crowd.visitor(officer), f"/admin/customers/{query}")

    assert len(found) == len(set(found))
    assert len([each for each in found if each.startswith("many")]) == count


@pytest.mark.parametrize("query", ORDERS + SEARCHES)
def test_back_from_the_last_page_come_the_same_rows(crowd, query):
    visitor = crowd.visitor("auditor")
    found, last = walked(visitor, f"/admin/customers/{query}")
    first, page = ids(visitor.text(f"/admin/customers/{query}")), visitor.text(last)
    pages = [ids(page)]
    while back := link(page, "prev"):
        page = visitor.text(back)
        pages.insert(0, ids(page))

    assert [each for rows_of_page in pages for each in rows_of_page] == found
    assert pages[0][: len(first)] == first[: len(pages[0])]


@pytest.mark.parametrize("query", SEARCHES)
def test_a_search_finds_each_row_once(crowd, query):
    of_all, _ = walked(crowd.visitor("auditor"), f"/admin/customers/{query}")
    of_one, _ = walked(crowd.visitor("both"), f"/admin/customers/{query}")

    assert len(of_all) == len(set(of_all)) > 0
    assert set(of_one) < set(of_all)
    assert not {each for each in of_one if each.endswith("0") and each.startswith("many")}


def test_names_are_in_alphabetical_order(crowd):
    found, _ = walked(crowd.visitor("auditor"), "/admin/customers/?search=wang")

    assert [int(each[-3:]) % 7 for each in found] == sorted(number % 7 for number in range(_MANY))


def test_rows_that_come_in_move_nothing(bank):
    visitor, new = bank.visitor("both"), iter(range(1000))

    def register():
        number = next(new)
        newer = a_customer(f"new-{number}", "Wang New", "Pudong", f"8{number:06}")
        newer.registered_at = NOW + timedelta(minutes=number)
        older = a_customer(f"old-{number}", "Wang Old", "Pudong", f"9{number:06}")
        older.registered_at = NOW - timedelta(days=300, minutes=number)
        bank.add([newer, older])

    found, _last = walked(visitor, "/admin/customers/", meanwhile=register)

    assert len(found) == len(set(found))
    assert len([each for each in found if each.startswith("many")]) == 117
    assert not [each for each in found if each.startswith("new")]


def test_a_chip_without_an_index_is_looked_for_in_so_many_rows_only(crowd, monkeypatch):
    monkeypatch.setattr(paging, "LOOKED_AT", 20)
    visitor = crowd.visitor("auditor")

    page = visitor.text("/admin/customers/?search=wang&state=company")
    found, _ = walked(visitor, "/admin/customers/?search=wang&state=company")

    assert "Nothing among the rows read so far" in page
    assert ">Read on<" in page
    assert found == []


def test_a_page_that_ends_early_leaves_nothing_out(crowd, monkeypatch):
    monkeypatch.setattr(paging, "LOOKED_AT", 20)

    found, _ = walked(crowd.visitor("auditor"), "/admin/customers/?search=wang")

    assert len(found) == len(set(found)) == _MANY


def at_of(path):
    return re.search(r"[?&]at=([^&]+)", path)[1]


def test_a_place_shows_another_officer_no_row_of_other_branches(crowd):
    page = crowd.visitor("auditor").text("/admin/customers/")

    found = ids(crowd.visitor("elsewhere").text(link(page, "next")))

    assert found
    assert all(each.endswith("0") or each == "customer-3" for each in found)


def test_rows_of_other_branches_are_not_even_passed_by(bank, monkeypatch):
    monkeypatch.setattr(paging, "LOOKED_AT", 20)
    bank.add(a_customer(f"far-{number:03}", "Far Away", "Xuhui", f"6{number:06}") for number in range(60))
    query = "?search=310101199003071234"  # the document number of all of them

    found, _ = walked(bank.visitor("both"), f"/admin/customers/{query}")
    pages = [bank.visitor("both").text(f"/admin/customers/{words}") for words in ("?search=far", "?search=Xuhui")]

    assert not [each for each in found if each.startswith("far")]
    assert all("Nothing matches" in page and "at=" not in page for page in pages)


def test_a_place_in_another_list_is_refused(crowd):
    visitor = crowd.visitor("auditor")
    at = at_of(link(visitor.text("/admin/customers/"), "next"))

    for path in ("certificates/?", "customers/?sort=name&", "customers/?state=person&", "customers/?search=wang&"):
        answer = visitor.get(f"/admin/{path}at={at}")
        assert answer.status_code == 422
        assert "begin at the list" in answer.get_data(as_text=True)


def written(*parts):
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


MARK = mark_of("customers", "", "", "registered_at", "True")
GARBLED = [
    "x", "AAAA", "%00", "é", "A" * 5000, written(), written(MARK), written(MARK, 0, 0), written(MARK, 1, 0, 5, "a"),
    written(MARK, -1, 0, 5, "a"), written(MARK, 0, 2, 5, "a"), written(MARK, 0, 0, 5), written(MARK, 0, 0, 5, "a", "b"),
    written(MARK, 0, 0, "5", "a"), written(MARK, 0, 0, 5, 5), written(MARK, 0, 0, None, "a"),
    written(MARK, 0, 0, 5, None),
    written(MARK, 0, 0, 2**63, "a"), written(MARK, 0, 0, 2**62, "a"), written(MARK, 0, 0, -5, "a"),
    written(MARK, 0, 0, 1.5, "a"), written(MARK, 0, 0, True, "a"), written(MARK, 0, 0, 5, "a\x00"),
    written(MARK, 0, 0, 5, "\ud800"), written(MARK, [], 0, 5, "a"), written(MARK, 0, {}, 5, "a"),
    base64.urlsafe_b64encode(b"[" * 700).decode(), base64.urlsafe_b64encode(b"\xff\xfe").decode(),
]  # fmt: skip


@pytest.mark.parametrize("at", GARBLED)
def test_a_garbled_place_is_refused(crowd, at):
    assert crowd.visitor("auditor").get(f"/admin/customers/?at={at}").status_code == 422


def test_a_place_that_fits_is_read(crowd):
    at = written(MARK, 0, 0, int(NOW.timestamp()), "a")

    assert crowd.visitor("auditor").get(f"/admin/customers/?at={at}").status_code == 200


def test_a_place_keeps_what_was_written(crowd):
    with crowd.app.test_request_context("/admin/customers/"):
        view = crowd.app.extensions["vermilion_rooms"]["customers"]
        order = (rows.CustomerRow.registered_at, rows.CustomerRow.id)
        walk = paging.Walk(rows.CustomerRow.__table__.select(), order, descending=True)
        place = Place(0, (NOW, "张伟"), backward=True)

        assert Place.read(place.written("m"), "m", [walk]) == place
        with pytest.raises(InvalidRequest):
            Place.read(place.written("m"), "n", [walk])
    assert view.default_order == ("registered_at", True)


def test_an_empty_list_says_what_to_do(crowd):
    assert "Nothing matches" in crowd.visitor("auditor").text("/admin/customers/?search=nobody")
