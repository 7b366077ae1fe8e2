"""The locks name packages, versions and hashes, and nothing of where they were made."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, name_of

LOCKS = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt"]
LINE = re.compile(
    r"""^(
      [a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==[^\s;]+(\s;\s[^\\]+)?\s\\   # package==version ; marker
    | \ {4}--hash=sha256:[0-9a-f]{64}(\s\\)?
    | \ {4}\#\ via.*
    | \ {4}\#\ {3}.*
    )$""",
    re.VERBOSE,
)


def pinned(lock: Path) -> dict[str, str]:
    pins = re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z,]+\])?==(\S+)", lock.read_text("ascii"), re.MULTILINE)
    return dict(pins)


@pytest.mark.parametrize("lock", LOCKS, ids=name_of)
def test_a_lock_holds_only_pins_hashes_and_reasons(lock: Path) -> None:
    strange = [line for line in lock.read_text("ascii").splitlines() if not LINE.match(line)]

    assert strange == []


def test_tests_run_with_the_versions_that_serve() -> None:
    served, tested = (pinned(lock) for lock in LOCKS)

    assert {name: tested.get(name, version) for name, version in served.items()} == served


@pytest.mark.parametrize("wanted", ["requirements.in", "requirements-dev.in"])
def test_everything_wanted_is_pinned(wanted: str) -> None:
    lines = (ROOT / wanted).read_text("ascii").splitlines()
    names = {re.split(r"[\[<>=;]", line)[0].strip() for line in lines if line and not line.startswith(("#", "-"))}

    assert names - set(pinned((ROOT / wanted).with_suffix(".txt"))) == set()
