"""ca/domain/receipts.py: what an interval proves, and what a receipt refuses to be told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ca.domain.certificates import CertificateStatus
from ca.domain.errors import InvalidRequest
from ca.domain.receipts import (
    DATABASE,
    FULL_CRL,
    OCSP,
    PARTITION_CRL,
    Place,
    Receipt,
    Sighting,
    Verdict,
    latencies,
    promised_channels,
    tells,
)
from ca.domain.revocation import RevocationReason
from ca.domain.times import Millis, millis_text
from tests.builders import a_certificate

AT = Millis(1_800_000_000_123)
LATER = Millis(AT + 10**9)
R = RevocationReason


def ms(after: int | None) -> Millis | None:
    return None if after is None else Millis(AT + after)


def a_receipt(*sightings: Sighting, overtaken: bool = False) -> Receipt:
    return Receipt(0xA1, AT, "issuing", CertificateStatus.REVOKED, 7, sightings, overtaken)


@pytest.mark.parametrize(
    ("not_before", "seen", "verdict"),
    [
        (None, None, Verdict.WAITING),
        (1000, None, Verdict.WAITING),
        (1001, None, Verdict.LATE),
        (None, 1000, Verdict.IN_TIME),
        (None, 1001, Verdict.AT_LATEST),
        (1000, 5000, Verdict.AT_LATEST),
        (1001, 1001, Verdict.LATE),
    ],
)
def test_late_is_only_what_was_asked_for_beyond_the_bound_and_not_there(
    not_before: int | None, seen: int | None, verdict: Verdict
) -> None:
    assert Sighting(OCSP, 1000, ms(not_before), ms(seen)).verdict(AT) is verdict


@given(st.lists(st.tuples(st.none() | st.integers(-5, 20), st.none() | st.integers(-5, 20)), max_size=6))
def test_nothing_is_ever_seen_before_the_change_and_the_first_sighting_stands(told: list[tuple]) -> None:
    receipt, first = a_receipt(Sighting(OCSP, 10)), None
    for not_before, seen in told:
        try:
            receipt = receipt.see(OCSP, ms(not_before), ms(seen), now=Millis(AT + 15))
        except InvalidRequest:
            continue
        first = first or receipt.sightings[0].seen_at
    sighting = receipt.sightings[0]
    assert sighting.seen_at == first
    assert sighting.seen_at is None or AT <= (sighting.not_before or AT) <= sighting.seen_at <= AT + 15
    assert (sighting.verdict(AT) is Verdict.LATE) == (sighting.not_before is not None and sighting.not_before > AT + 10)


@pytest.mark.parametrize(("not_before", "seen"), [(None, -1), (-1, 5), (6, 5), (None, 10**9 + 1)])
def test_an_impossible_time_is_refused(not_before: int | None, seen: int) -> None:
    with pytest.raises(InvalidRequest):
        a_receipt(Sighting(OCSP, 1000)).see(OCSP, ms(not_before), ms(seen), now=LATER)


def test_what_was_missing_later_was_not_seen_earlier() -> None:
    asked = a_receipt(Sighting(OCSP, 1000)).see(OCSP, ms(50), None, now=LATER)
    with pytest.raises(InvalidRequest, match="still not visible"):
        asked.see(OCSP, None, ms(40), now=LATER)


def test_a_channel_that_was_not_promised_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no channel"):
        a_receipt(Sighting(OCSP, 1000)).see(DATABASE, None, ms(1), now=LATER)


def test_what_was_overtaken_is_not_waited_for() -> None:
    assert a_receipt(Sighting(OCSP, 1000)).is_soon
    assert not a_receipt(Sighting(OCSP, 1000), overtaken=True).missing
    assert not a_receipt(Sighting(FULL_CRL, 3_610_000)).is_soon
    assert a_receipt(Sighting(FULL_CRL, 10_000)).is_soon


@pytest.mark.parametrize(
    ("became", "reason", "shown"),
    [
        (CertificateStatus.ACTIVE, None, True),
        (CertificateStatus.ACTIVE, R.CERTIFICATE_HOLD, False),
        (CertificateStatus.ON_HOLD, R.CERTIFICATE_HOLD, True),
        (CertificateStatus.ON_HOLD, None, False),
        (CertificateStatus.REVOKED, R.CERTIFICATE_HOLD, False),
        (CertificateStatus.REVOKED, R.SUPERSEDED, True),
        (CertificateStatus.REVOKED, None, False),
    ],
)
def test_an_answer_tells_of_this_change_and_not_of_another(
    became: CertificateStatus, reason: R | None, shown: bool
) -> None:
    assert tells(became, reason) is shown


def test_what_is_promised() -> None:
    place = Place("directory", "http://pki.example/crl/")
    certificate = a_certificate(crl_partition=3)
    given: dict[str, Any] = {"crl_period": 3_600_000, "crl_within": 10_000, "places": [place]}
    direct = promised_channels(certificate, full_at_once=False, cached=False, **given)
    cached = promised_channels(certificate, full_at_once=True, cached=True, **given)
    assert {one.channel: one.promised for one in direct} == {
        "database": 1000, "ocsp": 1000, "ocsp-nonce": 1000, "ocsp-get": 1000, "delta-crl": 10_000,
        PARTITION_CRL: 10_000, FULL_CRL: 3_610_000, "target:directory": 10_000,
    }  # fmt: skip
    assert [one.promised for one in cached] == [1000, 1000, 1000, 61_000, *[310_000] * 4]
    assert place.address("issuing-delta") == "http://pki.example/crl/issuing-delta.crl"


def test_latencies_are_observed_values_by_nearest_rank() -> None:
    seen = [a_receipt(Sighting(OCSP, 1000, None, ms(after))) for after in range(1, 101)]
    late = a_receipt(Sighting(OCSP, 2000, ms(3000), None))
    (row,) = latencies([*seen, late])
    assert (row.count, row.p50, row.p95, row.longest) == (100, 50, 95, 100)
    assert (row.promised, row.late, row.waiting) == (2000, 1, 1)
    (empty,) = latencies([late])
    assert (empty.count, empty.p50, empty.longest) == (0, None, None)


def test_milliseconds_as_text() -> None:
    assert millis_text(Millis(1_795_714_794_005)) == "2026-11-26T17:39:54.005Z"
