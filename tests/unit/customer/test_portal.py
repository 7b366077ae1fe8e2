"""The page a customer sees first."""

import hashlib

import pytest
from cryptography import x509
from flask.testing import FlaskClient

from ca.portal_operations import ListOwnDevices
from customer.account import COOKIE
from tests.fakes.signer import FakeSigner
from tests.fakes.software_ca import SoftwareCA


def test_the_page_says_how_to_download_in_the_customers_words(client: FlaskClient) -> None:
    page = client.get("/").text

    assert "Download my Certificate" in page
    assert "ushield download --server https://bank.example --reference 1234567894 --ca-file root.pem" in page
    assert "http://status.bank.example/ocsp" in page


def test_the_page_works_without_script_and_escapes_what_it_is_given(client: FlaskClient) -> None:
    page = client.get("/").text

    assert "<script" not in page
    assert "style=" not in page
    assert "Test &lt;Bank&gt;" in page


def test_the_root_certificate_can_be_compared_with_its_fingerprint(client: FlaskClient, authority: SoftwareCA) -> None:
    root = x509.load_pem_x509_certificate(client.get("/root.pem").data)

    assert root == authority.root.certificate
    assert hashlib.sha256(authority.root.der).hexdigest() in client.get("/").text.replace(" ", "")


@pytest.mark.parametrize("path", ["/check", "/download"])
def test_only_who_is_signed_in_is_told_which_u_shields_are_theirs(
    client: FlaskClient, signer: FakeSigner, path: str
) -> None:
    signer.portal = {ListOwnDevices: {"devices": ["0a'b1"]}}
    nobody = client.get(path, base_url="https://bank.example").text
    client.set_cookie(COOKIE, "token-1", domain="bank.example")

    mine = client.get(path, base_url="https://bank.example").text

    assert "data-devices='null'" in nobody
    assert "data-devices='[\"0A\\u0027B1\"]'" in mine


def test_a_missing_page_says_so_and_leads_back(client: FlaskClient) -> None:
    response = client.get("/none")

    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "There is nothing at this address." in response.text
    assert 'href="/"' in response.text


def test_the_page_is_kind_when_the_ceremony_was_not_held_yet(client: FlaskClient, tmp_path) -> None:
    (tmp_path / "chain.pem").write_text("no certificate")

    response = client.get("/")

    assert response.status_code == 503
    assert "try again in a minute" in response.text
