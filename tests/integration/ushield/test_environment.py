"""What the tool finds out of itself and of the certificate's status: an answer counts only when the bank signed it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.fakes.jobs import bank_file, signed
from tests.fakes.software_ca import Holder, SoftwareCA
from ushield.environment import Environment
from ushield.errors import BankUnreachable
from ushield.words import Words

pytestmark = pytest.mark.socket

KEY = ec.generate_private_key(ec.SECP256R1())
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
BANK, STRANGER = SoftwareCA(), SoftwareCA("Another bank")
Answering = Callable[[x509.Certificate], bytes]


@dataclass
class Responder:
    """Answers whatever it is told to."""

    content: bytes = b""
    by_serial: dict[int, bytes] = field(default_factory=dict)
    http_status: int = 200
    asked: list[int] = field(default_factory=list)
    url: str = ""


@dataclass
class FakeServer:
    certificates: list[x509.Certificate]
    release: str = ""
    is_away: bool = False

    def offered(self, name: str, longest: int) -> bytes:
        if self.is_away:
            raise BankUnreachable("away")
        return self.release.encode("ascii")

    def ca_certificates(self) -> list[x509.Certificate]:
        if self.is_away:
            raise BankUnreachable("away")
        return self.certificates


@pytest.fixture
def responder() -> Iterator[Responder]:
    played = Responder()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            played.asked.append(ocsp.load_der_ocsp_request(question).serial_number)
            self.send_response(played.http_status)
            self.end_headers()
            self.wfile.write(played.by_serial.get(played.asked[-1], played.content))

        def log_message(self, *_: object) -> None:
            """Not in the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    played.url = f"http://127.0.0.1:{server.server_port}/ocsp"
    yield played
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def customer() -> Holder:
    return BANK.holder("Zhang Wei")


def environment(
    responder: Responder, *, server: FakeServer | None = None, place: Path | None = None, now: datetime = NOW
) -> Environment:
    known = [BANK.issuing.certificate, BANK.root.certificate]
    bank = replace(bank_file(KEY), ocsp=responder.url)
    return Environment(bank, server or FakeServer(known), place, now)


def answer(
    about: x509.Certificate,
    signer: Holder = BANK.issuing,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    at: datetime = NOW,
    *,
    responder_id: Holder | None = None,
) -> bytes:
    revoked = at if status is ocsp.OCSPCertStatus.REVOKED else None
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(about, BANK.issuing.certificate, SHA256(), status, at, at + timedelta(hours=1), revoked, None)
        .responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
    )
    if responder_id is not None:
        builder = builder.certificates([responder_id.certificate])
    return builder.sign(signer.key, SHA256()).public_bytes(Encoding.DER)


def unsuccessful(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def by_delegate(about: x509.Certificate, purpose: x509.ObjectIdentifier, ends: datetime = NOW + DAY) -> bytes:
    signer = delegate(purpose, ends)
    return answer(about, signer, responder_id=signer)


def delegate(purpose: x509.ObjectIdentifier, ends: datetime) -> Holder:
    key, issuer = ec.generate_private_key(ec.SECP256R1()), BANK.issuing
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string("CN=Responder"))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=2))
        .not_valid_after(ends)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .sign(issuer.key, SHA256())
    )
    return Holder(certificate, key)


@pytest.mark.parametrize("status", list(ocsp.OCSPCertStatus))
def test_the_status_is_told_as_the_bank_signed_it(
    responder: Responder, customer: Holder, status: ocsp.OCSPCertStatus
) -> None:
    responder.content = answer(customer.certificate, status=status)

    told = environment(responder).status([customer.der])

    assert told == {"state": status.name.lower(), "sentence": ""}
    assert responder.asked == [customer.certificate.serial_number]


def test_a_renewed_certificate_counts_and_its_predecessor_does_not(responder: Responder, customer: Holder) -> None:
    other = BANK.holder("Zhang Wei")
    good, revoked = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED
    responder.by_serial = {
        customer.certificate.serial_number: answer(customer.certificate, status=revoked),
        other.certificate.serial_number: answer(other.certificate, status=good),
    }

    assert environment(responder).status([customer.der, other.der])["state"] == "good"
    assert environment(responder).status([other.der, customer.der])["state"] == "good"
    assert environment(responder).status([customer.der])["state"] == "revoked"


def test_a_responder_that_the_bank_certified_is_believed(responder: Responder, customer: Holder) -> None:
    responder.content = by_delegate(customer.certificate, ExtendedKeyUsageOID.OCSP_SIGNING)

    assert environment(responder).status([customer.der])["state"] == "good"


WRONG: dict[str, Answering] = {
    "a stranger's": lambda about: answer(about, STRANGER.issuing),
    "a stranger's with its certificate": lambda about: answer(about, STRANGER.issuing, responder_id=STRANGER.issuing),
    "a customer's": lambda about: by_delegate(about, ExtendedKeyUsageOID.CLIENT_AUTH),
    "an expired responder's": lambda about: by_delegate(about, ExtendedKeyUsageOID.OCSP_SIGNING, NOW - DAY),
    "about another": lambda _about: answer(BANK.holder("Another customer").certificate),
    "of yesterday": lambda about: answer(about, at=NOW - DAY),
    "of tomorrow": lambda about: answer(about, at=NOW + DAY),
    "try later": lambda _about: unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER),
    "a hotel's page": lambda _about: b"<html>Sign in to the hotel's network</html>",
    "nothing": lambda _about: b"",
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_any_other_answer_is_none(responder: Responder, customer: Holder, wrong: Answering) -> None:
    responder.content = wrong(customer.certificate)

    told = environment(responder).status([customer.der])

    assert told["state"] == "unreached"
    assert told["sentence"]


@pytest.mark.parametrize("http_status", [302, 403, 503])
def test_another_server_on_the_way_is_said_to_be_there(
    responder: Responder, customer: Holder, http_status: int
) -> None:
    responder.http_status, responder.content = http_status, answer(customer.certificate)

    assert "proxy" in environment(responder).status([customer.der])["sentence"]


def test_a_responder_that_is_not_reached_is_said_to_be_so(responder: Responder, customer: Holder) -> None:
    responder.url = "http://127.0.0.1:1/ocsp"

    assert "firewall" in environment(responder).status([customer.der])["sentence"]


def test_the_reason_is_told_in_the_pages_language(responder: Responder, customer: Holder) -> None:
    responder.url = "http://127.0.0.1:1/ocsp"
    chinese = replace(environment(responder), words=Words("zh"))

    assert "防火墙" in chinese.status([customer.der])["sentence"]


def test_without_a_certificate_of_the_bank_only_the_way_is_tried(responder: Responder) -> None:
    responder.content = unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)

    told = environment(responder).status([STRANGER.holder("Zhang Wei").der, b"junk"])

    assert told["state"] == "reached"
    assert responder.asked == [BANK.issuing.certificate.serial_number]


@pytest.mark.parametrize("content", [b"", b"<html>"])
def test_what_is_no_responder_is_not_reached(responder: Responder, content: bytes) -> None:
    responder.content = content

    assert environment(responder).status([])["state"] == "unreached"


def test_a_bank_that_is_away_or_shows_half_a_chain_is_said_to_be_so(responder: Responder, customer: Holder) -> None:
    away = environment(responder, server=FakeServer([], is_away=True))
    half = environment(responder, server=FakeServer([BANK.issuing.certificate]))

    assert away.status([customer.der]) == {"state": "unreached", "sentence": "away"}
    assert away.signature()["state"] == "unpacked"
    assert half.status([])["state"] == "unreached"


def release(content: bytes, **changes: object) -> str:
    tool = {"sha256": sha256(content).hexdigest(), "length": len(content)}
    now = int(NOW.timestamp())
    claims = {"v": 1, "number": 5, "version": "0.2.0", "iat": now, "exp": now + 600, "files": {"ushield.pyz": tool}}
    return signed(KEY, claims | changes, {"alg": "ES256", "typ": "vermilion-release", "kid": "00"})


def test_the_running_tool_is_compared_with_the_one_that_the_bank_signed(responder: Responder, tmp_path: Path) -> None:
    place = tmp_path / "ushield.pyz"
    place.write_bytes(b"the tool")

    def told(text: str) -> dict[str, str]:
        return environment(responder, server=FakeServer([], text), place=place).signature()

    assert told(release(b"the tool"))["state"] == "newest"
    assert told(release(b"the next tool"))["state"] == "other"
    assert told(release(b"the tool", exp=7))["state"] == "unchecked"
    assert told(release(b"the tool")[:-4] + "AAAA")["state"] == "unchecked"
    assert environment(responder, server=FakeServer([], is_away=True), place=place).signature()["sentence"] == "away"
