"""bench/downloads.py, bench/experiments/portal.py: a download that did not end is lost, whatever else was counted."""

import pytest

from bench.downloads import Customer, proof_message
from bench.experiment import Report, Unmeasured
from bench.experiments.portal import LOST, P99, PORTAL, RATE, put
from ca.usecases.confirm import proof_message as expected

CODES = {"reference_number": "1000000005", "authorization_code": "7K3M-9QWX-2FH3"}


def customers(*statuses: str) -> list[Customer]:
    found = [Customer.ready(number, CODES) for number in range(len(statuses))]
    for one, status in zip(found, statuses, strict=True):
        one.status, one.serial, one.seconds = status, one.number + 1, float(one.number + 1)
    return found


def row(name: str, found: list[Customer], *, active: int) -> float:
    report = Report(PORTAL.promises)
    put(report, found, active, wall=2.0, own=0.1, signing=1000.0)
    (figure,) = [each.figure for each in report.rows() if each.name == name]
    assert figure is not None
    return figure.values[0]


def test_a_thousand_customers_have_an_address_each() -> None:
    found = [Customer(number, CODES, None, b"") for number in range(1000)]  # type: ignore[arg-type]  # no key needed
    assert len({one.address for one in found}) == 1000
    assert all(one.address.startswith("127.") for one in found)


def test_the_proof_is_the_products() -> None:
    origin, nonce, der = "https://localhost:8443", bytes(32), b"der"
    assert proof_message(origin, nonce, der) == expected(origin, nonce, der)


def test_all_that_ended_are_counted() -> None:
    found = customers("active", "active", "active")
    assert (row(LOST, found, active=3), row(RATE, found, active=3), row(P99, found, active=3)) == (0, 1.5, 3.0)


@pytest.mark.parametrize(("statuses", "active"), [(("active", ""), 2), (("active", "active"), 1)])
def test_one_that_the_customer_or_the_bank_does_not_have_is_lost(statuses: tuple[str, ...], active: int) -> None:
    assert row(LOST, customers(*statuses), active=active) == 1


def test_one_certificate_for_two_customers_is_a_loss() -> None:
    found = customers("active", "active")
    found[1].serial = found[0].serial
    assert row(LOST, found, active=2) == 1


def test_a_bank_that_answers_nobody_is_not_measured() -> None:
    found = customers("", "")
    found[0].trouble.append("ConnectionRefusedError")
    with pytest.raises(Unmeasured, match="1 x ConnectionRefusedError"):
        row(LOST, found, active=0)
