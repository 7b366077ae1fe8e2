"""docs/attacks.md holds: every attack has its row, each test it names is there, each gap has a reason and a date."""

import ast
import re

import pytest

from tests.architecture.sources import ROOT, parsed

EXPECTED = [str(number) for number in range(1, 59)] + [f"T-{number:02}" for number in range(1, 51)]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
GAP = re.compile(r"^not tested: \S.* \(\d{4}-\d\d-\d\d\)$")


def rows_of(text: str) -> list[list[str]]:
    """The table's rows as cells: item, attack, tests, what is not tested."""
    lines = [line for line in text.splitlines() if re.match(r"\| (T-)?\d", line)]
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]


def what_is_wrong(row: list[str]) -> str | None:
    """Why a row says nothing: no test and no dated reason, or a test that is not there. None when it holds."""
    if len(row) != 4:
        return "four cells make a row"
    _, attack, tests, gap = row
    named = TEST.findall(tests)
    if not attack or (not named and not gap):
        return "neither a test nor a reason"
    if tests != "<br>".join(f"`{path}::{name}`" for path, name in named):
        return "something else than tests"
    if gap and not GAP.match(gap):
        return "a reason without its date"
    return next((f"{path}::{name} is not there" for path, name in named if name not in named_in(path)), None)


def named_in(path: str) -> set[str]:
    place = ROOT / path
    if not place.exists():
        return set()
    found = (node for node in ast.walk(parsed(place)) if isinstance(node, ast.FunctionDef))
    return {node.name for node in found if node.name.startswith("test_")}


ROWS = rows_of((ROOT / "docs" / "attacks.md").read_text("utf-8"))


def test_every_attack_has_one_row() -> None:
    assert [row[0] for row in ROWS] == EXPECTED


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_tests_that_are_there_or_a_dated_reason(row: list[str]) -> None:
    assert what_is_wrong(row) is None


HERE = "`tests/architecture/test_attacks.py::test_every_attack_has_one_row`"


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (["1", "an attack", "", ""], "neither a test nor a reason"),
        (["1", "an attack", "by hand", "not tested: hard (2026-11-28)"], "something else than tests"),
        (["1", "an attack", HERE, "not tested: hard"], "a reason without its date"),
        (["1", "an attack", "`tests/nowhere.py::test_it`", ""], "tests/nowhere.py::test_it is not there"),
        (["1", "an attack", HERE.replace("every", "no"), ""], "is not there"),
        (["1", "an attack", HERE], "four cells make a row"),
    ],
)
def test_a_row_that_says_nothing_is_found(row: list[str], wrong: str) -> None:
    assert wrong in str(what_is_wrong(row))
