"""A certificate's page: its life, its chain with every link verified, lint, approvals verified now, request, files."""

import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from ca.certificate_operations import ExamineCertificate
from ca.domain.errors import KeyStoreUnavailable
from tests.fakes.console import _CA, _DER, ACTIVE, ELSEWHERE

PAGE = f"/admin/certificates/details/?id={ACTIVE}"


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


def test_what_cannot_be_verified_now_is_not_said_to_hold(at, signer):
    signer.refuse[ExamineCertificate.path] = KeyStoreUnavailable("the HSM does not answer")
    page = at("supervisor").text(PAGE)
    for section in ("lint", "approvals"):
        assert "The HSM does not answer" in _section(page, section)
    assert "verified just now" not in page
    assert "finds nothing" not in page


def test_of_the_request_only_what_is_kept_is_told(at):
    request = _section(at("supervisor").text(PAGE), "request")
    assert "5e" * 2 in request
    assert "not its bytes" in request


def test_every_way_on_the_page_leads_to_a_section(at):
    page = at("supervisor").text(PAGE)
    nav = page.split('aria-label="On this page"')[1].split("</nav>")[0]
    anchors = re.findall(r'href="#(\w+)"', nav)
    assert anchors[0] == "fields"
    assert all(f'id="{anchor}"' in page for anchor in anchors)
