"""Certificates for signing in, in the console: one message each, and nothing for whom it is about."""

import json

import pytest

from ca import door_operations as door
from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound
from tests.fakes.console_signer import b64

ASSERTION = json.dumps(
    {
        "credential_id": b64(b"id"), "client_data": b64(b"{}"),
        "authenticator_data": b64(b"data"), "signature": b64(b"signature"),
    }
)  # fmt: skip
HERE = "/admin/certificate-bindings/binding-1"
FORM = {"serial": " 0xA1 ", "reason": " a U-Shield "}


def test_proposing_asks_the_signer_once_and_nothing_else_travels(at, signer):
    response = at("security").post("/admin/officers/maker/certificates", FORM | {"state": "bound"})

    assert (response.status_code, response.headers["Location"]) == (303, HERE)
    assert signer.commands() == [
        door.ProposeBinding(session="token-of-security", officer="maker", serial="0xA1", reason="a U-Shield")
    ]


@pytest.mark.parametrize("missing", [{"serial": ""}, {"reason": " "}, {"serial": "a" * 101}], ids=str)
def test_a_proposal_is_whole_or_none(at, signer, missing):
    assert at("security").post("/admin/officers/maker/certificates", FORM | missing).status_code == 422
    assert signer.commands() == []


@pytest.mark.parametrize("error", [InvalidRequest("lacks a usage"), InvalidTransition("is bound"), NotFound("no")])
def test_a_refusal_is_told_beside_what_was_typed(at, signer, error):
    signer.refuse["bindings/propose"] = error

    page = at("security").post("/admin/officers/maker/certificates", FORM)

    assert page.status_code in {404, 409, 422}
    assert str(error).capitalize() in page.text
    assert 'value="0xA1"' in page.text


def test_nobody_unknown_gets_a_certificate(at, signer):
    assert at("security").post("/admin/officers/nobody/certificates", FORM).status_code == 404
    assert signer.commands() == []


def test_officer_and_certificate_stand_side_by_side_and_the_passkey_seals(at, signer):
    security = at("security")
    page = security.text(HERE)

    assert "CN=Maria Lin,OU=Officers of Pudong" in page
    assert "E-maker" in page
    assert 'data-passkey="sign"' in page
    sealed = security.post(f"{HERE}/approve", {"digest": b64(b"d" * 32), "assertion": ASSERTION})
    assert sealed.headers["Location"] == "/admin/officers/details/?id=maker"
    (asked,) = [one for one in signer.commands() if isinstance(one, door.ApproveBinding)]
    assert (asked.binding, asked.digest) == ("binding-1", b"d" * 32)


@pytest.mark.parametrize(("act", "kind"), [("reject", door.RejectBinding), ("end", door.EndBinding)])
def test_ending_needs_a_reason(at, signer, act, kind):
    place = "/admin/certificate-bindings/" + ("binding-bound" if act == "end" else "binding-1")
    silent = at("security").post(f"{place}/{act}", {"reason": ""})
    told = at("security").post(f"{place}/{act}", {"reason": "lost"})

    assert (silent.status_code, told.status_code, told.headers["Location"]) == (422, 303, place)
    assert [one.reason for one in signer.asked if isinstance(one, kind)] == ["lost"]


def test_what_waits_is_on_the_work_list_and_what_is_over_is_not(at):
    page = at("security").text("/admin/")

    assert HERE in page
    assert "binding-late" not in page
    assert "binding-bound" not in page


def test_the_officers_page_lists_them_and_leads_security_officers_to_one_more(at):
    path = "/admin/officers/details/?id=maker"

    assert "CN=Maria Lin on a U-Shield" in at("security").text(path)
    assert "/admin/officers/maker/certificates" in at("security").text(path)
    assert "CN=Maria Lin on a U-Shield" in at("auditor").text(path)
    assert "/admin/certificate-bindings/" not in at("auditor").text(path)


def test_a_proposal_that_nobody_took_up_in_time_is_void(at):
    page = at("security").text("/admin/officers/details/?id=maker")

    card = page[: page.index("CN=Too late")].rpartition("<li>")[2]
    assert "void" in card


def test_a_name_that_differs_is_pointed_out(at, signer):
    assert "does not name the officer" not in at("security").text(HERE)

    shown = signer._ShowBinding
    signer._ShowBinding = lambda asked: (answer := shown(asked)) | {"fields": answer["fields"] | {"name": "Pavel Chen"}}

    assert "does not name the officer" in at("security").text(HERE)


def test_officers_see_their_own_and_end_it(at, signer):
    page = at("maker").text("/admin/my-access")
    assert "CN=Maria Lin on a U-Shield" in page
    assert "begun with a certificate" in page

    at("maker").post("/admin/my-access/certificates/end", {"binding": "binding-bound"})

    (asked,) = [one for one in signer.asked if isinstance(one, door.EndBinding)]
    assert (asked.session, asked.binding) == ("token-of-maker", "binding-bound")
    assert "CN=Maria Lin on a U-Shield" not in at("approver").text("/admin/my-access")
