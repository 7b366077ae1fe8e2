"""What DER is and what only looks like it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from asn1crypto import core

from ca.domain import der
from ca.domain.errors import InvalidRequest
from ca.domain.keys import SignatureAlgorithm


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, -1, -128, -129, 2**159, 2**160 - 1])
def test_integers_are_written_as_an_independent_library_writes_them(value: int) -> None:
    assert der.integer(value) == core.Integer(value).dump()


@pytest.mark.parametrize("dotted", ["2.5.4.3", "1.2.840.113549.1.1.11", "2.999.1", "1.3.6.1.4.1.99999.1.128"])
def test_object_identifiers_are_written_as_an_independent_library_writes_them(dotted: str) -> None:
    assert der.oid(dotted) == core.ObjectIdentifier(dotted).dump()


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 65536])
def test_lengths_are_the_shortest(size: int) -> None:
    assert der.octet_string(bytes(size)) == core.OctetString(bytes(size)).dump()


def test_small_types_have_their_one_encoding() -> None:
    written = [der.null(), der.boolean(True), der.boolean(False), der.enumerated(6), der.explicit(3, der.null())]

    assert [blob.hex() for blob in written] == ["0500", "0101ff", "010100", "0a0106", "a3020500"]


def test_a_set_is_sorted_by_encoding() -> None:
    assert der.set_of(der.integer(300), der.integer(2)) == bytes.fromhex("3107" + "020102" + "0202012c")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x17\x0d491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), b"\x18\x0f20500101000000Z"),
        (datetime(1949, 12, 31, tzinfo=UTC), b"\x18\x0f19491231000000Z"),
        (datetime(2028, 2, 29, 1, 2, 3, tzinfo=UTC), b"\x17\x0d280229010203Z"),
        # New Year 2050 in China is still 2049 in UTC, and UTC decides.
        (datetime(2050, 1, 1, 7, 59, 59, tzinfo=timezone(timedelta(hours=8))), b"\x17\x0d491231235959Z"),
    ],
    ids=["last utc time", "first generalized time", "before utc time", "leap day", "another time zone"],
)
def test_times_change_their_form_in_2050(moment: datetime, expected: bytes) -> None:
    assert der.utc_or_generalized_time(moment) == expected


def test_generalized_time_is_always_generalized() -> None:
    assert der.generalized_time(datetime(2026, 11, 23, tzinfo=UTC)) == b"\x18\x0f20261123000000Z"


@pytest.mark.parametrize(
    "moment",
    [datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), datetime(2026, 1, 1, microsecond=1, tzinfo=UTC)],
    ids=["naive", "fraction"],
)
def test_times_without_zone_or_with_a_fraction_are_refused(moment: datetime) -> None:
    with pytest.raises(InvalidRequest, match="whole seconds"):
        der.generalized_time(moment)


def test_rsa_parameters_are_null_and_ecdsa_has_none() -> None:
    assert der.algorithm_identifier(SignatureAlgorithm.RSA_SHA256).endswith(der.null())
    assert der.algorithm_identifier(SignatureAlgorithm.ECDSA_SHA384) == der.sequence(der.oid("1.2.840.10045.4.3.3"))


def test_signed_joins_what_was_signed_how_and_the_signature() -> None:
    tbs = der.sequence(der.integer(1))

    signed = der.signed(tbs, SignatureAlgorithm.ECDSA_SHA256, b"signature")

    inside, algorithm, signature = der.parse(signed).children()
    assert inside.der == tbs
    assert algorithm.der == der.algorithm_identifier(SignatureAlgorithm.ECDSA_SHA256)
    assert signature.content == b"\x00signature"


@pytest.mark.parametrize(
    "blob",
    [
        der.sequence(),
        der.sequence(der.integer(-129), der.null(), der.boolean(True)),
        der.tlv(der.UTF8_STRING, "𠮷野家·中国".encode()),
        der.tlv(der.PRINTABLE_STRING, b"Demo Bank (Head Office) +1,2-3./:=?"),
        der.tlv(der.IA5_STRING, b"anna@bank.example"),
        der.tlv(der.BIT_STRING, b"\x00"),
        der.tlv(der.BIT_STRING, b"\x07\x80"),
        der.oid("2.999.1"),
        der.octet_string(bytes(300)),
        der.set_of(der.integer(300), der.integer(2)),
        der.explicit(0, der.tlv(0x80, b"anything")),
    ],
)
def test_der_is_accepted(blob: bytes) -> None:
    der.require_der(blob, "the blob")


@pytest.mark.parametrize(
    "blob",
    [
        pytest.param("", id="nothing"),
        pytest.param("0500ff", id="garbage behind"),
        pytest.param("05000500", id="two elements"),
        pytest.param("30", id="no length"),
        pytest.param("3082", id="length cut short"),
        pytest.param("3080020101" + "0000", id="indefinite length"),
        pytest.param("308103020101", id="long form of a short length"),
        pytest.param("30820080" + "00" * 128, id="leading zero in a length"),
        pytest.param("3085000000000100", id="length of five octets"),
        pytest.param("3005020101", id="content cut short"),
        pytest.param("30040201", id="child cut short"),
        pytest.param("1f810100", id="long tag"),
        pytest.param("2405040101" + "00", id="octet string in pieces, cut"),
        pytest.param("2403040101", id="octet string in pieces"),
        pytest.param("1000", id="primitive sequence"),
        pytest.param("010101", id="true that is not ff"),
        pytest.param("0200", id="integer without octets"),
        pytest.param("02020001", id="integer with a leading zero"),
        pytest.param("0202ffff", id="negative integer too long"),
        pytest.param("050100", id="null with content"),
        pytest.param("0300", id="bit string without unused bits"),
        pytest.param("03020880", id="eight unused bits"),
        pytest.param("030101", id="unused bits of nothing"),
        pytest.param("030201ff", id="unused bits set"),
        pytest.param("0600", id="empty object identifier"),
        pytest.param("06022a80", id="object identifier cut short"),
        pytest.param("06032a8001", id="padded object identifier"),
        pytest.param("0c02b9fa", id="GBK bytes in UTF8String"),
        pytest.param("0c02c0af", id="overlong UTF-8"),
        pytest.param("0c0962616e6b006576696c", id="NUL in UTF8String"),
        pytest.param("1304626140" + "62", id="at sign in PrintableString"),
        pytest.param("13012a", id="asterisk in PrintableString"),
        pytest.param("1602c3a4", id="UTF-8 in IA5String"),
        pytest.param("16017f", id="control character in IA5String"),
        pytest.param("3106020102" + "020101", id="set out of order"),
    ],
)
def test_what_is_not_der_is_refused(blob: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^the request "):
        der.require_der(bytes.fromhex(blob), "the request")


def nested(levels: int) -> bytes:
    blob = b""
    for _ in range(levels):
        blob = der.sequence(blob)
    return blob


def test_nesting_is_accepted_to_the_limit_and_no_further() -> None:
    der.require_der(nested(der.MAX_DEPTH), "the request")

    with pytest.raises(InvalidRequest, match="nested more than 32"):
        der.require_der(nested(der.MAX_DEPTH + 1), "the request")


def test_of_a_thousand_levels_no_more_are_read_than_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[der.Element] = []
    verified_children = der._verified_children

    def counted(element: der.Element, what: str) -> list[der.Element]:
        read.append(element)
        return verified_children(element, what)

    monkeypatch.setattr(der, "_verified_children", counted)

    with pytest.raises(InvalidRequest, match="nested more than 32"):
        der.require_der(nested(1000), "the request")

    assert len(read) == der.MAX_DEPTH


@pytest.mark.parametrize("blob", [der.set_of(), der.explicit(0, b""), der.octet_string(b"")])
def test_a_sequence_is_a_sequence(blob: bytes) -> None:
    with pytest.raises(InvalidRequest, match="the request is not a SEQUENCE"):
        der.parse_sequence(blob, "the request")


def test_a_value_has_no_children() -> None:
    with pytest.raises(InvalidRequest, match="where a structure belongs"):
        der.parse(der.octet_string(der.null())).children()
