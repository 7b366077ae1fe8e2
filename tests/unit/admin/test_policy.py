"""The policy in the console: each number on one page, old beside new with its effect, and nobody approves their own."""

import json
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from ca import policy_operations as ops
from ca.domain.errors import InvalidRequest, InvalidTransition, Tampered
from ca.domain.policy import NUMBERS, STRICTEST
from tests.fakes.console_policy import IN_FORCE, NOW, POLICY_VERSION
from tests.fakes.console_signer import b64

ASSERTION = json.dumps(
    {
        "credential_id": b64(b"id"), "client_data": b64(b"{}"),
        "authenticator_data": b64(b"data"), "signature": b64(b"signature"),
    }
)  # fmt: skip
PAGE = "/admin/policy-versions/policy-2"
FORM = IN_FORCE.numbers() | {"hold_undo": " 5m ", "effective_from": "2026-12-24T09:30", "reason": " stricter "}


@pytest.fixture(autouse=True)
def _zone(monkeypatch):
    monkeypatch.setenv("TZ", "CST-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_each_number_tells_its_value_its_decision_and_what_comes(at):
    page = at("auditor").text("/admin/settings/")
    row = page.split("Letter for the portal</td>")[1].split("</tr>")[0]
    for word in ("7 days", "/admin/policy-versions/policy-1", "1 Nov 2026, 15:04 (UTC+8)", "E-second-admin", "1 h to"):
        assert word in row
    row = page.split("Unlock case</td>")[1].split("</tr>")[0]
    assert "from the configuration" in row
    assert "2 days from 24 Dec 2026, 08:00 (UTC+8)" in row
    assert "10 s" in page.split("A CRL that is made at once is there within</td>")[1].split("</tr>")[0]


def test_its_history_is_below(at):
    page = at("auditor").text("/admin/settings/")
    for word in ("waiting for approval", "letters that lie about", PAGE):
        assert word in page


def test_while_one_waits_no_other_is_offered(at, signer):
    assert "Propose other numbers" not in at("admin").text("/admin/settings/")
    at("admin").post(f"{PAGE}/reject", {"reason": "no"})
    assert "Propose other numbers" in at("admin").text("/admin/settings/")
    assert "Propose other numbers" not in at("auditor").text("/admin/settings/")


def test_a_broken_record_is_told_with_what_holds_meanwhile(at, signer):
    signer.refuse["policy/show"] = Tampered("version 2 of the policy does not hold: the seal is broken")
    signer.in_force = STRICTEST
    page = at("auditor").text("/admin/settings/")
    assert "Until the record is restored" in page
    assert "strictest" in page


def test_a_proposal_begins_with_what_was_decided_last(at):
    page = at("admin").text("/admin/policy/propose")
    for name, value in IN_FORCE.numbers().items():
        assert value in page.split(f'id="{name}"')[1].split(">")[0]
    assert "From 1m to 1h." in page
    assert 'value="2026-11-24T00:00"' in page


def test_a_proposal_is_one_message_in_the_signers_time(at, signer):
    response = at("admin").post("/admin/policy/propose", FORM)
    (asked,) = [one for one in signer.commands() if isinstance(one, ops.ProposePolicy)]
    assert asked.numbers == IN_FORCE.numbers() | {"hold_undo": "5m"}
    assert (asked.effective_from, asked.reason) == ("2026-12-24T01:30:00Z", "stricter")
    assert response.headers["Location"] == "/admin/policy-versions/policy-3"


def test_what_is_beyond_the_bounds_is_said_and_nothing_typed_is_lost(at, signer):
    signer.refuse["policy/propose"] = InvalidRequest("hold_undo is from 1m to 1h, and not 2h")
    response = at("admin").post("/admin/policy/propose", FORM | {"hold_undo": "2h", "reason": "so"})
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert "is from 1m to 1h, and not 2h" in page
    assert 'value="2h"' in page


@pytest.mark.parametrize("field", ["effective_from", "reason", *NUMBERS])
def test_nothing_is_asked_with_a_field_left_empty(at, signer, field):
    assert at("admin").post("/admin/policy/propose", FORM | {field: ""}).status_code == 422
    assert not any(isinstance(one, ops.ProposePolicy) for one in signer.commands())


def test_old_and_new_stand_side_by_side_with_the_effect(at):
    page = at("second-admin").text(PAGE)
    changes = page.split("What changes</h2>")[1].split("</table>")[0]
    row = changes.split("hold</th>")[1].split("</tr>")[0]
    for word in ("10 min", "5 min", "after it a supervisor releases"):
        assert word in row
    assert "Letter for the portal" not in changes
    assert f'value="{b64(POLICY_VERSION.digest())}"' in page
    assert "Approve and seal with passkey" in page


@pytest.mark.parametrize("who", ["admin", "auditor", "security"])
def test_who_proposed_it_or_only_reads_is_offered_no_approval(at, who):
    page = at(who).text(PAGE)
    assert "Approve and seal with passkey" not in page
    assert ("another CA administrator must approve it" in page) == (who == "admin")


def test_the_approval_carries_the_digest_as_shown(at, signer):
    signer.refuse["policy/approve"] = InvalidTransition("the version was changed since it was shown; read it again")
    form = {"digest": b64(POLICY_VERSION.digest()), "assertion": ASSERTION}
    response = at("second-admin").post(f"{PAGE}/approve", form)
    assert (signer.commands()[0].path, signer.commands()[0].digest) == ("policy/approve", POLICY_VERSION.digest())
    assert response.status_code == 409


def test_rejecting_needs_a_reason(at):
    assert at("admin").post(f"{PAGE}/reject", {"reason": " "}).status_code == 422
    assert at("admin").post(f"{PAGE}/reject", {"reason": "too short"}).status_code == 303
    assert "rejected" in at("admin").text(PAGE)


def test_what_waits_is_on_the_other_administrators_work_list(at):
    link = f'href="{PAGE}"'
    assert link in at("second-admin").text("/admin/")
    for who in ("admin", "security", "supervisor"):
        assert link not in at(who).text("/admin/")


def test_what_is_on_hold_for_too_long_is_on_the_supervisors_work_list(at, app, signer, monkeypatch):
    heading = "On hold for too long"
    assert heading not in at("supervisor").text("/admin/")
    monkeypatch.setitem(app.extensions, "vermilion_now", lambda: NOW + timedelta(days=30, seconds=1))
    assert heading in at("supervisor").text("/admin/")
    assert heading not in at("maker").text("/admin/")
    signer.in_force = replace(IN_FORCE, hold_longest=timedelta(days=31))
    assert heading not in at("supervisor").text("/admin/")


def test_an_application_is_due_as_the_policy_says(at, signer):
    before = at("approver").text("/admin/")
    signer.in_force = STRICTEST
    assert at("approver").text("/admin/").count("overdue") > before.count("overdue")
