"""Confirmation speaks JSON, strictly."""

import base64
import json

import pytest
from flask.testing import FlaskClient

from ca.operations import Confirm
from tests.fakes.signer import NONCE, FakeSigner
from tests.fakes.software_ca import certification_request

JSON = "application/json"


@pytest.fixture
def serial(client: FlaskClient, signer: FakeSigner, basic: dict[str, str]) -> str:
    client.post(
        "/.well-known/est/simpleenroll",
        data=certification_request(),
        headers=basic,
        content_type="application/pkcs10",
    )
    return f"{signer.issued[0].serial_number:x}"


def test_a_nonce_is_given_for_a_certificate_of_ours(client: FlaskClient, serial: str) -> None:
    response = client.post("/enrolment/challenge", json={"serial": serial})

    assert response.json == {"nonce": base64.b64encode(NONCE).decode(), "expires_in": 300}


def test_a_proof_makes_the_certificate_active(client: FlaskClient, signer: FakeSigner, serial: str) -> None:
    proof = {"serial": serial, "nonce": base64.b64encode(NONCE).decode(), "signature": base64.b64encode(b"s").decode()}

    response = client.post("/enrolment/confirm", json=proof)

    assert response.json == {"serial": serial, "status": "active"}
    assert signer.asked[-1] == Confirm(serial=serial, nonce=NONCE, signature=b"s")


def test_an_unknown_serial_is_not_found(client: FlaskClient) -> None:
    response = client.post("/enrolment/challenge", json={"serial": "abc"})

    assert response.status_code == 404
    assert response.json == {"error": "not-found", "message": "there is no certificate with this serial number"}


@pytest.mark.parametrize("path", ["challenge", "confirm"])
def test_unknown_serials_from_one_source_soon_reach_the_signer_no_more(
    client: FlaskClient, signer: FakeSigner, path: str
) -> None:
    message = {"serial": "abc"} if path == "challenge" else {"serial": "abc", "nonce": "bg==", "signature": "cw=="}
    statuses = [client.post(f"/enrolment/{path}", json=message).status_code for _ in range(11)]

    assert statuses == [404] * 10 + [429]
    assert len(signer.asked) == 10


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"abc"',
        b'{"serial": 5}',
        b'{"serial": null}',
        b'{"serial": ["a"]}',
        b"{}",
        b'{"serial": "a", "role": "admin"}',
        b'{"serial": "a", "serial": "b"}',
        b'{"serial": "' + b"a" * 65 + b'"}',
        b"\xff\xfe",
        b'{"serial": ' + b"[" * 15000,
        b'{"serial": 1e999}',
        b'{"serial": ' + b"9" * 5000 + b"}",
    ],
)
def test_anything_but_the_message_as_agreed_is_refused(client: FlaskClient, signer: FakeSigner, body: bytes) -> None:
    response = client.post("/enrolment/challenge", data=body, content_type=JSON)

    assert (response.status_code, json.loads(response.data)["error"], signer.asked) == (400, "invalid-request", [])


def test_what_is_too_large_or_of_another_kind_is_said_in_our_words(client: FlaskClient) -> None:
    large = client.post("/enrolment/challenge", data=b"{" + b" " * 40_000, content_type=JSON)
    wrong = client.get("/enrolment/challenge")

    assert (large.status_code, large.json) == (
        413,
        {"error": "too-large", "message": "What you sent is larger than any request here needs."},
    )
    assert (wrong.status_code, wrong.json) == (
        405,
        {"error": "method-not-allowed", "message": "This address does not take requests of this kind."},
    )


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/json5"])
def test_only_json_is_read(client: FlaskClient, content_type: str) -> None:
    response = client.post("/enrolment/challenge", data=b'{"serial": "a"}', content_type=content_type)

    assert (response.status_code, response.mimetype) == (415, JSON)


def test_hints_tell_what_the_codes_stand_for(client: FlaskClient, signer: FakeSigner, basic: dict[str, str]) -> None:
    response = client.get("/enrolment/profile-hints", headers=basic)

    assert response.status_code == 200
    assert response.json is not None
    assert response.json["profile"] == "machine"


def test_hints_ask_for_the_codes(client: FlaskClient) -> None:
    response = client.get("/enrolment/profile-hints")

    assert (response.status_code, response.mimetype) == (401, JSON)
    assert response.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_the_endpoint_answers_429_with_the_time_to_wait(client: FlaskClient) -> None:
    answers = [
        client.get("/enrolment/profile-hints", headers={"X-Forwarded-For": "192.0.2.7"}, auth=(f"{number:010}", "x"))
        for number in range(11)
    ]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert answers[-1].headers["Retry-After"] == "10"
    assert answers[-1].json is not None
    assert answers[-1].json["error"] == "too-many-requests"
    assert client.get("/enrolment/profile-hints", auth=("1234567894", "ABCD-EFGH-JKMC")).status_code == 200
