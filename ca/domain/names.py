"""Who a certificate names: subject names and alternative names (RFC 5280 sections 4.1.2.4, 4.1.2.6 and 4.2.1.6).

Names are built from records of the bank, never from a request. Text is NFC, visible and unambiguous (after
RFC 8264 FreeformClass); bounds count characters, so that 64 Chinese characters are a legal common name.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from cryptography import x509

from ca.domain import der
from ca.domain.errors import InvalidRequest


class NameAttribute(StrEnum):
    """The attributes we put into names."""

    COUNTRY = "country"
    STATE = "state"
    LOCALITY = "locality"
    ORGANIZATION = "organization"
    ORGANIZATIONAL_UNIT = "organizational_unit"
    COMMON_NAME = "common_name"
    SERIAL_NUMBER = "serial_number"


@dataclass(frozen=True, slots=True)
class _Kind:
    oid: str
    short: str
    upper_bound: int
    tag: int = der.UTF8_STRING


# Upper bounds and string types: RFC 5280 appendix A.1; short names: RFC 4514 section 3 (serialNumber: RFC 4519).
_KINDS = {
    NameAttribute.COUNTRY: _Kind("2.5.4.6", "C", 2, der.PRINTABLE_STRING),
    NameAttribute.STATE: _Kind("2.5.4.8", "ST", 128),
    NameAttribute.LOCALITY: _Kind("2.5.4.7", "L", 128),
    NameAttribute.ORGANIZATION: _Kind("2.5.4.10", "O", 64),
    NameAttribute.ORGANIZATIONAL_UNIT: _Kind("2.5.4.11", "OU", 64),
    NameAttribute.COMMON_NAME: _Kind("2.5.4.3", "CN", 64),
    NameAttribute.SERIAL_NUMBER: _Kind("2.5.4.5", "serialNumber", 64, der.PRINTABLE_STRING),
}
_BY_OID = {der.oid(kind.oid): attribute for attribute, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class Name:
    """A distinguished name: one attribute in each relative name, the most general first."""

    attributes: tuple[tuple[NameAttribute, str], ...]

    def __post_init__(self) -> None:
        for attribute, text in self.attributes:
            _verify_attribute(attribute, text)

    @property
    def der(self) -> bytes:
        """RFC 5280 section 4.1.2.4. Ours, because cryptography counts a common name's bytes and refuses 22 汉字."""
        return der.sequence(*(_relative_name(attribute, text) for attribute, text in self.attributes))

    @classmethod
    def from_der(cls, blob: bytes) -> "Name":
        """Read a name that we wrote. Raises InvalidRequest for what we would not write."""
        attributes: list[tuple[NameAttribute, str]] = []
        for relative_name in der.parse_sequence(blob, "the name"):
            pair = [part for single in relative_name.children() for part in single.children()]
            if (
                len(pair) != 2
                or pair[0].der not in _BY_OID
                or pair[1].tag not in (der.UTF8_STRING, der.PRINTABLE_STRING)
            ):
                raise InvalidRequest("the name has an attribute that this CA does not use")
            attributes.append((_BY_OID[pair[0].der], pair[1].content.decode()))
        name = cls(tuple(attributes))
        if name.der != blob:
            raise InvalidRequest("the name is not written as this CA writes names")
        return name

    @property
    def text(self) -> str:
        """The name for people, most specific first (RFC 4514 section 2)."""
        return ",".join(f"{_KINDS[attribute].short}={_escaped(text)}" for attribute, text in reversed(self.attributes))

    def as_list(self) -> list[list[str]]:
        """For records: [["country", "CN"], ["common_name", "张伟"]]."""
        return [[attribute.value, text] for attribute, text in self.attributes]

    @classmethod
    def from_list(cls, pairs: Sequence[Sequence[str]]) -> "Name":
        try:
            return cls(tuple((NameAttribute(attribute), text) for attribute, text in pairs))
        except ValueError as error:
            raise InvalidRequest("a name is a list of pairs: an attribute that this CA uses, and its text") from error


def _verify_attribute(attribute: NameAttribute, text: str) -> None:
    kind = _KINDS[attribute]
    if verify_text(text, kind.upper_bound) != text:
        raise InvalidRequest(f"{attribute} is not in Unicode normalisation form C")
    if attribute is NameAttribute.COUNTRY and not re.fullmatch("[A-Z]{2}", text):
        raise InvalidRequest("a country is two capital letters (ISO 3166)")
    if kind.tag == der.PRINTABLE_STRING and not der.PRINTABLE.fullmatch(text):
        raise InvalidRequest(f"{attribute} may have the characters of PrintableString only")


def _relative_name(attribute: NameAttribute, text: str) -> bytes:
    kind = _KINDS[attribute]
    return der.set_of(der.sequence(der.oid(kind.oid), der.tlv(kind.tag, text.encode())))


def _escaped(text: str) -> str:
    """RFC 4514 section 2.4; verify_text() leaves no blank at either end and no NUL to escape."""
    escaped = re.sub(r'([\\"+,;<>])', r"\\\1", text)
    return "\\" + escaped if escaped.startswith("#") else escaped


# Text


# Invisible though Unicode counts them as letters, marks or symbols: Default_Ignorable_Code_Point and the blank braille.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Ideographs that newer versions of Unicode assigned than the oldest Python we run on knows (15.0, 15.1 and 17.0).
_NEWER_IDEOGRAPHS = re.compile("[\U0002b739-\U0002b73f\U0002ebf0-\U0002ee5d\U00031350-\U00033479]")
_REFUSED = {
    "Cc": "a control character",
    "Cf": "an invisible or direction-changing character",
    "Cs": "half of a surrogate pair",
    "Co": "a private-use character",
    "Cn": "an unassigned character",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}


def verify_text(value: str, upper_bound: int) -> str:
    """The text in normalisation form C. Raises InvalidRequest unless it is visible, tidy and within its bound."""
    for character in value:
        _verify_character(character)
    text = unicodedata.normalize("NFC", value)
    if not text or text != text.strip(" ") or "  " in text:
        raise InvalidRequest("text may not be empty, begin or end with a blank, or have two blanks in a row")
    if unicodedata.category(text[0]).startswith("M"):
        raise InvalidRequest(f"text begins with a combining mark ({_code_point(text[0])})")
    if len(text) > upper_bound:
        raise InvalidRequest(f"text has {len(text)} characters, at most {upper_bound} are allowed")
    return text


def _verify_character(character: str) -> None:
    category = unicodedata.category(character)
    if character == "*":
        raise InvalidRequest("text may not contain an asterisk (*): no name here is a wildcard")
    if category == "Zs" and character != " ":
        raise InvalidRequest(f"text has a blank that is not the plain one ({_code_point(character)})")
    if _INVISIBLE.match(character):
        category = "Cf"
    if category in _REFUSED and not _NEWER_IDEOGRAPHS.match(character):
        raise InvalidRequest(f"text has {_REFUSED[category]} ({_code_point(character)})")


def _code_point(character: str) -> str:
    return f"U+{ord(character):04X}"


_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "HEBREW", "ARABIC", "THAI", "HANGUL", "CHEROKEE", "CJK")


def unusual_characters(value: str) -> tuple[str, ...]:
    """What the checker should look at twice: letters of several alphabets, wide letters, symbols, piled-up marks.

    Chinese with one alphabet is usual; Latin with Cyrillic is how one name is made to look like another.
    """
    by_script: dict[str, str] = {}
    warnings: list[str] = []
    for character in dict.fromkeys(value):
        name = unicodedata.name(character, "")
        category = unicodedata.category(character)
        if (name.startswith("FULLWIDTH") and category[0] in "LN") or (
            category in ("So", "Sk", "Lm") and character != "々"
        ):
            warnings.append(f"{_code_point(character)} {name}")
        elif category[0] == "L":
            script = next((script for script in _SCRIPTS if name.startswith(script)), name.partition(" ")[0] or "CJK")
            by_script[script] = by_script.get(script, "") + character
    alphabets = {script: characters for script, characters in by_script.items() if script != "CJK"}
    if len(alphabets) > 1:
        described = (f"{script} {_described(characters)}" for script, characters in sorted(alphabets.items()))
        warnings.append("letters of several alphabets: " + "; ".join(described))
    if any(unicodedata.combining(first) and unicodedata.combining(second) for first, second in pairwise(value)):
        warnings.append("several marks on one letter")
    return tuple(warnings)


def _described(characters: str) -> str:
    return ", ".join(f"{character} ({_code_point(character)})" for character in characters)


# Alternative names


class AlternativeNameKind(StrEnum):
    EMAIL = "email"
    DNS = "dns"


_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_HOST_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'+/=?^_`{|}~-]+)*")


@dataclass(frozen=True, slots=True)
class AlternativeName:
    """An e-mail address or host name. No wildcards; internationalised domains as A-labels (RFC 9549)."""

    kind: str
    value: str

    def __post_init__(self) -> None:
        if self.kind not in tuple(AlternativeNameKind):
            raise InvalidRequest(f"an alternative name is of kind email or dns, not {self.kind!r}")
        if self.kind == AlternativeNameKind.DNS:
            _verify_host_name(self.value)
        else:
            local_part, _, domain = self.value.rpartition("@")
            if len(self.value) > 255 or len(local_part) > 64 or not _LOCAL_PART.fullmatch(local_part):
                raise InvalidRequest("an e-mail address is ASCII text of at most 255 characters: name@host.example")
            _verify_host_name(domain)

    def to_x509(self) -> x509.GeneralName:
        if self.kind == AlternativeNameKind.DNS:
            return x509.DNSName(self.value)
        return x509.RFC822Name(self.value)


def _verify_host_name(value: str) -> None:
    if len(value) > 253 or not _HOST_NAME.fullmatch(value):
        raise InvalidRequest(
            "a host name has labels of lower-case ASCII letters, digits and hyphens, without wildcard;"
            " internationalised names are written as A-labels (xn--…)"
        )
    if re.fullmatch(r"[\d.]+", value):
        raise InvalidRequest("a host name is not an IP address")
    for label in value.split("."):
        if label[2:4] == "--":
            _verify_a_label(label)


def _verify_a_label(label: str) -> None:
    try:
        if not label.startswith("xn--"):
            raise InvalidRequest("no other prefix than xn-- is defined")
        verify_text(label.removeprefix("xn--").encode().decode("punycode"), 63)
    except (UnicodeError, InvalidRequest) as error:
        raise InvalidRequest(f"{label} is not an A-label (RFC 5890)") from error
