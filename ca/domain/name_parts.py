"""How a name is found: by what one may begin to type of it.

A name is filed once for each of its words, turned so that this word comes first ("zhang wei", "wei zhang"), and in
Chinese, Japanese and Korean once for each character on ("北京银行", "京银行", "银行", "行"). What was typed is the
beginning of a part: so an index finds it, however many names there are (docs/adr/0032-searching-names.md).
"""

import re
import unicodedata
from itertools import pairwise

LONGEST = 64
"""Characters of a part; what comes behind them finds nothing."""
MOST = 40
"""Parts of one name."""
END = "\U0010ffff"
"""Behind every character that a part can hold, in the order of code points."""

# Ideographs with their extensions, kana, bopomofo, hangul: written without blanks between words.
_UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
# What is a wildcard elsewhere is a sign here like any other, and the sign itself is found.
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|[%*?]")


def parts_of(name: str) -> frozenset[str]:
    """What a name is filed under."""
    tokens = _tokens(name)
    return frozenset(_turned(tokens, at)[:LONGEST] for at in range(len(tokens[:MOST])))


def sought(typed: str) -> str:
    """What the parts begin with that the typed words mean; empty when there is no letter and no digit among them."""
    return _joined(_tokens(typed))[:LONGEST]


def _tokens(text: str) -> list[str]:
    """Words, and single characters of scripts without blanks; case, width and accents do not count."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    # Upper first: the Turkish dotless i has no other way to its capital.
    return _TOKEN.findall(unicodedata.normalize("NFKC", bare).upper().casefold())


def _turned(tokens: list[str], at: int) -> str:
    # Inside a run of characters nothing is turned: nobody begins there and goes on at the front.
    inside = at > 0 and _is_unspaced(tokens[at]) and _is_unspaced(tokens[at - 1])
    return _joined(tokens[at:] if inside else tokens[at:] + tokens[:at])


def _joined(tokens: list[str]) -> str:
    text = "".join(tokens[:1])
    for before, token in pairwise(tokens):
        text += token if _is_unspaced(before) and _is_unspaced(token) else f" {token}"
    return text


def _is_unspaced(token: str) -> bool:
    return re.fullmatch(f"[{_UNSPACED}]", token) is not None
