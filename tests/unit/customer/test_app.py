"""What holds for every address of the customer's process."""

import logging
import re

import pytest
from flask.testing import FlaskClient

from ca.operations import Operation
from tests.fakes.signer import FakeSigner

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

# Every rule with the verbs it takes and what it answers to nobody in particular, with an empty body.
EXPECTED: dict[str, dict[str, int]] = {
    "/": {"GET": 200, "HEAD": 200},
    "/download": {"GET": 200, "HEAD": 200},
    "/check": {"GET": 200, "HEAD": 200},
    "/certificate-password": {"GET": 200, "HEAD": 200},
    "/tool/": {"GET": 200, "HEAD": 200},
    "/tool/<name>": {"GET": 503, "HEAD": 503},
    "/bridge/jobs": {"POST": 415},
    "/bridge/sign-in": {"POST": 415},
    "/bridge/cancel": {"POST": 415},
    "/sign-in": {"GET": 200, "HEAD": 200, "POST": 403},
    "/sign-out": {"POST": 403},
    "/first-password": {"GET": 200, "HEAD": 200, "POST": 403},
    "/me": {"GET": 303, "HEAD": 303},
    "/me/history": {"GET": 303, "HEAD": 303},
    "/me/settings": {"GET": 303, "HEAD": 303},
    "/me/export": {"GET": 303, "HEAD": 303},
    "/me/password": {"POST": 403},
    "/me/sessions/end": {"POST": 403},
    "/me/language": {"POST": 403},
    "/me/notices": {"POST": 403},
    "/me/certificates/<serial>/<any(lost, cancel, renew):act>": {"GET": 303, "HEAD": 303, "POST": 403},
    "/me/certificates/<serial>/<any(lost, cancel, undo):act>": {"GET": 303, "HEAD": 303, "POST": 403},
    "/me/company": {"GET": 303, "HEAD": 303},
    "/me/company/apply": {"GET": 303, "HEAD": 303},
    "/me/company/hold/<serial>": {"GET": 303, "HEAD": 303},
    "/bridge/company/order-application": {"POST": 403},
    "/bridge/company/apply": {"POST": 403},
    "/bridge/company/order-hold": {"POST": 403},
    "/bridge/company/hold": {"POST": 403},
    "/root.pem": {"GET": 200, "HEAD": 200},
    "/health": {"GET": 200, "HEAD": 200},
    "/static/<path:filename>": {"GET": 404, "HEAD": 404},
    "/.well-known/est/cacerts": {"GET": 200, "HEAD": 200},
    "/.well-known/est/csrattrs": {"GET": 200, "HEAD": 200},
    "/.well-known/est/simpleenroll": {"POST": 401},
    "/.well-known/est/simplereenroll": {"POST": 403},
    "/.well-known/est/<operation>": {"GET": 404, "HEAD": 404, "POST": 404},
    "/.well-known/est/<label>/<operation>": {"GET": 404, "HEAD": 404, "POST": 404},
    "/enrolment/challenge": {"POST": 415},
    "/enrolment/confirm": {"POST": 415},
    "/enrolment/renew": {"POST": 415},
    "/enrolment/unlock": {"POST": 415},
    "/enrolment/unlocked": {"POST": 415},
    "/enrolment/profile-hints": {"GET": 401, "HEAD": 401},
}


def test_every_address_is_listed_here(client: FlaskClient) -> None:
    assert {rule.rule for rule in client.application.url_map.iter_rules()} == set(EXPECTED)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("rule", EXPECTED)
def test_every_address_answers_only_the_verbs_it_should(client: FlaskClient, rule: str, verb: str) -> None:
    # Of several words in a rule the first is asked for.
    path = re.sub("<[^>]+>", "none", re.sub(r"<any\((\w+)[^>]*>", r"\1", rule))

    response = client.open(path, method=verb)

    assert response.status_code == EXPECTED[rule].get(verb, 405)


@pytest.mark.parametrize(
    "path", ["/", "/none", "/health", "/.well-known/est/cacerts", "/enrolment/confirm", "/static/portal.css"]
)
def test_every_answer_carries_the_security_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as response:
        headers = response.headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Cache-Control" in headers
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/..\\app.py",
        "/static/portal.css%00.png",
        "/admin/",
        "/admin",
    ],
)
def test_nothing_else_can_be_reached(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_our_own_fault_gives_a_number_that_is_in_the_log_and_no_secret(
    client: FlaskClient, signer: FakeSigner, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(FakeSigner):
        def call(self, operation: Operation) -> dict[str, object]:
            raise ZeroDivisionError("inner matter")

    object.__setattr__(client.application.extensions["vermilion.customer"], "signer", Broken(signer.authority))
    caplog.set_level(logging.DEBUG)

    response = client.get("/enrolment/profile-hints", auth=("1234567894", "ABCD-EFGH-JKMC"))

    assert response.status_code == 500
    assert response.json is not None
    number = response.json["message"].rstrip(".").split()[-1]
    assert number in caplog.text
    assert "inner matter" not in response.text
    assert not [secret for secret in ("1234567894", "ABCD", "Authorization", "Basic") if secret in caplog.text]


def test_codes_show_in_no_representation(
    signer: FakeSigner, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    client.get("/enrolment/profile-hints", auth=("1234567894", "wrong-code"))
    client.get("/enrolment/profile-hints", auth=("1234567894", "ABCD-EFGH-JKMC"))

    assert "wrong-code" not in caplog.text
    assert "ABCD" not in caplog.text
