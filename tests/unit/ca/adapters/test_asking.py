"""ca/adapters/asking.py against a server that says anything: it believes nothing else than a relying party would."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from ca.adapters.asking import HttpAsker
from ca.domain.errors import NotReady, PKIError, Tampered
from ca.domain.receipts import OCSP, OCSP_GET, OCSP_NONCE
from ca.domain.revocation import RevocationReason
from tests.builders import NOW, a_certificate
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.socket
DAY = timedelta(days=1)
FLIPS = 400


@dataclass
class World:
    """A CA, its responder and a revoked certificate, at a server that gives `content`."""

    url: str
    content: Callable[[bytes], Iterator[bytes]] = lambda _: iter([b""])
    status: int = 200
    ca_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.asker = HttpAsker(FakeClock(NOW))
        self.ca = self.certificate("CA", self.ca_key)
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(self.url))
        self.subject = self.certificate("subject", self.key, x509.AuthorityInformationAccess([access]))

    def certificate(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        *extensions: x509.ExtensionType,
        ends: datetime = NOW + 300 * DAY,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")]))
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .not_valid_before(NOW - 300 * DAY)
            .not_valid_after(ends)
            .serial_number(x509.random_serial_number())
            .public_key(key.public_key())
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self.ca_key, hashes.SHA256())

    def responder(self, **changes: datetime) -> x509.Certificate:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
        return self.certificate("responder", self.key, usage, **changes)

    def answer(
        self, *, at: datetime = NOW, ends: datetime | None = NOW + DAY, responder: x509.Certificate | None = None
    ) -> bytes:
        signer = responder or self.responder()
        about = ocsp.OCSPCertStatus.REVOKED, at, ends, NOW - DAY, x509.ReasonFlags.superseded
        builder = ocsp.OCSPResponseBuilder().add_response(self.subject, self.ca, hashes.SHA256(), *about)
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer).certificates([signer])
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def crl(self, *, at: datetime = NOW, ends: datetime = NOW + DAY, entries: int = 1) -> bytes:
        builder = x509.CertificateRevocationListBuilder(self.ca.subject, at, ends)
        builder = builder.add_extension(x509.CRLNumber(7), critical=False)
        for number in range(entries):
            revoked = x509.RevokedCertificateBuilder(number or self.subject.serial_number, NOW - DAY)
            reason = x509.CRLReason(x509.ReasonFlags.superseded)
            builder = builder.add_revoked_certificate(revoked.add_extension(reason, critical=False).build())
        return builder.sign(self.ca_key, hashes.SHA256()).public_bytes(Encoding.DER)

    def gives(self, content: bytes) -> None:
        self.content = lambda _: iter([content])

    def ask(self, channel: str = OCSP) -> RevocationReason | None:
        asked = a_certificate(der=self.subject.public_bytes(Encoding.DER), serial=self.subject.serial_number)
        return self.asker.ocsp(asked, self.ca.public_bytes(Encoding.DER), channel)

    def fetch(self) -> dict[int, RevocationReason | None]:
        crl = self.asker.crl(self.url, self.ca.public_bytes(Encoding.DER))
        return crl.reasons([self.subject.serial_number])


@pytest.fixture
def world() -> Iterator[World]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(made.status)
            self.end_headers()
            with suppress(OSError):  # who had enough hangs up
                for piece in made.content(asked):
                    self.wfile.write(piece)

        do_GET = do_POST = answer  # noqa: N815  http.server's names

        def log_message(self, *_: object) -> None:
            """Nothing to see."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        made = World(f"http://127.0.0.1:{server.server_port}/")
        yield made
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("channel", [OCSP, OCSP_GET])
def test_a_sound_answer_is_believed(world: World, channel: str) -> None:
    world.gives(world.answer())
    assert world.ask(channel) is RevocationReason.SUPERSEDED


def test_a_sound_list_is_believed(world: World) -> None:
    world.gives(world.crl())
    assert world.fetch() == {world.subject.serial_number: RevocationReason.SUPERSEDED}


def test_an_answer_without_the_nonce_is_not_believed(world: World) -> None:
    world.gives(world.answer())
    with pytest.raises(Tampered, match="nonce"):
        world.ask(OCSP_NONCE)


@pytest.mark.parametrize(
    "times",
    [
        {"at": NOW - 3 * DAY, "ends": NOW - DAY},
        {"at": NOW + DAY, "ends": NOW + 2 * DAY},
        {"at": NOW, "ends": None},
    ],
)
def test_an_answer_that_does_not_hold_now_is_not_believed(world: World, times: dict[str, datetime]) -> None:
    world.gives(world.answer(**times))
    with pytest.raises(NotReady, match="does not hold now"):
        world.ask()


def test_a_responder_whose_certificate_expired_is_not_believed(world: World) -> None:
    world.gives(world.answer(responder=world.responder(ends=NOW - DAY)))
    with pytest.raises(NotReady, match="responder's certificate"):
        world.ask()


def test_a_certificate_that_is_no_responders_is_not_believed(world: World) -> None:
    world.gives(world.answer(responder=world.certificate("other", world.key)))
    with pytest.raises(Tampered):
        world.ask()


def test_a_list_past_its_next_update_is_not_believed(world: World) -> None:
    world.gives(world.crl(at=NOW - 3 * DAY, ends=NOW - DAY))
    with pytest.raises(NotReady, match="does not hold now"):
        world.fetch()


@pytest.mark.parametrize("content", [b"", b"<html>", b"0\x80", b"0\x03\n\x01\x06", b"\xff" * 100])
def test_what_is_no_answer_is_refused(world: World, content: bytes) -> None:
    world.gives(content)
    with pytest.raises(PKIError):
        world.ask()
    with pytest.raises(PKIError):
        world.fetch()


def test_an_answer_without_end_is_refused(world: World) -> None:
    def forever(_: bytes) -> Iterator[bytes]:
        while True:
            yield b"\x30" * 4096

    world.content = forever
    with pytest.raises(NotReady, match="does not end"):
        world.ask()


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:99999/", "ftp://127.0.0.1/", "http:///crl"])
def test_an_address_that_is_none_is_refused(world: World, url: str) -> None:
    with pytest.raises(NotReady):
        world.asker.crl(url, world.ca.public_bytes(Encoding.DER))


def test_no_changed_octet_ends_the_prober_or_says_something_else(world: World) -> None:
    drawn = random.Random(7)  # noqa: S311  the same flips each time
    answer, crl, right = world.answer(), world.crl(), RevocationReason.SUPERSEDED
    for sound, ask in ((answer, world.ask), (crl, lambda: world.fetch().get(world.subject.serial_number))):
        refused = 0
        for _ in range(FLIPS):
            changed = bytearray(sound)
            changed[drawn.randrange(len(sound))] ^= 1 << drawn.randrange(8)
            world.gives(bytes(changed))
            try:
                assert ask() is right
            except PKIError:
                refused += 1
        assert refused > FLIPS // 2
