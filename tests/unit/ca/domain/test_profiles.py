"""Rules that no profile can switch off, and what a profile makes of a record."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.errors import InvalidRequest, ProfileViolation
from ca.domain.keys import KeyAlgorithm
from ca.domain.names import NameAttribute
from ca.domain.profiles import Profile, SubjectRule
from tests.drafts import PROFILES

PERSONAL = PROFILES["personal-signing"]
CN = SubjectRule(NameAttribute.COMMON_NAME, "x")


@pytest.mark.parametrize(
    ("profile", "changes", "rule"),
    [
        ("personal-signing", {"key_usage": frozenset({"keyCertSign"})}, "only a CA has keyCertSign"),
        ("personal-signing", {"key_usage": frozenset({"digitalSignature", "cRLSign"})}, "only a CA has keyCertSign"),
        ("personal-signing", {"extended_key_usage": ("OCSPSigning",)}, "OCSPSigning"),
        ("personal-signing", {"extended_key_usage": ("anyExtendedKeyUsage",)}, "anyExtendedKeyUsage"),
        ("personal-signing", {"extended_key_usage": ("clientAuth", "clientAuth")}, "once each"),
        ("personal-signing", {"extended_key_usage": ()}, "an end entity has an extended key usage"),
        ("personal-signing", {"ca": True}, "a ceremony: internal"),
        ("personal-signing", {"path_length": 0}, "path length"),
        ("personal-signing", {"ocsp_nocheck": True}, "ocsp_nocheck"),
        ("personal-signing", {"validity": timedelta(days=3650)}, "five years"),
        ("personal-signing", {"validity": timedelta(0)}, "longer than backdate"),
        ("personal-signing", {"backdate": timedelta(hours=2)}, "at most one hour"),
        ("personal-signing", {"backdate": timedelta(minutes=-1)}, "at most one hour"),
        ("personal-signing", {"name": "Personal Signing"}, "lower-case"),
        ("personal-signing", {"version": 0}, "from 1"),
        ("personal-signing", {"subject": ()}, "not empty"),
        ("personal-signing", {"subject": (CN, CN)}, "attribute twice"),
        ("personal-signing", {"alternative_names": ("uri",)}, "email or dns"),
        ("personal-signing", {"alternative_names": ("email", "email")}, "once each"),
        ("personal-signing", {"key_algorithms": frozenset()}, "kind of key"),
        ("personal-signing", {"key_usage": frozenset()}, "key usage is not empty"),
        ("personal-signing", {"key_usage": frozenset({"signEverything"})}, "key usage is not empty and known"),
        ("personal-signing", {"key_usage": frozenset({"keyEncipherment"})}, "RFC 8813"),
        ("personal-signing", {"policy": "1.02.3"}, "OID"),
        ("personal-signing", {"confirm_within": timedelta(0)}, "time limit"),
        ("personal-signing", {"codes_valid_for": timedelta(0)}, "codes expire"),
        ("personal-signing", {"code_attempts": 0}, "1 to 10"),
        ("personal-signing", {"code_attempts": 11}, "1 to 10"),
        ("personal-signing", {"renewal_opens_before": timedelta(0)}, "renewal opens"),
        ("personal-signing", {"extended_key_usage": ("serverAuth",)}, "dns names"),
        ("personal-signing", {"internal": True}, "not applied for"),
        ("ocsp-responder", {"revocation_by_two": True}, "not ended by officers"),
        ("root-ca", {"revocation_by_two": True}, "not ended by officers"),
        ("ocsp-responder", {"extended_key_usage": ("OCSPSigning", "clientAuth")}, "nothing else"),
        ("bundle-signer", {"extended_key_usage": ("bundleSigning", "clientAuth")}, "nothing else"),
        ("personal-signing", {"extended_key_usage": ("bundleSigning",)}, "bundleSigning"),
        ("ocsp-responder", {"ocsp_nocheck": False}, "responders have it"),
        ("ocsp-responder", {"crl_distribution_point": True}, "of its own"),
        ("ocsp-responder", {"authority_information_access": True}, "of its own"),
        (
            "ocsp-responder",
            {"internal": False, "codes_valid_for": timedelta(1), "code_attempts": 3},
            "internal profile",
        ),
        ("root-ca", {"internal": False, "codes_valid_for": timedelta(1), "code_attempts": 3}, "a ceremony: internal"),
        ("root-ca", {"key_usage": frozenset({"keyCertSign", "cRLSign", "digitalSignature"})}, "no more"),
        ("root-ca", {"extended_key_usage": ("clientAuth",)}, "a CA has no extended key usage"),
        ("root-ca", {"alternative_names": ("email",)}, "a CA has no alternative names"),
        ("root-ca", {"path_length": -1}, "not negative"),
        ("root-ca", {"ocsp_nocheck": True}, "a CA has no ocsp_nocheck"),
        ("root-ca", {"needs_device": True}, "not applied for"),
        ("root-ca", {"renewal_opens_before": timedelta(days=1)}, "not applied for"),
    ],
)
def test_a_profile_that_breaks_a_rule_cannot_be_made(profile: str, changes: dict[str, object], rule: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"^profile .*{rule}"):
        replace(PROFILES[profile], **changes)  # type: ignore[arg-type]  # any field, wrong on purpose


def test_rsa_keys_may_encipher_where_no_ec_key_is_accepted() -> None:
    profile = replace(
        PERSONAL, key_usage=frozenset({"keyEncipherment"}), key_algorithms=frozenset({KeyAlgorithm.RSA_3072})
    )

    assert profile.key_usage == {"keyEncipherment"}


@pytest.mark.parametrize("text", ["{customer}", "{", "{customer_name} {NUMBER}", "{{customer_name}}"])
def test_a_subject_uses_known_fields_only(text: str) -> None:
    with pytest.raises(InvalidRequest, match="a field in braces is one of branch"):
        SubjectRule(NameAttribute.COMMON_NAME, text)


def test_the_subject_is_filled_from_the_record() -> None:
    name = PERSONAL.subject_for({"customer_name": "张伟", "customer_number": "10000001", "branch": "not used"})

    assert name.text == "serialNumber=10000001,CN=张伟,OU=Personal customers,O=Demo Bank,C=CN"


def test_braces_in_a_record_are_text() -> None:
    name = PERSONAL.subject_for({"customer_name": "{customer_number}", "customer_number": "1"})

    assert ("common_name", "{customer_number}") in name.attributes


def test_the_subject_is_normalised() -> None:
    name = PERSONAL.subject_for({"customer_name": "Jose\u0301", "customer_number": "1"})

    assert ("common_name", "José") in name.attributes


@pytest.mark.parametrize("values", [{"customer_name": "张伟"}, {"customer_name": "张伟", "customer_number": ""}])
def test_a_record_without_a_needed_field_gets_no_subject(values: dict[str, str]) -> None:
    with pytest.raises(ProfileViolation, match="needs customer_number"):
        PERSONAL.subject_for(values)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"title": "another"},
        {"validity": timedelta(days=30)},
        {"needs_device": False},
        {"subject": (CN,)},
        {"key_algorithms": frozenset({KeyAlgorithm.EC_P256})},
        {"renewal_opens_before": None},
        {"revocation_by_two": True},
    ],
)
def test_every_change_changes_the_digest(changes: dict[str, object]) -> None:
    changed: Profile = replace(PERSONAL, **changes)  # type: ignore[arg-type]  # any field

    assert changed.digest != PERSONAL.digest


def test_approvals_from_before_a_second_officer_was_a_choice_still_stand() -> None:
    assert PERSONAL.digest == "43b4e3f110f3670f16c255f395106f18e1d5360275ba7353b8d8c37cd8956b1a"


def test_the_digest_does_not_depend_on_the_order_of_sets() -> None:
    assert replace(PERSONAL, key_algorithms=frozenset(sorted(PERSONAL.key_algorithms))).digest == PERSONAL.digest
