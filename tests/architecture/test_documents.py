"""What documents point to exists, and nothing is left half said."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import DOCUMENTS, PACKAGES, PRODUCT, ROOT, TESTS, name_of

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PLACE = re.compile(rf"`((?:{'|'.join(PACKAGES)}|docs|tests|deploy|migrations)/[\w./-]*\w)`")
# In brackets, so that this file does not contain them.
UNFINISHED = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X]|NotImplemente[d]Error)\b")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    targets = [target for target in LINK.findall(document.read_text("utf-8")) if "://" not in target]

    broken = [
        target
        for target in targets
        if not target.startswith(("#", "mailto:")) and not (document.parent / target.partition("#")[0]).exists()
    ]

    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_files_that_are_named_exist(document: Path) -> None:
    named = PLACE.findall(document.read_text("utf-8"))

    assert [place for place in named if not (ROOT / place).exists()] == []


def test_nothing_is_left_unfinished() -> None:
    unfinished = {
        name_of(path) for path in [*PRODUCT, *TESTS, *DOCUMENTS] if UNFINISHED.search(path.read_text("utf-8"))
    }

    assert unfinished == set()
