"""The second door to the console, from the TLS handshake to the signer's word, over all real parts; curl browses.

Campaign: a bank of its own is started for it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from ca import door_operations as door
from ca import operations as ops
from ca.demo.authenticator import SoftwareAuthenticator
from ca.demo.codes import make_codes
from ca.demo.officers import MAKER, SECURITY, DemoOfficers
from ca.signer_client import SignerClient
from ca.usecases.confirm import proof_message
from tests.fakes.software_ca import SoftwareCA
from tests.integration.system.clients import issue, serial_of
from tests.integration.system.running import Demo, Ran, pki, run, stopping

pytestmark = [pytest.mark.campaign, pytest.mark.curl, pytest.mark.openssl, pytest.mark.socket]

DOOR = "/admin/sign-in/certificate"


@dataclass
class Browser:
    """curl with cookies, and with the key of one certificate if it has one."""

    demo: Demo
    home: Path
    certificate: Path | None = None

    def ask(self, path: str, *options: object, base: str = "") -> Ran:
        jar = self.home / "cookies"
        words: list[object] = ["curl", "-sS", "--cacert", self.demo.root_pem, "-b", jar, "-c", jar, "-D", "-"]
        if self.certificate is not None:
            words += ["--cert", self.certificate, "--key", self.certificate.with_suffix(".key")]
        return run(*words, *options, f"{base or self.demo.url}{path}")

    def status(self, path: str, *options: object) -> int:
        return status_of(self.ask(path, *options))

    def enter(self, *options: object, page_options: tuple[object, ...] = ()) -> Ran:
        """Open the door's page and press its button."""
        page = self.ask(DOOR, *page_options).out
        action = re.search(r'action="([^"]*challenge=[^"]*)"', page)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert action, page
        assert token, page
        return self.ask(action[1], "--data-urlencode", f"csrf_token={token[1]}", *options)


def status_of(answer: Ran) -> int:
    found = re.match(r"HTTP/\S+ (\d+)", answer.out)
    return int(found[1]) if found else 0


@pytest.fixture(scope="module")
def bank(stopped_demo: Demo, tmp_path_factory: pytest.TempPathFactory, short_directory: Path) -> Iterator[Demo]:
    """With the door open."""
    demo = stopped_demo.copy(short_directory / "door")
    settings = demo.state / "settings.toml"
    settings.write_text("officer_certificates = true\n" + settings.read_text("utf-8"), "utf-8")
    with stopping(demo) as running:
        yield running.start()


def client_of(demo: Demo) -> SignerClient:
    return SignerClient(demo.state / "run" / "signer.sock")


def certified(demo: Demo, home: Path, profile: str) -> Path:
    """A certificate in use: applied for by one officer, approved by another, downloaded and confirmed."""
    client = client_of(demo)
    (codes,) = make_codes(DemoOfficers(client, demo.state / "demo"), profile, 1)
    pem = issue(demo, home, codes)
    der = x509.load_pem_x509_certificate(pem.read_bytes()).public_bytes(Encoding.DER)
    key = load_pem_private_key(pem.with_suffix(".key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    nonce = ops.decode_base64(client.call(ops.ConfirmationChallenge(serial=serial_of(pem)))["nonce"])
    signature = key.sign(proof_message(demo.url, nonce, der), ec.ECDSA(SHA256()))
    client.call(ops.Confirm(serial=serial_of(pem), nonce=nonce, signature=signature))
    return pem


def bind(demo: Demo, certificate: Path, person: str = MAKER) -> str:
    """To the officer, by both security officers."""
    officers = DemoOfficers(client_of(demo), demo.state / "demo")
    first, second = (officers[number] for number in SECURITY)
    ((officer,),) = demo.rows("SELECT id FROM officers WHERE person = ?", person)
    asked = {"officer": officer, "serial": serial_of(certificate), "reason": "a U-Shield of theirs"}
    binding: str = first.call(door.ProposeBinding, **asked)["binding"]
    shown = second.call(door.ShowBinding, binding=binding)
    passkey = SoftwareAuthenticator.load(demo.state / "demo" / f"{SECURITY[1]}.json")
    said = passkey.sign(ops.decode_base64(shown["challenge"]))
    second.call(
        door.ApproveBinding,
        binding=binding,
        digest=ops.decode_base64(shown["digest"]),
        assertion=ops.AssertionMessage(
            credential_id=said.credential_id,
            client_data=said.client_data,
            authenticator_data=said.authenticator_data,
            signature=said.signature,
        ),
    )
    return binding


@pytest.fixture
def browser(bank: Demo, tmp_path: Path) -> Browser:
    """With a certificate on it that is an officer's."""
    certificate = certified(bank, tmp_path, "officer")
    bind(bank, certificate)
    return Browser(bank, tmp_path, certificate)


def test_the_officer_comes_in_by_the_certificate_and_out_when_it_is_held(bank: Demo, browser: Browser) -> None:
    assert browser.certificate is not None
    serial = serial_of(browser.certificate)
    assert DOOR in browser.ask("/admin/sign-in").out
    assert browser.status("/admin/") == 303

    entered = browser.enter()
    assert status_of(entered) == 303, entered
    assert browser.status("/admin/") == 200
    assert MAKER in browser.ask("/admin/my-access").out

    held = pki(bank.state, "demo", "hold", serial)
    assert held.status == 0, held
    assert browser.status("/admin/") == 303
    refused = browser.enter()
    assert status_of(refused) == 401, refused
    assert "on-hold" in refused.out

    assert pki(bank.state, "demo", "release", serial).status == 0
    assert status_of(browser.enter()) == 303
    assert pki(bank.state, "demo", "revoke", serial, "--reason", "keyCompromise").status == 0
    assert browser.status("/admin/") == 303
    assert status_of(browser.enter()) == 401


def test_the_log_tells_by_which_certificate(bank: Demo, browser: Browser) -> None:
    assert browser.certificate is not None
    browser.enter()

    found = bank.rows("SELECT details FROM audit_events WHERE name = 'officer.signed-in' ORDER BY number DESC LIMIT 1")

    assert serial_of(browser.certificate) in found[0][0]
    assert pki(bank.state, "audit", "verify").status == 0


def test_a_session_needs_the_cookie_and_no_certificate_alone(bank: Demo, browser: Browser) -> None:
    browser.enter()
    (browser.home / "cookies").unlink()

    assert browser.status("/admin/") == 303


@pytest.mark.parametrize("profile", ["personal-signing", "officer"])
def test_a_customers_certificate_and_one_bound_to_nobody_open_nothing(bank: Demo, tmp_path: Path, profile: str) -> None:
    stranger = Browser(bank, tmp_path, certified(bank, tmp_path, profile))

    refused = stranger.enter()

    assert status_of(refused) == 401, refused
    assert "bound to no officer" in refused.out
    assert stranger.status("/admin/") == 303


def test_a_certificate_of_another_ca_does_not_even_connect(bank: Demo, tmp_path: Path) -> None:
    certificate, _ = SoftwareCA("Foreign Bank").holder("Maria").write(tmp_path, "foreign")

    answer = Browser(bank, tmp_path, certificate).ask(DOOR)

    assert answer.status != 0
    assert answer.out == ""


@pytest.mark.parametrize("name", ["X-Vermilion-Client-Certificate", "X_Vermilion_Client_Certificate"])
@pytest.mark.parametrize("way", ["edge", "console's port"])
def test_who_only_says_to_hold_a_certificate_is_not_believed(
    bank: Demo, browser: Browser, tmp_path_factory: pytest.TempPathFactory, name: str, way: str
) -> None:
    assert browser.certificate is not None
    der = x509.load_pem_x509_certificate(browser.certificate.read_bytes()).public_bytes(Encoding.DER)
    said = ("-H", f"{name}: {ops.encode_base64(der)}", "-H", "X-Vermilion-Voucher: Zm9yZ2Vk")
    liar = Browser(bank, tmp_path_factory.mktemp("liar"))

    page = liar.ask(DOOR, *said, base="" if way == "edge" else f"http://localhost:{bank.console}")

    assert status_of(page) == 200
    assert "showed no certificate" in page.out


def test_whoever_has_another_certificate_cannot_say_to_have_this_one(
    bank: Demo, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert browser.certificate is not None
    der = x509.load_pem_x509_certificate(browser.certificate.read_bytes()).public_bytes(Encoding.DER)
    said = ("-H", f"X-Vermilion-Client-Certificate: {ops.encode_base64(der)}")
    home = tmp_path_factory.mktemp("other")
    other = Browser(bank, home, certified(bank, home, "personal-signing"))

    refused = other.enter(*said, page_options=said)

    assert status_of(refused) == 401, refused


def test_a_console_that_was_taken_over_cannot_say_who_called(bank: Demo, browser: Browser) -> None:
    """It has the signer's socket, and certificates are no secret; the edge's word it cannot make."""
    assert browser.certificate is not None
    der = x509.load_pem_x509_certificate(browser.certificate.read_bytes()).public_bytes(Encoding.DER)
    client = client_of(bank)
    challenge = ops.decode_base64(client.call(door.CertificateChallenge())["challenge"])
    forged = ec.generate_private_key(ec.SECP256R1()).sign(b"anything", ec.ECDSA(SHA256()))

    with pytest.raises(Exception, match="did not sign you in"):
        client.call(door.SignInByCertificate(challenge=challenge, certificate=der, voucher=forged))


def test_a_bank_that_opened_no_door_has_none(demo: Demo, tmp_path: Path) -> None:
    visitor = Browser(demo, tmp_path)

    assert DOOR not in visitor.ask("/admin/sign-in").out
    assert visitor.status(DOOR) == 404
    with pytest.raises(Exception, match="do not sign in with certificates"):
        client_of(demo).call(door.CertificateChallenge())
