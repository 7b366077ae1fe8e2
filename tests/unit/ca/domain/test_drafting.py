"""What is drafted, byte for byte, and what is not drafted at all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from ca.domain import der
from ca.domain.drafting import draft_self_signed, verify_signed
from ca.domain.errors import InvalidTransition, ProfileViolation, SigningRefused
from ca.domain.keys import KeyAlgorithm, SignatureAlgorithm
from ca.domain.names import AlternativeName, Name, NameAttribute
from ca.domain.tbs import read_tbs
from tests.drafts import CUSTOMER, NOW, P256, P384, PROFILES, ZHANG, SoftKey, a_draft, an_issuer, issuer_of

HOST = AlternativeName("dns", "gw1.bank.example")
MAIL = AlternativeName("email", "zhang@customer.example")


def issued(profile: str, *names: AlternativeName) -> x509.Certificate:
    draft = a_draft(PROFILES[profile], an_issuer(P384), alternative_names=names)
    return x509.load_der_x509_certificate(draft.sealed(P384.sign(draft.tbs_der)))


def test_a_sealed_draft_is_a_certificate_that_its_issuer_signed() -> None:
    issuer = an_issuer(P384)
    draft = a_draft(issuer=issuer)

    certificate = x509.load_der_x509_certificate(draft.sealed(P384.sign(draft.tbs_der)))

    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(issuer.certificate_der))
    assert certificate.tbs_certificate_bytes == draft.tbs_der
    assert certificate.serial_number == draft.serial == 0xA1
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (draft.not_before, draft.not_after)


def test_the_signature_algorithm_is_the_issuers() -> None:
    key = SoftKey(rsa.generate_private_key(65537, 2048))

    draft = a_draft(issuer=an_issuer(key))

    assert draft.algorithm is SignatureAlgorithm.RSA_SHA256
    verify_signed(draft.sealed(key.sign(draft.tbs_der)), key.public.spki_der)


def test_a_personal_certificate_has_exactly_these_extensions() -> None:
    extensions = issued("personal-signing", MAIL).extensions

    found = {extension.oid._name: extension.critical for extension in extensions}
    assert found == {
        "authorityKeyIdentifier": False,
        "subjectKeyIdentifier": False,
        "keyUsage": True,
        "extendedKeyUsage": False,
        "certificatePolicies": False,
        "subjectAltName": False,
        "cRLDistributionPoints": False,
        "authorityInfoAccess": False,
    }


def test_key_identifiers_chain_to_the_issuer() -> None:
    issuer = an_issuer(P384)

    extensions = issued("personal-signing").extensions

    own = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert own == x509.AuthorityKeyIdentifier(issuer.subject_key_identifier, None, None)


def test_a_responders_certificate_says_nocheck_and_points_nowhere() -> None:
    oids = {extension.oid._name for extension in issued("ocsp-responder").extensions}

    assert "OCSPNoCheck" in oids
    assert not oids & {"cRLDistributionPoints", "authorityInfoAccess"}


def test_only_a_ca_has_basic_constraints() -> None:
    authority = issued("issuing-ca").extensions.get_extension_for_class(x509.BasicConstraints)

    assert authority.critical
    assert authority.value == x509.BasicConstraints(ca=True, path_length=0)
    assert "2.5.29.19" not in {extension.oid.dotted_string for extension in issued("personal-signing").extensions}


@pytest.mark.parametrize(
    "tag", [0x13, 0x0C, 0x1E, 0x14], ids=["PrintableString", "UTF8String", "BMPString", "T61String"]
)
def test_the_issuers_name_is_copied_byte_for_byte(tag: int) -> None:
    issuer = an_issuer(P256)
    tbs, algorithm, signature = der.parse(issuer.certificate_der).children()
    fields = [field.der for field in tbs.children()]
    text = "Old".encode("utf-16-be") if tag == 0x1E else b"Old"
    fields[3] = fields[5] = der.sequence(der.set_of(der.sequence(der.oid("2.5.4.10"), der.tlv(tag, text))))
    old = issuer_of(der.sequence(der.sequence(*fields), algorithm.der, signature.der), issuer.algorithm)

    assert read_tbs(a_draft(issuer=old).tbs_der).issuer_der == fields[5]


def test_sixty_four_rare_characters_fit_into_a_common_name() -> None:
    name = Name(((NameAttribute.COMMON_NAME, "𠮷" * 64),))

    assert read_tbs(a_draft(subject=name).tbs_der).subject_der == name.der


@pytest.mark.parametrize(
    ("validity", "expected"),
    [
        (timedelta(days=366), datetime(2028, 12, 1, 23, 59, 59, tzinfo=UTC)),
        (timedelta(days=89), datetime(2028, 2, 28, 23, 59, 59, tzinfo=UTC)),
        (timedelta(days=90), datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)),
    ],
    ids=["over a leap day", "before a leap day", "on a leap day"],
)
def test_validity_counts_seconds_and_includes_the_last(validity: timedelta, expected: datetime) -> None:
    start = datetime(2027, 12, 2, tzinfo=UTC)
    profile = replace(PROFILES["personal-signing"], validity=validity, backdate=timedelta(0))

    draft = a_draft(profile, now=start)

    assert (draft.not_before, draft.not_after) == (start, expected)


def test_a_leap_day_birthday_is_no_problem() -> None:
    issuer = an_issuer(now=datetime(2027, 1, 1, tzinfo=UTC))
    profile = replace(PROFILES["personal-signing"], validity=timedelta(days=1096), backdate=timedelta(0))

    draft = a_draft(profile, issuer, now=datetime(2028, 2, 29, tzinfo=UTC))

    assert draft.not_after == datetime(2031, 2, 28, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "tag"),
    [
        (datetime(2049, 12, 30, tzinfo=UTC), b"\x17\x0d491231235959Z"),
        (datetime(2049, 12, 31, tzinfo=UTC), b"\x18\x0f20500101"),
    ],
    ids=["to the last second of 2049", "into 2050"],
)
def test_times_change_their_form_in_2050(now: datetime, tag: bytes) -> None:
    issuer = an_issuer(now=datetime(2049, 1, 1, tzinfo=UTC))
    profile = replace(PROFILES["personal-signing"], validity=timedelta(days=2), backdate=timedelta(0))

    assert tag in a_draft(profile, issuer, now=now).tbs_der


def test_the_start_is_backdated_but_not_before_the_issuers() -> None:
    issuer = an_issuer(now=NOW)

    assert a_draft(issuer=issuer, now=NOW + timedelta(hours=1)).not_before == NOW + timedelta(minutes=55)
    assert a_draft(issuer=issuer, now=NOW + timedelta(minutes=1)).not_before == NOW


def test_the_end_is_clipped_to_the_issuers() -> None:
    issuer = an_issuer(validity=timedelta(days=1))

    assert a_draft(issuer=issuer).not_after == issuer.not_after


@pytest.mark.parametrize("when", [NOW - timedelta(seconds=1), NOW + timedelta(days=1)], ids=["not yet", "expired"])
def test_an_issuer_out_of_its_time_issues_nothing(when: datetime) -> None:
    with pytest.raises(InvalidTransition, match="not valid now"):
        a_draft(issuer=an_issuer(validity=timedelta(days=1)), now=when)


def test_a_kind_of_key_that_the_profile_does_not_accept_is_refused() -> None:
    profile = replace(PROFILES["personal-signing"], key_algorithms=frozenset({KeyAlgorithm.RSA_2048}))

    with pytest.raises(ProfileViolation, match="accepts rsa-2048, not ec-p256"):
        a_draft(profile)


@pytest.mark.parametrize(
    ("profile", "names", "why"),
    [
        ("personal-signing", (HOST,), "no alternative names of kind dns"),
        ("officer", (MAIL,), "no alternative names of kind email"),
        ("tls-server", (), "needs at least one host name"),
        ("tls-server", (HOST, HOST), "twice"),
        ("tls-server", (HOST, MAIL), "no alternative names of kind email"),
    ],
)
def test_alternative_names_are_the_profiles(profile: str, names: tuple[AlternativeName, ...], why: str) -> None:
    with pytest.raises(ProfileViolation, match=why):
        a_draft(PROFILES[profile], alternative_names=names)


def test_a_root_signs_itself_and_has_no_pointers() -> None:
    certificate = x509.load_der_x509_certificate(an_issuer(P384).certificate_der)

    certificate.verify_directly_issued_by(certificate)
    assert {extension.oid._name for extension in certificate.extensions} == {
        "subjectKeyIdentifier",
        "keyUsage",
        "basicConstraints",
    }


@pytest.mark.parametrize(
    "profile",
    [
        PROFILES["machine"],
        PROFILES["issuing-ca"],
        replace(PROFILES["root-ca"], authority_information_access=True),
    ],
    ids=["end entity", "issuing CA", "pointer"],
)
def test_only_a_root_profile_is_self_signed(profile: object) -> None:
    with pytest.raises(ProfileViolation, match="not for a self-signed"):
        draft_self_signed(profile=profile, subject=ZHANG, public_key=P256.public, serial=1, now=NOW)  # type: ignore[arg-type]  # from the table


def test_urls_that_the_issuer_lacks_are_left_out() -> None:
    issuer = replace(an_issuer(), ocsp_url="")

    assert b"/ocsp" not in a_draft(issuer=issuer).tbs_der


def test_a_certificate_signed_by_another_key_is_refused() -> None:
    draft = a_draft()

    with pytest.raises(SigningRefused, match="not signed with its issuer's key"):
        verify_signed(draft.sealed(CUSTOMER.sign(draft.tbs_der)), P384.public.spki_der)


def test_a_certificate_with_another_tbs_is_refused() -> None:
    draft, other = a_draft(serial=1), a_draft(serial=2)

    with pytest.raises(SigningRefused, match="not signed with its issuer's key"):
        verify_signed(other.sealed(P384.sign(draft.tbs_der)), P384.public.spki_der)


def test_a_certificate_with_two_algorithms_is_refused() -> None:
    draft = a_draft()
    mixed = der.signed(draft.tbs_der, SignatureAlgorithm.ECDSA_SHA256, P384.sign(draft.tbs_der))

    with pytest.raises(SigningRefused, match="another signature algorithm"):
        verify_signed(mixed, P384.public.spki_der)


def test_what_is_no_certificate_is_refused() -> None:
    with pytest.raises(SigningRefused):
        verify_signed(b"\x30\x00", P384.public.spki_der)
