"""The search field: whatever officers have in hand finds its row, and never another branch's."""

import re

import pytest

from admin.spellings import serials
from tests.fakes.console import ACTIVE, ELSEWHERE, HELD

CUSTOMER, APPLICATION = "/admin/customers/details/?id=customer-1", "/admin/applications/details/?id=application-done"
DEVICE = "/admin/u-shields/details/?id=US-2026-000123"


def certificate(serial):
    return f"/admin/certificates/details/?id={serial}"


def colons(serial):
    return ":".join(re.findall("..?", serial.upper()))


@pytest.mark.parametrize(
    ("typed", "opened"),
    [
        ("6222021001", CUSTOMER), ("zhang", CUSTOMER), (" zhang  wei ", CUSTOMER), ("4711081513", APPLICATION),
        ("4711 081 513", APPLICATION), ("application-done", APPLICATION),
        (HELD, certificate(HELD)), (HELD.upper(), certificate(HELD)), (colons(HELD), certificate(HELD)),
        (f"0x{HELD}", certificate(HELD)), (f"00{HELD}", certificate(HELD)), (str(int(HELD, 16)), certificate(HELD)),
    ],
)  # fmt: skip
def test_a_single_hit_is_opened(at, typed, opened):
    answer = at("approver").get(f"/admin/search?q={typed}")

    assert answer.status_code == 302, answer.get_data(as_text=True)
    assert answer.location.endswith(opened)


@pytest.mark.parametrize("typed", ["310101199003071234", "Pudong"])
def test_several_are_listed(at, typed):
    page = at("approver").get(f"/admin/search?q={typed}")

    assert page.status_code == 200
    assert CUSTOMER in page.get_data(as_text=True)


def test_a_u_shield_finds_itself_and_its_certificates(at):
    page = at("approver").text("/admin/search?q=us-2026-000123")

    assert DEVICE in page
    assert certificate(ACTIVE) in page


@pytest.mark.parametrize("typed", ["Xu Only", ELSEWHERE, "6222021003", "US-2026-000999", "Xuhui"])
def test_what_is_another_branchs_is_not_found(at, typed):
    page = at("approver").text(f"/admin/search?q={typed}")

    assert "Nothing at your branch is called so" in page
    assert "details/?id" not in page.split("<main")[1]
    assert at("auditor").get(f"/admin/search?q={typed}").status_code in {200, 302}
    assert "Nothing at your branch" not in at("auditor").text(f"/admin/search?q={typed}")


def test_the_hotline_finds_certificates_of_every_branch_and_no_applications(at):
    assert at("hotline").get(f"/admin/search?q={ELSEWHERE}").location.endswith(certificate(ELSEWHERE))
    assert "Nothing at your branch" in at("hotline").text("/admin/search?q=4711081513")


NAMES_OF_NOBODY = ["%25", "_", "%22%3E%3Cscript%3Ealert(9)%3C/script%3E", "%00", "x" * 500, "9" * 500, ""]


@pytest.mark.parametrize("typed", NAMES_OF_NOBODY)
def test_what_is_no_name_finds_nothing_and_runs_nothing(at, typed):
    answer = at("approver").get(f"/admin/search?q={typed}")
    page = answer.get_data(as_text=True)

    assert answer.status_code == 200
    assert "<script>alert" not in page
    assert CUSTOMER not in page


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("0x00AB:cd", {"abcd"}), ("1234", {"1234", "4d2"}), ("12", set()), ("xyz", set()), ("٣٤٥٦٧٨", set()),
        ("0000", {"", "0"}),
    ],
)  # fmt: skip
def test_a_serial_number_is_known_in_every_spelling(typed, found):
    assert serials(typed) == found
