"""ca/usecases/report_unknown.py: our signature on what we do not know is an alarm."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ca.domain import der
from ca.domain.errors import InvalidRequest
from ca.domain.tbs import split_certificate
from ca.usecases.report_unknown import ReportUnknownCertificate
from tests.fakes.bank import Bank
from tests.fakes.status_world import StatusWorld

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture
def world() -> StatusWorld:
    return StatusWorld()


def report(world: StatusWorld, certificate: bytes) -> bool:
    return ReportUnknownCertificate(world.unit_of_work, world.clock)(certificate, by="gateway")


def test_a_certificate_we_know_is_no_alarm(world: StatusWorld) -> None:
    assert not report(world, world.issue(0xA1).der)
    assert world.unit_of_work.events == []


def test_our_own_root_is_no_alarm() -> None:
    bank = Bank()
    before = bank.event_names
    for name in ("root", "issuing"):
        assert not bank.report_unknown(bank.stored.issuers[name].certificate_der, by="reporter")
    assert bank.event_names == before


def test_another_signature_over_the_same_bytes_is_no_alarm() -> None:
    # Whoever has a certificate can do this to it: (r, s) and (r, n - s) are both valid.
    bank = Bank()
    tbs_der, algorithm, signature = split_certificate(bank.active().der)
    r, s = decode_dss_signature(signature)
    flipped = der.sequence(tbs_der, algorithm, der.bit_string(encode_dss_signature(r, P256_ORDER - s)))
    assert not bank.report_unknown(flipped, by="reporter")


def test_a_garbled_record_vouches_for_nothing(world: StatusWorld) -> None:
    certificate = world.issue(0xA1)
    world.unit_of_work.stored.certificates[0xA1] = replace(certificate, der=b"junk")
    assert report(world, certificate.der)


def test_our_signature_on_an_unknown_serial_is_an_alarm(world: StatusWorld) -> None:
    certificate = world.issue(0xA1).der
    world.forget(0xA1)

    assert report(world, certificate)

    (event,) = world.unit_of_work.events
    assert (event.name, event.subject, event.actor) == ("certificate.unknown-seen", "a1", "gateway")
    assert event.details["issuer"] == "issuing"


def test_a_second_certificate_under_a_known_serial_is_an_alarm(world: StatusWorld) -> None:
    certificate = world.issue(0xA1).der
    world.forget(0xA1)
    world.issue(0xA1, life=world.responder.not_after - world.clock.now())
    assert report(world, certificate)


def test_a_foreign_certificate_is_refused(world: StatusWorld) -> None:
    with pytest.raises(InvalidRequest, match="no signature of ours"):
        report(world, StatusWorld().issue(0xA1).der)


_NO_VERSION = der.sequence(der.explicit(0, b""), der.integer(1), *[der.sequence()] * 5, der.explicit(3, der.sequence()))


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"junk",
        der.sequence(),
        der.sequence(der.sequence(), der.sequence(), der.null()),
        der.sequence(_NO_VERSION, der.sequence(), der.bit_string(b"")),
        bytes(40_000),
    ],
)
def test_what_is_no_certificate_is_refused(world: StatusWorld, blob: bytes) -> None:
    with pytest.raises(InvalidRequest):
        report(world, blob)
