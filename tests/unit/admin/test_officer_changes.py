"""Changes of roles in the console: one message each, old beside new, and nothing for whom it is about."""

import json
import sqlite3
from contextlib import closing

import pytest

from ca import officer_operations as own
from ca.adapters.db.rows import db
from ca.domain.errors import InvalidRequest, InvalidTransition
from tests.fakes.console import console, fill
from tests.fakes.console_signer import FakeSigner, b64
from tests.unit.admin.conftest import Visitor

ASSERTION = json.dumps(
    {
        "credential_id": b64(b"id"), "client_data": b64(b"{}"),
        "authenticator_data": b64(b"data"), "signature": b64(b"signature"),
    }
)  # fmt: skip
FORM = {"branch": " Xuhui ", "roles": ["ra-operator", "ra-approver"], "reason": " moves "}


def test_the_form_begins_with_what_the_officer_has(at):
    page = at("security").text("/admin/officers/maker/roles")
    assert 'value="Pudong"' in page
    assert '<option selected value="ra-operator">' in page
    assert '<option value="ra-approver">' in page


def test_proposing_asks_the_signer_once_and_nothing_else_travels(at, signer):
    form = FORM | {"state": "approved", "proposed_by": "E-other", "officer_version": "1"}
    response = at("security").post("/admin/officers/maker/roles", form)
    assert (response.status_code, response.headers["Location"]) == (303, "/admin/officer-changes/change-1")
    assert signer.commands() == [
        own.ProposeOfficerChange(
            session="token-of-security",
            officer="maker",
            branch="Xuhui",
            roles=["ra-operator", "ra-approver"],
            reason="moves",
        )
    ]


@pytest.mark.parametrize("missing", [{"branch": ""}, {"roles": []}, {"reason": " "}, {"roles": ["root"]}], ids=str)
def test_a_proposal_is_whole_or_none(at, signer, missing):
    assert at("security").post("/admin/officers/maker/roles", FORM | missing).status_code == 422
    assert signer.commands() == []


@pytest.mark.parametrize("error", [InvalidRequest("kept apart"), InvalidTransition("has left")])
def test_a_refusal_is_told_beside_what_was_typed(at, signer, error):
    signer.refuse["officer-changes/propose"] = error
    page = at("security").post("/admin/officers/maker/roles", FORM)
    assert page.status_code in {409, 422}
    assert str(error).capitalize() in page.get_data(as_text=True)
    assert 'value="Xuhui"' in page.get_data(as_text=True)


def test_nobody_unknown_is_changed(at, signer):
    assert at("security").post("/admin/officers/nobody/roles", FORM).status_code == 404
    assert signer.commands() == []


def test_old_and_new_stand_side_by_side(at):
    page = at("security").text("/admin/officer-changes/change-1")
    for text in ("ra-operator", "ra-approver, ra-operator", "Pudong", "Xuhui", "moves to Xuhui", "E-other"):
        assert text in page
    assert page.count('class="differs"') == 2
    assert "Approve and seal with passkey" in page


def test_an_approval_carries_the_digest_and_the_passkeys_word(at, signer):
    form = {"digest": b64(b"d" * 32), "assertion": ASSERTION}
    response = at("security").post("/admin/officer-changes/change-1/approve", form)
    assert response.headers["Location"] == "/admin/officers/details/?id=maker"
    (asked,) = signer.commands()
    assert (asked.path, asked.change, asked.digest) == ("officer-changes/approve", "change-1", b"d" * 32)


def test_a_rejection_needs_a_reason(at, signer):
    assert at("security").post("/admin/officer-changes/change-1/reject", {"reason": " "}).status_code == 422
    assert at("security").post("/admin/officer-changes/change-1/reject", {"reason": "no"}).status_code == 303
    assert signer.commands()[-1].path == "officer-changes/reject"


def test_the_home_page_shows_what_waits_for_another_security_officer(at):
    page = at("security").text("/admin/")
    assert "/admin/officer-changes/change-1" in page
    for nothing_to_do in ("change-void", "change-late", "change-mine"):
        assert nothing_to_do not in page
    assert "Changes of roles to approve" not in at("auditor").text("/admin/")


def test_an_officers_page_lists_the_changes(at):
    page = at("security").text("/admin/officers/details/?id=maker")
    assert "/admin/officer-changes/change-1" in page
    assert "/admin/officers/maker/roles" in page
    assert page.count("waiting for approval") == 3  # one is mine, two are void, one is of a certificate
    read_only = at("auditor").text("/admin/officers/details/?id=maker")
    assert "moves to Xuhui" in read_only
    assert "/admin/officer-changes/" not in read_only
    assert "/admin/officers/maker/roles" not in read_only


def test_nobody_is_offered_a_change_of_their_own_roles(at):
    assert "/admin/officers/security/roles" not in at("security").text("/admin/officers/details/?id=security")


def test_a_reinstatement_is_proposed_with_a_reason_and_nothing_else_travels(at, signer):
    page = at("security").text("/admin/officers/away/reinstate")
    assert "another security officer must approve it" in page
    assert at("security").post("/admin/officers/away/reinstate", {"reason": " "}).status_code == 422
    assert signer.commands() == []
    form = {"reason": " is back ", "roles": ["security-officer"], "branch": "Xuhui", "state": "active"}
    response = at("security").post("/admin/officers/away/reinstate", form)
    assert (response.status_code, response.headers["Location"]) == (303, "/admin/officer-changes/change-back")
    assert signer.commands() == [
        own.ProposeReinstatement(session="token-of-security", officer="away", reason="is back")
    ]


def test_a_refused_reinstatement_is_told(at, signer):
    signer.refuse["officer-changes/propose-reinstatement"] = InvalidTransition("an officer who is active cannot")
    page = at("security").post("/admin/officers/away/reinstate", {"reason": "back"})
    assert page.status_code == 409
    assert "An officer who is active cannot" in page.get_data(as_text=True)
    assert at("security").get("/admin/officers/nobody/reinstate").status_code == 404


def test_a_reinstatement_shows_suspended_beside_active(at):
    page = at("security").text("/admin/officer-changes/change-back")
    assert page.count('class="differs"') == 1
    before, after = page.index("suspended"), page.index("active", page.index("suspended"))
    assert before < after
    assert "They can then sign in again at once" in page
    assert "Change of roles" not in page


def test_the_home_page_and_the_officers_page_say_which_change_is_a_reinstatement(at):
    assert "Reinstatement" in at("security").text("/admin/")
    page = at("security").text("/admin/officers/details/?id=away")
    assert "Reinstatement" in page
    assert "/admin/officers/away/reinstate" in page
    assert "Reinstatement" not in at("security").text("/admin/officers/details/?id=maker")


@pytest.mark.parametrize(("officer", "warned"), [("security", True), ("maker", False), ("away", False)])
@pytest.mark.parametrize("act", ["suspend", "retire"])
def test_taking_one_of_two_security_officers_away_is_warned_of(at, officer, warned, act):
    page = at("security").text(f"/admin/officers/{officer}/{act}")
    assert ("Invite another security officer first" in page) is warned


@pytest.mark.parametrize(("others", "warned"), [(1, True), (2, False)])
def test_of_three_security_officers_one_may_go(tmp_path, others, warned):
    database, signer = tmp_path / "console.sqlite3", FakeSigner()
    fill(database, signer)
    more = "INSERT INTO officers SELECT ?, ?, name, branch, roles, state, version, seal FROM officers WHERE id = ?"
    with closing(sqlite3.connect(database)) as connection:
        for number in range(others):
            connection.execute(more, (f"other-{number}", f"E-{number}", "security"))
        connection.commit()
    app = console(database, signer)
    page = Visitor(app, signer).sign_in("security").text("/admin/officers/other-0/suspend")
    with app.app_context():
        db.engine.dispose()
    assert "What happens" in page
    assert ("Invite another security officer first" in page) is warned
