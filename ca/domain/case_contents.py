"""What a case will put into a certificate, and what is different from another case: for people who decide on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ca.domain.applications import Case
from ca.domain.names import Name, unusual_characters
from ca.domain.profiles import Profile


@dataclass(frozen=True, slots=True)
class Change:
    """A field of a case with what it said and what it says; a field that is not there says nothing."""

    field: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class FormerCase:
    """A version of a case that an approver returned, kept when its maker had corrected it."""

    case: Case
    reason: str
    returned_by: str
    """Person, not name: who that is stands in the list of officers."""
    returned_at: datetime


def contents(case: Case, profile: Profile) -> tuple[tuple[str, str], ...]:
    """The fields of the certificate as RFC 5280 calls them, with what they will say. Serial number, key and times are
    not known before the download."""
    name = Name.from_list([list(pair) for pair in case.subject])
    found = [
        ("subject", name.text),
        ("subjectAltName", ", ".join(f"{kind} {text}" for kind, text in case.alternative_names)),
        ("keyUsage", ", ".join(sorted(profile.key_usage))),
        ("extKeyUsage", ", ".join(profile.extended_key_usage)),
        ("certificatePolicies", profile.policy or ""),
        ("subjectPublicKey", ", ".join(sorted(algorithm.value for algorithm in profile.key_algorithms))),
    ]
    return tuple((field, text) for field, text in found if text)


def changes(old: Case, new: Case) -> tuple[Change, ...]:
    """What is different, in the order of the fields."""
    was, now = dict(_fields(old)), dict(_fields(new))
    return tuple(
        Change(field, was.get(field, ""), now.get(field, ""))
        for field in dict.fromkeys((*was, *now))
        if was.get(field, "") != now.get(field, "")
    )


def unusual(case: Case) -> tuple[str, ...]:
    """Characters of the subject to look at twice, with their code points."""
    return tuple(f"{attribute}: {note}" for attribute, text in case.subject for note in unusual_characters(text))


def _fields(case: Case) -> Iterator[tuple[str, str]]:
    yield "profile", case.profile
    yield "customer_name", case.customer_name
    yield "customer_number", case.customer_number
    yield "document_number", case.document_number
    yield "addresses", ", ".join(case.addresses)
    yield from ((attribute, _joined(case.subject, attribute)) for attribute, _text in case.subject)
    yield from ((kind, _joined(case.alternative_names, kind)) for kind, _text in case.alternative_names)
    yield "device_serial", case.device_serial
    yield "validity", f"{case.validity.days} days"


def _joined(pairs: Sequence[tuple[str, str]], wanted: str) -> str:
    return ", ".join(text for name, text in pairs if name == wanted)
