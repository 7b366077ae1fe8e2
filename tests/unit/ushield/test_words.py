"""The window and what is told to the page are in the page's language, whole."""

import ast
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import ushield
from ushield.errors import RenewalRefused, TakenOut, UShieldError
from ushield.operations import WHAT
from ushield.words import Words

CHINESE = tomllib.loads(files("ushield").joinpath("zh.toml").read_text("utf-8"))


def codes(kind: type[UShieldError] = UShieldError) -> set[str]:
    return {kind.code}.union(*(codes(one) for one in kind.__subclasses__()))


def sentences_of_the_window() -> set[str]:
    """Texts of `window.py` that a customer can read: not those that explain the code, nor errors, which have codes."""
    tree = ast.parse((Path(ushield.__file__).parent / "window.py").read_text("utf-8"))
    explained = [node for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    raised = [node for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    unread = {text for node in (*explained, *raised) for text in _texts(node)} | {"TkDefaultFont", "TkFixedFont"}
    return {text for text in _texts(tree) if re.match(r"[A-Z][a-z]+", text)} - unread


def _texts(node: ast.AST) -> list[str]:
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def test_every_sentence_of_the_window_is_translated() -> None:
    assert set(CHINESE["window"]) == sentences_of_the_window() | set(WHAT.values())


def test_every_reason_of_a_check_is_translated() -> None:
    tree = ast.parse((Path(ushield.__file__).parent / "ocsp.py").read_text("utf-8"))
    reasons = {text for node in ast.walk(tree) if isinstance(node, ast.Raise) for text in _texts(node)}

    assert set(CHINESE["check"]) == reasons


def test_every_code_has_a_sentence() -> None:
    assert set(CHINESE["errors"]) == codes()


def test_nothing_that_is_filled_in_gets_lost() -> None:
    for english, translated in CHINESE["window"].items():
        assert re.findall(r"{\w+}", english) == re.findall(r"{\w+}", translated), english


@pytest.mark.parametrize(("language", "said"), [("en", "Continue"), ("zh", "继续")])
def test_the_window_speaks_the_language_of_the_page(language: str, said: str) -> None:
    assert Words(language).say("Continue") == said


def test_braces_in_a_name_are_no_field() -> None:
    words = Words("zh").say("For {bank}, asked for by the page {origin}", bank="{x}", origin="https://a")

    assert words == "为{x}办理，由页面 https://a 请求"


def test_an_error_is_told_by_its_code_and_keeps_the_banks_own_reason() -> None:
    assert Words("en").of_error(TakenOut("The U-Shield was taken out.")) == "The U-Shield was taken out."
    assert "U盾被拔出" in Words("zh").of_error(TakenOut("The U-Shield was taken out."))
    assert "renewal opens on" in Words("zh").of_error(RenewalRefused("renewal opens on 24 Dec 2026"))
