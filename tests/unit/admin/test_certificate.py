"""A certificate's page: its life, its chain with every link verified, lint, approvals verified now, request, files."""

import hashlib
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from ca.certificate_operations import ExamineCertificate
from ca.domain.errors import KeyStoreUnavailable
from tests.drafts import BORN
from tests.fakes.console import _CA, _DER, ACTIVE, ELSEWHERE, ENDING, HELD, REQUEST, REVOKED


def _page(serial):
    return f"/admin/certificates/details/?id={serial}"


PAGE = _page(ACTIVE)


def _section(page, name):
    return page.split(f'id="{name}"')[1].split("</section>")[0]


def test_the_chain_goes_up_to_the_root_and_each_link_is_verified(at):
    chain = _section(at("supervisor").text(PAGE), "chain")
    assert re.findall(r"/admin/certificates/issuers/(\w+)", chain) == ["issuing", "root"]
    assert chain.count("signature holds") == 2
    assert "does not hold" not in chain


def test_the_page_of_a_ca_shows_what_stands_in_its_certificate(at):
    page = at("supervisor").text("/admin/certificates/issuers/issuing")
    assert "CN=Demo Bank issuing" in page
    assert "basicConstraints" in page
    assert 'href="/admin/certificates/issuers/root"' in page
    assert at("supervisor").get("/admin/certificates/issuers/none").status_code == 404


@pytest.mark.parametrize("path", [f"{ACTIVE}/certificate", "issuers/root/certificate"])
def test_a_certificate_is_a_file_in_both_formats(at, path):
    der = _DER if ACTIVE in path else _CA.root.der
    binary, text = (at("supervisor").get(f"/admin/certificates/{path}.{kind}") for kind in ("der", "pem"))
    assert (binary.data, binary.mimetype) == (der, "application/pkix-cert")
    assert x509.load_pem_x509_certificate(text.data) == x509.load_der_x509_certificate(der)
    assert "attachment" in binary.headers["Content-Disposition"]


def test_the_chain_is_a_file_with_the_root_last(at):
    expected = [x509.load_der_x509_certificate(each) for each in (_DER, _CA.issuing.der, _CA.root.der)]
    text, packed = (at("supervisor").get(f"/admin/certificates/{ACTIVE}/chain.{kind}") for kind in ("pem", "p7c"))
    assert x509.load_pem_x509_certificates(text.data) == expected
    assert set(pkcs7.load_der_pkcs7_certificates(packed.data)) == set(expected)


@pytest.mark.parametrize("path", [f"{ACTIVE}/certificate.exe", f"{ACTIVE}/chain.der", f"{ELSEWHERE}/certificate.der"])
def test_there_is_no_other_file_and_none_of_another_branch(at, path):
    assert at("supervisor").get(f"/admin/certificates/{path}").status_code == 404


def test_findings_of_the_linter_are_shown_and_none_is_said(at, signer):
    assert "finds nothing" in _section(at("supervisor").text(PAGE), "lint")
    signer.findings = ["WARNING some.code: <b>too long</b>"]
    lint = _section(at("supervisor").text(PAGE), "lint")
    assert "&lt;b&gt;too long" in lint
    assert "finds nothing" not in lint


def test_approvals_are_verified_now_and_say_what_is_wrong(at, signer):
    approvals = _section(at("supervisor").text(PAGE), "approvals")
    assert "passkey signature verified just now" in approvals
    assert "E-approver" in approvals
    signer.flaw = "the passkey's signature does not hold"
    approvals = _section(at("supervisor").text(PAGE), "approvals")
    assert "does not hold" in approvals
    assert "verified just now" not in approvals


@pytest.mark.parametrize("wrong", ["", "the same person proposed the revocation"])
def test_the_second_officers_decision_on_its_end_is_verified_like_an_approval(at, signer, wrong):
    second = {"act": "approve-revocation", "case": "r", "person": "E-second", "at": "2026-11-22T08:04:05Z"}
    signer.ended_by_two = second | {"digest": "e1" * 32, "wrong": wrong}
    approvals = _section(at("supervisor").text(PAGE), "approvals")
    assert "E-second" in approvals
    assert approvals.count("passkey signature verified just now") == (1 if wrong else 2)
    assert ("the same person proposed the revocation" in approvals) is bool(wrong)


def test_what_cannot_be_verified_now_is_not_said_to_hold(at, signer):
    signer.refuse[ExamineCertificate.path] = KeyStoreUnavailable("the HSM does not answer")
    page = at("supervisor").text(PAGE)
    for section in ("lint", "approvals"):
        assert "The HSM does not answer" in _section(page, section)
    assert "verified just now" not in page
    assert "finds nothing" not in page


def test_the_request_is_shown_field_by_field_and_judged(at):
    request = _section(at("supervisor").text(PAGE), "request")
    for told in ("CN=Zhang Wei", "EC, secp256r1", "signed by the key that it is for", "matches its digest"):
        assert told in request
    for told in ("keyBirth", BORN, "made on the U-Shield, as the tool says"):
        assert told in request
    assert "does not hold" not in request


def test_a_request_whose_record_was_changed_is_said_to_be_so(at, signer):
    signer.request_flaw = "the kept request does not match its digest: its row was changed since it was recorded"
    request = _section(at("supervisor").text(PAGE), "request")
    assert "does not hold" in request
    assert "he kept request does not match its digest" in request
    assert "matches its digest</span>" not in request


def test_of_a_certificate_from_before_requests_were_kept_that_is_said(at):
    request = _section(at("supervisor").text(_page(REVOKED)), "request")
    assert "Its bytes were not kept" in request
    assert hashlib.sha256(REQUEST).hexdigest()[:4] in request
    assert "request.pem" not in request
    assert at("supervisor").get(f"/admin/certificates/{REVOKED}/request.pem").status_code == 404


def test_what_cannot_be_read_as_a_request_is_said_to_be_so_and_not_signed(at):
    request = _section(at("supervisor").text(_page(HELD)), "request")
    assert "cannot be shown field by field" in request
    assert "not signed by the key that it is for" in request
    assert "nothing is said of where the key was made" in request


def test_the_request_is_a_file_in_both_formats(at):
    binary, text = (at("supervisor").get(f"/admin/certificates/{ACTIVE}/request.{kind}") for kind in ("der", "pem"))
    assert (binary.data, binary.mimetype) == (REQUEST, "application/pkcs10")
    assert x509.load_pem_x509_csr(text.data) == x509.load_der_x509_csr(REQUEST)
    assert f"{ACTIVE}-request.pem" in text.headers["Content-Disposition"]
    for wrong in (f"{ACTIVE}/request.p7c", f"{ELSEWHERE}/request.pem"):
        assert at("supervisor").get(f"/admin/certificates/{wrong}").status_code == 404


def test_a_request_that_does_not_match_its_digest_is_no_file(at):
    answer = at("supervisor").get(f"/admin/certificates/{ENDING}/request.pem")
    assert answer.status_code == 500
    assert "does not match its digest" in answer.get_data(as_text=True)


def test_every_way_on_the_page_leads_to_a_section(at):
    page = at("supervisor").text(PAGE)
    nav = page.split('aria-label="On this page"')[1].split("</nav>")[0]
    anchors = re.findall(r'href="#(\w+)"', nav)
    assert anchors[0] == "fields"
    assert all(f'id="{anchor}"' in page for anchor in anchors)
