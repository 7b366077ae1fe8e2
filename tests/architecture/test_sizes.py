"""A module fits on a few screens, a function on one."""

import ast

from tests.architecture.sources import PRODUCT, TESTS, name_of, parsed

MODULE_LINES = 400
FUNCTION_LINES = 60


def test_modules_stay_under_400_lines() -> None:
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in [*PRODUCT, *TESTS]}

    assert {name: length for name, length in lengths.items() if length >= MODULE_LINES} == {}


def test_functions_stay_under_60_lines() -> None:
    lengths = {
        f"{name_of(path)}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in [*PRODUCT, *TESTS]
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: length for name, length in lengths.items() if length >= FUNCTION_LINES} == {}
