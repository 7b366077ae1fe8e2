"""A certificate's page, and hold, undo, release and revoke: each one message to the signer, its effect shown before."""

import re
from datetime import UTC, datetime

import pytest

from ca.domain import errors
from tests.fakes.console import ACTIVE, CANCELLED, HELD


@pytest.mark.parametrize(
    ("officer", "serial", "act", "form"),
    [
        ("hotline", ACTIVE, "hold", {}),
        ("supervisor", HELD, "release", {}),
        ("hotline", HELD, "undo-hold", {}),
        ("approver", ACTIVE, "revoke", {"reason": "keyCompromise"}),
    ],
)
def test_a_change_shows_its_effect_first_and_is_then_asked_for(at, signer, officer, serial, act, form):
    page = at(officer).text(f"/admin/certificates/{serial}/{act}")
    asked_by_looking = signer.commands()
    response = at(officer).post(f"/admin/certificates/{serial}/{act}", form)

    assert "What happens" in page
    assert asked_by_looking == []
    assert response.status_code == 303
    assert [(asked.path, asked.serial) for asked in signer.commands()] == [(f"certificates/{act}", serial)]


def test_a_certificates_page_tells_its_life_and_its_fields(at):
    page = at("supervisor").text(f"/admin/certificates/details/?id={ACTIVE}")

    assert "certificate.issued" in page
    assert "CN=Demo Bank issuing" in page
    assert re.search(r"<dt>keyUsage <span class=.tag.>critical</span></dt><dd class=.mono.>digitalSignature</dd>", page)
    assert "/admin/audit/details" not in page
    assert "/admin/audit/details/?id=2" in at("auditor").text(f"/admin/certificates/details/?id={ACTIVE}")


def test_a_hold_is_offered_for_what_its_customer_cancelled_and_says_what_it_means(at):
    pages = {serial: at("supervisor").text(f"/admin/certificates/details/?id={serial}") for serial in (HELD, CANCELLED)}

    offered = {serial: f"/admin/certificates/{serial}/hold" in page for serial, page in pages.items()}
    assert offered == {HELD: False, CANCELLED: True}
    assert "takes the place of the cancellation" in pages[CANCELLED]


def test_the_own_hold_can_be_undone_from_the_certificates_page_for_ten_minutes(at):
    way = f"/admin/certificates/{HELD}/undo-hold"
    page = f"/admin/certificates/details/?id={HELD}"

    assert {name: way in at(name).text(page) for name in ("hotline", "supervisor", "auditor")} == {
        "hotline": True, "supervisor": False, "auditor": False,
    }  # fmt: skip


def test_an_invalidity_date_is_told_in_utc_and_may_stay_empty(at, signer):
    local = datetime(2026, 11, 22, 10, 30).astimezone()
    for typed in ("2026-11-22T10:30", ""):
        form = {"reason": "keyCompromise", "invalid_since": typed}
        assert at("approver").post(f"/admin/certificates/{ACTIVE}/revoke", form).status_code == 303

    assert [asked.invalid_since for asked in signer.commands()] == [f"{local.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", ""]


def test_what_is_no_time_is_said_beside_the_field(at, signer):
    form = {"reason": "keyCompromise", "invalid_since": "yesterday"}
    response = at("approver").post(f"/admin/certificates/{ACTIVE}/revoke", form)

    assert response.status_code == 422
    assert 'id="invalid_since-error"' in response.get_data(as_text=True)
    assert signer.commands() == []


@pytest.mark.parametrize("reason", ["", "certificateHold", "because", "KEYCOMPROMISE"])
def test_a_revocation_needs_a_reason_of_the_list(at, signer, reason):
    assert at("approver").post(f"/admin/certificates/{ACTIVE}/revoke", {"reason": reason}).status_code == 422
    assert signer.commands() == []


def test_a_transition_the_signer_refuses_stays_on_the_page(at, signer):
    signer.refuse["certificates/hold"] = errors.InvalidTransition("a certificate that is revoked cannot become on-hold")

    response = at("hotline").post(f"/admin/certificates/{ACTIVE}/hold")

    assert response.status_code == 409
    assert "A certificate that is revoked cannot become on-hold." in response.get_data(as_text=True)
