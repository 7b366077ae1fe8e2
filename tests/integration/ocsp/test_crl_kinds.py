"""Full CRLs, deltas and partitions as relying parties use them: judged by OpenSSL, pkilint and cryptography."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca.adapters.linter import PkilintLinter
from ca.domain.keys import KeyAlgorithm
from ca.domain.revocation import RevocationReason
from tests.fakes.status_world import StatusWorld

ALGORITHMS = [KeyAlgorithm.EC_P256, KeyAlgorithm.EC_P384, KeyAlgorithm.RSA_2048]
GOOD, HELD, LIFTED, LATE, FIRST, SECOND, THIRD = range(0xA1, 0xA8)


@pytest.fixture(params=ALGORITHMS, ids=[each.value for each in ALGORITHMS])
def world(request: pytest.FixtureRequest) -> StatusWorld:
    """The full CRL has HELD and LIFTED, its delta adds LATE and lifts LIFTED; partition 1 has FIRST, and not THIRD."""
    world = StatusWorld(algorithm=request.param, public_url="http://pki.bank.example")
    object.__setattr__(world.publish_crl, "short", 0)
    for serial in (GOOD, HELD, LIFTED, LATE):
        world.issue(serial)
    for serial, partition in ((FIRST, 1), (SECOND, 2), (THIRD, 1)):
        world.issue(serial, partition=partition)
    for serial in (HELD, LIFTED, FIRST):
        world.suspend(serial)
    world.publish_crl("issuing")
    world.publish_crl("root")
    world.revoke(LATE, RevocationReason.SUPERSEDED)
    world.resume(LIFTED)
    world.publish_crl.publish_changes("issuing")
    return world


NAMES = ["issuing", "issuing-delta", "issuing-p1", "issuing-p2"]


@pytest.mark.parametrize("name", NAMES)
def test_an_independent_linter_finds_nothing(world: StatusWorld, name: str, tmp_path: Path) -> None:
    assert PkilintLinter().lint_crl(world.publisher.crls[name]) == []
    file = tmp_path / "it.crl"
    file.write_bytes(world.publisher.crls[name])
    lint = Path(sys.executable).with_name("lint_crl")
    said = subprocess.run([lint, "lint", "-t", "crl", "-p", "pkix", file], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ""


@pytest.mark.parametrize("name", NAMES)
def test_cryptography_verifies_every_kind(world: StatusWorld, name: str) -> None:
    key = x509.load_der_x509_certificate(world.issuing.certificate_der).public_key()
    assert x509.load_der_x509_crl(world.publisher.crls[name]).is_signature_valid(key)  # type: ignore[arg-type]


def written(world: StatusWorld, directory: Path, serial: int, *names: str) -> list[str | Path]:
    """Arguments of `openssl verify` for a certificate, with these CRLs."""
    issuers = [world.root.certificate_der, world.issuing.certificate_der]
    pems = [x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in issuers]
    (directory / "root.pem").write_bytes(pems[0])
    (directory / "issuing.pem").write_bytes(pems[1])
    holder = x509.load_der_x509_certificate(world.unit_of_work.certificates[serial].der)
    (directory / "it.pem").write_bytes(holder.public_bytes(Encoding.PEM))
    crls = [x509.load_der_x509_crl(world.publisher.crls[name]).public_bytes(Encoding.PEM) for name in names]
    (directory / "crls.pem").write_bytes(b"".join(crls))
    chain: list[str | Path] = ["-CAfile", directory / "root.pem", "-untrusted", directory / "issuing.pem"]
    moment = str(int(world.clock.now().timestamp()))
    return ["-attime", moment, "-CRLfile", directory / "crls.pem", *chain, directory / "it.pem"]


def judged(*arguments: str | Path) -> str:
    said = subprocess.run(["openssl", "verify", *arguments], capture_output=True, text=True, check=False)
    text = said.stdout + said.stderr
    return "OK" if said.returncode == 0 else next((each for each in (REVOKED, ELSEWHERE) if each in text), text)


REVOKED, ELSEWHERE = "certificate revoked", "different CRL scope"


@pytest.mark.openssl
def test_openssl_reads_an_invalidity_date_beside_the_reason(world: StatusWorld, tmp_path: Path) -> None:
    since = world.clock.now()
    world.clock.tick(timedelta(hours=1))
    world.revoke(GOOD, RevocationReason.KEY_COMPROMISE, invalid_since=since)
    world.revoke(HELD, RevocationReason.UNSPECIFIED, invalid_since=since)
    world.publish_crl("issuing")
    world.publish_crl("issuing")  # compared with the one before, and with the standings
    (tmp_path / "it.crl").write_bytes(world.publisher.crls["issuing"])
    command = ["openssl", "crl", "-inform", "DER", "-in", tmp_path / "it.crl", "-noout", "-text"]

    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    shown = f"Invalidity Date: \n                {since:%b} {since.day:2} {since:%H:%M:%S %Y} GMT"
    entries = {int(each.split()[0], 16): each for each in text.split("Serial Number: ")[1:]}
    assert all(shown in entries[serial] for serial in (GOOD, HELD))
    assert "Key Compromise" in entries[GOOD]
    assert "Reason Code" not in entries[HELD]
    assert PkilintLinter().lint_crl(world.publisher.crls["issuing"]) == []


@pytest.mark.openssl
@pytest.mark.parametrize("name", NAMES)
def test_openssl_verifies_every_kind(world: StatusWorld, tmp_path: Path, name: str) -> None:
    written(world, tmp_path, GOOD)
    (tmp_path / "it.crl").write_bytes(world.publisher.crls[name])
    command = ["openssl", "crl", "-inform", "DER", "-in", tmp_path / "it.crl", "-verify", "-noout"]
    said = subprocess.run([*command, "-CAfile", tmp_path / "issuing.pem"], capture_output=True, text=True, check=True)
    assert "verify OK" in said.stdout + said.stderr


@pytest.mark.openssl
@pytest.mark.parametrize(
    ("serial", "verdict"), [(GOOD, "OK"), (HELD, REVOKED), (LIFTED, REVOKED), (LATE, "OK"), (FIRST, REVOKED)]
)
def test_openssl_takes_the_full_crl_for_everyone(world: StatusWorld, tmp_path: Path, serial: int, verdict: str) -> None:
    assert judged("-crl_check", *written(world, tmp_path, serial, "issuing")) == verdict


@pytest.mark.openssl
@pytest.mark.parametrize(("serial", "verdict"), [(GOOD, "OK"), (HELD, REVOKED), (LIFTED, "OK"), (LATE, REVOKED)])
def test_openssl_joins_the_full_crl_and_its_delta(
    world: StatusWorld, tmp_path: Path, serial: int, verdict: str
) -> None:
    arguments = written(world, tmp_path, serial, "issuing", "issuing-delta")
    assert judged("-crl_check", "-extended_crl", "-use_deltas", *arguments) == verdict


@pytest.mark.openssl
@pytest.mark.parametrize(
    ("serial", "verdict"), [(FIRST, REVOKED), (THIRD, "OK"), (SECOND, ELSEWHERE), (GOOD, ELSEWHERE)]
)
def test_openssl_takes_a_partition_for_its_own_certificates_only(
    world: StatusWorld, tmp_path: Path, serial: int, verdict: str
) -> None:
    assert judged("-crl_check", "-extended_crl", *written(world, tmp_path, serial, "issuing-p1")) == verdict
