"""The portal's two languages: pages are written in English, `words/zh.toml` has the Chinese for each sentence.

A sentence without a translation is a failing test, so nobody is shown half a page. Times and numbers are written the
same in both.
"""

from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask

from ca.languages import CHINESE, LANGUAGES, language, read_words, remember_choices

_WORDS = Path(__file__).parent / "words" / "zh.toml"

SCRIPT_WORDS = (
    "not found: install it, then reload this page",
    "version",
    "not found: install it, then press Check again",
    "is too old: download the newest",
    "not found: install the driver that came with your U-Shield",
    "right",
    "wrong: set date and time of this computer",
    "not plugged in: plug it in, then press Check again",
    "serial",
    "the tool asks which U-Shield you mean",
    "set",
    "was typed wrongly lately; the next try counts",
    "one try is left: if you are not sure of it, ask your branch",
    "the U-Shield is locked: bring it and your identity document to your branch",
    "will be chosen now",
    "not prepared yet: bring it to your branch",
    "Waiting for you:",
    "A reference number has 10 digits, the last proves the others. Compare it with the receipt of your branch.",
    "active",
    "the newest that the bank signed",
    "not the newest that the bank signed: download it",
    "not signed by the bank: download it",
    "could not be checked:",
    "your certificate holds",
    "your certificate is on hold or has ended: ask your branch",
    "the bank does not know the certificate: call the hotline",
    "reached; there is no certificate on the U-Shield yet",
    "not reached:",
    "sign in to have it compared with the bank's books",
    "the bank gave it to you",
    "the bank gave you another one: plug that in, serial",
    "the bank gave you none yet: ask your branch",
    "The bank cannot be reached. Check the network and try again.",
    "The bank did not answer as it should.",
    "The U-Shield tool ended. Nothing is lost: press the button again to go on.",
    "Looking at the U-Shield",
    "Asking the bank which certificate is waiting",
    "Opening the U-Shield with its password",
    "Making the key pair on the U-Shield",
    "Signing the request with the new key",
    "Getting the certificate from the bank",
    "Writing the certificate to the U-Shield",
    "Reading it back and comparing it with the key",
    "Proving the new key to the bank",
    "Tidying up",
)
"""What the scripts of the pages say, and the steps that the tool tells of."""


@cache
def chinese() -> dict[str, str]:
    """By the English sentence."""
    return read_words(_WORDS)


def translate(sentence: str, **fields: Any) -> str:
    """The sentence in the language of the current request, `{name}` filled in."""
    if language() == CHINESE:
        sentence = chinese().get(sentence, sentence)
    return sentence.format(**fields) if fields else sentence


def install(app: Flask) -> None:
    """`t("…")` in templates, and `lang`."""

    @app.context_processor
    def words() -> dict[str, Any]:
        return {"t": translate, "lang": language(), "languages": LANGUAGES, "script_words": SCRIPT_WORDS}

    remember_choices(app)
