"""My access and getting back in, over the signer's real use cases: cookies, one-time pages, and what is refused."""

import base64
import json
import re

import pytest
from werkzeug.exceptions import TooManyRequests

from ca.domain.errors import NotAuthenticated
from ca.throttle import Throttle
from ca.usecases.authorize import token_hash
from tests.fakes.authenticators import FakePasskey
from tests.fakes.bank import MARIA, PAVEL, SECURITY, Bank
from tests.fakes.bank_console import BankSigner
from tests.fakes.officer_answers import b64

HERE = "/admin/my-access"


@pytest.fixture
def bank(app):
    bank = Bank()
    app.extensions["vermilion_signer"] = BankSigner(bank)
    return bank


@pytest.fixture
def maria(bank, visitor):
    """Maria's browser, signed in."""
    _sit_down(visitor, bank.session(MARIA))
    return visitor


def _sit_down(visitor, session):
    visitor.client.set_cookie("vermilion_officer", session, path="/admin", secure=True)


def _cookie(visitor):
    found = visitor.client.get_cookie("vermilion_officer", path="/admin")
    return found.value if found else ""


def _challenge(visitor, path, form=None):
    answer = visitor.post(f"{HERE}/{path}", form, headers={"Accept": "application/json"})
    return answer.json


def _assertion(passkey, challenge):
    said = passkey.sign(challenge)
    return json.dumps(
        {
            "credential_id": b64(said.credential_id), "client_data": b64(said.client_data),
            "authenticator_data": b64(said.authenticator_data), "signature": b64(said.signature),
        }
    )  # fmt: skip


def _raw(text):
    return base64.b64decode(text)


def _step_up(visitor, passkey):
    challenge = _challenge(visitor, "step-up/challenge")["challenge"]
    return visitor.post(f"{HERE}/step-up", {"challenge": challenge, "assertion": _assertion(passkey, _raw(challenge))})


def _codes(visitor):
    page = visitor.post(f"{HERE}/recovery-codes").get_data(as_text=True)
    return re.findall(r"<li>([0-9A-Z]{4}(?:-[0-9A-Z]{4}){4})</li>", page)


# Step-up


def test_the_page_offers_changes_only_after_a_step_up(bank, maria):
    before = maria.text(HERE)
    assert "Show that it is me" in before
    assert "Add a passkey" not in before
    assert "This is your only passkey" in before
    _step_up(maria, bank[MARIA].passkey)
    after = maria.text(HERE)
    assert "You have shown that it is you" in after
    assert "Add a passkey" in after
    assert "Remove the passkey" not in after  # it is the only one


def test_a_step_up_exchanges_the_cookie_and_the_old_one_opens_nothing(bank, maria):
    before, passkey = _cookie(maria), bank[MARIA].passkey
    assert _step_up(maria, passkey).status_code == 303
    after = _cookie(maria)
    assert after != before
    assert maria.get(HERE).status_code == 200
    _sit_down(maria, before)
    assert maria.get(HERE).headers["Location"].startswith("/admin/sign-in")
    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(before)


def test_the_new_cookie_is_as_closed_as_the_old(bank, maria):
    cookie = _step_up(maria, bank[MARIA].passkey).headers["Set-Cookie"]
    for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/admin"):
        assert part in cookie


def test_another_officers_passkey_changes_no_cookie(bank, maria):
    before = _cookie(maria)
    refused = _step_up(maria, bank[PAVEL].passkey)
    assert refused.status_code == 401
    assert "not yours" in refused.get_data(as_text=True)
    assert _cookie(maria) == before


@pytest.mark.parametrize("path", ["passkeys/challenge", "recovery-codes", "passkeys/remove"])
def test_nothing_of_it_goes_without_a_step_up(bank, maria, path):
    response = maria.post(f"{HERE}/{path}", {"passkey": b64(bank[MARIA].passkey.credential_id)})
    assert response.status_code == 403
    assert "it is you" in response.get_data(as_text=True)


# Passkeys


def _add(visitor, passkey, label="blue key"):
    begun = _challenge(visitor, "passkeys/challenge")
    registration = passkey.register(_raw(begun["challenge"]))
    form = {"challenge": begun["challenge"], "registration": registration, "label": label}
    return begun, visitor.post(f"{HERE}/passkeys", form)


def test_a_second_passkey_is_added_named_and_removed(bank, maria):
    first, second = bank[MARIA].passkey, FakePasskey()
    _step_up(maria, first)
    begun, added = _add(maria, second, "<b>blue</b>")
    assert (added.status_code, begun["known"]) == (303, [b64(first.credential_id)])
    page = maria.text(HERE)
    assert "&lt;b&gt;blue&lt;/b&gt;" in page
    assert "not used since it was registered" in page
    assert page.count("Remove the passkey") == 2
    maria.post(f"{HERE}/passkeys/remove", {"passkey": b64(second.credential_id)})
    assert "&lt;b&gt;blue" not in maria.text(HERE)


def test_the_last_passkey_stays(bank, maria):
    _step_up(maria, bank[MARIA].passkey)
    refused = maria.post(f"{HERE}/passkeys/remove", {"passkey": b64(bank[MARIA].passkey.credential_id)})
    assert refused.status_code == 409
    assert "your last passkey" in refused.get_data(as_text=True)


def test_a_passkey_needs_a_name(bank, maria):
    _step_up(maria, bank[MARIA].passkey)
    _begun, refused = _add(maria, FakePasskey(), " ")
    assert refused.status_code == 422
    assert len(bank.stored.officers[f"officer-{MARIA}"][0].credentials) == 1


# Recovery


def test_codes_are_shown_once_and_open_a_new_passkey(bank, maria, visitor):
    _step_up(maria, bank[MARIA].passkey)
    codes = _codes(maria)
    assert len(codes) == 10
    assert codes[0] not in maria.text(HERE)
    visitor.client.delete_cookie("vermilion_officer", path="/admin")
    opened = visitor.post("/admin/recover/open", {"person": f" {MARIA} ", "code": codes[0].lower()}).json
    passkey = FakePasskey()
    registration = passkey.register(_raw(opened["challenge"]))
    form = {"person": MARIA, "code": codes[0], "challenge": opened["challenge"], "label": "phone"}
    done = visitor.post("/admin/recover", form | {"registration": registration})
    assert done.headers["Location"] == "/admin/sign-in?welcome=1"
    assert _cookie(visitor) == ""  # a code is no sign-in
    assert bank.signed_in(passkey).officer.person == MARIA


@pytest.mark.parametrize(("person", "code"), [(MARIA, "0000-0000-0000-0000-0000"), ("E9999", "x"), ("", "")])
def test_whatever_is_wrong_reads_the_same(bank, visitor, person, code):
    bank.session(MARIA)
    answer = visitor.post(
        "/admin/recover/open", {"person": person, "code": code}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 401
    assert answer.json["message"].startswith("The employee number or the recovery code is not right")


def test_guessing_is_slowed_down(app, bank, visitor):
    app.extensions["vermilion_throttle"] = Throttle(burst=3, per_second=0.001)
    try:
        wrong = {"person": MARIA, "code": "0000-0000-0000-0000-0000"}
        seen = [visitor.post("/admin/recover/open", wrong).status_code for _ in range(5)]
    finally:
        app.extensions["vermilion_throttle"] = Throttle()
    assert seen == [401, 401, 401, TooManyRequests.code, TooManyRequests.code]


def test_the_code_is_in_no_address_and_comes_back_on_no_page(bank, visitor):
    secret = "7KQM-3F9X-2TBD-0001-9WQX"
    page = visitor.post("/admin/recover", {"person": MARIA, "code": secret, "label": "x"})
    assert page.status_code == 401
    assert secret not in page.get_data(as_text=True)
    assert secret not in visitor.get(f"/admin/recover?code={secret}").get_data(as_text=True)


# Sessions


def test_another_session_is_ended_and_this_one_signs_out(bank, maria):
    other = bank.signed_in(bank[MARIA].passkey).session
    maria.post(f"{HERE}/sessions/end", {"session": token_hash(other)[:16]})
    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(other)
    out = maria.post(f"{HERE}/sessions/end", {"session": token_hash(_cookie(maria))[:16]})
    assert out.headers["Location"] == "/admin/sign-in"
    assert _cookie(maria) == ""


def test_anothers_session_is_not_there(bank, maria):
    theirs = bank.session(PAVEL)
    assert maria.post(f"{HERE}/sessions/end", {"session": token_hash(theirs)[:16]}).status_code == 404
    assert bank.sign_in.who(theirs).person == PAVEL


def test_all_others_are_ended(bank, maria):
    other = bank.signed_in(bank[MARIA].passkey).session
    assert maria.post(f"{HERE}/sessions/end-others").status_code == 303
    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(other)
    assert maria.get(HERE).status_code == 200


def test_a_security_officer_reads_the_effect_then_ends_everybodys_sessions(bank, visitor):
    maria, security = bank.session(MARIA), bank.session(SECURITY)
    _sit_down(visitor, security)
    page = visitor.text("/admin/officers/end-all-sessions")
    assert "Every officer is out at once" in page
    assert bank.sign_in.who(maria).person == MARIA
    out = visitor.post("/admin/officers/end-all-sessions")
    assert out.headers["Location"] == "/admin/sign-in"
    for session in (maria, security):
        with pytest.raises(NotAuthenticated):
            bank.sign_in.who(session)


def test_where_a_session_was_begun_is_told(bank, visitor):
    passkey, challenge = bank[MARIA].passkey, visitor.post("/admin/sign-in/challenge").json["challenge"]
    form = {"challenge": challenge, "assertion": _assertion(passkey, _raw(challenge))}
    visitor.post("/admin/sign-in", form, environ_overrides={"REMOTE_ADDR": "192.0.2.9"})
    assert "192.0.2.9" in visitor.text(HERE)


# Who is told of a recovery


def test_the_officer_and_the_security_officers_are_told_of_a_used_code(at):
    assert "One of your recovery codes was used" in at("maker").text("/admin/")
    assert "One of your recovery codes was used" not in at("approver").text("/admin/")
    security = at("security").text("/admin/")
    assert "Recovery codes used" in security
    assert "/admin/officers/details/?id=maker" in security
    assert "Recovery codes used" not in at("auditor").text("/admin/")


def test_ones_name_leads_to_ones_access_on_every_page(at):
    for officer in ("maker", "hotline", "auditor", "admin"):
        assert 'href="/admin/my-access"' in at(officer).text("/admin/")
