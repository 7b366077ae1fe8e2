"""pkilint, an independent linter, has nothing to say about our CRLs and OCSP responses, down to its notices."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ca.domain.certificates import CertificateStatus
from ca.domain.keys import KeyAlgorithm
from ca.domain.ocsp import ErrorStatus, error_response
from ca.domain.revocation import RevocationReason
from ocsp.request import parse_request
from tests.fakes.status_world import DAY, StatusWorld


def findings(path: Path, content: bytes, program: str, *options: str) -> str:
    path.write_bytes(content)
    command = [str(Path(sys.executable).with_name(program)), "lint", "-s", "NOTICE", *options, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return (done.stdout + done.stderr).strip()


def populate(world: StatusWorld) -> list[int]:
    """Certificates in every state and for every reason; their serial numbers and one that was never issued."""
    serials = list(range(0x10, 0x10 + len(RevocationReason)))
    for serial, reason in zip(serials, RevocationReason, strict=True):
        world.issue(serial, life=2 * DAY)
        if reason is RevocationReason.CERTIFICATE_HOLD:
            world.suspend(serial)
        else:
            world.revoke(serial, reason)
    world.issue(0xA1)
    world.issue(2**158 + 1, CertificateStatus.UNCONFIRMED)
    return [*serials, 0xA1, 2**158 + 1, 0xFFFF]


def grown(world: StatusWorld) -> bytes:
    populate(world)
    return world.published()


def with_expired(world: StatusWorld) -> bytes:
    grown(world)
    world.clock.tick(3 * DAY)
    return world.published()


def long_lived(world: StatusWorld) -> bytes:
    """A root's, over the end of 2049: both forms of time in one CRL."""
    world.clock.tick(timedelta(days=365 * 23))
    populate(world)
    object.__setattr__(world.publish_crl, "life", timedelta(days=200))
    world.clock.tick(timedelta(days=30))
    return world.published()


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.EC_P256, KeyAlgorithm.EC_P384, KeyAlgorithm.RSA_2048])
@pytest.mark.parametrize("make", [lambda world: world.published(), grown])
def test_a_crl_of_every_kind_of_key_is_clean(
    tmp_path: Path, make: Callable[[StatusWorld], bytes], algorithm: KeyAlgorithm
) -> None:
    crl = make(StatusWorld(algorithm=algorithm))
    assert findings(tmp_path / "crl", crl, "lint_crl", "-t", "crl", "-p", "pkix") == ""


@pytest.mark.parametrize("make", [with_expired, long_lived])
def test_a_crl_at_any_time_is_clean(tmp_path: Path, make: Callable[[StatusWorld], bytes]) -> None:
    assert findings(tmp_path / "crl", make(StatusWorld()), "lint_crl", "-t", "crl", "-p", "pkix") == ""


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.EC_P256, KeyAlgorithm.EC_P384, KeyAlgorithm.RSA_2048])
@pytest.mark.parametrize("nonce", [None, b"n" * 32])
def test_an_answer_about_every_state_is_clean(tmp_path: Path, algorithm: KeyAlgorithm, nonce: bytes | None) -> None:
    world = StatusWorld(algorithm=algorithm)
    cert_ids = [parse_request(world.asked(serial)).cert_ids[0].der for serial in populate(world)]
    assert findings(tmp_path / "ocsp", world.answer_ocsp(cert_ids, nonce), "lint_ocsp_response") == ""
    assert findings(tmp_path / "ocsp", world.answer_ocsp(cert_ids[:1], nonce), "lint_ocsp_response") == ""


@pytest.mark.parametrize("status", ErrorStatus)
def test_an_error_is_clean(tmp_path: Path, status: ErrorStatus) -> None:
    assert findings(tmp_path / "ocsp", error_response(status), "lint_ocsp_response") == ""
