"""What import-linter cannot see: single files, and modules that nobody has put into a ring yet."""

import ast
import sys
import tomllib
from pathlib import Path

from tests.architecture.sources import PRODUCT, ROOT, TESTS, name_of, parsed


def imported_by(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def rings() -> set[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return {part.strip(" ()") for layer in layers for part in layer.replace("|", ":").split(":")}


def importers(*forbidden: str) -> set[str]:
    """Files that import one of these modules or anything in them."""
    return {
        name_of(path)
        for path in [*PRODUCT, *TESTS]
        for name in imported_by(path)
        if any(name == module or name.startswith(f"{module}.") for module in forbidden)
    }


def test_nobody_imports_wsgi() -> None:
    assert importers("wsgi") == set()


def test_what_relying_parties_copy_needs_one_package_and_nothing_of_ours() -> None:
    imported = imported_by(ROOT / "relying_party" / "verify_bundle.py")

    assert {name.partition(".")[0] for name in imported} - sys.stdlib_module_names == {"cryptography"}


def test_nothing_is_patched() -> None:
    assert importers("mock", "unittest.mock") == set()


def test_every_part_of_the_core_has_its_place_in_the_rings() -> None:
    parts = {f"ca.{path.stem}" for path in (ROOT / "ca").iterdir() if not path.name.startswith("__")}

    assert parts | {"ca.__main__"} <= rings()


def test_every_module_says_which_rule_lives_in_it() -> None:
    silent = {name_of(path) for path in PRODUCT if parsed(path).body and not ast.get_docstring(parsed(path))}

    assert silent == set()
