"""Which certificates end soon, of one's own branch, on the page and as a sheet without formulas."""

import csv
import io

import pytest

from admin import sheets
from ca.domain.errors import KeyStoreUnavailable
from ca.operations import NoteLook
from tests.fakes.console import ACTIVE, ENDING, HELD


def sheet(answer):
    return list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))


@pytest.mark.parametrize(("days", "is_there"), [("30", False), ("60", True), ("90", True)])
def test_a_certificate_is_there_when_it_ends_within_the_time(at, days, is_there):
    page = at("supervisor").text(f"/admin/expiring/?days={days}")

    assert (f"?id={ENDING}" in page) is is_there
    assert ACTIVE not in page
    assert ("No certificate of your branch ends" in page) is not is_there


def test_another_branch_sees_nothing_and_head_office_everything(at):
    assert ENDING not in at("elsewhere").text("/admin/expiring/?days=90")
    assert ENDING in at("auditor").text("/admin/expiring/?days=90")


def test_the_sheet_has_the_same_rows_and_only_who_may_take_it_gets_it(at):
    head, *rows = sheet(at("supervisor").get("/admin/expiring/csv?days=90"))

    assert head[0] == "name"
    assert [row[3] for row in rows] == [ENDING]
    assert HELD not in {row[3] for row in rows}
    assert at("approver").get("/admin/expiring/csv?days=90").status_code == 403
    assert "csv" not in at("approver").text("/admin/expiring/?days=90")


def test_no_sheet_is_given_out_before_the_signer_recorded_it(at, signer):
    at("supervisor").get("/admin/expiring/csv?days=90")
    assert [(one.customer, one.page) for one in signer.asked if isinstance(one, NoteLook)] == [("", "expiring")]

    signer.refuse[NoteLook.path] = KeyStoreUnavailable("the signer does not answer")
    answer = at("supervisor").get("/admin/expiring/csv?days=90")

    assert answer.status_code == 503
    assert ENDING not in answer.get_data(as_text=True)


@pytest.mark.parametrize("days", ["0", "-1", "31", "x", "30;drop"])
def test_another_time_is_refused(at, days):
    assert at("supervisor").get(f"/admin/expiring/?days={days}").status_code == 422
    assert at("supervisor").get(f"/admin/expiring/csv?days={days}").status_code == 422


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_a_formula(cell):
    ((shown,),) = csv.reader(io.StringIO(sheets.sheet(("head",), [(cell,)]).split("\n", 1)[1], newline=""))

    assert shown == f"'{cell}"


@pytest.mark.parametrize("cell", ["Zhang Wei", "张伟", 'a "quoted" one', "a,b", "1-1", ""])
def test_every_other_cell_is_what_it_is(cell):
    ((shown,),) = csv.reader(io.StringIO(sheets.sheet(("head",), [(cell,)]).split("\n", 1)[1], newline=""))

    assert shown == cell
