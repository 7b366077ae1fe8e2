"""The language in which the tool speaks to the customer in its window and on the page: that of the page.

The tool is written in English; `zh.toml` has the Chinese of the window's sentences, and one sentence for each code.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ushield.errors import UShieldError

ENGLISH, CHINESE = "en", "zh"
LANGUAGES = frozenset({ENGLISH, CHINESE})
_REASONED = {"D-43", "D-47", "D-89"}
"""Their English sentence holds the bank's own reason, which is worth more than nothing in another language."""


@dataclass(frozen=True, slots=True)
class Words:
    """One of LANGUAGES."""

    language: str = ENGLISH

    def say(self, sentence: str, **fields: str) -> str:
        """A sentence of the window or of a check, `{name}` filled in."""
        if self.language == CHINESE:
            sentence = (_chinese()["window"] | _chinese()["check"]).get(sentence, sentence)
        return sentence.format(**fields) if fields else sentence

    def of_error(self, error: UShieldError) -> str:
        """What went wrong and what to do."""
        if self.language != CHINESE:
            return error.sentence
        sentence = _chinese()["errors"].get(error.code, error.sentence)
        return f"{sentence} ({error.sentence})" if error.code in _REASONED else sentence


@cache
def _chinese() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("ushield").joinpath("zh.toml").read_text("utf-8"))
