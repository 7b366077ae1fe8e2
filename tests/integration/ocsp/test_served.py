"""The status process as it is served, asked by openssl and curl: paths, limits, freshness, and its signer gone."""

import base64
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.x509 import ocsp as judge

from ca.domain.certificates import CertificateStatus
from ca.domain.ocsp import ErrorStatus, error_response
from ocsp.request import parse_request
from tests.fakes.ocsp_requests import build, nonce
from tests.fakes.status_site import PATIENCE, StatusSite, running_status
from tests.fakes.status_world import StatusWorld

pytestmark = [pytest.mark.socket, pytest.mark.openssl, pytest.mark.curl]


@pytest.fixture(scope="module")
def site() -> Iterator[StatusSite]:
    with running_status() as site:
        for serial in (0xA1, 0xA2, 0xA3, 0xA5):
            site.world.issue(serial)
        site.world.issue(0xA4, CertificateStatus.UNCONFIRMED)
        site.world.revoke(0xA2)
        site.world.suspend(0xA3)
        site.sync()
        site.publish()
        site.publish("root")
        yield site


def run(*command: str | Path, **options: bytes) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, timeout=PATIENCE, check=False, **options
    )  # type: ignore[call-overload]  # input only
    return str((done.stdout + done.stderr).decode(errors="replace"))


def openssl_ocsp(site: StatusSite, serial: int, *options: str, more: tuple[str, ...] = ()) -> str:
    return run(
        *("openssl", "ocsp", *options),
        *("-issuer", site.directory / "issuing.pem", "-CAfile", site.directory / "root.pem"),
        *("-verify_other", site.directory / "issuing.pem"),
        *("-serial", f"0x{serial:x}", *more, "-url", f"{site.url}/ocsp", "-timeout", f"{PATIENCE:.0f}"),
    )


def curl(site: StatusSite, path: str, *options: str, body: bytes | None = None) -> tuple[str, dict[str, str], bytes]:
    """Status code, headers and body, with the path sent as it is."""
    given = [] if body is None else ["--data-binary", "@-", "-H", "Content-Type: application/ocsp-request"]
    done = subprocess.run(
        ["curl", "-s", "-i", "--path-as-is", "-H", "Expect:", *options, *given, f"{site.url}{path}"],
        input=body or b"",
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return status.split()[1], {key.lower(): value for key, value in (line.split(": ", 1) for line in lines)}, content


def status_of(body: bytes) -> str:
    return judge.load_der_ocsp_response(body).certificate_status.name


@pytest.mark.parametrize("options", [(), ("-no_nonce",), ("-sha256",), ("-sha256", "-no_nonce"), ("-sha512",)])
def test_openssl_finds_good_revoked_held_and_unknown(site: StatusSite, options: tuple[str, ...]) -> None:
    for serial, words in {
        0xA1: ("good",),
        0xA2: ("revoked", "keyCompromise"),
        0xA3: ("revoked", "certificateHold"),
        0xA4: ("revoked", "certificateHold"),
        0xFFFF: ("unknown",),
    }.items():
        answer = openssl_ocsp(site, serial, *options)
        assert "Response verify OK" in answer
        assert "WARNING" not in answer
        assert f"0x{serial:x}: {words[0]}" in answer
        for word in words[1:]:
            assert f"Reason: {word}" in answer


def test_openssl_asks_about_several_at_once(site: StatusSite) -> None:
    answer = openssl_ocsp(site, 0xA1, more=("-serial", "0xa2"))
    assert "Response verify OK" in answer
    assert "0xa1: good" in answer
    assert "0xa2: revoked" in answer


def test_openssl_is_unauthorized_for_a_foreign_issuer_and_for_the_root(site: StatusSite) -> None:
    site.write_pem("stranger", StatusWorld().issuing.certificate_der)
    for issuer in ("stranger", "root"):
        answer = run(
            *("openssl", "ocsp", "-issuer", site.directory / f"{issuer}.pem", "-serial", "1"),
            *("-url", f"{site.url}/ocsp"),
        )
        assert "unauthorized (6)" in answer


def telling(site: StatusSite) -> tuple[bytes, str]:
    """A request whose base64 has `+`, `//` and padding: what gets lost when somebody decodes once too often."""
    for serial in range(0xFFFF_F000_0000, 0xFFFF_FFFF_FFFF, 0x0F_0F0F):
        request = site.world.asked(serial)
        text = base64.b64encode(request).decode()
        if "+" in text and "//" in text and text.endswith("="):
            return request, text
    raise AssertionError


@pytest.mark.curl
def test_every_way_to_write_a_get_survives_the_server(site: StatusSite) -> None:
    request, text = telling(site)
    encoded = text.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")
    expected = parse_request(request).cert_ids[0].serial
    for path in (text, encoded, encoded.replace("%2F", "%2f"), f"/{text}"):
        code, headers, body = curl(site, f"/ocsp/{path}")
        assert code == "200"
        assert headers["content-type"] == "application/ocsp-response"
        assert judge.load_der_ocsp_response(body).serial_number == expected


def test_post_and_get_give_the_same_answer(site: StatusSite) -> None:
    request = site.world.asked(0xA1)
    for path in ("/ocsp", "/ocsp/"):
        code, headers, body = curl(site, path, body=request)
        assert (code, status_of(body), headers["cache-control"]) == ("200", "GOOD", "no-store")
    _, _, body = curl(site, "/ocsp", "-H", "Transfer-Encoding: chunked", body=request)
    assert status_of(body) == "GOOD"


def test_a_get_is_kept_validated_and_asked_by_head(site: StatusSite) -> None:
    path = "/ocsp/" + base64.b64encode(site.world.asked(0xA5)).decode()
    _, headers, body = curl(site, path)
    assert headers["cache-control"].startswith("max-age=60, public")
    assert headers["content-length"] == str(len(body))
    _, headers, none = curl(site, path, "--head")
    assert none == b""
    assert int(headers["content-length"]) > 500
    # Each worker has an answer of its own, and the tag is of one of them: asked often enough, that one is met.
    codes = (curl(site, path, "-H", f"If-None-Match: {headers['etag']}")[0] for _ in range(200))
    assert "304" in codes


def test_a_nonce_is_echoed_and_never_kept(site: StatusSite) -> None:
    cert_id = parse_request(site.world.asked(0xA1)).cert_ids[0].der
    request = build(cert_id, extensions=(nonce(b"n" * 32),))
    _, headers, body = curl(site, "/ocsp/" + base64.b64encode(request).decode())
    answer = judge.load_der_ocsp_response(body)
    assert answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32
    assert headers["cache-control"] == "no-store"


def test_limits_hold(site: StatusSite) -> None:
    assert curl(site, "/ocsp", body=bytes(8193))[0] == "413"
    assert curl(site, "/ocsp", "-H", "Transfer-Encoding: chunked", body=bytes(100_000))[0] == "413"
    assert curl(site, "/ocsp/" + "A" * 4096)[0] == "414"
    assert curl(site, "/ocsp/" + "A" * 100_000)[0] == "414"
    assert curl(site, "/ocsp", "-X", "PUT")[0] == "405"


@pytest.mark.parametrize("path", ["/ocsp/junk", "/ocsp/", "/ocsp/%00", "/ocsp/%FF", "/ocsp/%", "/ocsp/a/../../b"])
def test_junk_is_malformed(site: StatusSite, path: str) -> None:
    code, _, body = curl(site, path)
    assert (code, body) == ("200", error_response(ErrorStatus.MALFORMED_REQUEST))


@pytest.mark.parametrize(
    "path",
    [
        "/crl/../app.py",
        "/crl/%2e%2e/%2e%2e/database.sqlite3",
        "/crl/..%2f..%2fapp.py",
        "/crl/%2e%2e%2fca%2froot.cer",
        "//crl/issuing.crl",
        "/crl/issuing.crl%00",
        "/../app.py",
    ],
)
def test_no_path_leaves_what_is_published(site: StatusSite, path: str) -> None:
    assert curl(site, path)[0] == "404"


def test_a_revocation_shows_in_the_next_answer_of_every_worker(site: StatusSite) -> None:
    site.world.issue(0xB1)
    site.sync()
    request = site.world.asked(0xB1)
    assert {status_of(curl(site, "/ocsp", body=request)[2]) for _ in range(12)} == {"GOOD"}

    site.world.revoke(0xB1)
    site.sync()

    assert [status_of(curl(site, "/ocsp", body=request)[2]) for _ in range(12)] == ["REVOKED"] * 12


def test_the_responders_certificate_is_rolled_over_between_answers_and_each_of_them_verifies(site: StatusSite) -> None:
    site.world.issue(0xC1)
    site.sync()
    cert_id = parse_request(site.world.asked(0xC1)).cert_ids[0].der
    issuer = x509.load_der_x509_certificate(site.world.issuing.certificate_der)
    responders = set()
    for number in range(60):
        if number == 20:
            site.world.certify_responder(life=timedelta(minutes=10), serial=0x05CB)
        request = build(cert_id, extensions=(nonce(b"%032d" % number),)) if number % 2 else site.world.asked(0xC1)
        answer = judge.load_der_ocsp_response(curl(site, "/ocsp", body=request)[2])
        assert answer.certificate_status is judge.OCSPCertStatus.GOOD
        (certificate,) = answer.certificates
        certificate.verify_directly_issued_by(issuer)
        key, hash_algorithm = certificate.public_key(), answer.signature_hash_algorithm
        assert isinstance(key, EllipticCurvePublicKey)
        assert hash_algorithm
        key.verify(answer.signature, answer.tbs_response_bytes, ECDSA(hash_algorithm))
        assert answer.next_update_utc
        assert answer.next_update_utc <= certificate.not_valid_after_utc
        responders.add(certificate.serial_number)
    assert responders == {site.world.responder.serial, 0x05CB}


def test_openssl_reads_the_crl_and_checks_certificates_against_it(site: StatusSite) -> None:
    code, headers, crl = curl(site, "/crl/issuing.crl")
    assert (code, headers["content-type"]) == ("200", "application/pkix-crl")
    path = site.directory / "fetched.crl"
    path.write_bytes(crl)
    text = run(
        "openssl", "crl", "-inform", "DER", "-in", path, "-noout", "-text", "-CAfile", site.directory / "issuing.pem"
    )
    assert "verify OK" in text
    assert "Version 2" in text
    for words in ("Serial Number: A2", "Key Compromise", "Serial Number: A3", "Certificate Hold", "X509v3 CRL Number"):
        assert words in text

    pem = site.directory / "crls.pem"
    pem.write_text(
        run("openssl", "crl", "-inform", "DER", "-in", path)
        + run("openssl", "crl", "-inform", "DER", "-in", site.directory / "publication/crl/root.crl")
    )
    for serial, words in {0xA1: "OK", 0xA2: "certificate revoked"}.items():
        certificate = site.write_pem("subscriber", site.world.unit_of_work.certificates[serial].der)
        answer = run(
            *("openssl", "verify", "-crl_check_all", "-CRLfile", pem, "-CAfile", site.directory / "root.pem"),
            *("-untrusted", site.directory / "issuing.pem", certificate),
        )
        assert words in answer


def test_the_crl_is_validated_by_tag_and_date(site: StatusSite) -> None:
    _, headers, _ = curl(site, "/crl/issuing.crl")
    assert curl(site, "/crl/issuing.crl", "-H", f"If-None-Match: {headers['etag']}")[0] == "304"
    assert curl(site, "/crl/issuing.crl", "-H", f"If-Modified-Since: {headers['last-modified']}")[0] == "304"
    assert curl(site, "/crl/issuing.crl", "--head")[2] == b""


def test_ca_certificates_and_health_are_served(site: StatusSite) -> None:
    code, headers, body = curl(site, "/ca/issuing.cer")
    assert (code, headers["content-type"]) == ("200", "application/pkix-cert")
    assert body == site.world.issuing.certificate_der
    assert curl(site, "/health")[0] == "200"


def test_without_its_signer_it_gives_what_it_has_and_else_says_later() -> None:
    with running_status(workers=1) as site:
        site.world.issue(0xA1)
        site.world.issue(0xA2)
        site.sync()
        assert status_of(curl(site, "/ocsp", body=site.world.asked(0xA1))[2]) == "GOOD"
        site.stop_signer()
        time.sleep(0.2)

        assert status_of(curl(site, "/ocsp", body=site.world.asked(0xA1))[2]) == "GOOD"
        site.world.revoke(0xA1)
        site.sync()
        (site.directory / "standings/data.mdb").rename(site.directory / "away")
        time.sleep(0.5)
        code, headers, body = curl(site, "/ocsp", body=site.world.asked(0xA1))
        assert (code, body, headers["retry-after"]) == ("200", error_response(ErrorStatus.TRY_LATER), "5")
        assert curl(site, "/health")[0] == "503"
