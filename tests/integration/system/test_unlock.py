"""A forgotten certificate password, end to end: real SoftHSM U-Shield, packed tool, running bank (THREATS 24)."""

import json

import pytest

from tests.integration.system.running import Demo
from tests.integration.system.unlocking import FORGOTTEN, NEW, NEWER, VENDOR, Customer

pytestmark = [pytest.mark.softhsm, pytest.mark.opensc, pytest.mark.socket]


@pytest.fixture(scope="module")
def customer(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Customer:
    customer = Customer(tmp_path_factory.mktemp("home"), demo)
    assert customer.so_opens_with(VENDOR) is False, "there is no U-Shield yet"
    prepared = customer.prepare()
    assert prepared.status == 0, prepared
    assert not customer.so_opens_with(VENDOR), "the vendor's SO password must be gone (THREATS 26)"
    customer.download()
    assert customer.opens_with(FORGOTTEN)
    return customer


def test_a_forgotten_password_is_replaced_and_the_certificate_lives_on(customer: Customer) -> None:
    query = "select state, so_use from devices where serial = ?"
    ((_, before),) = customer.demo.rows(query, customer.serial)
    done = customer.unblock(*customer.unlock_codes(), NEW)

    assert done.status == 0, done
    assert json.loads(done.out)["serial"] == customer.certificate["serial"]
    assert customer.opens_with(NEW)
    assert not customer.opens_with(FORGOTTEN)
    assert customer.demo.rows(query, customer.serial) == [("in-use", before + 1)]


def test_a_wrong_code_and_a_used_one_change_nothing(customer: Customer) -> None:
    reference, code = customer.unlock_codes()
    wrong = customer.unblock(reference, code[6:] + code[:6], NEWER)  # its check character is right
    assert (wrong.status, "D-89" in wrong.text) == (5, True), wrong
    assert customer.unblock(reference, code, NEW).status == 0
    again = customer.unblock(reference, code, NEWER)
    assert (again.status, "D-89" in again.text) == (5, True), again
    assert customer.opens_with(NEW)


def test_a_bad_password_costs_no_answer(customer: Customer) -> None:
    reference, code = customer.unlock_codes()
    refused = customer.unblock(reference, code, "12345678")
    assert refused.status == 4, refused
    answers = customer.demo.rows("select answers, attempts_left from unlock_cases where reference = ?", reference)
    assert answers == [(0, 5)]
    assert customer.unblock(reference, code, NEW).status == 0


def test_nothing_of_an_unlock_is_kept_by_the_bank(customer: Customer) -> None:
    reference, code = customer.unlock_codes()
    assert customer.unblock(reference, code, NEWER).status == 0
    kept = b"".join(path.read_bytes() for path in customer.demo.state.rglob("*") if path.is_file())
    for secret in (NEW, NEWER, code, f"{code[:4]}-{code[4:8]}-{code[8:]}"):
        assert secret.encode() not in kept
