"""A revocation by two officers in the console: proposed on the certificate's page, decided on a page of its own."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, update
from sqlalchemy.orm import Session

from ca import operations as ops
from ca.adapters.db.revocation_rows import RevocationCaseRow
from ca.adapters.db.rows import CertificateRow, db
from ca.domain.errors import InvalidRequest, NotFound
from tests.fakes.console import ACTIVE, console, fill
from tests.fakes.console_signer import NOW, FakeSigner, b64
from tests.fakes.revocation_answers import CASE, LATE, UNDECIDED, WAITING
from tests.unit.admin.conftest import Visitor

ASSERTION = json.dumps(
    {
        "credential_id": b64(b"id"), "client_data": b64(b"{}"),
        "authenticator_data": b64(b"data"), "signature": b64(b"signature"),
    }
)  # fmt: skip
PAGE = f"/admin/revocations/{CASE}"


@pytest.fixture
def own(tmp_path):
    """A console of the test's own, whose rows it may change."""
    signer, database = FakeSigner(), tmp_path / "console.sqlite3"
    fill(database, signer)
    app = console(database, signer)
    engine = create_engine(f"sqlite:///{database}")

    def change(row, condition, **values):
        with Session(engine) as session:
            session.execute(update(row).where(condition).values(**values))
            session.commit()

    yield lambda name: Visitor(app, signer).sign_in(name), change
    engine.dispose()
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("by_two", [True, False])
def test_before_it_is_asked_for_the_page_says_whether_another_officer_decides(at, signer, by_two):
    signer.by_two = by_two
    page = at("approver").text(f"/admin/certificates/{ACTIVE}/revoke")

    told = ("asks for two officers", "Propose to revoke it", "For the second officer")
    assert [words in page for words in told] == [by_two] * 3
    assert ("Revoke for good" in page) is not by_two


def test_what_the_second_officer_reads_goes_along(at, signer):
    signer.by_two = True
    form = {"reason": "cessationOfOperation", "why": " the account was closed "}
    answer = at("approver").post(f"/admin/certificates/{ACTIVE}/revoke", form)

    assert answer.status_code == 303
    assert signer.commands()[-1] == ops.Revoke(
        session="token-of-approver", serial=ACTIVE, reason="cessationOfOperation", why="the account was closed"
    )


def test_where_one_officer_is_enough_there_is_no_word_to_a_second(at, signer):
    form = {"reason": "superseded", "why": "nobody asked"}
    assert at("approver").post(f"/admin/certificates/{ACTIVE}/revoke", form).status_code == 303
    assert signer.commands()[-1].why == ""


def test_what_the_signer_misses_is_said_on_the_page(at, signer):
    signer.by_two = True
    signer.refuse["certificates/revoke"] = InvalidRequest("say why, in a few words: another officer decides on it")
    answer = at("approver").post(f"/admin/certificates/{ACTIVE}/revoke", {"reason": "superseded"})

    assert answer.status_code == 422
    assert "Say why, in a few words: another officer decides on it." in answer.get_data(as_text=True)


def test_the_second_officer_reads_what_happens_and_seals_it(at, signer):
    page = at("supervisor").text(PAGE)
    for words in ("the account was closed", "E-both", "It ends for good", "Approve and revoke with passkey"):
        assert words in page
    answer = at("supervisor").post(f"{PAGE}/approve", {"digest": b64(b"d" * 32), "assertion": ASSERTION})

    assert (answer.status_code, answer.headers["Location"].endswith(WAITING)) == (303, True)
    (asked,) = signer.commands()
    assert (asked.path, asked.case, asked.digest) == ("revocations/approve", CASE, b"d" * 32)


@pytest.mark.parametrize(("officer", "says"), [
    ("both", "another approver or supervisor"), ("maker", ""), ("auditor", ""),
])  # fmt: skip
def test_who_may_not_approve_sees_no_button_for_it(at, officer, says):
    page = at(officer).text(PAGE)
    assert "Approve and revoke with passkey" not in page
    assert says in page


def test_it_is_rejected_with_a_reason_and_the_hold_stays(at, signer):
    assert "stays on hold" in at("supervisor").text(PAGE)
    assert at("supervisor").post(f"{PAGE}/reject", {"reason": " "}).status_code == 422
    assert signer.commands() == []
    assert at("supervisor").post(f"{PAGE}/reject", {"reason": "it is open"}).status_code == 303
    assert (signer.commands()[-1].path, signer.commands()[-1].reason) == ("revocations/reject", "it is open")


def test_one_that_nobody_decided_in_time_says_so(at):
    page = at("supervisor").text(f"/admin/revocations/{LATE}")
    assert "Nobody decided in time" in page
    assert "Approve and revoke with passkey" not in page


def test_another_branchs_is_not_found(at, signer):
    signer.refuse["revocations/show"] = NotFound("there is no such revocation at your branch")
    assert at("elsewhere").get(PAGE).status_code == 404


def test_one_whose_certificate_is_no_more_is_not_found(own):
    at, change = own
    change(CertificateRow, CertificateRow.serial == WAITING, serial="99" * 16)
    assert at("supervisor").get(PAGE).status_code == 404


def test_it_waits_on_the_work_list_of_who_may_decide(at):
    lists = {name: at(name).text("/admin/") for name in ("supervisor", "approver", "both", "maker", "elsewhere")}
    assert {name: PAGE in page for name, page in lists.items()} == {
        "supervisor": True, "approver": True, "both": False, "maker": False, "elsewhere": False,
    }  # fmt: skip
    assert {name: "that nobody decided in time" in page for name, page in lists.items()} == {
        "supervisor": True, "approver": True, "both": True, "maker": False, "elsewhere": False,
    }  # fmt: skip


def test_what_became_of_the_certificate_takes_it_off_the_work_list(own):
    at, change = own
    change(CertificateRow, CertificateRow.serial.in_((WAITING, UNDECIDED)), status="revoked")
    page = at("supervisor").text("/admin/")
    assert (PAGE in page, "that nobody decided in time" in page) == (False, False)


def test_the_certificates_page_tells_what_waits_and_offers_no_release(own):
    at, change = own
    where = f"/admin/certificates/details/?id={WAITING}"
    page = at("supervisor").text(where)
    assert "waits for a second officer" in page
    assert (PAGE in page, f"/admin/certificates/{WAITING}/release" in page) == (True, False)
    assert PAGE not in at("hotline").text(where)

    change(RevocationCaseRow, RevocationCaseRow.id == CASE, expires_at=NOW - timedelta(seconds=1))
    page = at("supervisor").text(where)
    assert (PAGE in page, f"/admin/certificates/{WAITING}/release" in page) == (True, True)
    assert "overdue" in page

    change(CertificateRow, CertificateRow.serial == WAITING, status="revoked")
    page = at("supervisor").text(where)
    assert ("void" in page, "overdue" in page) == (True, False)


def test_an_approval_that_the_log_does_not_know_is_said_to_be_none(own):
    at, change = own
    change(RevocationCaseRow, RevocationCaseRow.id == CASE, state="approved", decided_by="E-supervisor")
    page = at("supervisor").text(f"/admin/certificates/details/?id={WAITING}")
    assert "The log does not know that this was approved." in page


def test_an_approval_that_the_log_knows_is_not(own):
    at, change = own
    change(RevocationCaseRow, RevocationCaseRow.id == CASE, state="approved", decided_by="E-supervisor")
    visitor = at("supervisor")
    told = {"act": "approve-revocation", "case": CASE, "person": "E-supervisor", "at": "2026-11-22T08:04:05Z"}
    visitor.signer.ended_by_two = told | {"digest": "e1" * 32, "wrong": ""}
    page = visitor.text(f"/admin/certificates/details/?id={WAITING}")
    assert "The log does not know" not in page
