"""Signed in on the portal: sessions, forms that only our own pages send, and no word too many (THREATS 39, 45, 47)."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from ca import portal_operations as ops
from ca.domain.errors import InvalidRequest, InvalidTransition, KeyStoreUnavailable, NotAuthenticated
from customer.account import COOKIE
from tests.fakes.signer import FakeSigner

BASE = "https://bank.example"
OURS = {"Origin": BASE}
SERIAL = "a1b2c3"
CERTIFICATE = {
    "serial": SERIAL, "subject": "serialNumber=1,CN=Li <b>Qiang</b>,O=Bank", "profile": "personal-signing",
    "status": "active", "device_serial": "US1", "not_before": "2026-11-27T12:00:00Z",
    "not_after": "2031-11-27T12:00:00Z", "undo_until": None, "is_expired": False,
}  # fmt: skip
ME = {
    "name": "Li Qiang",
    "number": "C77",
    "kind": "person",
    "branch": "pudong",
    "email": "",
    "language": "en",
    "phone": "",
    "channel": "both",
}


@pytest.fixture
def portal(signer: FakeSigner) -> dict[Any, Any]:
    signer.portal = {
        ops.PortalSignIn: {"token": "token-1", "customer": {"name": "Li Qiang", "number": "C77"}},
        ops.OpenAccount: {}, ops.PortalSignOut: {}, ops.ShowMe: ME,
        ops.ListOwnCertificates: {"certificates": [CERTIFICATE]},
        ops.ShowOwnHistory: {"events": [
            {"name": "certificate.held", "subject": SERIAL, "by": "you", "at": "2026-11-27T12:00:00Z",
             "details": {"why": "<i>lost</i>"}},
            {"name": "new.kind", "subject": "x", "by": "the bank", "at": "2026-11-27T12:00:00Z", "details": {}},
        ]},
        ops.ReportLost: {"serial": SERIAL, "status": "on-hold"}, ops.CancelOwn: {"serial": SERIAL, "undo_until": "x"},
        ops.UndoCancellation: {"serial": SERIAL, "status": "active"}, ops.ChangeLoginPassword: {},
        ops.ChooseLanguage: {}, ops.ChooseChannel: {}, ops.EndOtherSessions: {"ended": 1},
        ops.ListSessions: {"sessions": [
            {"began_at": "2026-11-27T12:00:00Z", "seen_at": "x", "source": "192.0.2.1", "this": True},
            {"began_at": "2026-11-27T11:00:00Z", "seen_at": "x", "source": "192.0.2.2", "this": False},
        ]},
    }  # fmt: skip
    return signer.portal


@pytest.fixture
def signed_in(client: FlaskClient, portal: dict[Any, Any]) -> FlaskClient:
    assert portal
    client.set_cookie(COOKIE, "token-1", domain="bank.example")
    return client


def post(client: FlaskClient, path: str, headers: dict[str, str] | None = None, **fields: str) -> Any:
    return client.post(path, base_url=BASE, data=fields, headers=OURS if headers is None else headers)


def get(client: FlaskClient, path: str) -> Any:
    return client.get(path, base_url=BASE)


def test_signing_in_gives_a_cookie_that_no_script_reads_and_no_other_site_sends(
    client: FlaskClient, portal: dict[Any, Any], signer: FakeSigner
) -> None:
    response = post(client, "/sign-in", number=" C77 ", password="secret words here")

    cookie = response.headers["Set-Cookie"]
    assert (response.status_code, response.location) == (303, "/me")
    assert all(word in cookie for word in (f"{COOKIE}=token-1", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"))
    assert "Domain" not in cookie
    (asked,) = signer.asked
    assert isinstance(asked, ops.PortalSignIn)
    assert (asked.number, asked.password, asked.source) == ("C77", "secret words here", "local")
    assert portal


@pytest.mark.parametrize("error", [NotAuthenticated("no such number"), InvalidRequest("what")])
def test_whatever_was_wrong_the_page_says_the_same(
    client: FlaskClient, portal: dict[Any, Any], error: Exception
) -> None:
    portal[ops.PortalSignIn] = error
    response = post(client, "/sign-in", number="C77", password="geheimnis")

    assert response.status_code == 401
    assert "The customer number or the password is not right." in response.text
    assert str(error) not in response.text
    assert "geheimnis" not in response.text
    assert "Set-Cookie" not in response.headers


def test_who_guesses_is_slowed_down(client: FlaskClient, portal: dict[Any, Any]) -> None:
    portal[ops.PortalSignIn] = NotAuthenticated("no")
    statuses = [post(client, "/sign-in", number="C77", password="x").status_code for _ in range(12)]

    # One account from one network: sooner than the network as a whole.
    assert statuses == [401] * 8 + [429] * 4
    portal[ops.PortalSignIn] = {"token": "token-1", "customer": {}}
    assert post(client, "/sign-in", number="C78", password="x").status_code == 303


def test_who_guesses_at_many_accounts_is_slowed_down_too(client: FlaskClient, portal: dict[Any, Any]) -> None:
    portal[ops.PortalSignIn] = NotAuthenticated("no")
    statuses = [post(client, "/sign-in", number=f"C{n}", password="x").status_code for n in range(12)]

    assert statuses == [401] * 10 + [429] * 2


FORMS = [
    "/sign-in", "/sign-out", "/first-password", "/me/password", "/me/sessions/end", "/me/language", "/me/notices",
    *(f"/me/certificates/{SERIAL}/{act}" for act in ("lost", "cancel", "undo")),
]  # fmt: skip


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "null"}, {"Origin": "https://evil.example"}, {"Origin": "http://bank.example"},
     {"Origin": f"{BASE}.evil.example"}, {"Origin": f"{BASE}:8443"}, {"Referer": f"{BASE}/me"}],
)  # fmt: skip
def test_a_form_that_another_site_sent_does_nothing(
    signed_in: FlaskClient, signer: FakeSigner, path: str, headers: dict[str, str]
) -> None:
    response = post(signed_in, path, headers)

    assert response.status_code == 403
    assert signer.asked == []


@pytest.mark.parametrize(
    "path", ["/me", "/me/history", "/me/settings", "/me/export", f"/me/certificates/{SERIAL}/lost"]
)
@pytest.mark.parametrize("cookie", ["", "x" * 300])
def test_nobody_who_is_not_signed_in_sees_anything(
    client: FlaskClient, signer: FakeSigner, path: str, cookie: str
) -> None:
    client.set_cookie(COOKIE, cookie, domain="bank.example")
    response = get(client, path)

    assert (response.status_code, response.location) == (303, "/sign-in?over=1")
    assert signer.asked == []


def test_a_session_that_is_over_leads_to_the_door(signed_in: FlaskClient, portal: dict[Any, Any]) -> None:
    portal[ops.ShowMe] = NotAuthenticated("over")

    assert get(signed_in, "/me").location == "/sign-in?over=1"
    assert "Your session is over" in get(signed_in, "/sign-in?over=1").text


def test_home_shows_the_certificates_and_escapes_what_is_in_them(signed_in: FlaskClient) -> None:
    page = get(signed_in, "/me").text

    assert SERIAL in page
    assert "Li &lt;b&gt;Qiang&lt;/b&gt;" in page
    assert "I lost my U-Shield" in page
    assert "Undo the cancellation" not in page


def test_a_cancellation_can_be_undone_from_home(signed_in: FlaskClient, portal: dict[Any, Any]) -> None:
    held = CERTIFICATE | {"status": "on-hold", "undo_until": "2026-11-28T12:00:00Z"}
    portal[ops.ListOwnCertificates] = {"certificates": [held]}
    page = get(signed_in, "/me").text

    assert "2026-11-28 12:00" in page
    assert "Undo the cancellation" in page
    assert "Cancel my Certificate" not in page


def test_a_customer_without_a_certificate_is_told_what_to_do(signed_in: FlaskClient, portal: dict[Any, Any]) -> None:
    portal[ops.ListOwnCertificates] = {"certificates": []}

    assert "Your branch gives you two codes" in get(signed_in, "/me").text


@pytest.mark.parametrize("act", ["lost", "cancel"])
def test_what_stops_working_is_said_before_anything_is_done(
    signed_in: FlaskClient, signer: FakeSigner, act: str
) -> None:
    page = get(signed_in, f"/me/certificates/{SERIAL}/{act}").text

    assert "Your certificate is stopped at once" in page
    assert {type(one) for one in signer.asked} == {ops.ListOwnCertificates}
    assert get(signed_in, f"/me/certificates/ffff/{act}").status_code == 400


@pytest.mark.parametrize(
    ("act", "kind"), [("lost", ops.ReportLost), ("cancel", ops.CancelOwn), ("undo", ops.UndoCancellation)]
)
def test_then_it_is_done_for_the_one_who_is_signed_in(
    signed_in: FlaskClient, signer: FakeSigner, act: str, kind: type[Any]
) -> None:
    response = post(signed_in, f"/me/certificates/{SERIAL}/{act}")

    assert response.location == f"/me?done={act}"
    assert signer.asked == [kind(session="token-1", serial=SERIAL)]


def test_a_certificate_that_changed_meanwhile_is_said(signed_in: FlaskClient, portal: dict[Any, Any]) -> None:
    portal[ops.CancelOwn] = InvalidTransition("a certificate that is revoked cannot become on-hold")
    response = post(signed_in, f"/me/certificates/{SERIAL}/cancel")

    assert response.status_code == 409
    assert "Nothing was done." in response.text


def test_the_history_has_words_for_what_happened_and_escapes_the_rest(signed_in: FlaskClient) -> None:
    page = get(signed_in, "/me/history").text

    assert "The certificate was put on hold" in page
    assert "Other event" in page
    assert "&lt;i&gt;lost&lt;/i&gt;" in page


def test_the_letter_and_a_password_twice_open_the_account(signed_in: FlaskClient, signer: FakeSigner) -> None:
    fields = {"number": "C77", "code": "7KQM-3F9X-2TBB", "password": "three odd words"}
    differs = post(signed_in, "/first-password", **fields, again="three odd wards")
    assert (differs.status_code, signer.asked) == (422, [])
    response = post(signed_in, "/first-password", **fields, again="three odd words")

    assert response.location == "/sign-in?opened=1"
    assert signer.asked == [ops.OpenAccount(**fields)]
    assert "Your password is set." in get(signed_in, "/sign-in?opened=1").text


@pytest.mark.parametrize("error", [NotAuthenticated("locked"), InvalidRequest("This password cannot be used: short")])
def test_why_a_first_password_was_not_set_is_said_and_no_password_comes_back(
    signed_in: FlaskClient, portal: dict[Any, Any], error: Exception
) -> None:
    portal[ops.OpenAccount] = error
    fields = {"number": "C77", "code": "7KQM", "password": "geheimnis", "again": "geheimnis"}
    response = post(signed_in, "/first-password", **fields)

    assert response.status_code == 422
    assert "geheimnis" not in response.text
    assert ("cannot be used: short" in response.text) == isinstance(error, InvalidRequest)
    assert "locked" not in response.text


def test_settings_show_sessions_and_change_the_password(signed_in: FlaskClient, signer: FakeSigner) -> None:
    page = get(signed_in, "/me/settings").text
    assert "192.0.2.2" in page
    assert "Sign out everywhere else" in page
    signer.asked.clear()
    differs = post(signed_in, "/me/password", old="old words", password="new words a", again="new words b")
    assert differs.status_code == 422
    assert not [one for one in signer.asked if isinstance(one, ops.ChangeLoginPassword)]
    done = post(signed_in, "/me/password", old="old words", password="new words a", again="new words a")
    assert done.location == "/me/settings?done=password"
    assert ops.ChangeLoginPassword(session="token-1", old="old words", new="new words a") in signer.asked


def test_a_password_that_is_refused_says_why(signed_in: FlaskClient, portal: dict[Any, Any]) -> None:
    portal[ops.ChangeLoginPassword] = InvalidRequest("the present password is not right; nothing was changed")
    response = post(signed_in, "/me/password", old="x", password="new words a", again="new words a")

    assert response.status_code == 422
    assert "the present password is not right" in response.text


def test_sessions_end_language_is_kept_and_data_is_exported(signed_in: FlaskClient, signer: FakeSigner) -> None:
    assert post(signed_in, "/me/sessions/end").location == "/me/settings?done=sessions"
    assert "vermilion-language=zh" in post(signed_in, "/me/language", language="zh").headers["Set-Cookie"]
    assert ops.ChooseLanguage(session="token-1", language="zh") in signer.asked
    assert post(signed_in, "/me/notices", channel="sms").location == "/me/settings?done=notices"
    assert ops.ChooseChannel(session="token-1", channel="sms") in signer.asked
    exported = get(signed_in, "/me/export")
    assert exported.json["me"] == ME
    assert exported.json["certificates"] == [CERTIFICATE]
    assert "attachment" in exported.headers["Content-Disposition"]


def test_a_certificate_whose_time_is_over_does_not_read_active(signed_in: FlaskClient, portal: dict[Any, Any]) -> None:
    assert "✓ active" in get(signed_in, "/me").text
    portal[ops.ListOwnCertificates] = {"certificates": [CERTIFICATE | {"is_expired": True}]}
    page = get(signed_in, "/me").text

    assert "✗ expired" in page
    assert "✓ active" not in page
    assert "Renew my Certificate" in page


def test_signing_out_takes_the_cookie_back_even_when_the_session_was_over(
    signed_in: FlaskClient, portal: dict[Any, Any]
) -> None:
    portal[ops.PortalSignOut] = NotAuthenticated("over")
    response = post(signed_in, "/sign-out")

    assert response.location == "/"
    assert f"{COOKIE}=;" in response.headers["Set-Cookie"]


def test_what_is_too_long_reaches_nobody(signed_in: FlaskClient, signer: FakeSigner) -> None:
    response = post(signed_in, "/sign-in", number="C" * 300, password="x")

    assert response.status_code == 400
    assert signer.asked == []


def test_an_hsm_that_is_away_is_no_wrong_password(client: FlaskClient, portal: dict[Any, Any]) -> None:
    portal[ops.PortalSignIn] = KeyStoreUnavailable("slot 7 is gone")
    response = post(client, "/sign-in", number="C77", password="x")

    assert response.status_code == 503
    assert "slot 7" not in response.text
