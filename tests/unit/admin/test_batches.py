"""A company's list, from the file to the signature: the console's side."""

import io

import pytest

from admin.lists import decode, parse_lines
from ca.domain.applications import ApplicationState
from ca.domain.batches import MOST
from ca.domain.errors import InvalidRequest

HEAD = "number,name,document number,email,phone,u-shield"
LINE = "C1-1,Wang Fang,3101,wang@acme.example,,US-1"
PATH = "/admin/customers/customer-4/batch"


def form(*lines, step="check", **more):
    return {"profile": "corporate-operator", "lines": "\n".join((HEAD, *lines)), "step": step, **more}


def test_a_list_is_checked_and_shown_before_it_is_entered(at, signer):
    answer = at("maker").post(PATH, form(LINE))
    page = answer.get_data(as_text=True)

    (asked,) = signer.commands()
    assert (answer.status_code, asked.apply, asked.company) == (200, False, "6222021004")
    assert "All 1 lines can be entered." in page
    assert "Wang Fang" in page


def test_a_line_with_a_problem_is_named_and_nothing_can_be_entered(at):
    answer = at("maker").post(PATH, form(LINE, "C1-2,Li Na,3102,,,US-WRONG"))
    page = answer.get_data(as_text=True)

    assert answer.status_code == 422
    assert "1 of 2 lines have a problem." in page
    assert "U-Shield US-WRONG is lost" in page
    assert 'value="submit"' not in page


def test_a_list_that_stands_becomes_a_batch(at, signer):
    answer = at("maker").post(PATH, form(LINE, step="submit"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/batches/batch-1")
    assert signer.commands()[-1].apply


def test_a_file_is_read_as_spreadsheet_programs_write_it(at, signer):
    text = "客户号;姓名;证件号;U盾\r\nC1-1;王芳;3101;US-1\r\n"
    file = (io.BytesIO(text.encode("gb18030")), "list.csv")

    at("maker").post(PATH, {"profile": "corporate-operator", "step": "check", "file": file})

    (asked,) = signer.commands()
    (line,) = asked.lines
    assert (line.number, line.name, line.document_number, line.device_serial) == ("C1-1", "王芳", "3101", "US-1")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "missing: number, name, document number"),
        ("number,name\nC1,Wang", "missing: document number"),
        (f"{HEAD}\nC1,Wang", "Line 1 does not have the columns"),
        (f"{HEAD}\nC1,{'x' * 65},1,,,", "Line 1 does not have"),
        (f'{HEAD}\n"C1,Wang', "cannot be read as CSV"),
        ("\n".join([HEAD, *[LINE] * (MOST + 1)]), "at most 200 people"),
    ],
    ids=["empty", "a column missing", "a cell missing", "a long cell", "an open quote", "too many"],
)
def test_a_list_that_cannot_be_read_is_refused_in_a_sentence(at, signer, text, why):
    answer = at("maker").post(PATH, {"profile": "corporate-operator", "step": "check", "lines": text})
    assert answer.status_code == 422
    assert why in answer.get_data(as_text=True)
    assert signer.commands() == []


def test_a_head_alone_is_refused(at):
    answer = at("maker").post(PATH, form())
    assert answer.status_code == 422


def test_what_is_no_text_is_refused():
    with pytest.raises(InvalidRequest, match="GB 18030"):
        decode(b"\xff\xfe\x80\x00\xff")


def test_blank_lines_and_unknown_columns_are_passed_over():
    (line,) = parse_lines("number,name,document,shoe size\n\nC1,Wang,1,38\n,,,\n")
    assert (line.number, line.document_number) == ("C1", "1")


def test_what_a_sheet_of_ours_marked_as_text_is_read_as_it_was():
    (line,) = parse_lines("number,name,document\n'+C1,Wang,1")
    assert line.number == "+C1"


@pytest.mark.parametrize("company", ["customer-1", "customer-3", "none"])
def test_only_companies_of_the_branch_have_batches(at, signer, company):
    path = f"/admin/customers/{company}/batch"
    assert at("maker").get(path).status_code == 404
    assert at("maker").post(path, form(LINE)).status_code == 404
    assert signer.commands() == []


def test_markup_in_a_list_stays_text(at):
    page = at("maker").post(PATH, form("C1-1,<script>alert(1)</script>,1,,,US-1")).get_data(as_text=True)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_batch_shows_each_case_how_far_it_is_and_one_seal(at):
    page = at("approver").text("/admin/batches/batch-1")
    assert page.count('class="button seal"') == 1
    assert "Approve 2 and seal with passkey" in page
    assert "U+0430" in page
    assert "0 of 2" in page


def test_its_maker_is_not_offered_to_approve_it(at):
    page = at("maker").text("/admin/batches/batch-1")
    assert "seal with passkey" not in page
    assert "another officer must decide" in page


def test_another_branch_knows_of_no_batch(at):
    assert at("elsewhere").get("/admin/batches/batch-1").status_code == 404


def test_decided_cases_count_as_far_as_they_are(at, signer):
    first, second = "application-1", "application-unusual"
    signer.cases[first] = signer.cases[first].become(ApplicationState.REJECTED, at=signer.cases[first].updated_at)
    signer.cases[second] = signer.cases[second].become(ApplicationState.APPROVED, at=signer.cases[second].updated_at)
    page = at("auditor").text("/admin/batches/batch-1")
    assert page.count("1 of 1") == 2  # entered, approved
    assert page.count("0 of 1") == 2  # codes, downloaded
