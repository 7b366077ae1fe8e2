"""ca/usecases/learn_from_crl.py: after a restore without a journal, what relying parties were told becomes so again."""

from datetime import timedelta

import pytest
from cryptography import x509

from ca.domain.certificates import CertificateStatus
from ca.domain.errors import InvalidRequest, Tampered
from ca.domain.revocation import RevocationReason
from ca.usecases.learn_from_crl import LearnFromCRL, Learnt
from tests.fakes.status_world import StatusWorld

REVOKED, HELD, KEPT, LATE = 0xA1, 0xB2, 0xC3, 0xD4


def restored() -> tuple[StatusWorld, bytes]:
    """Three certificates hold again; the last CRL, number 3, told of one revoked, one held and a later one revoked."""
    world = StatusWorld()
    before = [world.issue(serial) for serial in (REVOKED, HELD, KEPT)]
    world.issue(LATE)
    world.revoke(REVOKED, RevocationReason.KEY_COMPROMISE, invalid_since=world.clock.now())
    world.revoke(LATE)
    world.suspend(HELD)
    crl = [world.published() for _ in range(3)][-1]
    stored = world.unit_of_work.stored
    stored.certificates |= {certificate.serial: certificate for certificate in before}
    world.forget(LATE)
    stored.crl_numbers.clear()
    stored.crl_due.clear()
    return world, crl


def learn(world: StatusWorld, crl: bytes) -> Learnt:
    return LearnFromCRL(world.unit_of_work, world.clock)(crl)


def test_what_it_tells_becomes_so_with_its_own_instant_and_reason() -> None:
    world, crl = restored()
    changed = world.clock.now()
    world.clock.tick(timedelta(days=1))

    learnt = learn(world, crl)

    assert learnt == Learnt(3, 2, [LATE])
    certificates = world.unit_of_work.certificates
    revoked, held = certificates[REVOKED].revocation, certificates[HELD].revocation
    assert revoked is not None
    assert held is not None
    assert (revoked.reason, revoked.revoked_at) == (RevocationReason.KEY_COMPROMISE, changed)
    assert revoked.invalid_since == changed
    assert (held.reason, held.revoked_at) == (RevocationReason.CERTIFICATE_HOLD, changed)
    assert certificates[KEPT].status is CertificateStatus.ACTIVE
    events = {(event.name, event.subject): event for event in world.unit_of_work.events[-3:]}
    assert set(events) == {("certificate.revoked", "a1"), ("certificate.held", "b2"), ("crl.learnt", "issuing")}
    assert events["certificate.revoked", "a1"].at == changed
    assert events["certificate.revoked", "a1"].details == {"reason": "keyCompromise", "learnt_from": "CRL 3"}


def test_the_next_crl_is_due_and_has_a_higher_number() -> None:
    world, crl = restored()

    learn(world, crl)

    assert world.unit_of_work.stored.crl_due["issuing"]
    assert world.unit_of_work.stored.crl_numbers["issuing"] > 3
    world.publisher.crls.clear()  # what the backup had of them was older
    world.publisher.copies.clear()
    told = x509.load_der_x509_crl(world.published())
    assert {entry.serial_number for entry in told} == {REVOKED, HELD}


def test_learning_again_changes_no_certificate() -> None:
    world, crl = restored()
    learn(world, crl)
    before = dict(world.unit_of_work.certificates)

    assert learn(world, crl).revoked == 0
    assert dict(world.unit_of_work.certificates) == before


def test_a_crl_that_is_not_ours_teaches_nothing() -> None:
    world, crl = restored()
    _, foreign = restored()
    events = len(world.unit_of_work.events)

    with pytest.raises(Tampered, match="not signed by any CA of ours"):
        learn(world, foreign)
    with pytest.raises(InvalidRequest, match="delta"):
        learn(world, world.publisher.crls["issuing-delta"])
    for damaged in (b"", b"-----BEGIN X509 CRL-----", crl[:-40], crl[: len(crl) // 2]):
        with pytest.raises(InvalidRequest):
            learn(world, damaged)

    assert len(world.unit_of_work.events) == events
    assert world.unit_of_work.certificates[REVOKED].status is CertificateStatus.ACTIVE
