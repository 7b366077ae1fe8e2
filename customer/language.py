"""The portal's two languages: pages are written in English, `words/zh.toml` has the Chinese for each sentence.

A sentence without a translation is a failing test, so nobody is shown half a page. Times and numbers are written the
same in both.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, request

ENGLISH, CHINESE = "en", "zh"
LANGUAGES = {ENGLISH: "English", CHINESE: "中文"}
COOKIE = "vermilion-language"
_WORDS = Path(__file__).parent / "words" / "zh.toml"


@cache
def chinese() -> dict[str, str]:
    """By the English sentence."""
    return {entry["en"]: entry["zh"] for entry in tomllib.loads(_WORDS.read_text("utf-8"))["sentence"]}


def language() -> str:
    """What was chosen here or before, else what the browser prefers (RFC 9110 section 12.5.4)."""
    for chosen in (request.args.get("language"), request.cookies.get(COOKIE)):
        if chosen in LANGUAGES:
            return str(chosen)
    return request.accept_languages.best_match(LANGUAGES, ENGLISH) or ENGLISH


def translate(sentence: str, **fields: Any) -> str:
    """The sentence in the language of the current request, `{name}` filled in."""
    if language() == CHINESE:
        sentence = chinese().get(sentence, sentence)
    return sentence.format(**fields) if fields else sentence


def install(app: Flask) -> None:
    """`t("…")` in templates, and `lang`."""

    @app.context_processor
    def words() -> dict[str, Any]:
        return {"t": translate, "lang": language(), "languages": LANGUAGES}

    @app.after_request
    def remember(response: Any) -> Any:
        chosen = request.args.get("language")
        if chosen in LANGUAGES:
            response.set_cookie(COOKIE, chosen, secure=True, httponly=True, samesite="Lax")
        response.vary.update(("Accept-Language", "Cookie"))
        return response
