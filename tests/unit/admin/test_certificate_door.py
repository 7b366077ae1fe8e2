"""The second door to the console, over the signer's real use cases: who is believed, and what stays of a visit."""

import base64
import re

import pytest
from werkzeug.exceptions import TooManyRequests

from ca.domain.vouchers import challenge_of
from ca.throttle import Throttle
from tests.fakes.bank import MARIA, SUPERVISOR, Bank
from tests.fakes.bank_console import BankSigner
from tests.fakes.doors import bound, vouch

DOOR = "/admin/sign-in/certificate"
ON_THE_SOCKET = {"REMOTE_ADDR": ""}
"""A Unix socket has no peer address; there is the edge."""


@pytest.fixture
def bank(app):
    bank = Bank()
    app.extensions["vermilion_signer"] = BankSigner(bank)
    return bank


@pytest.fixture
def certificate(bank):
    found = bank.active(profile="officer")
    bound(bank, found)
    return found


def _b64(raw):
    return base64.b64encode(raw).decode("ascii")


def _told(certificate_der, voucher=b""):
    """The edge's headers."""
    given = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    if certificate_der:
        given["X-Vermilion-Client-Certificate"] = _b64(certificate_der)
    return given | ({"X-Vermilion-Voucher": _b64(voucher)} if voucher else {})


def _look(visitor, certificate_der, **options):
    return visitor.get(DOOR, headers=_told(certificate_der), environ_overrides=ON_THE_SOCKET, **options)


def _action(page):
    return re.search(r'action="([^"]*challenge=[^"]*)"', page.text)[1]


def _enter(visitor, bank, certificate_der, *, action="", form=None, overrides=None, voucher=None):
    page = _look(visitor, certificate_der)
    action = action or _action(page)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    word = vouch(bank, challenge_of(action.partition("=")[2]), certificate_der) if voucher is None else voucher
    return visitor.bare_post(
        action,
        {"csrf_token": token} | (form or {}),
        headers=_told(certificate_der, word),
        environ_overrides=ON_THE_SOCKET if overrides is None else overrides,
    )


def _cookie(visitor):
    found = visitor.client.get_cookie("vermilion_officer", path="/admin")
    return found.value if found else ""


def test_the_page_names_the_certificate_and_one_button_signs_in(visitor, bank, certificate):
    assert f"{certificate.serial:x}" in re.sub(r"[^0-9a-f]", "", _look(visitor, certificate.der).text.lower())

    response = _enter(visitor, bank, certificate.der, form={"next": "/admin/search"})

    assert (response.status_code, response.headers["Location"]) == (303, "/admin/search")
    assert "HttpOnly" in str(response.headers)
    assert bank.sign_in.who(_cookie(visitor)).person == MARIA
    session = next(one for one, _ in bank.stored.sessions.values() if one.binding)
    assert session.source == "192.0.2.7"


def test_without_a_certificate_the_page_says_how_to_show_one(visitor, bank):
    page = _look(visitor, b"")

    assert "showed no certificate" in page.text
    assert "<form" not in page.text
    assert bank.stored.challenges == {}


def test_the_sign_in_page_shows_the_door_only_when_it_is_open(app, visitor):
    opened = visitor.text("/admin/sign-in")
    app.extensions["vermilion_certificates"] = False
    try:
        answers = [visitor.get(DOOR).status_code, visitor.post(f"{DOOR}?challenge=YQ").status_code]
    finally:
        app.extensions["vermilion_certificates"] = True

    assert f'href="{DOOR}' in opened
    assert answers == [404, 404]


def test_headers_over_tcp_count_for_nothing(visitor, bank, certificate):
    """The console of a demo listens on a port too: whoever asks there says what they like."""
    page = visitor.get(DOOR, headers=_told(certificate.der))
    entered = _enter(visitor, bank, certificate.der, overrides={"REMOTE_ADDR": "127.0.0.1"})

    assert "showed no certificate" in page.text
    assert entered.status_code == 401
    assert not _cookie(visitor)


def test_the_console_cannot_speak_for_the_edge(visitor, bank, certificate):
    refused = _enter(visitor, bank, certificate.der, voucher=b"forged")

    assert refused.status_code == 401
    assert "did not sign you in" in refused.text
    assert not _cookie(visitor)


def test_a_page_signs_in_once(visitor, bank, certificate):
    action = _action(_look(visitor, certificate.der))

    answers = [_enter(visitor, bank, certificate.der, action=action).status_code for _ in range(2)]

    assert answers == [303, 401]


@pytest.mark.parametrize("query", ["", "?challenge=", "?challenge=%C3%A9", "?challenge=YQ"])
def test_a_broken_address_is_refused(visitor, bank, certificate, query):
    page = _look(visitor, certificate.der)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]

    response = visitor.bare_post(
        DOOR + query, {"csrf_token": token}, headers=_told(certificate.der, b"x"), environ_overrides=ON_THE_SOCKET
    )

    assert response.status_code in {401, 422}


def test_a_session_that_somebody_planted_is_worth_nothing_after_signing_in(visitor, bank, certificate):
    visitor.client.set_cookie("vermilion_officer", "planted", path="/admin", secure=True)
    before = _look(visitor, certificate.der)
    secret = visitor.client.get_cookie("vermilion_console", path="/admin").value

    _enter(visitor, bank, certificate.der)

    assert _cookie(visitor) not in {"", "planted"}
    old = re.search(r'name="csrf_token" value="([^"]+)"', before.text)[1]
    assert visitor.bare_post("/admin/sign-out", {"csrf_token": old}).status_code == 400
    after = visitor.client.get_cookie("vermilion_console", path="/admin")
    assert after is None or after.value != secret


def test_a_foreign_page_signs_nobody_in(visitor, bank, certificate):
    action = _action(_look(visitor, certificate.der))
    word = vouch(bank, challenge_of(action.partition("=")[2]), certificate.der)

    answers = [
        visitor.bare_post(action, headers=_told(certificate.der, word) | extra, environ_overrides=ON_THE_SOCKET)
        for extra in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"})
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert not _cookie(visitor)


def test_a_held_certificate_closes_the_page_that_it_opened(visitor, bank, certificate):
    _enter(visitor, bank, certificate.der)
    assert visitor.get("/admin/my-access").status_code == 200

    bank.change_status.hold(bank.session(SUPERVISOR), certificate.serial)

    assert visitor.get("/admin/my-access").status_code == 303
    assert not _cookie(visitor)


def test_what_needs_a_passkey_needs_it_all_the_same(visitor, bank, certificate):
    _enter(visitor, bank, certificate.der)

    refused = visitor.post("/admin/my-access/recovery-codes")

    assert refused.status_code == 403
    assert "passkey" in refused.text


def test_refusals_are_slowed_down(app, visitor, bank, certificate):
    stranger = bank.active(profile="officer")
    app.extensions["vermilion_throttle"] = Throttle(burst=3, per_second=0.001)
    try:
        answers = [_enter(visitor, bank, stranger.der).status_code for _ in range(5)]
    finally:
        app.extensions["vermilion_throttle"] = Throttle()

    assert answers == [401, 401, 401, TooManyRequests.code, TooManyRequests.code]
