"""The repository's own files, as the architecture tests read them."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("admin", "bench", "ca", "config", "customer", "edge", "ocsp", "ushield")


def _python_files(*places: str) -> list[Path]:
    return sorted(path for place in places for path in (ROOT / place).rglob("*.py") if ".venv" not in path.parts)


PRODUCT = [*_python_files(*PACKAGES), ROOT / "wsgi.py"]
TESTS = _python_files("tests")
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")],
)


def name_of(path: Path) -> str:
    """The path as people say it: from the top of the repository."""
    return str(path.relative_to(ROOT))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))
