"""What is written reads back, and no input makes a reader do anything but refuse."""

from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import core
from cryptography import x509
from hypothesis import example, given
from hypothesis import strategies as st

from ca.domain import der
from ca.domain.errors import InvalidRequest
from ca.domain.keys import PublicKey
from ca.domain.linting import lint_certificate
from ca.domain.names import AlternativeName, Name, NameAttribute, unusual_characters, verify_text
from ca.domain.requests import CertificationRequest, decode_base64_or_der
from ca.domain.serials import new_serial, parse_serial, serial_text
from tests.drafts import P384, PROFILES, a_draft, a_request, an_issuer

REQUEST = a_request()
ISSUER = an_issuer()


def is_fit(text: str) -> bool:
    try:
        return verify_text(text, 64) == text
    except InvalidRequest:
        return False


fit_text = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1, max_size=12).filter(is_fit)
names = st.lists(
    st.tuples(
        st.sampled_from([NameAttribute.ORGANIZATION, NameAttribute.COMMON_NAME, NameAttribute.LOCALITY]), fit_text
    ),
    min_size=1,
    max_size=5,
).map(lambda attributes: Name(tuple(attributes)))


@given(st.integers(min_value=-(2**200), max_value=2**200))
def test_integers_agree_with_an_independent_encoder(value: int) -> None:
    assert der.integer(value) == core.Integer(value).dump()
    der.require_der(der.integer(value), "the integer")


@given(st.binary(max_size=200))
def test_the_strict_reader_accepts_or_refuses_and_nothing_else(blob: bytes) -> None:
    try:
        der.require_der(blob, "the blob")
    except InvalidRequest:
        return
    assert der.parse(blob).der == blob


@given(names)
@example(Name(((NameAttribute.COMMON_NAME, "𠮷" * 64),)))
def test_every_fit_name_survives_der_records_and_display(name: Name) -> None:
    assert Name.from_der(name.der) == name
    assert Name.from_list(name.as_list()) == name
    unusual_characters(name.text)


@given(names.filter(lambda name: all(len(text.encode()) <= 64 for _, text in name.attributes)))
def test_an_independent_parser_reads_the_displayed_name_as_the_same(name: Name) -> None:
    assert x509.Name.from_rfc4514_string(name.text).public_bytes() == name.der


@given(st.text(max_size=40))
def test_verified_text_is_stable(text: str) -> None:
    try:
        verified = verify_text(text, 40)
    except InvalidRequest:
        return
    assert verify_text(verified, 40) == verified


@given(st.sampled_from(["email", "dns"]), st.text(max_size=30))
def test_alternative_names_are_ascii_or_refused(kind: str, text: str) -> None:
    try:
        name = AlternativeName(kind, text)
    except InvalidRequest:
        return
    assert name.value.isascii()
    name.to_x509()


@given(st.binary(min_size=16, max_size=16))
def test_serials_are_positive_short_and_read_back(random: bytes) -> None:
    serial = new_serial(lambda size: random[:size])

    assert 0 < serial < 1 << 159
    assert parse_serial(serial_text(serial)) == serial


@given(st.text(max_size=45))
def test_reading_a_serial_never_fails_in_another_way(text: str) -> None:
    try:
        assert parse_serial(text) > 0
    except InvalidRequest:
        return


@given(st.integers(0, len(REQUEST) - 1), st.integers(1, 255))
def test_a_changed_octet_never_makes_another_request_pass(place: int, change: int) -> None:
    changed = bytearray(REQUEST)
    changed[place] ^= change

    with pytest.raises(InvalidRequest):
        CertificationRequest.parse(bytes(changed))


@given(st.binary(max_size=300))
def test_readers_of_strangers_bytes_only_refuse(blob: bytes) -> None:
    for read in (CertificationRequest.parse, PublicKey.from_spki, Name.from_der, decode_base64_or_der):
        try:
            read(blob)
        except InvalidRequest:
            continue


@given(
    names,
    st.integers(1, (1 << 159) - 1),
    st.integers(0, 3649 * 24 * 3600),
    st.sampled_from(["personal-signing", "corporate-operator", "officer", "ocsp-responder"]),
)
def test_whatever_is_drafted_passes_the_last_look_and_lives_within_its_issuer(
    name: Name, serial: int, seconds: int, profile: str
) -> None:
    now = ISSUER.not_before + timedelta(seconds=seconds)

    draft = a_draft(PROFILES[profile], ISSUER, subject=name, serial=serial, now=now)

    lint_certificate(draft, PROFILES[profile], ISSUER)
    assert ISSUER.not_before <= draft.not_before <= now <= draft.not_after <= ISSUER.not_after


@given(st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - zone given
def test_times_are_read_back_by_an_independent_library(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    written = der.utc_or_generalized_time(whole)

    kind = core.UTCTime if whole.year < 2050 else core.GeneralizedTime
    assert kind.load(written).native == whole


def test_the_issuer_of_these_tests_is_sound() -> None:
    assert ISSUER.spki_der == P384.public.spki_der
