"""Whom a certificate may name, and what only looks like a name."""

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.x509.oid import NameOID

from ca.domain import der
from ca.domain.errors import InvalidRequest
from ca.domain.names import AlternativeName, AlternativeNameKind, Name, NameAttribute, unusual_characters, verify_text

ZHANG = Name(
    (
        (NameAttribute.COUNTRY, "CN"),
        (NameAttribute.STATE, "北京"),
        (NameAttribute.LOCALITY, "北京"),
        (NameAttribute.ORGANIZATION, "Demo Bank"),
        (NameAttribute.ORGANIZATIONAL_UNIT, "Personal customers"),
        (NameAttribute.COMMON_NAME, "张伟"),
        (NameAttribute.SERIAL_NUMBER, "10000001"),
    )
)


_OIDS = {
    NameAttribute.COUNTRY: NameOID.COUNTRY_NAME,
    NameAttribute.STATE: NameOID.STATE_OR_PROVINCE_NAME,
    NameAttribute.LOCALITY: NameOID.LOCALITY_NAME,
    NameAttribute.ORGANIZATION: NameOID.ORGANIZATION_NAME,
    NameAttribute.ORGANIZATIONAL_UNIT: NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameAttribute.COMMON_NAME: NameOID.COMMON_NAME,
    NameAttribute.SERIAL_NUMBER: NameOID.SERIAL_NUMBER,
}


def as_x509(name: Name) -> x509.Name:
    """The same name, encoded by somebody else."""
    return x509.Name(x509.NameAttribute(_OIDS[attribute], text) for attribute, text in name.attributes)


def test_a_name_is_encoded_as_cryptography_encodes_it() -> None:
    assert ZHANG.der == as_x509(ZHANG).public_bytes()


def test_an_independent_library_reads_the_name() -> None:
    native = asn1.Name.load(ZHANG.der).native

    assert native["common_name"] == "张伟"
    assert native["serial_number"] == "10000001"


def test_country_and_serial_number_are_printable_strings_and_the_rest_utf8() -> None:
    tags = [name.children()[0].children()[1].tag for name in der.parse(ZHANG.der).children()]

    assert tags == [0x13, 0x0C, 0x0C, 0x0C, 0x0C, 0x0C, 0x13]


def test_a_common_name_may_have_64_rare_chinese_characters() -> None:
    name = Name(((NameAttribute.COMMON_NAME, "𠮷" * 64),))

    assert Name.from_der(name.der) == name


def test_cryptography_counts_bytes_and_refuses_such_a_name() -> None:
    with pytest.raises(ValueError, match="it was 256"):
        as_x509(Name(((NameAttribute.COMMON_NAME, "𠮷" * 64),)))


def test_a_name_survives_its_records() -> None:
    assert Name.from_list(ZHANG.as_list()) == ZHANG
    assert Name.from_der(ZHANG.der) == ZHANG


def test_a_name_is_shown_most_specific_first_and_escaped() -> None:
    name = Name(((NameAttribute.ORGANIZATION, 'A, "B" + <C>; D\\E'), (NameAttribute.COMMON_NAME, "#1")))

    assert name.text == 'CN=\\#1,O=A\\, \\"B\\" \\+ \\<C\\>\\; D\\\\E'


def test_the_shown_name_reads_back_as_the_same_name() -> None:
    name = Name(((NameAttribute.ORGANIZATION, 'A, "B" + <C>; D\\E'), (NameAttribute.COMMON_NAME, "/CN=bank/ #=")))

    assert x509.Name.from_rfc4514_string(name.text).public_bytes() == name.der


@pytest.mark.parametrize(
    "pairs", [[["nickname", "x"]], [["common_name"]], [["common_name", "a", "b"]]], ids=["unknown", "short", "long"]
)
def test_records_that_are_no_names_are_refused(pairs: list[list[str]]) -> None:
    with pytest.raises(InvalidRequest, match="list of pairs"):
        Name.from_list(pairs)


COMMON_NAME = der.oid("2.5.4.3")
TEXT = der.tlv(der.UTF8_STRING, b"x")


@pytest.mark.parametrize(
    "blob",
    [
        der.sequence(der.set_of(der.sequence(der.oid("2.5.4.65"), TEXT))),
        der.sequence(der.set_of(der.sequence(COMMON_NAME, der.tlv(0x1E, b"\0x")))),
        der.sequence(der.set_of(der.sequence(COMMON_NAME, TEXT), der.sequence(COMMON_NAME, TEXT))),
    ],
    ids=["attribute unknown", "BMPString", "two values in one relative name"],
)
def test_encoded_names_that_we_would_not_write_are_refused(blob: bytes) -> None:
    with pytest.raises(InvalidRequest, match="does not use"):
        Name.from_der(blob)


@pytest.mark.parametrize("country", ["cn", "C1", "ＣＮ", "C"])
def test_a_country_is_two_capital_letters(country: str) -> None:
    with pytest.raises(InvalidRequest, match="two capital letters"):
        Name(((NameAttribute.COUNTRY, country),))


def test_a_serial_number_is_printable() -> None:
    with pytest.raises(InvalidRequest, match="PrintableString"):
        Name(((NameAttribute.SERIAL_NUMBER, "１００"),))


def test_a_name_holds_normalised_text_only() -> None:
    with pytest.raises(InvalidRequest, match="normalisation"):
        Name(((NameAttribute.COMMON_NAME, "Jose\u0301"),))


@pytest.mark.parametrize(
    "text",
    [
        "O'Brien & Søn, Ltd.",
        "阿不都·热合曼",
        "北京（中国）有限公司",
        "𠮷野",
        "〇一",
        "A-1/B+C=D",
        "\U00031350",
        "\U0002ebf0",
    ],
)
def test_honest_names_are_accepted(text: str) -> None:
    assert verify_text(text, 64) == text


def test_text_is_normalised() -> None:
    assert verify_text("Jose\u0301", 4) == "José"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("bank\0evil", "control", id="NUL"),
        pytest.param("a\nb", "control", id="line feed"),
        pytest.param("\x9bm", "control", id="C1 control"),
        pytest.param("gro\u202eknab", "direction", id="right-to-left override"),
        pytest.param("a\u2066b", "direction", id="isolate"),
        pytest.param("a\u200bb", "invisible", id="zero-width space"),
        pytest.param("a\u200db", "invisible", id="zero-width joiner"),
        pytest.param("a\ufeffb", "invisible", id="byte order mark"),
        pytest.param("a\u00adb", "invisible", id="soft hyphen"),
        pytest.param("a\ufe0f", "invisible", id="variation selector"),
        pytest.param("a\U000e0100", "invisible", id="ideographic variation selector"),
        pytest.param("a\U000e0041", "invisible", id="tag"),
        pytest.param("\u3164", "invisible", id="Hangul filler"),
        pytest.param("\u2800", "invisible", id="braille blank"),
        pytest.param("a\ue000", "private-use", id="private use"),
        pytest.param("a\U000f0000", "private-use", id="private use plane"),
        pytest.param("a\u0378", "unassigned", id="unassigned"),
        pytest.param("a\uffff", "unassigned", id="noncharacter"),
        pytest.param("a\ud800", "surrogate", id="surrogate"),
        pytest.param("a\u2028b", "line separator", id="line separator"),
        pytest.param("a\u2029b", "paragraph separator", id="paragraph separator"),
        pytest.param("a\u00a0b", "plain one", id="no-break space"),
        pytest.param("张\u3000伟", "plain one", id="ideographic space"),
        pytest.param("*.bank.example", "asterisk", id="wildcard"),
        pytest.param("", "empty", id="empty"),
        pytest.param(" a", "blank", id="leading blank"),
        pytest.param("a ", "blank", id="trailing blank"),
        pytest.param("a  b", "two blanks", id="two blanks"),
        pytest.param("\u0301a", "combining mark", id="leading mark"),
        pytest.param("a" * 65, "65 characters, at most 64", id="too long"),
    ],
)
def test_text_that_hides_something_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        verify_text(text, 64)


@pytest.mark.parametrize(
    "text", ["张伟", "Demo Bank 中国", "阿不都·热合曼", "佐々木", "北京（中国）", "\U0002ebf0", "O'Neil-3"]
)
def test_usual_names_raise_no_warning(text: str) -> None:
    assert unusual_characters(text) == ()


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            "B\u0430nk",
            "letters of several alphabets: CYRILLIC \u0430 (U+0430); LATIN B (U+0042), n (U+006E), k (U+006B)",
        ),
        ("１", "U+FF11 FULLWIDTH DIGIT ONE"),
        ("Ａ", "U+FF21 FULLWIDTH LATIN CAPITAL LETTER A"),
        ("\U0001f600", "U+1F600 GRINNING FACE"),
        ("x\u0323\u0308\u0301", "several marks on one letter"),
    ],
    ids=["homograph", "wide digit", "wide letter", "emoji", "piled-up marks"],
)
def test_the_checker_is_told_of_unusual_characters_with_code_points(text: str, warning: str) -> None:
    assert unusual_characters(text) == (warning,)


@pytest.mark.parametrize(
    "value",
    ["anna@bank.example", "o'neil+pki@a.b.example", "a.b@xn--fiq228c.example"],
    ids=["plain", "signs", "a-label"],
)
def test_ascii_addresses_are_accepted(value: str) -> None:
    assert AlternativeName(AlternativeNameKind.EMAIL, value).to_x509() == x509.RFC822Name(value)


@pytest.mark.parametrize("value", ["gw1.bank.example", "localhost", "1a.example", "xn--fiq228c.example"])
def test_host_names_are_accepted(value: str) -> None:
    assert AlternativeName(AlternativeNameKind.DNS, value).to_x509() == x509.DNSName(value)


def test_other_kinds_of_alternative_name_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="not 'uri'"):
        AlternativeName("uri", "http://a.example")


@pytest.mark.parametrize(
    "value",
    [
        "anna",
        "@bank.example",
        "anna@",
        "a..b@bank.example",
        "张伟@bank.example",
        "anna@银行.example",
        "*@bank.example",
        "anna@*.bank.example",
        "a@b@bank.example",
        '"a b"@bank.example',
        "a\n@bank.example",
        "a" * 65 + "@bank.example",
        "a@" + "b." * 130 + "example",
    ],
)
def test_other_addresses_are_refused(value: str) -> None:
    with pytest.raises(InvalidRequest):
        AlternativeName(AlternativeNameKind.EMAIL, value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "*.bank.example",
        "bank.example.",
        "bank..example",
        "a_b.example",
        "-a.example",
        "a-.example",
        "Bank.example",
        "银行.example",
        "a b",
        "a\0b",
        "a.example\n",
        "10.0.0.1",
        "a" * 64 + ".example",
        "a." * 127 + "a",
        "ab--cd.example",
        "xn--bank.example",
        "xn--a-.example",
        "xn--999999999.example",
    ],
)
def test_other_host_names_are_refused(value: str) -> None:
    with pytest.raises(InvalidRequest):
        AlternativeName(AlternativeNameKind.DNS, value)


@pytest.mark.parametrize(
    "octets",
    ["张伟".encode("gbk"), b"bank\xc0\xaf", "𠮷".encode("utf-16-be"), "𠮷".encode()[:3]],
    ids=["GBK", "overlong", "UTF-16", "cut"],
)
def test_octets_that_are_not_utf_8_are_no_name(octets: bytes) -> None:
    text = der.tlv(der.UTF8_STRING, octets)

    with pytest.raises(InvalidRequest):
        Name.from_der(der.sequence(der.set_of(der.sequence(COMMON_NAME, text))))


def test_a_name_in_another_string_type_than_ours_is_refused() -> None:
    name = der.sequence(der.set_of(der.sequence(COMMON_NAME, der.tlv(der.PRINTABLE_STRING, b"x"))))

    with pytest.raises(InvalidRequest, match="as this CA writes"):
        Name.from_der(name)
