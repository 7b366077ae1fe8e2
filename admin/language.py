"""The console in English and Chinese: Flask-Babel in front, `words/zh.toml` behind it instead of compiled catalogues.

`_("…")`, `_l("…")` and a template's `_("…")` are looked up by the English sentence. Names of things (states, roles,
reasons, profiles, columns) are looked up in the same way, by `named`. What the table does not know stays English;
a test demands that it knows everything an officer reads. Which language it is: `ca/languages.py`, as on the portal.
"""

import re
from functools import cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, request
from flask_babel import Babel, Domain, get_locale
from flask_babel import gettext as _
from flask_babel.speaklater import LazyString

from ca.languages import CHINESE, LANGUAGES, language, read_words, remember_choices

_TABLE = Path(__file__).parent / "words" / "zh.toml"
_FIELD = re.compile(r"%\((\w+)\)s")

SCRIPT_WORDS = (
    "The passkey was not used: it was cancelled or took too long. Nothing was changed; try again.",
    "This device already has a passkey for you. Sign in with it.",
    "The browser refuses passkeys on this address. Open the console by its proper name.",
    "The passkey could not be used. Nothing was changed; reload the page and try again.",
    "The console did not answer as it should. Reload the page and try again.",
    "This link is not whole. Copy it again, to its last character.",
    "This browser knows no passkeys, or the page is not on a secure address.",
    "Copied",
)
"""What console.js says: a page that is not in English carries their translations for it."""


@cache
def chinese() -> dict[str, str]:
    """By the English sentence."""
    return read_words(_TABLE)


@cache
def chinese_messages() -> dict[str, str]:
    """By what the signer says (refusals, warnings, jobs' results); what it fills in stands as `%(name)s` in both."""
    return read_words(_TABLE, "message")


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    found = []
    for english, translated in chinese_messages().items():
        parts = _FIELD.split(english)
        if len(parts) > 1:
            # A field called `count` is a number: "12 expired", but not any other sentence that ends so.
            filled = {part: f"(?P<{part}>{'[0-9]+' if part == 'count' else '.+'})" for part in parts[1::2]}
            pattern = "".join(filled[part] if at % 2 else re.escape(part) for at, part in enumerate(parts))
            found.append((re.compile(pattern, re.DOTALL), translated))
    # Of two that fit, the one that says more is meant.
    return sorted(found, key=lambda one: -len(one[0].pattern))


def told(message: str) -> str:
    """What the signer says, in the language of the page; what the table does not know stays as it is."""
    if str(get_locale()) != CHINESE:
        return message
    if message in chinese_messages():
        return chinese_messages()[message]
    for pattern, translated in _patterns():
        if found := pattern.fullmatch(message):
            return translated % {field: _filled_in(text) for field, text in found.groupdict().items()}
    return message


def _filled_in(text: str) -> str:
    """Names of things in Chinese (one or a list of them), all else as it is."""
    names = text.strip("'").split(", ")
    return "、".join(map(named, names)) if chinese().keys() >= set(names) else text


def named(name: object) -> str:
    """The word for a state, a role, a reason, a profile; in English that is the name itself."""
    text: str = _(str(name))
    return text


def lazily_named(name: str) -> Any:
    """The same for what is put together before anybody asks for a page."""
    return LazyString(named, name)


class _English(NullTranslations):
    """What gettext's catalogues are to Flask-Babel."""

    def ugettext(self, message: str) -> str:
        return message

    def ungettext(self, singular: str, plural: str, count: int) -> str:
        return singular if count == 1 else plural


class _Chinese(NullTranslations):
    """The same over the table."""

    def ugettext(self, message: str) -> str:
        return chinese().get(message, message)

    def ungettext(self, _singular: str, plural: str, _count: int) -> str:
        """Chinese has one form: the table has it under the English plural."""
        return chinese().get(plural, plural)


class _Words(Domain):
    _english, _chinese = _English(), _Chinese()

    def get_translations(self) -> NullTranslations:
        return self._chinese if str(get_locale()) == CHINESE else self._english


class _OurBabel(Babel):
    domain_instance = _Words()


def speak(app: Flask) -> None:
    """Flask-Babel with our table, and what the templates need for the switch of languages."""
    _OurBabel(app, default_locale="en", locale_selector=language)
    app.jinja_env.filters |= {"named": named, "told": told}
    app.add_template_global(_switch, "switch_to")
    app.add_template_global(_words_of_scripts, "words_of_scripts")

    @app.context_processor
    def words() -> dict[str, Any]:
        return {"lang": language(), "languages": LANGUAGES}

    remember_choices(app)


def _words_of_scripts() -> dict[str, str]:
    return {sentence: named(sentence) for sentence in SCRIPT_WORDS}


def _switch(code: str) -> str:
    """This page again in that language; empty for an answer that cannot be asked for again."""
    if request.method not in {"GET", "HEAD"}:
        return ""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "language"]
    return "?" + urlencode([*kept, ("language", code)])
