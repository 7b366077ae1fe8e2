"""A module fits on a few screens, a function on one."""

import ast

from tests.architecture.sources import PRODUCT, TESTS, name_of, parsed

MODULE_LINES = 400
FUNCTION_LINES = 60
COPIED_ALONE = {"relying_party/verify_dossier.py": 480}
"""What a court copies as one file, and cannot be parted: it has a limit of its own."""


def test_modules_stay_under_400_lines() -> None:
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in [*PRODUCT, *TESTS]}

    limits = {name: COPIED_ALONE.get(name, MODULE_LINES) for name in lengths}
    assert {name: length for name, length in lengths.items() if length >= limits[name]} == {}


def test_functions_stay_under_60_lines() -> None:
    lengths = {
        f"{name_of(path)}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in [*PRODUCT, *TESTS]
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: length for name, length in lengths.items() if length >= FUNCTION_LINES} == {}
