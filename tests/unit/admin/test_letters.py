"""admin/letters.py, admin/paper.py: one secret on one sheet, in both languages, whatever a name is made of."""

import re

import pytest

from admin.letters import code_letter, portal_letter
from admin.paper import SealedLetter, qr_code, sealed_letter
from tests.fakes.letters import code_in

CODE, UNTIL = "7KQM-3F9X-2TBB", "2026-11-30T07:04:05Z"
CASE = {"customer_name": "Zhang Wei", "branch": "Pudong", "device_serial": "US1", "reference_number": "4711081521"}


def drawn(letter: SealedLetter) -> list[str]:
    """Every run of text as it stands in the PDF: Latin as it is, Chinese in UTF-16."""
    runs = re.findall(rb"\(((?:\\.|[^\\)])*)\) Tj", sealed_letter(letter), re.DOTALL)
    plain = [re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), run) for run in runs]
    unescaped = [re.sub(rb"\\(.)", rb"\1", run, flags=re.DOTALL) for run in plain]
    return [run.decode("cp1252", "replace") for run in unescaped] + [
        run.decode("utf-16-be", "replace") for run in unescaped
    ]


def test_a_code_letter_has_the_code_and_nothing_that_belongs_to_it() -> None:
    letter = code_letter(CASE, CODE, UNTIL, bank="Demo Bank")
    pdf = sealed_letter(letter)

    assert code_in(pdf) == CODE
    assert b"4711081521" not in pdf
    assert {"Zhang Wei", "Demo Bank", "Your authorization code", "您的授权码"} <= set(drawn(letter))
    assert pdf.count(b"/Type /Page\n") == 1


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (CASE, "with the reference number on your receipt"),
        (CASE | {"asked": {"serial": "a1"}}, "administrator gives you the reference"),
        (CASE | {"device_serial": ""}, "sends it once, as password"),
    ],
)
def test_it_says_where_this_customer_has_the_other_code_from(case: dict[str, str], told: str) -> None:
    assert told in " ".join(drawn(code_letter(case, CODE, UNTIL, bank="Demo Bank")))


def test_the_portals_letter_has_the_customer_number_and_the_address() -> None:
    letter = {"number": "C77", "code": CODE, "expires_at": UNTIL}
    said = " ".join(drawn(portal_letter("王芳", "Pudong", letter, bank="银行", portal="https://bank.example")))

    assert "https://bank.example/first-password" in said
    assert "customer number C77" in said
    assert "王芳" in said


@pytest.mark.parametrize(
    "name", ["w" * 300, "王" * 300, "a (b) \\ <b>c</b>", "Zh\u0430ng \u05d0 \U0001f600", "x " * 150]
)
def test_no_name_breaks_the_sheet(name: str) -> None:
    pdf = sealed_letter(code_letter(CASE | {"customer_name": name}, CODE, UNTIL, bank=name))

    assert code_in(pdf) == CODE


def test_a_qr_code_is_square_and_has_its_quiet_zone() -> None:
    made = qr_code("https://bank.example/download#4711081521")
    places = [tuple(map(int, place)) for place in re.findall(r"M(\d+) (\d+)h1v1h-1z", made.path)]

    assert min(min(place) for place in places) == 4
    assert max(max(place) for place in places) == made.side - 5
