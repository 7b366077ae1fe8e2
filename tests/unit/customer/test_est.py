"""EST as RFC 7030 and 8951 say; E01 to E11 are the checklist of the enrolment protocol."""

import base64
import textwrap
from pathlib import Path

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ca.domain.errors import NotAllowed, NotReady, PKIError, ProfileViolation, SigningRefused, Tampered
from ca.operations import Enrol, ReEnrol
from tests.fakes.signer import FakeSigner
from tests.fakes.software_ca import SoftwareCA, certification_request

EST = "/.well-known/est"
PKCS10 = "application/pkcs10"
CLIENT_CERTIFICATE = "X-Vermilion-Client-Certificate"


def basic_of(reference: str, code: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{reference}:{code}".encode()).decode()}


def enrol(client: FlaskClient, body: bytes, headers: dict[str, str], operation: str = "simpleenroll") -> TestResponse:
    return client.post(f"{EST}/{operation}", data=body, headers=headers, content_type=PKCS10)


def certificates(response: TestResponse) -> list[x509.Certificate]:
    return pkcs7.load_der_pkcs7_certificates(base64.b64decode(response.data, validate=True))


def test_e01_the_operations_are_under_the_well_known_path(client: FlaskClient) -> None:
    statuses = [client.get(f"{EST}/cacerts").status_code, client.get(f"{EST}/csrattrs").status_code]

    assert statuses == [200, 200]


@pytest.mark.parametrize("operation", ["cacerts", "csrattrs", "simpleenroll"])
def test_e01_no_label_is_offered(client: FlaskClient, operation: str) -> None:
    response = client.get(f"{EST}/machine/{operation}")

    assert (response.status_code, response.mimetype) == (404, "text/plain")


@pytest.mark.parametrize(
    ("verb", "operation", "allowed"),
    [("GET", "simpleenroll", {"POST"}), ("GET", "simplereenroll", {"POST"}), ("POST", "cacerts", {"GET", "HEAD"})],
)
def test_e01_the_wrong_method_is_told_the_right_one(
    client: FlaskClient, verb: str, operation: str, allowed: set[str]
) -> None:
    response = client.open(f"{EST}/{operation}", method=verb)

    assert (response.status_code, response.mimetype) == (405, "text/plain")
    assert set(response.headers["Allow"].split(", ")) == allowed


def test_e02_cacerts_gives_the_issuing_ca_and_the_root_to_everybody(client: FlaskClient, authority: SoftwareCA) -> None:
    response = client.get(f"{EST}/cacerts")

    assert response.headers["Content-Type"] == "application/pkcs7-mime"
    assert set(certificates(response)) == {authority.issuing.certificate, authority.root.certificate}


def test_e03_what_we_send_is_one_line_of_base64(client: FlaskClient, basic: dict[str, str]) -> None:
    answers = [client.get(f"{EST}/cacerts"), enrol(client, base64.b64encode(certification_request()), basic)]

    assert [len(answer.data.split()) for answer in answers] == [1, 1]
    assert {answer.headers["Content-Transfer-Encoding"] for answer in answers} == {"base64"}


@pytest.mark.parametrize(
    "encode",
    [
        base64.b64encode,
        base64.encodebytes,
        lambda der: textwrap.fill(base64.b64encode(der).decode(), 64).replace("\n", "\r\n").encode() + b"\r\n\t ",
        bytes,
    ],
    ids=["one line", "wrapped lines", "carriage returns", "der"],
)
@pytest.mark.parametrize("header", [{}, {"Content-Transfer-Encoding": "base64"}, {"Content-Transfer-Encoding": "7bit"}])
def test_e03_a_request_is_read_in_every_encoding_clients_use(
    client: FlaskClient, signer: FakeSigner, basic: dict[str, str], encode, header: dict[str, str]
) -> None:
    request_der = certification_request()

    response = enrol(client, encode(request_der), basic | header)

    assert response.status_code == 200
    assert isinstance(signer.asked[-1], Enrol)
    assert signer.asked[-1].request == request_der


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \r\n",
        b"!!!!",
        b"MII",
        "MIIé".encode(),
        b"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----",
        b"\x00" * 100,
        b"0\x80\x00\x00",
        base64.b64encode(b"\x30" * 1000),
    ],
    ids=["empty", "blank", "not base64", "cut", "not ascii", "pem", "zeros", "indefinite", "nested"],
)
def test_a_body_that_is_no_request_is_refused_in_plain_text(
    client: FlaskClient, basic: dict[str, str], body: bytes
) -> None:
    response = enrol(client, body, basic)

    assert (response.status_code, response.mimetype) == (400, "text/plain")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-pkcs10", "application/json"])
def test_another_content_type_is_refused(client: FlaskClient, basic: dict[str, str], content_type: str) -> None:
    response = client.post(f"{EST}/simpleenroll", data=b"MIIB", headers=basic, content_type=content_type)

    assert response.status_code == 415


def test_parameters_of_the_content_type_are_no_reason_to_refuse(client: FlaskClient, basic: dict[str, str]) -> None:
    response = client.post(
        f"{EST}/simpleenroll",
        data=certification_request(),
        headers=basic,
        content_type="Application/PKCS10; charset=utf-8",
    )

    assert response.status_code == 200


def test_a_body_over_the_limit_is_refused_before_the_signer_hears_of_it(
    client: FlaskClient, signer: FakeSigner, basic: dict[str, str]
) -> None:
    response = enrol(client, b"M" * (32 * 1024 + 1), basic)

    assert (response.status_code, response.mimetype, signer.asked) == (413, "text/plain", [])


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()},
        {"Authorization": "Bearer abc"},
        {"Authorization": 'Digest username="1234567894"'},
        basic_of("", ""),
        basic_of("1234567894", ""),
        basic_of("1234567894", "WRONG"),
        basic_of("1234567894", "W" * 5000),
        basic_of("9" * 5000, "ABCD-EFGH-JKMC"),
        basic_of("0000000000", "ABCD-EFGH-JKMC"),
        basic_of("1234567894\x00", "ABCD-EFGH-JKMC"),
    ],
)
def test_e04_every_401_is_the_same_to_the_byte(client: FlaskClient, header: dict[str, str]) -> None:
    reference = enrol(client, certification_request(), basic_of("0000000001", "AAAA"))

    response = enrol(client, certification_request(), header)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="Vermilion enrolment", charset="UTF-8"'
    assert (response.data, list(response.headers)) == (reference.data, list(reference.headers))


def test_e04_locked_codes_look_like_unknown_ones(
    client: FlaskClient, signer: FakeSigner, basic: dict[str, str]
) -> None:
    unknown = enrol(client, certification_request(), basic_of("0000000000", "AAAA"))
    wrong = [enrol(client, certification_request(), basic_of("1234567894", "AAAA")) for _ in range(5)]

    locked = enrol(client, certification_request(), basic)

    assert signer.pairs["1234567894"].left == 0
    assert {(answer.status_code, answer.data) for answer in [*wrong, locked]} == {(401, unknown.data)}


def test_e06_a_client_certificate_is_passed_on_for_renewal(
    client: FlaskClient, signer: FakeSigner, authority: SoftwareCA
) -> None:
    old, request_der = authority.holder("old").der, certification_request()

    response = enrol(client, request_der, {CLIENT_CERTIFICATE: base64.b64encode(old).decode()}, "simplereenroll")

    assert response.status_code == 200
    assert signer.asked == [ReEnrol(client_certificate=old, request=request_der)]


@pytest.mark.parametrize("header", [{}, {CLIENT_CERTIFICATE: "!"}, {CLIENT_CERTIFICATE: ""}, {CLIENT_CERTIFICATE: "é"}])
def test_e06_renewal_without_a_client_certificate_is_refused_and_codes_do_not_help(
    client: FlaskClient, signer: FakeSigner, basic: dict[str, str], header: dict[str, str]
) -> None:
    response = enrol(client, certification_request(), basic | header, "simplereenroll")

    assert (response.status_code, response.mimetype, signer.asked) == (403, "text/plain", [])


def test_e06_renewal_with_a_revoked_certificate_is_refused(
    client: FlaskClient, signer: FakeSigner, authority: SoftwareCA
) -> None:
    old = authority.holder("old").der
    signer.revoked.add(old)

    header = {CLIENT_CERTIFICATE: base64.b64encode(old).decode()}
    response = enrol(client, certification_request(), header, "simplereenroll")

    assert response.status_code == 403
    assert "WWW-Authenticate" not in response.headers


def test_e06_a_client_certificate_claimed_over_tcp_counts_for_nothing(
    client: FlaskClient, signer: FakeSigner, authority: SoftwareCA
) -> None:
    header = {CLIENT_CERTIFICATE: base64.b64encode(authority.holder("old").der).decode()}

    response = client.post(
        f"{EST}/simplereenroll",
        data=certification_request(),
        headers=header,
        content_type=PKCS10,
        environ_base={"REMOTE_ADDR": "127.0.0.1"},
    )

    assert (response.status_code, signer.asked) == (403, [])


def test_e07_the_same_request_again_gets_the_same_certificate(
    client: FlaskClient, signer: FakeSigner, basic: dict[str, str]
) -> None:
    request_der = certification_request()

    answers = [enrol(client, request_der, basic).data for _ in range(3)]

    assert len(set(answers)) == 1
    assert len(signer.issued) == 1


def test_e07_another_request_with_used_codes_is_a_conflict(client: FlaskClient, basic: dict[str, str]) -> None:
    enrol(client, certification_request(), basic)

    response = enrol(client, certification_request(), basic)

    assert (response.status_code, response.mimetype) == (409, "text/plain")


def test_e08_only_the_new_certificate_comes_back(
    client: FlaskClient, signer: FakeSigner, basic: dict[str, str]
) -> None:
    response = enrol(client, certification_request(), basic)

    assert response.headers["Content-Type"] == "application/pkcs7-mime; smime-type=certs-only"
    assert certificates(response) == signer.issued


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (ProfileViolation("too weak"), 400),
        (SigningRefused("no approval"), 403),
        (NotReady("x"), 503),
        (Tampered("x"), 500),
    ],
)
def test_e08_every_error_is_plain_text(
    client: FlaskClient, signer: FakeSigner, basic: dict[str, str], refusal: PKIError, status: int
) -> None:
    signer.refusal = refusal

    response = enrol(client, certification_request(), basic)

    assert (response.status_code, response.mimetype) == (status, "text/plain")


def test_e09_csrattrs_asks_for_a_p256_key_and_nothing_else(client: FlaskClient) -> None:
    response = client.get(f"{EST}/csrattrs")

    assert response.headers["Content-Type"] == "application/csrattrs"
    key_type, signature = core.SequenceOf.load(base64.b64decode(response.data), spec=core.Any)
    assert core.ObjectIdentifier.load(signature.dump()).native == "1.2.840.10045.4.3.2"
    assert key_type.dump().hex() == "301506072a8648ce3d0201310a06082a8648ce3d030107"


@pytest.mark.parametrize("operation", ["serverkeygen", "fullcmc", "anything"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_e10_keys_are_never_made_by_the_server(client: FlaskClient, operation: str, method: str) -> None:
    response = client.open(f"{EST}/{operation}", method=method)

    assert (response.status_code, response.mimetype) == (404, "text/plain")


@pytest.mark.parametrize("path", [f"{EST}/cacerts/", f"{EST}//cacerts", "/.well-known/est/", "/.well-known/est"])
def test_e11_nothing_is_redirected(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_when_the_hsm_is_away_the_client_is_told_when_to_come_back_and_nothing_else(
    client: FlaskClient, signer: FakeSigner, basic: dict[str, str]
) -> None:
    signer.away = True

    response = enrol(client, certification_request(), basic)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert b"4711" not in response.data


def test_cacerts_needs_no_signer_but_the_chain(client: FlaskClient, signer: FakeSigner, tmp_path: Path) -> None:
    signer.away = True
    with_chain = client.get(f"{EST}/cacerts").status_code
    (tmp_path / "chain.pem").unlink()

    without = client.get(f"{EST}/cacerts").status_code

    assert (with_chain, without) == (200, 503)


def test_renewals_that_are_refused_are_slowed_down(client: FlaskClient, signer: FakeSigner) -> None:
    signer.refusal = NotAllowed("this certificate was revoked")
    header = {CLIENT_CERTIFICATE: base64.b64encode(b"certificate").decode()}

    answers = [enrol(client, certification_request(), header, "simplereenroll") for _ in range(11)]

    assert [answer.status_code for answer in answers] == [403] * 10 + [429]
    assert len(signer.asked) == 10
