"""Versions of profiles in the console: one message each, old beside new, and nobody approves their own."""

import json
import time

import pytest

from ca import authority_operations as ops
from ca.domain.errors import InvalidRequest, InvalidTransition
from tests.fakes.console_authority import VERSION
from tests.fakes.console_signer import b64

ASSERTION = json.dumps(
    {
        "credential_id": b64(b"id"), "client_data": b64(b"{}"),
        "authenticator_data": b64(b"data"), "signature": b64(b"signature"),
    }
)  # fmt: skip
FORM = {"text": "version = 2\r\n", "effective_from": "2026-12-24T09:30", "reason": " shorter "}
PAGE = "/admin/profile-versions/version-1"


@pytest.fixture(autouse=True)
def _zone(monkeypatch):
    monkeypatch.setenv("TZ", "CST-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_profile_shows_every_field_and_its_versions(at):
    page = at("auditor").text("/admin/profiles/machine")
    for word in ("397d", "digitalSignature", "organizational_unit=Machines", "E-admin", VERSION.reason):
        assert word in page
    assert "Propose a new version" not in page


def test_the_list_tells_what_waits_and_what_comes(at):
    page = at("admin").text("/admin/profiles/")
    assert "waiting for approval" in page
    assert "version 2 from 24 Dec 2026, 08:00 (UTC+8)" in page


def test_a_proposal_begins_with_the_last_text_and_the_next_number(at):
    page = at("admin").text("/admin/profiles/tls-server/propose")
    assert "version = 3" in page
    assert 'value="2026-11-24T00:00"' in page


def test_a_proposal_is_one_message_in_the_signers_time(at, signer):
    signer.refuse["profiles/propose"] = InvalidRequest("version: Field required")
    response = at("admin").post("/admin/profiles/machine/propose", FORM)
    (asked,) = [one for one in signer.commands() if isinstance(one, ops.ProposeProfile)]
    assert (asked.text, asked.effective_from, asked.reason) == ("version = 2\n", "2026-12-24T01:30:00Z", "shorter")
    assert response.status_code == 422
    page = response.get_data(as_text=True)
    assert "Version: Field required." in page
    assert "version = 2" in page


@pytest.mark.parametrize("field", sorted(FORM))
def test_nothing_is_asked_with_a_field_left_empty(at, signer, field):
    response = at("admin").post("/admin/profiles/machine/propose", FORM | {field: ""})
    assert response.status_code == 422
    assert not any(isinstance(one, ops.ProposeProfile) for one in signer.commands())


def test_old_and_new_stand_side_by_side(at):
    page = at("second-admin").text(PAGE)
    changes = page.split("What changes</h2>")[1].split("</table>")[0]
    assert "397d" in changes
    assert "90d" in changes
    assert "digitalSignature" not in changes
    assert f'value="{b64(VERSION.digest())}"' in page
    assert "Approve and seal with passkey" in page


@pytest.mark.parametrize("who", ["admin", "auditor", "security"])
def test_who_proposed_it_or_only_reads_is_offered_no_approval(at, who):
    page = at(who).text(PAGE)
    assert "Approve and seal with passkey" not in page
    assert ("another CA administrator must approve it" in page) == (who == "admin")


def test_the_approval_carries_the_digest_as_shown(at, signer):
    signer.refuse["profiles/approve"] = InvalidTransition("the version was changed since it was shown; read it again")
    form = {"digest": b64(VERSION.digest()), "assertion": ASSERTION}
    response = at("second-admin").post(f"{PAGE}/approve", form)
    assert (signer.commands()[0].path, signer.commands()[0].digest) == ("profiles/approve", VERSION.digest())
    assert response.status_code == 409
    assert "read it again" in response.get_data(as_text=True)


def test_rejecting_needs_a_reason(at, signer):
    assert at("admin").post(f"{PAGE}/reject", {"reason": " "}).status_code == 422
    assert at("admin").post(f"{PAGE}/reject", {"reason": "too short"}).status_code == 303
    assert "rejected" in at("admin").text(PAGE)


def test_what_waits_is_on_the_other_administrators_work_list(at):
    link = f'href="{PAGE}"'
    assert link in at("second-admin").text("/admin/")
    assert link not in at("admin").text("/admin/")
    assert link not in at("security").text("/admin/")
