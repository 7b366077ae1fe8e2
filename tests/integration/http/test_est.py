"""A plain curl is an EST client (STANDARDS E01 to E11), over the real edge and the real customer's process."""

import base64
import concurrent.futures
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from tests.fakes.software_ca import certification_request
from tests.integration.http.apps import CODE, REFERENCES
from tests.integration.http.conftest import Doors, wait_for

pytestmark = pytest.mark.curl
EST = "/.well-known/est"
PKCS10 = ("--header", "Content-Type: application/pkcs10")


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    file = tmp_path / "request.b64"
    file.write_bytes(base64.encodebytes(certification_request("curl")))
    return file


def post(doors: Doors, operation: str, body: Path, *options: str) -> tuple[int, bytes]:
    done = doors.curl(f"{EST}/{operation}", *PKCS10, "--data-binary", f"@{body}", "-w", "\n%{http_code}", *options)
    content, _, status = done.stdout.rpartition(b"\n")
    return int(status), content


def certificates(content: bytes) -> list[x509.Certificate]:
    return pkcs7.load_der_pkcs7_certificates(base64.b64decode(content, validate=True))


def with_certificate(doors: Doors, name: str) -> tuple[str, ...]:
    return ("--cert", str(doors.directory / f"{name}.pem"), "--key", str(doors.directory / f"{name}.key"))


def test_curl_gets_the_ca_certificates(doors: Doors) -> None:
    content = doors.curl(f"{EST}/cacerts").stdout

    assert set(certificates(content)) == {doors.authority.issuing.certificate, doors.authority.root.certificate}


def test_curl_enrols_with_the_two_codes_and_gets_the_same_certificate_when_it_asks_again(
    doors: Doors, request_file: Path
) -> None:
    codes = ("--user", f"{REFERENCES[0]}:{CODE}")

    status, content = post(doors, "simpleenroll", request_file, *codes)
    again = post(doors, "simpleenroll", request_file, *codes)

    assert (status, len(certificates(content))) == (200, 1)
    assert again == (200, content)


def test_curl_that_waits_to_be_asked_for_codes_is_asked(doors: Doors, request_file: Path) -> None:
    status, _ = post(doors, "simpleenroll", request_file, "--anyauth", "--user", f"{REFERENCES[1]}:{CODE}")

    assert status == 200


def test_two_downloads_at_once_with_one_code_give_one_certificate(doors: Doors, tmp_path: Path) -> None:
    bodies = [tmp_path / f"{number}" for number in range(8)]
    for body in bodies:
        body.write_bytes(base64.b64encode(certification_request()))
    codes = ("--user", f"{REFERENCES[2]}:{CODE}")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: post(doors, "simpleenroll", body, *codes)[0], bodies))

    assert sorted(answers) == [200] + [409] * 7


def test_wrong_codes_are_indistinguishable_from_unknown_ones(doors: Doors, request_file: Path) -> None:
    wrong = post(doors, "simpleenroll", request_file, "--user", f"{REFERENCES[3]}:WRONG")
    unknown = post(doors, "simpleenroll", request_file, "--user", f"0000000000:{CODE}")
    none = post(doors, "simpleenroll", request_file)

    assert wrong == unknown == none
    assert wrong[0] == 401


def test_renewal_uses_the_certificate_of_the_connection(doors: Doors, request_file: Path) -> None:
    status, content = post(doors, "simplereenroll", request_file, *with_certificate(doors, "client"))

    assert (status, len(certificates(content))) == (200, 1)


@pytest.mark.parametrize(
    "header",
    [
        "X-Vermilion-Client-Certificate",
        "x-vermilion-client-certificate",
        "X_Vermilion_Client_Certificate",
        "X-Vermilion_Client-Certificate",
        "X_VERMILION_CLIENT_CERTIFICATE",
    ],
)
def test_a_certificate_claimed_in_a_header_is_none(doors: Doors, request_file: Path, header: str) -> None:
    claimed = base64.b64encode(doors.authority.holder("victim").der).decode()

    status, _ = post(doors, "simplereenroll", request_file, "--header", f"{header}: {claimed}")

    assert status == 403


@pytest.mark.parametrize("options", [(), ("--header", "Transfer-Encoding: chunked"), ("--header", "Expect:")])
def test_a_body_of_ten_megabytes_is_refused_with_a_sentence(
    doors: Doors, tmp_path: Path, options: tuple[str, ...]
) -> None:
    body = tmp_path / "large"
    body.write_bytes(b"M" * 10_000_000)

    status, content = post(doors, "simpleenroll", body, "--user", f"{REFERENCES[4]}:{CODE}", *options)

    assert status == 413
    assert b"too large" in content


def test_a_body_between_the_limits_is_refused_by_the_customers_process(doors: Doors, tmp_path: Path) -> None:
    body = tmp_path / "large"
    body.write_bytes(b"M" * 100_000)

    status, _ = post(doors, "simpleenroll", body, "--user", f"{REFERENCES[4]}:{CODE}")

    assert status == 413


def test_many_customers_download_at_once(doors: Doors, request_file: Path) -> None:
    def download(reference: str) -> int:
        return post(doors, "simpleenroll", request_file, "--user", f"{reference}:{CODE}")[0]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(download, REFERENCES[10:50]))

    assert statuses == [200] * 40


def test_no_code_and_no_header_is_in_any_log(doors: Doors, request_file: Path) -> None:
    lines = ("POST /.well-known/est/simpleenroll 200 ", "GET /health 200 ")
    before = {line: doors.log("edge").count(line) for line in lines}
    post(doors, "simpleenroll", request_file, "--user", f"{REFERENCES[5]}:{CODE}", "--user-agent", "secret-agent")
    doors.curl("/health?code=secret-query", "--referer", "secret-page")

    # A line is written after its answer was sent.
    wait_for(lambda: all(doors.log("edge").count(line) > before[line] for line in before))
    logs = doors.log("edge") + doors.log("customer")
    assert not [secret for secret in (CODE, REFERENCES[5], "Basic", "secret") if secret in logs]
