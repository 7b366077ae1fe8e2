"""Every sentence and every name that an officer reads has a Chinese one, and the language is the officer's choice."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from flask import Flask

import admin
from admin.app import PROFILES
from admin.errors import TITLES, sentence
from admin.formats import BADGES
from admin.language import SCRIPT_WORDS, chinese, chinese_messages, speak, told
from admin.views.base import _HEADINGS
from admin.views.rooms import VIEWS
from ca.domain import names, receipts
from ca.domain.applications import ApplicationState
from ca.domain.certificates import CertificateStatus
from ca.domain.customers import CustomerKind
from ca.domain.decisions import Act
from ca.domain.devices import DeviceState
from ca.domain.errors import InvalidRequest
from ca.domain.jobs import JOB_NAMES
from ca.domain.officers import InvitationState, OfficerState, TrustedRole
from ca.domain.proposals import ProposalState
from ca.domain.revocation import RFC_NAMES
from ca.domain.unlocking import UnlockState
from ca.usecases.versions_in_force import POLICY, PROFILE

CONSOLE = Path(admin.__file__).parent
CA = CONSOLE.parent / "ca"
TABLE = CONSOLE / "words" / "zh.toml"
FIELDS = re.compile(r"%\(\w+\)[sd]")
EVENT = re.compile(r"[a-z]+\.(?!json$|cer$)[a-z]+(-[a-z]+)*")
STATES = (ApplicationState, CertificateStatus, CustomerKind, DeviceState, OfficerState, InvitationState, UnlockState)
CHANNELS = ("DATABASE", "OCSP", "OCSP_NONCE", "OCSP_GET", "DELTA_CRL", "FULL_CRL", "PARTITION_CRL")
SAID = (
    "adapters/webauthn.py", "domain/applications.py", "domain/batches.py", "domain/bindings.py",
    "domain/certificates.py", "domain/vouchers.py", "usecases/bind_certificates.py", "usecases/bound.py",
    "usecases/certificate_sign_in.py",
    "domain/custody.py", "domain/customers.py", "domain/devices.py", "domain/officer_changes.py",
    "domain/officers.py", "domain/policy.py", "domain/profile_versions.py", "domain/recovery.py", "domain/stock.py",
    "domain/tool_cases.py", "domain/unlocking.py", "usecases/apply.py", "usecases/approve.py",
    "usecases/authorize.py", "usecases/balances.py", "usecases/batches.py", "usecases/cases.py",
    "usecases/consignments.py", "usecases/custody.py", "usecases/customers.py", "usecases/devices.py",
    "usecases/jobs.py", "usecases/letters.py", "usecases/officer_changes.py", "usecases/officers.py",
    "usecases/outlook.py", "usecases/own_access.py", "usecases/passkeys.py", "usecases/decide_on_versions.py",
    "usecases/recovery.py", "usecases/revoke.py", "domain/revocation_cases.py", "usecases/revoke_by_two.py",
    "usecases/second_officer.py", "usecases/sign_in.py", "usecases/stock.py", "usecases/tool_desk.py",
    "usecases/unlock_cases.py",
)  # fmt: skip
"""Whose refusals officers meet; all of them are in the table."""
PROFILE_FILES = sorted(file.stem for file in (CONSOLE.parent / "config" / "profiles").glob("*.toml"))
ACTORS = ("customer", "company administrator", "signer", "prober", "ceremony", "operator")
"""Of events, besides officers, who have an employee number."""
THINGS = ("customer", "U-Shield", "certificate", "application", "batch", "unlock", "revocation")
"""What there is none of at another branch (`require_branch`)."""


def text_of(node: ast.expr | None) -> str:
    """A text in the source; what an f-string fills in becomes a field."""
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(values):
            return "".join("%(x)s" if isinstance(part, ast.FormattedValue) else text_of(part) for part in values)
    return ""


@cache
def calls(place: Path) -> list[ast.Call]:
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    walked = (node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    return [node for node in walked if isinstance(node, ast.Call)]


@cache
def texts(place: Path) -> set[str]:
    files = sorted(place.rglob("*.py"))
    walked = (node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    return {text_of(node) for node in walked if isinstance(node, ast.expr)}


def name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def in_python() -> Iterator[str]:
    for call in calls(CONSOLE):
        if name_of(call) in {"_", "_l", "ngettext"}:
            # Of two forms the table has the plural: Chinese has one.
            said = call.args[1 if name_of(call) == "ngettext" else 0]
            if ast.unparse(said) != "str(name)":  # `named` looks up what the vocabulary below has
                assert text_of(said), f"not a plain text: {ast.unparse(call)}"
                yield text_of(said)


def in_templates() -> Iterator[str]:
    app = Flask("words")
    speak(app)
    for file in sorted(CONSOLE.rglob("*.html")):
        found = app.jinja_env.extract_translations(file.read_text("utf-8"), ("_", "gettext", "ngettext"))
        for line, function, said in found:
            forms = said if isinstance(said, tuple) else (said,)
            sentence_there = forms[1 if function == "ngettext" else 0]
            assert sentence_there, f"not a plain text: {file.name} line {line}"
            yield sentence_there


def in_scripts() -> set[str]:
    return {
        said for file in CONSOLE.rglob("*.js") for said in re.findall(r'\bt\("((?:[^"])*)"\)', file.read_text("utf-8"))
    }


def headings() -> Iterator[str]:
    for view, rows, _endpoint, _path in VIEWS:
        shown = {column.key for column in rows.__mapper__.column_attrs} - set(view.hidden)
        yield from (name.replace("_", " ").capitalize() for name in shown - set(_HEADINGS))


def events() -> set[str]:
    made = [text_of(call.args[0]) for call in calls(CA) if name_of(call) == "AuditEvent" and call.args]
    nouns = {name.partition(".")[0] for name in made} | {"administrator", "customers", "publication", "tool"}
    found = {text for text in texts(CA / "usecases") if text.partition(".")[0] in nouns} | set(made)
    found |= {f"{kind.name}.{state}" for kind in (PROFILE, POLICY) for state in ProposalState}
    ended = {ApplicationState.REJECTED, ApplicationState.WITHDRAWN}
    found = {text for text in found if EVENT.fullmatch(text)}
    return found | {f"officer.{state}" for state in OfficerState} | {f"application.{state.value}" for state in ended}


def vocabulary() -> set[str]:
    """Names of things, which pages look up by the name itself."""
    found = {look.word for look in BADGES.values()} | {state.value for kind in STATES for state in kind}
    found |= {*TITLES.values(), *PROFILES, *PROFILE_FILES, *RFC_NAMES.values(), *JOB_NAMES, *SCRIPT_WORDS}
    found |= {*ACTORS, *THINGS, *headings(), *events()}
    found |= {*TrustedRole, *Act, *(getattr(receipts, channel) for channel in CHANNELS)}
    return found | {*names.NameAttribute, *names.AlternativeNameKind, *names._REFUSED.values()}


def shape(message: str) -> str:
    return re.sub(r"%\(\w+\)[sd]", "%(x)s", message)


def test_every_sentence_of_the_console_is_translated() -> None:
    assert {*in_python(), *in_templates(), *vocabulary()} - set(chinese()) == set()


def test_no_translation_is_of_something_that_nobody_says() -> None:
    assert set(chinese()) - {*in_python(), *in_templates(), *vocabulary()} == set()


def test_what_the_script_says_is_what_pages_carry_for_it() -> None:
    assert in_scripts() == set(SCRIPT_WORDS)


def test_no_translation_loses_what_is_filled_in() -> None:
    for english, translated in [*chinese().items(), *chinese_messages().items()]:
        assert sorted(FIELDS.findall(english)) == sorted(FIELDS.findall(translated)), english
        assert "%" not in FIELDS.sub("", translated), english


def test_no_sentence_is_in_the_table_twice() -> None:
    table = tomllib.loads(TABLE.read_text("utf-8"))
    for kind in ("sentence", "message"):
        assert [said for said, times in Counter(entry["en"] for entry in table[kind]).items() if times > 1] == []


@pytest.mark.parametrize("module", SAID)
def test_every_refusal_that_officers_meet_is_translated(module: str) -> None:
    kinds = {"NotFound", "NotAllowed", "NotAuthenticated", "InvalidRequest", "InvalidTransition"}
    kinds |= {"append"}  # a warning
    raised = {shape(text_of(call.args[0])) for call in calls(CA / module) if name_of(call) in kinds and call.args}

    assert raised - {"", *map(shape, chinese_messages())} == set()


def test_no_message_is_translated_that_nobody_says() -> None:
    alphabets, marks = "letters of several alphabets: %(x)s", "several marks on one letter"
    in_parts = {alphabets, f"%(x)s: {alphabets}", f"%(x)s: {marks}", "%(x)s: U+%(x)s"}
    in_parts |= {"signed at event %(x)s, standings kept at event %(x)s"}
    said = {shape(text) for text in (*texts(CA), *texts(CONSOLE))} | in_parts

    assert {shape(message) for message in chinese_messages()} - said == set()


@pytest.fixture
def _in_chinese() -> Iterator[None]:
    app = Flask("words")
    speak(app)
    with app.test_request_context("/?language=zh"):
        yield


@pytest.mark.usefixtures("_in_chinese")
@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("your session is over; sign in again", "会话已结束，请重新登录。"),
        ("customer number 6222 is registered already", "客户号 6222 已登记。"),
        ("U-Shield US-1 is in-stock and cannot become blocked", "U盾 US-1 在库，不能变更为已锁定。"),
        ("this needs the role ra-operator, ra-supervisor", "此操作需要角色：经办员、主管。"),
        ("text has a control character (U+0007)", "含有控制字符（U+0007）。"),
        ("12 expired", "12 条过期。"),
        ("something that expired", "Something that expired."),
        ("something new; wait", "Something new; wait."),
        ("", "未说明原因。"),
    ],
)
def test_a_refusal_is_told_in_chinese_as_far_as_the_table_knows_it(message: str, shown: str) -> None:
    assert sentence(InvalidRequest(message)) == shown


def test_a_refusal_is_told_in_english_as_it_was_raised() -> None:
    app = Flask("words")
    speak(app)
    with app.test_request_context("/"):
        assert told("customer number 6222 is registered already") == "customer number 6222 is registered already"


@pytest.mark.parametrize(
    ("header", "expected"), [("zh-CN,zh;q=0.9,en;q=0.5", "zh"), ("en", "en"), ("fr", "en"), ("", "en")]
)
def test_a_page_is_in_the_language_that_the_browser_prefers(at, header, expected):
    page = at("approver").get("/admin/", headers={"Accept-Language": header}).text

    assert f'<html lang="{expected}">' in page
    assert ("待复核" in page) == (expected == "zh")


def test_the_switch_keeps_the_page_and_the_choice_is_kept(at):
    officer = at("approver")
    link = re.search(r'href="([^"]*language=zh)"', officer.text("/admin/search?q=Pudong&language=en"))[1]
    assert link == "?q=Pudong&amp;language=zh"

    chosen = officer.get("/admin/search?q=Pudong&language=zh")
    later = officer.get("/admin/certificates/", headers={"Accept-Language": "en"})

    assert '<html lang="zh">' in chosen.text
    assert "Max-Age" in chosen.headers["Set-Cookie"]
    assert "证书" in later.text


def test_an_answer_that_cannot_be_asked_for_again_offers_no_switch(at):
    page = at("approver").post("/admin/cases/application-1/reject", {"reason": ""}).text

    assert "?language=" not in page


@pytest.mark.parametrize("odd", ["tlh", "", "zh%00", "<script>"])
def test_another_language_is_not_spoken_and_not_remembered(at, odd):
    response = at("approver").get(f"/admin/?language={odd}")

    assert '<html lang="en">' in response.text
    assert "vermilion-language" not in str(response.headers)


def test_a_refused_command_answers_in_chinese(at):
    officer = at("approver")
    officer.get("/admin/?language=zh")

    page = officer.post("/admin/cases/application-both/reject", {"reason": ""})

    assert page.status_code == 422
    assert "请简要说明原因" in page.text
