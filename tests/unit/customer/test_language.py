"""Every sentence of the portal has a Chinese one, and the language is the customer's choice."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

import customer
from customer.account import EVENT_WORDS, STATUS_WORDS
from customer.company import APPLICATION_WORDS
from customer.language import SCRIPT_WORDS, chinese
from ushield.download import Step

SCRIPTS = sorted((Path(customer.__file__).parent / "static").glob("*.js"))
TEMPLATES = sorted((Path(customer.__file__).parent / "templates" / "customer").glob("*.html"))


def sentences() -> set[str]:
    called = {found for page in TEMPLATES for found in re.findall(r'\bt\("([^"]*)"', page.read_text("utf-8"))}
    scripts = {found for file in SCRIPTS for found in re.findall(r'\bt\("([^"]*)"', file.read_text("utf-8"))}
    assert scripts <= set(SCRIPT_WORDS)
    called |= set(SCRIPT_WORDS) | {step.value for step in Step}
    by = {"you", "the bank", "your branch", "your company's administrator"}
    return called | set(STATUS_WORDS.values()) | set(APPLICATION_WORDS.values()) | set(EVENT_WORDS.values()) | by


def test_every_sentence_of_a_page_is_translated() -> None:
    assert sentences() - set(chinese()) == set()


def test_no_translation_loses_what_is_filled_in() -> None:
    for english, translated in chinese().items():
        assert re.findall(r"{\w+}", english) == re.findall(r"{\w+}", translated), english


@pytest.mark.parametrize(
    ("header", "expected"),
    [("zh-CN,zh;q=0.9,en;q=0.5", "zh"), ("en", "en"), ("fr", "en"), ("", "en"), ("x" * 500, "en")],
)
def test_the_page_is_in_the_language_that_the_browser_prefers(client: FlaskClient, header: str, expected: str) -> None:
    page = client.get("/", headers={"Accept-Language": header}).text

    assert f'<html lang="{expected}">' in page
    assert ("下载我的证书" in page) == (expected == "zh")


def test_a_language_that_was_chosen_is_remembered(client: FlaskClient) -> None:
    chosen = client.get("/?language=zh", base_url="https://bank.example")
    again = client.get("/sign-in", base_url="https://bank.example", headers={"Accept-Language": "en"})

    assert "下载我的证书" in chosen.text
    assert "登录密码" in again.text
    assert "Secure" in chosen.headers["Set-Cookie"]


@pytest.mark.parametrize("odd", ["tlh", "", "zh%00", "..%2f", "<script>"])
def test_another_language_is_not_spoken_and_not_remembered(client: FlaskClient, odd: str) -> None:
    response = client.get(f"/?language={odd}")

    assert '<html lang="en">' in response.text
    assert "Set-Cookie" not in response.headers
