"""Each rule of the last look is broken once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain import der
from ca.domain.drafting import Draft, draft_self_signed
from ca.domain.errors import LintFailed
from ca.domain.keys import SignatureAlgorithm
from ca.domain.linting import lint_certificate
from ca.domain.names import AlternativeName
from tests.drafts import CUSTOMER, NOW, P384, PROFILES, ZHANG, a_draft, an_issuer

ISSUER = an_issuer()
PERSONAL = PROFILES["personal-signing"]
HOST = AlternativeName("dns", "gw1.bank.example")


def with_field(draft: Draft, index: int, value: bytes) -> Draft:
    fields = [field.der for field in der.parse(draft.tbs_der).children()]
    return replace(draft, tbs_der=der.sequence(*fields[:index], value, *fields[index + 1 :]))


def with_extension(draft: Draft, oid: str, value: bytes | None, *, critical: bool = False) -> Draft:
    """The draft with one extension replaced, added, or taken out."""
    own = der.oid(oid)
    inside = der.parse(draft.tbs_der).children()[7].children()[0].children()
    kept = [extension.der for extension in inside if extension.children()[0].der != own]
    flag = der.boolean(True) if critical else b""
    added = [] if value is None else [der.sequence(own, flag, der.octet_string(value))]
    return with_field(draft, 7, der.explicit(3, der.sequence(*kept, *added)))


@pytest.mark.parametrize("name", sorted(set(PROFILES) - {"root-ca"}))
def test_drafts_of_every_profile_pass(name: str) -> None:
    profile = PROFILES[name]
    names = [HOST] if "dns" in profile.alternative_names else []

    lint_certificate(a_draft(profile, ISSUER, alternative_names=names), profile, ISSUER)


def test_a_personal_draft_with_an_address_passes() -> None:
    draft = a_draft(alternative_names=[AlternativeName("email", "a@b.example")])

    lint_certificate(draft, PERSONAL, ISSUER)


def test_a_root_passes() -> None:
    profile = PROFILES["root-ca"]
    draft = draft_self_signed(profile=profile, subject=ZHANG, public_key=P384.public, serial=1, now=NOW)

    lint_certificate(draft, profile, None)


DRAFT = a_draft(issuer=ISSUER)
TIME = der.utc_or_generalized_time
TIMES = (DRAFT.not_before, DRAFT.not_after)
WRONG_FORM = der.sequence(*(der.generalized_time(moment) for moment in TIMES))


@pytest.mark.parametrize(
    ("draft", "finding"),
    [
        pytest.param(with_field(DRAFT, 0, der.explicit(0, der.integer(1))), "version", id="version"),
        pytest.param(a_draft(serial=-5), "serial", id="negative serial"),
        pytest.param(a_draft(serial=0), "serial", id="zero serial"),
        pytest.param(a_draft(serial=1 << 159), "serial", id="21 octets"),
        pytest.param(replace(DRAFT, serial=7), "serial", id="another serial"),
        pytest.param(replace(DRAFT, algorithm=SignatureAlgorithm.RSA_SHA256), "inner signature", id="algorithm"),
        pytest.param(with_field(DRAFT, 6, P384.public.spki_der), "public key", id="another key"),
        pytest.param(with_field(DRAFT, 5, ISSUER.subject_der), "subject is not", id="another subject"),
        pytest.param(with_field(DRAFT, 5, der.sequence(der.null())), "structure belongs", id="odd subject"),
        pytest.param(
            replace(with_field(DRAFT, 5, der.sequence()), subject=replace(ZHANG, attributes=())),
            "subject is not",
            id="empty subject",
        ),
        pytest.param(with_field(DRAFT, 3, ZHANG.der), "byte for byte", id="another issuer"),
        pytest.param(
            with_field(DRAFT, 4, der.sequence(TIME(TIMES[1]), TIME(TIMES[0]))), "ends before", id="times turned round"
        ),
        pytest.param(with_field(DRAFT, 4, WRONG_FORM), "UTCTime through 2049", id="GeneralizedTime too early"),
        pytest.param(with_extension(DRAFT, "2.5.29.35", None), "2.5.29.35", id="no AKI"),
        pytest.param(with_extension(DRAFT, "2.5.29.14", None), "2.5.29.14", id="no SKI"),
        pytest.param(with_extension(DRAFT, "2.5.29.19", der.sequence(), critical=True), "2.5.29.19", id="CA FALSE"),
        pytest.param(with_extension(DRAFT, "1.2.3.4", der.null()), "1.2.3.4", id="unknown extension"),
        pytest.param(with_extension(DRAFT, "2.5.29.15", b"\x03\x02\x07\x80"), "criticality", id="KU not critical"),
        pytest.param(
            with_extension(DRAFT, "2.5.29.15", b"\x03\x02\x02\x84", critical=True), "key usage", id="keyCertSign"
        ),
        pytest.param(
            with_extension(DRAFT, "2.5.29.15", b"\x03\x02\x00\x80", critical=True), "shortest", id="trailing zeros"
        ),
        pytest.param(
            with_extension(DRAFT, "2.5.29.35", der.sequence(der.tlv(0x80, bytes(20)))), "authority key", id="AKI"
        ),
        pytest.param(
            with_extension(DRAFT, "2.5.29.37", der.sequence(der.oid("2.5.29.37.0"))), "extended key usage", id="anyEKU"
        ),
        pytest.param(with_extension(DRAFT, "2.5.29.17", der.sequence()), "is empty", id="empty SAN"),
        pytest.param(with_extension(DRAFT, "2.5.29.31", der.sequence()), "does not point", id="CDP elsewhere"),
        pytest.param(with_extension(DRAFT, "1.3.6.1.5.5.7.1.1", der.sequence()), "does not point", id="AIA elsewhere"),
        pytest.param(replace(DRAFT, tbs_der=b"\x30\x80\x00\x00"), "not DER", id="BER"),
    ],
)
def test_a_draft_that_breaks_a_rule_is_not_signed(draft: Draft, finding: str) -> None:
    with pytest.raises(LintFailed, match=finding):
        lint_certificate(draft, PERSONAL, ISSUER)


def test_an_extension_that_is_there_twice_is_found() -> None:
    inside = der.parse(DRAFT.tbs_der).children()[7].children()[0]
    twice = with_field(DRAFT, 7, der.explicit(3, der.sequence(inside.content, inside.children()[0].der)))

    with pytest.raises(LintFailed, match="twice"):
        lint_certificate(twice, PERSONAL, ISSUER)


def test_a_draft_that_outlives_its_issuer_is_found() -> None:
    short = an_issuer(validity=timedelta(days=30))

    with pytest.raises(LintFailed, match="within the issuer's own"):
        lint_certificate(a_draft(issuer=ISSUER), PERSONAL, short)


def test_basic_constraints_of_another_ca_are_found() -> None:
    profile = PROFILES["issuing-ca"]
    draft = with_extension(a_draft(profile), "2.5.29.19", der.sequence(der.boolean(True)), critical=True)

    with pytest.raises(LintFailed, match="path length"):
        lint_certificate(draft, profile, ISSUER)


@pytest.mark.parametrize(
    "url", ["https://ca.example/a.crl", "ldap://ca.example", "http://ca.example/a b", "http://中国.cn"]
)
def test_pointers_are_plain_http(url: str) -> None:
    with pytest.raises(LintFailed, match="plain http"):
        lint_certificate(DRAFT, PERSONAL, replace(ISSUER, crl_url=url))


def test_a_customer_is_never_drafted_as_a_ca() -> None:
    profile = PROFILES["issuing-ca"]
    draft = a_draft(profile, public_key=CUSTOMER.public)

    with pytest.raises(LintFailed, match="key usage"):
        lint_certificate(draft, PERSONAL, ISSUER)
