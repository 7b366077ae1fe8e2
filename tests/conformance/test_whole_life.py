"""One certificate's whole life, by programs that are not ours: curl downloads, openssl and GnuTLS judge."""

import base64
from pathlib import Path

import pytest

from tests.integration.system.clients import (
    EST,
    ask_ocsp,
    ask_ocsp_by_get,
    curl,
    enroll,
    issue,
    issuing_pem,
    new_request,
    openssl,
    serial_of,
    unpack,
)
from tests.integration.system.running import Demo, run

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.openssl, pytest.mark.curl]


def act(demo: Demo, *argv: object) -> None:
    ran = demo.pki("demo", *argv)
    assert ran.status == 0, ran


def crl_text(demo: Demo, directory: Path) -> str:
    file = directory / "issuing.crl"
    answer = curl(demo, directory, f"{demo.status_url}/crl/issuing.crl")
    assert (answer.status, answer.header("Content-Type")) == (200, "application/pkix-crl")
    file.write_bytes(answer.body)
    issuer = issuing_pem(demo, directory)
    return openssl("crl", "-inform", "DER", "-in", file, "-CAfile", issuer, "-verify", "-noout", "-text")


def test_a_certificate_is_good_then_held_then_released_then_revoked(demo: Demo, tmp_path: Path) -> None:
    (codes,) = demo.printed_codes("--profile", "machine")
    certificate = issue(demo, tmp_path, codes)
    serial = serial_of(certificate)
    what = ("-cert", certificate)

    openssl("verify", "-x509_strict", "-CAfile", demo.root_pem, "-untrusted", issuing_pem(demo, tmp_path), certificate)
    assert f"{certificate}: good" in ask_ocsp(demo, tmp_path, *what)
    assert serial.upper() not in crl_text(demo, tmp_path)

    act(demo, "hold", serial)
    held = ask_ocsp(demo, tmp_path, *what)
    assert f"{certificate}: revoked" in held
    assert "Reason: certificateHold" in held
    assert serial.upper() in crl_text(demo, tmp_path)

    act(demo, "release", serial)
    assert f"{certificate}: good" in ask_ocsp(demo, tmp_path, *what)

    act(demo, "revoke", serial, "--reason", "keyCompromise")
    revoked = ask_ocsp(demo, tmp_path, *what)
    assert f"{certificate}: revoked" in revoked
    assert "Reason: keyCompromise" in revoked
    assert f"{certificate}: revoked" in ask_ocsp_by_get(demo, tmp_path, certificate)
    assert serial.upper() in crl_text(demo, tmp_path)
    assert "Key Compromise" in crl_text(demo, tmp_path)

    chain = ("-CAfile", demo.root_pem, "-untrusted", tmp_path / "issuing.pem")
    (tmp_path / "crls.pem").write_text(
        openssl("crl", "-inform", "DER", "-in", tmp_path / "issuing.crl", "-outform", "PEM")
    )
    judged = run("openssl", "verify", "-crl_check", "-CRLfile", tmp_path / "crls.pem", *chain, certificate)
    assert (judged.status != 0, "certificate revoked" in judged.text) == (True, True), judged


def test_ocsp_answers_post_get_nonce_and_both_hashes(demo: Demo, tmp_path: Path) -> None:
    certificate = issue(demo, tmp_path, demo.codes("machine")[0])

    with_nonce = ask_ocsp(demo, tmp_path, "-cert", certificate, "-nonce")
    with_sha256 = ask_ocsp(demo, tmp_path, "-sha256", "-cert", certificate)
    without = ask_ocsp(demo, tmp_path, "-cert", certificate, "-no_nonce")
    several = ask_ocsp(demo, tmp_path, "-cert", certificate, "-serial", "0xdeadbeef")

    assert f"{certificate}: good" in with_nonce
    assert "OCSP Nonce" in with_nonce.split("OCSP Response Data")[1]
    assert "WARNING: no nonce in response" not in with_nonce
    assert "Hash Algorithm: sha256" in with_sha256.split("OCSP Response Data")[1]
    assert "OCSP Nonce" not in without
    assert f"{certificate}: good" in several
    assert "0xdeadbeef: unknown" in several
    assert f"{certificate}: good" in ask_ocsp_by_get(demo, tmp_path, certificate)


def test_a_serial_that_was_never_issued_is_unknown(demo: Demo, tmp_path: Path) -> None:
    said = ask_ocsp(demo, tmp_path, "-serial", "0x123456789abcdef")

    assert "0x123456789abcdef: unknown" in said


def test_the_certificate_of_the_responder_needs_no_check(demo: Demo, tmp_path: Path) -> None:
    said = ask_ocsp(demo, tmp_path, "-serial", "1")

    assert "OCSP No Check" in said
    assert "OCSP Signing" in said


def test_the_urls_in_a_certificate_lead_to_crl_issuer_and_responder(
    stopped_demo: Demo, demo: Demo, tmp_path: Path
) -> None:
    certificate = issue(demo, tmp_path, demo.codes("machine")[0])
    said = openssl("x509", "-in", certificate, "-noout", "-ext", "crlDistributionPoints,authorityInfoAccess")
    # The issuer's URLs are those of the key ceremony: the port that the first start was given.
    urls = [line.split("URI:")[1].strip() for line in said.splitlines() if "URI:" in line]
    here = [url.replace(f":{stopped_demo.http}/", f":{demo.http}/") for url in urls]

    crl, issuer = (next(url for url in here if url.endswith(end)) for end in (".crl", ".cer"))
    responder = openssl("x509", "-in", certificate, "-noout", "-ocsp_uri").strip()
    (tmp_path / "fetched.cer").write_bytes(curl(demo, tmp_path, issuer).body)
    (tmp_path / "fetched.crl").write_bytes(curl(demo, tmp_path, crl).body)

    openssl("crl", "-inform", "DER", "-in", tmp_path / "fetched.crl", "-noout")
    fetched = openssl("x509", "-inform", "DER", "-in", tmp_path / "fetched.cer", "-noout", "-fingerprint", "-sha256")
    assert fetched == openssl("x509", "-in", issuing_pem(demo, tmp_path), "-noout", "-fingerprint", "-sha256")
    assert f"{certificate}: good" in ask_ocsp(
        demo, tmp_path, "-cert", certificate, url=responder.replace(f":{stopped_demo.http}/", f":{demo.http}/")
    )


def test_curl_gets_the_ca_certificates_and_the_request_attributes(demo: Demo, tmp_path: Path) -> None:
    cacerts = curl(demo, tmp_path, f"{demo.url}{EST}/cacerts")
    attributes = curl(demo, tmp_path, f"{demo.url}{EST}/csrattrs")

    assert (cacerts.status, cacerts.header("Content-Type").split(";")[0]) == (200, "application/pkcs7-mime")
    subjects = unpack(cacerts, tmp_path, "chain").read_text()
    assert subjects.count("BEGIN CERTIFICATE") == 2
    assert (attributes.status, attributes.header("Content-Type")) == (200, "application/csrattrs")
    openssl("asn1parse", "-inform", "DER", stdin=base64.b64decode(attributes.body, validate=True))


def test_a_renewal_needs_the_certificate_it_follows(demo: Demo, tmp_path: Path) -> None:
    (codes,) = demo.codes("machine")
    certificate = issue(demo, tmp_path, codes)
    subject = openssl("x509", "-in", certificate, "-noout", "-subject", "-nameopt", "sep_multiline,utf8")
    attributes = [line.strip() for line in subject.splitlines() if "=" in line and not line.startswith("subject")]
    new_request(tmp_path, "next", subject="".join(f"/{one}" for one in attributes))
    renewal = (
        *("-H", "Content-Type: application/pkcs10", "--data-binary", f"@{tmp_path / 'next.b64'}"),
        f"{demo.url}{EST}/simplereenroll",
    )
    own = ("--cert", certificate, "--key", tmp_path / "key.key")

    without = curl(demo, tmp_path, renewal[-1], *renewal[:-1])
    renewed = curl(demo, tmp_path, renewal[-1], *own, *renewal[:-1])
    again = curl(demo, tmp_path, renewal[-1], *own, *renewal[:-1])

    assert without.status == 403
    assert renewed.status == 200, renewed
    assert again.body == renewed.body
    successor = unpack(renewed, tmp_path, "next")
    assert serial_of(successor) != serial_of(certificate)
    assert openssl("x509", "-in", successor, "-noout", "-subject") == openssl(
        "x509", "-in", certificate, "-noout", "-subject"
    )


def test_a_revoked_certificate_renews_nothing(demo: Demo, tmp_path: Path) -> None:
    certificate = issue(demo, tmp_path, demo.codes("machine")[0])
    act(demo, "revoke", serial_of(certificate))
    new_request(tmp_path, "next")

    answer = curl(
        *(demo, tmp_path, f"{demo.url}{EST}/simplereenroll", "--cert", certificate, "--key", tmp_path / "key.key"),
        *("-H", "Content-Type: application/pkcs10", "--data-binary", f"@{tmp_path / 'next.b64'}"),
    )

    assert answer.status == 403, answer


def test_wrong_unknown_and_locked_codes_look_alike_and_the_door_locks(demo: Demo, tmp_path: Path) -> None:
    (codes,) = demo.codes("machine")
    new_request(tmp_path)

    unknown = enroll(demo, tmp_path, {**codes, "reference_number": "0000000000"})
    wrong = [enroll(demo, tmp_path, codes, secret="AAAA-AAAA-AAAA") for _ in range(5)]
    locked = enroll(demo, tmp_path, codes)

    answers = [unknown, *wrong, locked]
    assert {answer.status for answer in answers} == {401}
    assert {answer.body for answer in answers} == {unknown.body}
    (challenge,) = {answer.header("WWW-Authenticate") for answer in answers}
    assert challenge.startswith('Basic realm="Vermilion enrolment"')
    assert demo.rows("SELECT state FROM code_pairs WHERE reference = ?", codes["reference_number"]) == [("locked",)]


def test_gnutls_trusts_the_chain_the_crl_and_the_responder(demo: Demo, tmp_path: Path) -> None:
    if run("sh", "-c", "command -v certtool && command -v ocsptool").status:
        pytest.skip("needs GnuTLS' programs: apt-get install gnutls-bin")
    certificate = issue(demo, tmp_path, demo.codes("machine")[0])
    crl_text(demo, tmp_path)
    issuer = issuing_pem(demo, tmp_path)
    chain, crl_pem = tmp_path / "chain.pem", tmp_path / "crl.pem"
    chain.write_bytes(certificate.read_bytes() + issuer.read_bytes() + demo.root_pem.read_bytes())
    openssl("crl", "-inform", "DER", "-in", tmp_path / "issuing.crl", "-out", crl_pem)

    verified = run("certtool", "--verify", "--load-ca-certificate", demo.root_pem, "--infile", chain)
    crl = run("certtool", "--verify-crl", "--load-ca-certificate", issuer, "--infile", crl_pem)
    # GnuTLS wants the CA that signed the responder's certificate, not the root, among the trusted.
    ocsp = run(
        *("ocsptool", f"--ask={demo.status_url}/ocsp", "--nonce", "--load-cert", certificate, "--load-issuer", issuer),
        *("--load-trust", issuer, "--outfile", tmp_path / "gnutls.der"),
    )
    response = run("ocsptool", "--response-info", "--infile", tmp_path / "gnutls.der")

    assert "The certificate is trusted" in verified.text, verified
    assert "Verified" in crl.text, crl
    assert "Verifying OCSP Response: Success" in ocsp.text, ocsp
    assert "Certificate Status: good" in response.text, response
    assert (verified.status, crl.status, ocsp.status, response.status) == (0, 0, 0, 0)
