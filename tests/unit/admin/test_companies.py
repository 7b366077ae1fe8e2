"""Cases that a company's administrator signed, in the console (docs/adr/0030)."""

from dataclasses import replace

import pytest

from ca.domain.applications import ApplicationState
from ca.domain.companies import Asked
from tests.fakes.letters import code_in, letter_in


@pytest.fixture
def asked(signer):
    """The case that waits and the one that is approved, as if an administrator were their maker."""
    for application, state in (("application-1", "submitted"), ("application-approved", "approved")):
        found = signer.cases[application]
        case = replace(
            found.case,
            maker_person="customer 1",
            maker_name="Anna Lee (company administrator of Harbour Trading Ltd)",
            company="company-1",
            asked=Asked("a1b2", "", "00", "00"),
        )
        signer.cases[application] = replace(found, case=case, state=ApplicationState(state))
    return signer


def test_the_checker_sees_who_signed_for_which_company(at, asked):
    page = at("approver").get("/admin/cases/application-1").get_data(as_text=True)

    assert "Anna Lee (company administrator of Harbour Trading Ltd)" in page
    assert "Signed by the company" in page
    assert "/admin/certificates/details/?id=a1b2" in page


def test_the_letter_to_an_operator_has_one_of_the_two_codes(at, asked):
    page = at("maker").post("/admin/cases/application-approved/codes").get_data(as_text=True)

    letter = letter_in(page)
    assert code_in(letter) == "7KQM-3F9X-2TBB"
    assert b"administrator gives you the reference" in letter
    assert "4711081521" not in page
    assert "administrator has the reference number" in page
