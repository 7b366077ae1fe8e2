"""The way from a page's button to the tool."""

import pytest
from flask.testing import FlaskClient

from ca.domain.errors import InvalidRequest, NotAuthenticated
from ca.portal_operations import CancelByKey, OrderToolJob, PortalSignInByKey
from tests.fakes.signer import FakeSigner

DOWNLOAD = {"operation": "download", "reference": "1234567894"}


def test_a_page_of_ours_gets_a_job(client: FlaskClient) -> None:
    response = client.post("/bridge/jobs", json=DOWNLOAD, headers={"Sec-Fetch-Site": "same-origin"})

    assert response.json == {"job": "signed.download.1234567894"}


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_another_page_gets_none(client: FlaskClient, signer: FakeSigner, site: str) -> None:
    response = client.post("/bridge/jobs", json=DOWNLOAD, headers={"Sec-Fetch-Site": site})

    assert response.status_code == 403
    assert signer.asked == []


@pytest.mark.parametrize("body", [{}, {"operation": "check", "origin": "https://evil.example"}, {"operation": 7}])
def test_what_the_signer_does_not_know_is_not_passed_on(client: FlaskClient, signer: FakeSigner, body: object) -> None:
    response = client.post("/bridge/jobs", json=body)

    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"] == "invalid-request"
    assert signer.asked == []


def test_a_refusal_reaches_the_page_in_words(client: FlaskClient, signer: FakeSigner) -> None:
    signer.refusal = InvalidRequest("a reference number has 10 digits")

    response = client.post("/bridge/jobs", json=DOWNLOAD)

    assert (response.status_code, response.json) == (
        400, {"error": "invalid-request", "message": "a reference number has 10 digits"},
    )  # fmt: skip


def test_the_language_of_a_job_is_the_pages_and_nobody_elses_to_say(client: FlaskClient, signer: FakeSigner) -> None:
    client.post("/bridge/jobs", json=DOWNLOAD, headers={"Accept-Language": "zh-CN"})
    refused = client.post("/bridge/jobs", json=DOWNLOAD | {"language": "en"})

    assert [one.language for one in signer.asked if isinstance(one, OrderToolJob)] == ["zh"]
    assert refused.status_code == 400


def test_who_has_odd_jobs_ordered_is_slowed_down(client: FlaskClient, signer: FakeSigner) -> None:
    signer.refusal = InvalidRequest("no")
    statuses = [client.post("/bridge/jobs", json=DOWNLOAD).status_code for _ in range(12)]

    assert statuses == [400] * 10 + [429] * 2


def test_the_download_page_asks_for_no_code_and_no_password(client: FlaskClient) -> None:
    page = client.get("/download").text

    assert page.count("<input") == 1
    assert 'type="password"' not in page
    assert "ushield download --server https://bank.example" in page


STATED = {"certificate": "MAA=", "nonce": "AAAA", "signature": "AAAA"}


def test_a_statement_of_the_ushield_opens_a_session(client: FlaskClient, signer: FakeSigner) -> None:
    signer.portal[PortalSignInByKey] = {"token": "token-7", "customer": {}}
    response = client.post("/bridge/sign-in", json=STATED, base_url="https://bank.example")

    assert response.json == {"next": "/me"}
    assert "token-7" in response.headers["Set-Cookie"]
    assert "SameSite=Strict" in response.headers["Set-Cookie"]
    assert signer.asked == [PortalSignInByKey.model_validate({**STATED, "source": "local"})]


def test_a_statement_ends_a_certificate_though_nobody_is_signed_in(client: FlaskClient, signer: FakeSigner) -> None:
    signer.portal[CancelByKey] = {"serial": "a1", "status": "revoked"}

    assert client.post("/bridge/cancel", json={**STATED, "serial": "a1"}).json == {"serial": "a1", "status": "revoked"}


@pytest.mark.parametrize("path", ["/bridge/sign-in", "/bridge/cancel"])
def test_a_statement_that_proves_nothing_is_refused_and_braked(
    client: FlaskClient, signer: FakeSigner, path: str
) -> None:
    signer.refusal = NotAuthenticated("this U-Shield did not prove that it is yours")
    body = STATED | ({"serial": "a1"} if path.endswith("cancel") else {})
    answers = [client.post(path, json=body) for _ in range(12)]

    assert [one.status_code for one in answers] == [403] * 10 + [429] * 2
    assert "did not prove" in answers[0].text
    assert all("Set-Cookie" not in one.headers for one in answers)


@pytest.mark.parametrize("path", ["/bridge/sign-in", "/bridge/cancel"])
def test_another_page_states_nothing_and_no_page_says_where_it_comes_from(
    client: FlaskClient, signer: FakeSigner, path: str
) -> None:
    cross = client.post(path, json=STATED, headers={"Sec-Fetch-Site": "cross-site"})
    lying = client.post(path, json={**STATED, "serial": "a1", "source": "192.0.2.9"})

    assert (cross.status_code, lying.status_code, signer.asked) == (403, 400, [])
