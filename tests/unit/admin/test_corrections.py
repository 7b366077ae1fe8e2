"""A case seen before it is entered, sent back, corrected: the console's side."""

import pytest

from admin.formats import badge
from ca import case_operations as case_ops
from ca.domain import errors
from ca.domain.applications import ApplicationState
from ca.operations import CorrectCustomer

FORM = {"profile": "personal-signing", "device_serial": "US-1"}


def test_the_certificate_is_seen_before_anything_is_submitted(at, signer):
    answer = at("maker").post("/admin/customers/customer-1/apply", FORM | {"step": "preview"})
    page = answer.get_data(as_text=True)

    assert answer.status_code == 200
    assert signer.commands() == []
    assert "digitalSignature, nonRepudiation" in page
    assert "Zhang Wen" in page  # the certificate before said so
    assert '<input type="hidden" name="device_serial" value="US-1">' in page


def test_what_was_seen_is_what_is_submitted(at, signer):
    answer = at("maker").post("/admin/customers/customer-1/apply", FORM | {"step": "submit"})

    (asked,) = signer.commands()
    assert answer.status_code == 303
    assert (asked.path, asked.profile, asked.device_serial) == ("applications/submit", "personal-signing", "US-1")


def test_going_back_from_the_preview_keeps_what_was_chosen(at, signer):
    page = at("maker").post("/admin/customers/customer-1/apply", FORM | {"step": "change"}).get_data(as_text=True)
    assert 'value="US-1"' in page
    assert signer.commands() == []


def test_what_the_signer_finds_wrong_is_said_beside_the_form(at, signer):
    signer.refuse["applications/preview"] = errors.InvalidRequest("U-Shield US-1 is lost and not free")
    answer = at("maker").post("/admin/customers/customer-1/apply", FORM | {"step": "preview"})
    assert answer.status_code == 422
    assert "U-Shield US-1 is lost and not free." in answer.get_data(as_text=True)


def test_a_case_goes_back_with_a_reason(at, signer):
    assert at("approver").post("/admin/cases/application-1/return", {"reason": " "}).status_code == 422
    assert signer.commands() == []
    assert at("approver").post("/admin/cases/application-1/return", {"reason": "short"}).status_code == 303
    assert signer.cases["application-1"].state is ApplicationState.RETURNED


def test_the_maker_finds_what_came_back_at_home_with_the_reason(at):
    page = at("maker").text("/admin/")
    assert "the name is short" in page
    assert "/admin/cases/application-returned" in page
    assert "application-returned" not in at("both").text("/admin/")


def test_its_maker_is_offered_to_correct_it_and_nobody_else(at):
    assert "/correct" in at("maker").text("/admin/cases/application-returned")
    assert "/correct" not in at("approver").text("/admin/cases/application-returned")
    assert "Reject this application" in at("approver").text("/admin/cases/application-returned")


def test_a_correction_begins_with_what_was_entered(at, signer):
    page = at("maker").text("/admin/cases/application-returned/correct")
    assert 'value="US-2026-000123"' in page
    assert "the name is short" in page

    answer = at("maker").post("/admin/cases/application-returned/correct", FORM | {"step": "submit"})

    assert answer.status_code == 303
    assert [type(one) for one in signer.commands()] == [case_ops.CorrectApplication]


def test_a_preview_of_a_correction_names_the_case(at, signer):
    at("maker").post("/admin/cases/application-returned/correct", FORM | {"step": "preview"})
    (asked,) = [one for one in signer.asked if isinstance(one, case_ops.PreviewApplication)]
    assert (asked.customer, asked.application) == ("customer-1", "application-returned")


@pytest.mark.parametrize(("officer", "application"), [("maker", "application-1"), ("both", "application-returned")])
def test_only_what_came_back_to_oneself_is_corrected(at, signer, officer, application):
    assert at(officer).post(f"/admin/cases/{application}/correct", FORM | {"step": "submit"}).status_code == 409
    assert signer.commands() == []


def test_the_register_is_corrected_from_what_it_says(at, signer):
    page = at("maker").text("/admin/customers/customer-1/correct")
    assert 'value="Zhang Wei"' in page
    form = {"name": "Zhang Weiming", "document_number": "3101", "email": "", "phone": ""}

    assert at("maker").post("/admin/customers/customer-1/correct", form).status_code == 303

    (asked,) = signer.commands()
    assert isinstance(asked, CorrectCustomer)
    assert (asked.customer, asked.name) == ("customer-1", "Zhang Weiming")


def test_the_number_of_a_customer_is_never_corrected(at, signer):
    form = {"name": "Z", "document_number": "1", "number": "999", "kind": "company", "branch": "Xuhui"}
    at("maker").post("/admin/customers/customer-1/correct", form)
    (asked,) = signer.commands()
    assert set(asked.payload()) == {"session", "customer", "name", "document_number", "email", "phone"}


@pytest.mark.parametrize("customer", ["customer-3", "none"])
def test_another_branchs_register_is_closed(at, signer, customer):
    assert at("maker").get(f"/admin/customers/{customer}/correct").status_code == 404
    assert signer.commands() == []


def test_a_refused_correction_is_said_beside_the_form(at, signer):
    signer.refuse["customers/correct"] = errors.InvalidRequest("nothing is different from the register")
    answer = at("maker").post("/admin/customers/customer-1/correct", {"name": "Z", "document_number": "1"})
    assert answer.status_code == 422
    assert "Nothing is different from the register." in answer.get_data(as_text=True)


def test_what_came_back_waits_for_somebody():
    assert badge(ApplicationState.RETURNED.value).tone == "held"
