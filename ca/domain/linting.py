"""Our own last look at a draft before it is recorded and signed: the rules of RFC 5280 that hurt others before.

It reads the bytes that will be signed, not the wishes they were made from. A finding is a defect of ours.
"""

from collections.abc import Iterator, Mapping

from ca.domain import der
from ca.domain.drafting import Draft
from ca.domain.errors import InvalidRequest, LintFailed
from ca.domain.issuers import Issuer
from ca.domain.names import Name
from ca.domain.profiles import EXTENDED_KEY_USAGES, Profile
from ca.domain.tbs import TBS, read_tbs

_SKI, _KU, _SAN, _BC = "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19"
_CDP, _CP, _AKI, _EKU = "2.5.29.31", "2.5.29.32", "2.5.29.35", "2.5.29.37"
_AIA, _NOCHECK = "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.48.1.5"
_CRITICAL = {_KU, _BC}
_KEY_USAGE_BITS = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
)


def lint_certificate(draft: Draft, profile: Profile, issuer: Issuer | None) -> None:
    """Raise LintFailed, naming every finding, unless the draft is sound. `issuer` is None for a self-signed root."""
    try:
        tbs = read_tbs(draft.tbs_der)
        findings = [
            *_fields(tbs, draft),
            *_names(tbs, draft, issuer),
            *_validity(tbs, draft, issuer),
            *_extensions(tbs, profile, issuer),
            *_purposes(tbs, profile),
            *_pointers(tbs, profile, issuer),
        ]
    except InvalidRequest as error:
        raise LintFailed(str(error)) from error
    if findings:
        raise LintFailed("; ".join(findings))


def _fields(tbs: TBS, draft: Draft) -> Iterator[str]:
    if tbs.version != 2:
        yield "version is not 3 (section 4.1.2.1)"
    if not 0 < tbs.serial < 1 << 159 or tbs.serial != draft.serial:
        yield "serial is not the recorded positive number of at most 20 octets (section 4.1.2.2)"
    if tbs.algorithm_der != der.algorithm_identifier(draft.algorithm):
        yield "inner signature algorithm is not the one it will be signed with (section 4.1.1.2)"
    if tbs.spki_der != draft.public_key.spki_der:
        yield "public key is not the one that was proved (section 4.1.2.7)"


def _names(tbs: TBS, draft: Draft, issuer: Issuer | None) -> Iterator[str]:
    # Reading the name back also checks its bounds, its string types and one attribute in each relative name.
    if Name.from_der(tbs.subject_der) != draft.subject or not draft.subject.attributes:
        yield "subject is not the recorded one (section 4.1.2.6)"
    if tbs.issuer_der != (issuer.subject_der if issuer else tbs.subject_der):
        yield "issuer is not byte for byte the subject of the issuer's certificate (section 4.1.2.4)"


def _validity(tbs: TBS, draft: Draft, issuer: Issuer | None) -> Iterator[str]:
    if (tbs.not_before, tbs.not_after) != (draft.not_before, draft.not_after) or tbs.not_before > tbs.not_after:
        yield "validity is not the recorded one, or ends before it begins (section 4.1.2.5)"
    if issuer and not issuer.not_before <= tbs.not_before <= tbs.not_after <= issuer.not_after:
        yield "validity is not within the issuer's own (section 6.1)"
    written = der.sequence(*(der.utc_or_generalized_time(moment) for moment in (tbs.not_before, tbs.not_after)))
    if written not in draft.tbs_der:
        yield "validity is not UTCTime through 2049 and GeneralizedTime from 2050 (section 4.1.2.5)"


def _extensions(tbs: TBS, profile: Profile, issuer: Issuer | None) -> Iterator[str]:
    oids = [extension.oid for extension in tbs.extensions]
    if len(set(oids)) != len(oids):
        yield "an extension is there twice (section 4.2)"
    if set(oids) != (expected := _expected(tbs, profile, issuer)):
        yield f"extensions differ from the profile: {', '.join(sorted(set(oids) ^ expected))} (section 4.2)"
    for extension in tbs.extensions:
        if extension.critical != (extension.oid in _CRITICAL):
            yield f"extension {extension.oid} has the wrong criticality (section 4.2)"
    key_identifier = tbs.find(_AKI)
    if issuer and key_identifier:
        expected_aki = der.sequence(der.tlv(0x80, issuer.subject_key_identifier))
        if key_identifier.value != expected_aki:
            yield "authority key identifier is not the issuer's subject key identifier (section 4.2.1.1)"


def _expected(tbs: TBS, profile: Profile, issuer: Issuer | None) -> set[str]:
    wanted: Mapping[str, object] = {
        _AKI: issuer,
        _SKI: True,
        _KU: True,
        _BC: profile.ca,
        _EKU: profile.extended_key_usage,
        _CP: profile.policy,
        _CDP: profile.crl_distribution_point,
        _AIA: profile.authority_information_access,
        _NOCHECK: profile.ocsp_nocheck,
        # E-mail addresses are optional where a profile allows them, host names are not.
        _SAN: "dns" in profile.alternative_names or (profile.alternative_names and tbs.find(_SAN)),
    }
    return {oid for oid, is_wanted in wanted.items() if is_wanted}


def _purposes(tbs: TBS, profile: Profile) -> Iterator[str]:
    usage, constraints, extended = tbs.find(_KU), tbs.find(_BC), tbs.find(_EKU)
    if usage and usage.value != _key_usage_der(profile.key_usage):
        yield "key usage is not the profile's, in its shortest form (section 4.2.1.3)"
    if constraints:
        path_length = b"" if profile.path_length is None else der.integer(profile.path_length)
        if constraints.value != der.sequence(b"\x01\x01\xff", path_length):
            yield "basic constraints are not those of a CA with the profile's path length (section 4.2.1.9)"
    purposes = [der.oid(EXTENDED_KEY_USAGES[name]) for name in profile.extended_key_usage]
    if extended and extended.value != der.sequence(*purposes):
        yield "extended key usage is not the profile's (section 4.2.1.12)"


def _key_usage_der(usages: frozenset[str]) -> bytes:
    """Written without cryptography, so that two encoders have to agree; trailing zero bits are cut (X.690 11.2.2)."""
    octet = sum(0x80 >> place for place, name in enumerate(_KEY_USAGE_BITS) if name in usages)
    unused = (octet & -octet).bit_length() - 1
    return der.tlv(der.BIT_STRING, bytes((unused, octet)))


def _pointers(tbs: TBS, profile: Profile, issuer: Issuer | None) -> Iterator[str]:
    urls = [issuer.crl_url] if issuer and profile.crl_distribution_point else []
    if issuer and profile.authority_information_access:
        urls += [issuer.ocsp_url, issuer.certificate_url]
    for url in filter(None, urls):
        # With https a relying party would need the answer to get the answer.
        if not url.startswith("http://") or not url.isascii() or " " in url:
            yield f"{url} is not a plain http address (section 4.2.1.13)"
    for oid, expected in ((_CDP, urls[:1]), (_AIA, urls[-2:])):
        extension = tbs.find(oid)
        if extension and not all(url.encode() in extension.value for url in expected):
            yield f"extension {oid} does not point to where the issuer publishes (sections 4.2.1.13 and 4.2.2.1)"
    if (names := tbs.find(_SAN)) and names.value == der.sequence():
        yield "subject alternative name is empty (section 4.2.1.6)"
