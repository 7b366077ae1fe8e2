"""ca/domain/standings.py: a certificate's standing and its bytes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ca.domain.certificates import CertificateStatus
from ca.domain.errors import Tampered
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.standings import Standing, face_of, issuer_of, serial_key
from tests.builders import NOW, a_certificate

TIMES = st.integers(0, 2**32 - 1).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
STANDINGS = st.builds(
    Standing,
    issuer=st.sampled_from(["issuing", "root", ""]),
    status=st.sampled_from(CertificateStatus),
    issued_at=TIMES,
    not_after=st.one_of(TIMES, st.just(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))),
    revocation=st.none() | st.builds(Revocation, st.sampled_from(RevocationReason), TIMES, st.none() | TIMES),
)


@given(STANDINGS)
def test_what_is_packed_is_unpacked(standing: Standing) -> None:
    packed = standing.pack()

    assert Standing.unpack(packed) == standing
    assert issuer_of(packed) == standing.issuer.encode()


@given(STANDINGS, STANDINGS)
def test_two_that_relying_parties_tell_apart_have_two_faces(one: Standing, other: Standing) -> None:
    if face_of(one.pack()) == face_of(other.pack()):
        assert _told_by_ocsp(one) == _told_by_ocsp(other)


def _told_by_ocsp(standing: Standing) -> Revocation | None:
    seen = standing.seen_by_relying_parties()
    return None if seen is None else replace(seen, invalid_since=None)


def test_a_record_from_before_invalidity_dates_is_read() -> None:
    revoked = Standing.of(a_certificate().revoke(RevocationReason.SUPERSEDED, at=NOW))
    dated = replace(revoked, revocation=Revocation(RevocationReason.SUPERSEDED, NOW, NOW - timedelta(hours=1)))

    assert dated.pack().startswith(revoked.pack())
    assert Standing.unpack(revoked.pack()) == revoked
    assert issuer_of(dated.pack()) == issuer_of(revoked.pack()) == revoked.issuer.encode()


@pytest.mark.parametrize(
    "packed",
    [
        *(b"", bytes(17), b"\x09" + bytes(17), b"\x01\x07" + bytes(16), bytes(18) + b"\xff"),
        *(b"\x04\x01" + bytes(16) + b"name\x00" + bytes(length) for length in (0, 3, 5)),
    ],
)
def test_bytes_that_nobody_packed_are_found_out(packed: bytes) -> None:
    with pytest.raises(Tampered):
        Standing.unpack(packed)


def test_a_time_that_no_certificate_has_is_found_out() -> None:
    late = replace(Standing.of(a_certificate()), issued_at=datetime(2107, 1, 1, tzinfo=UTC))

    with pytest.raises(Tampered):
        late.pack()


def test_it_says_of_a_certificate_what_the_certificate_says() -> None:
    for certificate in (
        a_certificate(status=CertificateStatus.UNCONFIRMED),
        a_certificate(status=CertificateStatus.ACTIVE),
        a_certificate(status=CertificateStatus.ACTIVE).revoke(RevocationReason.SUPERSEDED, at=NOW + timedelta(days=1)),
    ):
        assert Standing.of(certificate).seen_by_relying_parties() == certificate.seen_by_relying_parties()


def test_keys_are_in_the_order_of_numbers_and_only_for_what_can_be_issued() -> None:
    keys = [serial_key(serial) for serial in (1, 0xFF, 0x100, 2**159)]

    assert keys == sorted(keys)  # type: ignore[type-var]  # none of them is None
    assert [serial_key(serial) for serial in (0, -1, 1 << 160)] == [None, None, None]
