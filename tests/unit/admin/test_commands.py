"""Every command of the console becomes one message to the signer, and every refusal a sentence."""

import json
import re

import pytest

from admin.errors import STATUS
from ca import case_operations as case_ops
from ca import operations as ops
from ca.domain import errors
from ca.throttle import Throttle
from tests.fakes.console_signer import b64

ASSERTION = json.dumps(
    {
        "credential_id": b64(b"id"), "client_data": b64(b"{}"),
        "authenticator_data": b64(b"data"), "signature": b64(b"signature"),
    }
)  # fmt: skip


def test_registering_a_customer_asks_the_signer_once(at, signer):
    form = {
        "kind": "person", "name": " 张伟 ", "number": "6222", "document_number": "3101", "email": "",
        "branch": "Xuhui", "registered_by": "somebody else",
    }  # fmt: skip

    response = at("maker").post("/admin/customers/register", form)

    assert response.status_code == 303
    assert signer.commands() == [
        ops.RegisterCustomer(
            session="token-of-maker", kind="person", name="张伟", number="6222", document_number="3101", email=""
        )
    ]


def test_registering_a_u_shield_asks_the_signer_once(at, signer):
    at("supervisor").post("/admin/u-shields/register", {"serial": "US-1", "model": "U-Shield 3"})

    assert signer.commands() == [ops.RegisterDevice(session="token-of-supervisor", serial="US-1", model="U-Shield 3")]


def test_who_acts_for_a_company_is_registered_with_its_number(at, signer):
    form = {"kind": "person", "name": "Anna Lee", "number": "6222", "document_number": "3101", "company": " C1 "}

    at("maker").post("/admin/customers/register", form)

    (asked,) = signer.commands()
    assert asked.company == "C1"


def test_a_u_shield_is_handed_to_a_company_of_the_branch_once(at, signer):
    response = at("maker").post("/admin/customers/customer-1/u-shield", {"serial": " US-1 "})

    (asked,) = signer.commands()
    assert response.status_code == 303
    assert (asked.path, asked.serial) == ("devices/hand-to-company", "US-1")
    assert at("maker").post("/admin/customers/none/u-shield", {"serial": "US-1"}).status_code == 404


def test_an_application_is_submitted_for_a_customer_of_the_branch(at, signer):
    form = {"profile": "tls-server", "device_serial": "", "host_names": "a.example\r\n b.example "}

    at("maker").post("/admin/customers/customer-1/apply", form | {"step": "submit"})

    assert signer.commands() == [
        case_ops.SubmitApplication(
            session="token-of-maker", customer="customer-1", profile="tls-server", host_names=("a.example", "b.example")
        )
    ]


@pytest.mark.parametrize("profile", ["root-ca", "issuing-ca", "ocsp-responder", ""])
def test_only_profiles_for_customers_can_be_chosen(at, signer, profile):
    response = at("maker").post("/admin/customers/customer-1/apply", {"profile": profile})

    assert response.status_code == 422
    assert signer.commands() == []


@pytest.mark.parametrize("missing", ["name", "number", "document_number", "kind"])
def test_an_incomplete_form_comes_back_with_what_was_typed(at, signer, missing):
    form = {"kind": "person", "name": "Zhang", "number": "6222", "document_number": "3101"} | {missing: " "}

    response = at("maker").post("/admin/customers/register", form)

    assert response.status_code == 422
    assert signer.commands() == []
    assert missing == "document_number" or 'value="3101"' in response.get_data(as_text=True)


def test_what_the_signer_finds_wrong_is_said_beside_the_form(at, signer):
    signer.refuse["customers/register"] = errors.InvalidRequest("customer number 6222 is registered already")
    form = {"kind": "person", "name": "Zhang", "number": "6222", "document_number": "3101"}

    response = at("maker").post("/admin/customers/register", form)

    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert "Customer number 6222 is registered already." in page
    assert 'value="Zhang"' in page


def test_the_case_page_offers_one_binding_act_to_another_officer(at):
    page = at("approver").text("/admin/cases/application-1")

    assert page.count("Approve and seal with passkey") == 1
    assert page.count('class="button seal"') == 1


def test_who_made_a_case_is_not_offered_to_approve_it(at):
    page = at("both").text("/admin/cases/application-both")

    assert "Approve and seal" not in page
    assert "another officer must decide" in page
    assert "Withdraw this application" in page


def test_the_makers_approval_is_refused_in_a_sentence(at, signer):
    digest = b64(signer.cases["application-both"].case.digest())

    response = at("both").post("/admin/cases/application-both/approve", {"digest": digest, "assertion": ASSERTION})

    assert response.status_code == 403
    assert "Who entered an application may not decide on it; another officer must." in response.get_data(as_text=True)


def test_my_own_cases_are_not_in_my_queue(at):
    queue = at("both").text("/admin/").split("Waiting for another officer")[0]

    assert "application-1" in queue
    assert "application-both" not in queue


def test_a_case_that_changed_since_is_not_approved(at):
    response = at("approver").post(
        "/admin/cases/application-1/approve", {"digest": b64(b"x" * 32), "assertion": ASSERTION}
    )

    assert response.status_code == 409
    assert "read it again" in response.get_data(as_text=True)


@pytest.mark.parametrize(
    "form",
    [
        {}, {"digest": "!", "assertion": ASSERTION}, {"digest": b64(b"x"), "assertion": "{}"},
        {"digest": b64(b"x"), "assertion": "[" * 5000}, {"digest": "é", "assertion": ASSERTION},
    ],
)  # fmt: skip
def test_a_mangled_approval_never_reaches_the_signer(at, signer, form):
    response = at("approver").post("/admin/cases/application-1/approve", form)

    assert response.status_code == 422
    assert signer.commands() == []


def test_unusual_characters_are_named(at):
    assert "U+0430 CYRILLIC SMALL LETTER A" in at("approver").text("/admin/cases/application-unusual")


@pytest.mark.parametrize(("officer", "act"), [("approver", "reject"), ("maker", "withdraw")])
def test_an_application_ends_with_a_reason_only(at, signer, officer, act):
    without = at(officer).post(f"/admin/cases/application-1/{act}", {"reason": "  "})
    asked_without = signer.commands()
    with_reason = at(officer).post(f"/admin/cases/application-1/{act}", {"reason": "wrong document"})

    assert (without.status_code, with_reason.status_code) == (422, 303)
    assert asked_without == []
    assert [asked.path for asked in signer.commands()] == [f"applications/{act}"]


def test_a_field_that_hides_something_is_named_beside_it(at, signer):
    form = {"kind": "person", "name": "Zhang\u200bWei", "document_number": "D1", "number": "7"}

    page = at("maker").post("/admin/customers/register", form).get_data(as_text=True)

    assert 'aria-describedby="name-hint name-error" aria-invalid="true"' in page
    assert re.search(r'id="name-error">.*Text has an invisible or direction-changing character \(U\+200B\)\.', page)
    assert signer.commands() == []


def test_a_decided_case_asks_nobody_to_decide(at):
    assert "another officer must decide" in at("maker").text("/admin/cases/application-1")
    assert "another officer must decide" not in at("maker").text("/admin/cases/application-approved")


def test_an_invitation_is_proposed_by_a_security_officer(at, signer):
    form = {"person": "E-9", "name": "Nina", "branch": "Pudong", "roles": ["ra-approver", "hotline"]}

    at("security").post("/admin/invitations/propose", form)

    assert signer.commands() == [
        ops.ProposeInvitation(
            session="token-of-security", person="E-9", name="Nina", branch="Pudong", roles=["ra-approver", "hotline"]
        )
    ]


def test_the_proposer_sees_their_half_of_the_code_once(at):
    form = {"person": "E-9", "name": "Nina", "branch": "Pudong", "roles": ["ra-approver"]}

    response = at("security").post("/admin/invitations/propose", form)

    page = response.get_data(as_text=True)
    assert response.status_code == 200
    assert "7K3M-9QWX-2FH3" in page
    assert "Give it to Nina yourself" in page
    assert response.headers["Cache-Control"] == "no-store"


def test_the_one_time_link_carries_its_code_in_the_fragment(at, signer):
    response = at("security").post("/admin/invitations/invitation-1/approve", {"assertion": ASSERTION})

    page = response.get_data(as_text=True)
    assert "https://localhost:8443/admin/invitation/invitation-1#one-time-code" in page
    assert response.headers["Cache-Control"] == "no-store"


def test_the_one_time_link_uses_the_address_the_officer_is_on(at, app):
    visitor = at("security")
    visitor.base = "http://localhost:8081"

    page = visitor.post("/admin/invitations/invitation-1/approve", {"assertion": ASSERTION}).get_data(as_text=True)

    assert "http://localhost:8081/admin/invitation/invitation-1#one-time-code" in page


@pytest.mark.parametrize(("act", "state"), [("suspend", "suspended"), ("retire", "left")])
def test_an_officer_is_changed_with_a_reason(at, signer, act, state):
    at("security").post(f"/admin/officers/maker/{act}", {"reason": "on leave"})

    assert signer.commands() == [
        ops.ChangeOfficer(session="token-of-security", officer="maker", state=state, reason="on leave")
    ]


@pytest.mark.parametrize("path", ["/admin/officers/maker/delete", "/admin/officers/nobody/suspend"])
def test_there_is_no_other_change_and_no_other_officer(at, path):
    assert at("security").get(path).status_code == 404


def test_signing_in_gives_the_cookie_and_a_new_csrf_secret(visitor, signer):
    signer.refuse.clear()
    signer._SignIn = lambda operation: {"token": signer.session_of("maker"), "officer": {}}

    response = visitor.post("/admin/sign-in", {"challenge": b64(b"c"), "assertion": ASSERTION, "next": "/admin/crls/"})

    cookies = response.headers.getlist("Set-Cookie")
    assert response.headers["Location"] == "/admin/crls/"
    assert any("vermilion_officer=token-of-maker;" in cookie and "HttpOnly" in cookie for cookie in cookies)
    assert any(cookie.startswith("vermilion_console=;") for cookie in cookies)


@pytest.mark.parametrize("form", [{}, {"challenge": b64(b"c"), "assertion": ASSERTION}, {"challenge": "~"}])
def test_a_passkey_that_does_not_fit_signs_nobody_in(visitor, signer, form):
    response = visitor.post("/admin/sign-in", form)

    assert response.status_code in (401, 422)
    assert not [value for value in response.headers.getlist("Set-Cookie") if "vermilion_officer=token" in value]


@pytest.mark.parametrize("kind", list(STATUS), ids=lambda kind: kind.code)
def test_every_refusal_becomes_a_page_with_its_sentence(at, signer, kind):
    signer.refuse["applications/show"] = kind("the reason is this")

    response = at("approver").get("/admin/cases/application-1")

    assert response.status_code == STATUS[kind]
    assert "The reason is this." in response.get_data(as_text=True)


@pytest.mark.parametrize("error", [RuntimeError("secret /var/path"), errors.PKIError("secret /var/path")], ids=repr)
def test_an_unexpected_error_becomes_a_reference_and_nothing_else(at, signer, caplog, error):
    signer.refuse["applications/show"] = error

    response = at("approver").get("/admin/cases/application-1")

    page = response.get_data(as_text=True)
    assert response.status_code == 500
    assert "secret" not in page
    assert "Reference" in page
    assert "secret /var/path" in caplog.text


def test_every_error_of_the_core_has_a_status():
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PKIError)}

    of_keys = {errors.ProfileViolation, errors.KeyOnAnotherDevice, errors.KeyNotBornOnDevice}
    assert kinds - {errors.PKIError} - of_keys == STATUS.keys()


def test_scripts_get_errors_as_json(visitor):
    response = visitor.post("/admin/invitation/none/open", {"code": "x"}, headers={"Accept": "application/json"})

    assert response.status_code == 404
    assert response.json["message"] == "There is no such invitation."


@pytest.mark.parametrize("act", ["open", "redeem"])
def test_guessing_at_invitations_is_slowed_down(app, visitor, act):
    app.extensions["vermilion_throttle"] = Throttle(burst=2)
    statuses = [visitor.post(f"/admin/invitation/none/{act}", {"code": "x", "registration": "{}"}) for _ in range(3)]
    app.extensions["vermilion_throttle"] = Throttle()

    assert [response.status_code for response in statuses] == [404, 404, 429]


def test_a_mistyped_half_of_an_invitation_is_told_before_the_signer_is_asked(visitor, signer):
    response = visitor.post("/admin/invitation/none/open", {"code": "link.7K3M-9QWX-2FH4"})

    assert response.status_code == 422
    assert "The other half is mistyped" in response.text
    assert not [asked for asked in signer.asked if isinstance(asked, ops.OpenInvitation)]


def test_a_field_that_is_too_long_is_named(visitor):
    response = visitor.post("/admin/invitation/none/open", {"code": "x" * 200}, headers={"Accept": "application/json"})

    assert response.status_code == 422
    assert response.json["message"].startswith("Code: ")
