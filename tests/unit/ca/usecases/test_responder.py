"""ca/usecases/responder.py: keys in the memory of a status process are certified if allowed, and not too many."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca.domain.errors import InvalidRequest, NotAllowed, ProfileViolation
from ca.domain.responders import Responder, memory_key_proof
from ca.usecases.answer_ocsp import RESPONDER_PROFILE
from ca.usecases.responder import MEMORY_PROFILE, CertifyMemoryKey
from tests.fakes.bank import Bank
from tests.fakes.ceremony import ISSUING


@pytest.fixture
def bank() -> Bank:
    return Bank()


P256, SHA_256 = ec.SECP256R1(), SHA256()


def shown(curve: ec.EllipticCurve = P256, algorithm: HashAlgorithm = SHA_256) -> tuple[bytes, bytes]:
    """A new key and the proof of it."""
    key = ec.generate_private_key(curve)
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return spki, key.sign(memory_key_proof(spki), ec.ECDSA(algorithm))


def test_a_key_in_memory_gets_a_responders_certificate_for_days(bank: Bank) -> None:
    spki, proof = shown()

    certificate, issuer_der = bank.certify_memory_key(spki, proof)

    responder = Responder.of(certificate.der)
    assert responder.public_key.spki_der == spki
    assert responder.not_after - responder.not_before <= timedelta(days=2, minutes=5)
    assert issuer_der == bank.stored.issuers[ISSUING].certificate_der
    issued = bank.unit_of_work.events[-1]
    assert (issued.name, issued.actor) == ("certificate.issued", "status")
    assert bank.unit_of_work.standings.find(certificate.serial) is not None


def test_it_does_not_take_the_place_of_the_key_in_the_hsm(bank: Bank) -> None:
    hsm = bank.responder(ISSUING)
    bank.clock.tick(timedelta(minutes=1))
    bank.certify_memory_key(*shown())

    with bank.unit_of_work() as work:
        assert work.certificates.find_newest(ISSUING, RESPONDER_PROFILE) == hsm


def test_so_many_a_day_and_no_more(bank: Bank) -> None:
    for _ in range(3):
        bank.certify_memory_key(*shown())
    with pytest.raises(NotAllowed, match="3 responder keys"):
        bank.certify_memory_key(*shown())
    bank.clock.tick(timedelta(days=1, seconds=1))
    bank.certify_memory_key(*shown())


def test_where_the_setting_does_not_allow_it_none_is_certified(bank: Bank) -> None:
    forbidden = CertifyMemoryKey(bank.responder, ISSUING, per_day=0)
    with pytest.raises(NotAllowed, match="hsm"):
        forbidden(*shown())


def test_a_key_that_is_not_shown_to_be_there_is_refused(bank: Bank) -> None:
    with pytest.raises(InvalidRequest):
        bank.certify_memory_key(shown()[0], shown()[1])
    with pytest.raises(InvalidRequest):
        bank.certify_memory_key(b"junk", b"junk")


def test_a_kind_of_key_that_the_profile_does_not_have_is_refused(bank: Bank) -> None:
    with pytest.raises(ProfileViolation, match="not ec-p384"):
        bank.certify_memory_key(*shown(ec.SECP384R1(), SHA384()))
    assert [each for each in bank.stored.certificates.values() if each.profile == MEMORY_PROFILE] == []
