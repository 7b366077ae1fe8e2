"""Drafts: the exact bytes of a certificate before its signature (RFC 5280 section 4.1.2).

The TBS is put together here from DER parts, without a builder and a throwaway key: the issuer's name and the
public key go in as the bytes that they are, and cryptography's builder refuses common names of more than 64 *bytes*,
22 Chinese characters, where RFC 5280 counts characters. The values of extensions are encoded by cryptography.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from ca.domain import der
from ca.domain.algorithms import SIGNATURE_OF, SignatureAlgorithm
from ca.domain.errors import InvalidRequest, InvalidTransition, ProfileViolation, SigningRefused
from ca.domain.issuers import Issuer
from ca.domain.keys import PublicKey
from ca.domain.names import AlternativeName, Name
from ca.domain.profiles import EXTENDED_KEY_USAGES, Profile
from ca.domain.tbs import read_tbs, split_certificate


@dataclass(frozen=True, slots=True)
class Draft:
    """What will be signed, byte for byte, and how."""

    serial: int
    tbs_der: bytes
    algorithm: SignatureAlgorithm
    not_before: datetime
    not_after: datetime
    subject: Name
    public_key: PublicKey

    def sealed(self, signature: bytes) -> bytes:
        """The certificate: draft, algorithm and signature joined."""
        return der.signed(self.tbs_der, self.algorithm, signature)


def draft_certificate(
    *,
    profile: Profile,
    issuer: Issuer,
    subject: Name,
    alternative_names: Sequence[AlternativeName],
    public_key: PublicKey,
    serial: int,
    now: datetime,
) -> Draft:
    """Raises ProfileViolation for a key or name the profile does not allow, InvalidTransition for a stale issuer."""
    if not issuer.not_before <= now <= issuer.not_after:
        raise InvalidTransition(f"the certificate of {issuer.name} is not valid now; nothing can be issued under it")
    _verify_names(profile, alternative_names)
    # Clocks of relying parties are minutes off, so we backdate, but never before the issuer was born.
    not_before = max(now - profile.backdate, issuer.not_before)
    # A certificate that outlives its issuer fails in every relying party at that moment: clip it.
    not_after = min(_last_second(not_before, profile.validity), issuer.not_after)
    extensions = [
        x509.AuthorityKeyIdentifier(issuer.subject_key_identifier, None, None),
        *_own_extensions(profile, public_key, alternative_names),
        *_status_extensions(profile, issuer),
    ]
    algorithm = SIGNATURE_OF[issuer.algorithm]
    validity = (not_before, not_after)
    tbs = _tbs(profile, serial, algorithm, issuer.subject_der, validity, subject, public_key, extensions)
    return Draft(serial, tbs, algorithm, not_before, not_after, subject, public_key)


def draft_self_signed(*, profile: Profile, subject: Name, public_key: PublicKey, serial: int, now: datetime) -> Draft:
    """A root's own certificate: issuer and subject are one, no pointers to status (STANDARDS C13, C21)."""
    if not profile.ca or profile.crl_distribution_point or profile.authority_information_access:
        raise ProfileViolation(f"profile {profile.name} is not for a self-signed certificate")
    not_before = now - profile.backdate
    not_after = _last_second(not_before, profile.validity)
    algorithm = SIGNATURE_OF[public_key.algorithm]
    extensions = _own_extensions(profile, public_key, [])
    validity = (not_before, not_after)
    tbs = _tbs(profile, serial, algorithm, subject.der, validity, subject, public_key, extensions)
    return Draft(serial, tbs, algorithm, not_before, not_after, subject, public_key)


def verify_signed(certificate_der: bytes, issuer_spki_der: bytes) -> None:
    """Raise SigningRefused unless the certificate is signed by that key over exactly its own TBS."""
    issuer_key = PublicKey.from_spki(issuer_spki_der)
    expected = der.algorithm_identifier(SIGNATURE_OF[issuer_key.algorithm])
    try:
        tbs_der, algorithm_der, signature = split_certificate(certificate_der)
        inner = read_tbs(tbs_der).algorithm_der
        issuer_key.verify(signature, tbs_der)
    except InvalidRequest as error:
        raise SigningRefused("the certificate is not signed with its issuer's key; it is not given out") from error
    if not inner == algorithm_der == expected:
        raise SigningRefused("the certificate names another signature algorithm than its issuer's key has")


def _verify_names(profile: Profile, alternative_names: Sequence[AlternativeName]) -> None:
    kinds = {name.kind for name in alternative_names}
    if unwanted := kinds - set(profile.alternative_names):
        raise ProfileViolation(f"profile {profile.name} has no alternative names of kind {', '.join(sorted(unwanted))}")
    if "dns" in profile.alternative_names and "dns" not in kinds:
        raise ProfileViolation(f"profile {profile.name} needs at least one host name")
    if len(set(alternative_names)) != len(alternative_names):
        raise ProfileViolation("an alternative name is there twice")


def _last_second(not_before: datetime, validity: timedelta) -> datetime:
    # notAfter is the last second of validity, not the first without it (RFC 5280 section 4.1.2.5).
    return not_before + validity - timedelta(seconds=1)


def _own_extensions(
    profile: Profile, public_key: PublicKey, alternative_names: Sequence[AlternativeName]
) -> list[x509.ExtensionType]:
    # RFC 7093 section 2 method 1: the leftmost 160 bits of SHA-256, in place of RFC 5280's SHA-1.
    identifier = hashlib.sha256(public_key.key_bits).digest()[:20]
    extensions: list[x509.ExtensionType] = [x509.SubjectKeyIdentifier(identifier), _key_usage(profile)]
    if profile.ca:
        # On end entities the extension is left out: cA FALSE is the default, which DER does not encode.
        extensions.append(x509.BasicConstraints(ca=True, path_length=profile.path_length))
    if profile.extended_key_usage:
        purposes = [x509.ObjectIdentifier(EXTENDED_KEY_USAGES[name]) for name in profile.extended_key_usage]
        extensions.append(x509.ExtendedKeyUsage(purposes))
    if profile.policy:
        policy = x509.PolicyInformation(x509.ObjectIdentifier(profile.policy), None)
        extensions.append(x509.CertificatePolicies([policy]))
    if alternative_names:
        extensions.append(x509.SubjectAlternativeName(name.to_x509() for name in alternative_names))
    if profile.ocsp_nocheck:
        extensions.append(x509.OCSPNoCheck())
    return extensions


def _key_usage(profile: Profile) -> x509.KeyUsage:
    usage = profile.key_usage
    return x509.KeyUsage(
        digital_signature="digitalSignature" in usage,
        content_commitment="nonRepudiation" in usage,
        key_encipherment="keyEncipherment" in usage,
        data_encipherment="dataEncipherment" in usage,
        key_agreement="keyAgreement" in usage,
        key_cert_sign="keyCertSign" in usage,
        crl_sign="cRLSign" in usage,
        encipher_only=False,
        decipher_only=False,
    )


def _status_extensions(profile: Profile, issuer: Issuer) -> list[x509.ExtensionType]:
    extensions: list[x509.ExtensionType] = []
    if profile.crl_distribution_point:
        url = x509.UniformResourceIdentifier(issuer.crl_url)
        extensions.append(x509.CRLDistributionPoints([x509.DistributionPoint([url], None, None, None)]))
    if profile.authority_information_access:
        places = (
            (x509.oid.AuthorityInformationAccessOID.OCSP, issuer.ocsp_url),
            (x509.oid.AuthorityInformationAccessOID.CA_ISSUERS, issuer.certificate_url),
        )
        descriptions = [
            x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in places if url
        ]
        extensions.append(x509.AuthorityInformationAccess(descriptions))
    return extensions


_CRITICAL = (x509.KeyUsage, x509.BasicConstraints)


def _tbs(
    profile: Profile,
    serial: int,
    algorithm: SignatureAlgorithm,
    issuer_der: bytes,
    validity: tuple[datetime, datetime],
    subject: Name,
    public_key: PublicKey,
    extensions: Sequence[x509.ExtensionType],
) -> bytes:
    if public_key.algorithm not in profile.key_algorithms:
        accepted = ", ".join(sorted(profile.key_algorithms))
        raise ProfileViolation(f"profile {profile.name} accepts {accepted}, not {public_key.algorithm}")
    return der.sequence(
        der.explicit(0, der.integer(2)),  # v3
        der.integer(serial),
        der.algorithm_identifier(algorithm),
        issuer_der,
        der.sequence(*(der.utc_or_generalized_time(moment) for moment in validity)),
        subject.der,
        public_key.spki_der,
        der.explicit(3, der.sequence(*(_extension(value) for value in extensions))),
    )


def _extension(value: x509.ExtensionType) -> bytes:
    # FALSE is the default of `critical`, so DER leaves it out.
    critical = der.boolean(True) if isinstance(value, _CRITICAL) else b""  # noqa: FBT003 - the value itself
    return der.sequence(der.oid(value.oid.dotted_string), critical, der.octet_string(value.public_bytes()))
