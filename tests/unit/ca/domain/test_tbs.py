"""A certificate is read field by field, and refused when it is not one of the shape we make."""

from datetime import UTC, datetime

import pytest

from ca.domain import der
from ca.domain.errors import InvalidRequest
from ca.domain.tbs import read_certificate, read_tbs, split_certificate
from tests.drafts import a_draft, an_issuer

FIELDS = [field.der for field in der.parse(a_draft().tbs_der).children()]


def with_field(index: int, value: bytes) -> bytes:
    return der.sequence(*FIELDS[:index], value, *FIELDS[index + 1 :])


def test_a_certificate_is_read_back() -> None:
    tbs = read_certificate(an_issuer().certificate_der)

    assert (tbs.version, tbs.serial) == (2, 1)
    assert tbs.issuer_der == tbs.subject_der
    assert [extension.oid for extension in tbs.extensions] == ["2.5.29.14", "2.5.29.15", "2.5.29.19"]
    assert tbs.find("2.5.29.37") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500101000000Z", datetime(1950, 1, 1, tzinfo=UTC)),
        ("491231235959Z", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("20500101000000Z", datetime(2050, 1, 1, tzinfo=UTC)),
    ],
)
def test_two_digit_years_are_1950_to_2049(text: str, expected: datetime) -> None:
    moment = der.tlv(der.UTC_TIME if len(text) == 13 else der.GENERALIZED_TIME, text.encode())

    assert read_tbs(with_field(4, der.sequence(moment, moment))).not_after == expected


TIME = der.tlv(der.UTC_TIME, b"260101000000Z")


@pytest.mark.parametrize(
    "tbs_der",
    [
        pytest.param(der.sequence(*FIELDS[1:]), id="version 1"),
        pytest.param(with_field(0, der.tlv(0xA0)), id="empty version"),
        pytest.param(with_field(4, der.sequence(TIME)), id="one time"),
        pytest.param(with_field(4, der.sequence(TIME, der.tlv(der.UTC_TIME, b"261301000000Z"))), id="month 13"),
        pytest.param(with_field(7, der.explicit(3, der.sequence(der.sequence(der.null())))), id="no extension"),
        pytest.param(b"\x30\x80\x00\x00", id="BER"),
    ],
)
def test_other_shapes_are_refused(tbs_der: bytes) -> None:
    with pytest.raises(InvalidRequest, match="the certificate"):
        read_tbs(tbs_der)


def test_a_signature_is_whole_octets() -> None:
    tbs, algorithm, signature = der.parse(an_issuer().certificate_der).children()
    odd = der.sequence(tbs.der, algorithm.der, der.tlv(der.BIT_STRING, b"\x01", signature.content[1:-1], b"\x00"))
    with pytest.raises(InvalidRequest, match="whole octets"):
        split_certificate(odd)


def test_a_certificate_has_three_parts() -> None:
    with pytest.raises(InvalidRequest, match="three parts"):
        split_certificate(der.sequence(der.sequence()))


def test_object_identifiers_beyond_arc_two_are_read() -> None:
    extension = der.sequence(der.oid("2.999.840.1"), der.octet_string(b""))

    tbs = read_tbs(with_field(7, der.explicit(3, der.sequence(extension))))

    assert tbs.extensions[0].oid == "2.999.840.1"
