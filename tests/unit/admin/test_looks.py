"""No page with a customer's data is shown before the signer has recorded the look."""

import pytest

from ca.domain.errors import KeyStoreUnavailable
from ca.operations import NoteLook

PAGES = {
    "customers/details/?id=customer-1": "customers",
    "cases/application-1": "cases",
    "applications/details/?id=application-1": "applications",
}


def looks(signer):
    return [one for one in signer.asked if isinstance(one, NoteLook)]


@pytest.mark.parametrize(("path", "page"), PAGES.items())
def test_a_page_of_a_customer_is_a_look(at, signer, path, page):
    officer = at("approver")

    assert officer.get(f"/admin/{path}").status_code == 200
    assert [(one.customer, one.page) for one in looks(signer)] == [("customer-1", page)]


@pytest.mark.parametrize("path", PAGES)
def test_what_cannot_be_recorded_is_not_shown(at, signer, path):
    signer.refuse[NoteLook.path] = KeyStoreUnavailable("the signer does not answer")

    answer = at("approver").get(f"/admin/{path}")

    assert answer.status_code == 503
    assert "Zhang" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["customers/", "crls/", "jobs/"])
def test_a_list_and_a_page_of_nobodys_data_are_no_look(at, signer, path):
    at("approver").get(f"/admin/{path}")

    assert looks(signer) == []
