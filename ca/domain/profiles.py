"""What a kind of certificate contains and how it comes to be (RFC 5280 section 4, CPS section 7.1).

The profile decides, never the request. Some rules no profile can switch off: they are compiled in here, so that no
configuration makes a customer's certificate a CA or an OCSP responder (THREATS T-48).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta

from ca.domain.algorithms import KeyAlgorithm
from ca.domain.canonical import digest
from ca.domain.errors import InvalidRequest, ProfileViolation
from ca.domain.names import Name, NameAttribute, verify_text

SUBJECT_FIELDS = frozenset(
    {"customer_name", "customer_number", "company_name", "device_serial", "host_name", "officer_name", "branch"}
)
ALTERNATIVE_NAME_SOURCES = frozenset({"email", "dns"})
KEY_USAGES = frozenset(
    {
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
    }
)
EXTENDED_KEY_USAGES = {
    "serverAuth": "1.3.6.1.5.5.7.3.1",
    "clientAuth": "1.3.6.1.5.5.7.3.2",
    "emailProtection": "1.3.6.1.5.5.7.3.4",
    "OCSPSigning": "1.3.6.1.5.5.7.3.9",
    # Ours, beside the policies of config/profiles: to sign bundles for relying parties, docs/protocols/bundle.md.
    "bundleSigning": "1.3.6.1.4.1.99999.2.1",
}
LONGEST_END_ENTITY_VALIDITY = timedelta(days=5 * 366)

_CA_USAGES = frozenset({"keyCertSign", "cRLSign"})
_ENCIPHERMENT = frozenset({"keyEncipherment", "dataEncipherment"})
_FIELD = re.compile(r"\{([a-z_]+)\}")
_NOT_BY_OFFICERS = "an internal certificate is not ended by officers, so revocation_by_two is none of its"


@dataclass(frozen=True, slots=True)
class SubjectRule:
    """One attribute of the subject: fixed text, or text with fields of the record in braces."""

    attribute: NameAttribute
    text: str

    def __post_init__(self) -> None:
        unknown = set(_FIELD.findall(self.text)) - SUBJECT_FIELDS
        if unknown or "{" in _FIELD.sub("", self.text):
            raise InvalidRequest(f"{self.attribute}: a field in braces is one of {', '.join(sorted(SUBJECT_FIELDS))}")

    def filled(self, values: Mapping[str, str]) -> str:
        """Raises ProfileViolation when the record lacks a field that the subject needs."""
        missing = [field for field in _FIELD.findall(self.text) if not values.get(field)]
        if missing:
            raise ProfileViolation(f"the subject needs {', '.join(missing)}")
        return _FIELD.sub(lambda match: values[match[1]], self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A kind of certificate. One that breaks a compiled-in rule cannot be made."""

    name: str
    version: int
    title: str
    subject: tuple[SubjectRule, ...]
    alternative_names: tuple[str, ...]
    validity: timedelta
    backdate: timedelta
    key_algorithms: frozenset[KeyAlgorithm]
    key_usage: frozenset[str]
    extended_key_usage: tuple[str, ...]
    ca: bool
    path_length: int | None
    policy: str | None
    needs_device: bool
    needs_confirmation: bool
    confirm_within: timedelta
    codes_valid_for: timedelta
    code_attempts: int
    renewal_opens_before: timedelta | None
    renewal_closes_after: timedelta
    """So long after its end a certificate can still be renewed by its key."""
    same_key_on_renewal: bool
    crl_distribution_point: bool
    authority_information_access: bool
    ocsp_nocheck: bool
    internal: bool
    revocation_by_two: bool = False
    """Whether a second officer decides before one of its certificates ends (ca/domain/revocation_cases.py)."""

    def __post_init__(self) -> None:
        broken = [rule for rule, holds in (*self._common_rules(), *self._kind_rules()) if not holds]
        if broken:
            raise InvalidRequest(f"profile {self.name}: {broken[0]}")

    def _common_rules(self) -> tuple[tuple[str, bool], ...]:
        attributes = [rule.attribute for rule in self.subject]
        zero = timedelta(0)
        return (
            ("the name is lower-case letters, digits and hyphens", bool(re.fullmatch("[a-z][a-z0-9-]*", self.name))),
            ("the version counts from 1", self.version >= 1),
            ("the subject is not empty and has no attribute twice", 0 < len(set(attributes)) == len(attributes)),
            (
                "alternative names come from email or dns, once each",
                set(self.alternative_names) <= ALTERNATIVE_NAME_SOURCES
                and len(set(self.alternative_names)) == len(self.alternative_names),
            ),
            ("validity is longer than backdate, and backdate is at most one hour", self._has_sound_validity()),
            ("at least one kind of key is accepted", bool(self.key_algorithms)),
            ("key usage is not empty and known by its RFC 5280 names", set() < self.key_usage <= KEY_USAGES),
            (
                "extended key usage is known, without anyExtendedKeyUsage, once each",
                set(self.extended_key_usage) <= EXTENDED_KEY_USAGES.keys()
                and len(set(self.extended_key_usage)) == len(self.extended_key_usage),
            ),
            ("EC keys do not encipher (RFC 8813)", not self._has_ec_keys() or not self.key_usage & _ENCIPHERMENT),
            ("the policy is an OID", self.policy is None or bool(re.fullmatch(r"[0-2](\.(0|[1-9]\d*))+", self.policy))),
            ("confirmation has a time limit", not self.needs_confirmation or self.confirm_within > zero),
            ("codes expire", self.internal or self.codes_valid_for > zero),
            ("codes have 1 to 10 attempts", self.internal or 1 <= self.code_attempts <= 10),
            ("renewal opens at some time", self.renewal_opens_before is None or self.renewal_opens_before > zero),
            ("renewal closes at the end or after it", self.renewal_closes_after >= zero),
            (
                "serverAuth has dns names",
                "serverAuth" not in self.extended_key_usage or "dns" in self.alternative_names,
            ),
        )

    def _kind_rules(self) -> tuple[tuple[str, bool], ...]:
        if self.ca:
            return self._ca_rules()
        is_responder = "OCSPSigning" in self.extended_key_usage
        signs_bundles = "bundleSigning" in self.extended_key_usage
        return (
            ("only a CA has keyCertSign or cRLSign", not self.key_usage & _CA_USAGES),
            ("only a CA has a path length", self.path_length is None),
            ("an end entity has an extended key usage", bool(self.extended_key_usage)),
            (
                "an end entity's certificate is valid for at most five years",
                self.validity <= LONGEST_END_ENTITY_VALIDITY,
            ),
            ("only the CA's own responder, an internal profile, has OCSPSigning", not is_responder or self.internal),
            ("a responder does nothing else than OCSPSigning", not is_responder or len(self.extended_key_usage) == 1),
            (
                "only the CA's own bundle signer, an internal profile, has bundleSigning",
                not signs_bundles or self.internal,
            ),
            ("a bundle signer does nothing else", not signs_bundles or len(self.extended_key_usage) == 1),
            ("ocsp_nocheck belongs to responders, and responders have it", self.ocsp_nocheck == is_responder),
            ("a responder has no CRL or OCSP of its own", not (is_responder and self._points_to_status())),
            ("an internal certificate is not applied for", not (self.internal and self._is_applied_for())),
            (_NOT_BY_OFFICERS, not (self.internal and self.revocation_by_two)),
        )

    def _ca_rules(self) -> tuple[tuple[str, bool], ...]:
        return (
            ("a CA is made by a ceremony: internal", self.internal),
            ("a CA has keyCertSign and cRLSign and no more", self.key_usage == _CA_USAGES),
            ("a CA has no extended key usage", not self.extended_key_usage),
            ("a CA has no alternative names", not self.alternative_names),
            ("a path length is not negative", self.path_length is None or self.path_length >= 0),
            ("a CA has no ocsp_nocheck", not self.ocsp_nocheck),
            ("a CA is not applied for", not self._is_applied_for()),
            (_NOT_BY_OFFICERS, not self.revocation_by_two),
        )

    def _has_sound_validity(self) -> bool:
        return timedelta(0) <= self.backdate <= timedelta(hours=1) and self.validity > self.backdate

    def _has_ec_keys(self) -> bool:
        return not self.key_algorithms.isdisjoint({KeyAlgorithm.EC_P256, KeyAlgorithm.EC_P384})

    def _points_to_status(self) -> bool:
        return self.crl_distribution_point or self.authority_information_access

    def _is_applied_for(self) -> bool:
        return self.needs_device or self.needs_confirmation or self.renewal_opens_before is not None

    @property
    def digest(self) -> str:
        """Hash of everything the profile says: approvals name it, so that a changed profile needs a new approval."""
        said = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        if not self.revocation_by_two:
            # Younger than the first approvals: without it the digest is theirs, so they still stand.
            del said["revocation_by_two"]
        return digest("profile", said).hex()

    def subject_for(self, values: Mapping[str, str]) -> Name:
        """The subject of a record. Raises ProfileViolation for a missing field, InvalidRequest for unfit text."""
        return Name(tuple((rule.attribute, verify_text(rule.filled(values), 128)) for rule in self.subject))


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, SubjectRule):
        return [value.attribute, value.text]
    return value
