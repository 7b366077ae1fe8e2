"""ca/usecases/renew.py: the old key signs for the new one, for our origin and a nonce of ours ."""

import hashlib
from datetime import timedelta

import pytest

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import InvalidRequest, NotAuthenticated
from ca.domain.revocation import RevocationReason
from tests.drafts import SoftKey
from tests.fakes.bank import Bank, new_key, prove, request_like
from tests.fakes.use_cases import ORIGIN

DAY = timedelta(days=1)


class ByKey:
    """A customer with the old key, and a request for a new one."""

    def __init__(self, bank: Bank) -> None:
        self.bank, self.old, self.new = bank, new_key(), new_key()
        self.certificate = bank.active(key=self.old)
        bank.clock.set(self.certificate.not_after - 30 * DAY)
        self.request = request_like(self.certificate.der, self.new)
        self.renew_by_key = bank.use_cases.renew_by_key

    def nonce(self, of: Certificate | None = None) -> bytes:
        return self.bank.confirm.challenge((of or self.certificate).serial)

    def __call__(
        self, nonce: bytes, *, key: SoftKey | None = None, origin: str = ORIGIN, request: bytes = b"",
        shown: Certificate | None = None,
    ) -> Certificate:  # fmt: skip
        parts = origin.encode(), self.certificate.der, request or self.request
        first, *others = (hashlib.sha256(part).digest() for part in parts)
        signature = (key or self.old).sign(b"".join([b"vermilion renew v1\x00", first, nonce, *others]))
        der = (shown or self.certificate).der
        return self.renew_by_key(der, self.request, nonce=nonce, signature=signature)


@pytest.fixture
def by_key(bank: Bank) -> ByKey:
    return ByKey(bank)


def test_the_old_key_renews_and_both_confirm(by_key: ByKey, bank: Bank) -> None:
    new = by_key(by_key.nonce())
    assert (new.predecessor, new.status) == (by_key.certificate.serial, CertificateStatus.UNCONFIRMED)
    assert bank.status(by_key.certificate.serial) is CertificateStatus.ACTIVE
    nonce = bank.confirm.challenge(new.serial)
    bank.confirm(new.serial, nonce, prove(by_key.new, nonce, new), predecessor_signature=prove(by_key.old, nonce, new))

    assert bank.status(new.serial) is CertificateStatus.ACTIVE
    ended = bank.certificate(by_key.certificate.serial).revocation
    assert ended is not None
    assert ended.reason is RevocationReason.SUPERSEDED


def test_the_same_request_with_another_nonce_gets_the_same_certificate(by_key: ByKey) -> None:
    assert by_key(by_key.nonce()).serial == by_key(by_key.nonce()).serial


def test_another_key_another_origin_or_another_request_renews_nothing(by_key: ByKey, bank: Bank) -> None:
    signed = len(bank.signatures)
    other = request_like(by_key.certificate.der, new_key())
    for wrong in ({"key": new_key()}, {"origin": "https://evil.example"}, {"request": other}):
        with pytest.raises(NotAuthenticated, match="did not sign this request"):
            by_key(by_key.nonce(), **wrong)
    with pytest.raises(NotAuthenticated, match="did not sign this request"):
        by_key(by_key.nonce(), shown=bank.active())
    assert len(bank.signatures) == signed + 1  # the last line's own certificate


def test_a_nonce_renews_once_and_is_that_of_the_old_certificate(by_key: ByKey, bank: Bank) -> None:
    other = bank.active()
    bank.clock.set(by_key.certificate.not_after - 30 * DAY)
    with pytest.raises(InvalidRequest, match="nonce"):
        by_key(by_key.nonce(other))
    with pytest.raises(InvalidRequest, match="nonce"):
        by_key(bytes(32))
    nonce = by_key.nonce()
    by_key(nonce)
    with pytest.raises(InvalidRequest, match="nonce"):
        by_key(nonce)


def test_what_is_no_certificate_signs_for_nothing(by_key: ByKey) -> None:
    with pytest.raises(NotAuthenticated):
        by_key.renew_by_key(b"junk", by_key.request, nonce=bytes(32), signature=b"")
