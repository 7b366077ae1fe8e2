"""Which language a page is written in, and the words of a table: one way for the portal and the console.

Pages are written in English. Each front keeps a table (TOML) with the Chinese for each sentence of its own.
"""

import tomllib
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.wrappers import Response as BaseResponse

from ca.domain.accounts import Language

ENGLISH, CHINESE = Language.ENGLISH.value, Language.CHINESE.value
LANGUAGES = {ENGLISH: "English", CHINESE: "中文"}
COOKIE = "vermilion-language"
_YEAR_SECONDS = 365 * 24 * 3600


def read_words(table: Path, kind: str = "sentence") -> dict[str, str]:
    """Chinese by English: the `[[kind]]` entries of a table."""
    return {entry["en"]: entry["zh"] for entry in tomllib.loads(table.read_text("utf-8")).get(kind, [])}


def language() -> str:
    """What was chosen here or before, else what the browser prefers (RFC 9110 section 12.5.4)."""
    for chosen in (request.args.get("language"), request.cookies.get(COOKIE)):
        if chosen in LANGUAGES:
            return str(chosen)
    return request.accept_languages.best_match(LANGUAGES, ENGLISH) or ENGLISH


def keep(response: BaseResponse, chosen: str) -> None:
    """The browser remembers the choice; anything but a language is not remembered."""
    if chosen in LANGUAGES:
        response.set_cookie(COOKIE, chosen, max_age=_YEAR_SECONDS, secure=True, httponly=True, samesite="Lax")


def remember_choices(app: Flask) -> None:
    """An address with `language` in it chooses for this page and those to come."""

    @app.after_request
    def remember(response: Response) -> Response:
        keep(response, request.args.get("language", ""))
        response.vary.update(("Accept-Language", "Cookie"))
        return response
