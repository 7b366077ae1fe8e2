"""Profiles, issuers and drafts for tests: valid by default, override one thing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ca.domain import der
from ca.domain.drafting import Draft, draft_certificate, draft_self_signed
from ca.domain.issuers import Issuer
from ca.domain.key_birth import STATEMENT
from ca.domain.keys import SIGNATURE_OF, KeyAlgorithm, PublicKey, SignatureAlgorithm
from ca.domain.names import AlternativeName, Name, NameAttribute
from ca.domain.profiles import Profile
from config.profile_files import load_profiles

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
PROFILES = load_profiles(Path(__file__).parents[1] / "config" / "profiles")
ZHANG = Name(((NameAttribute.COUNTRY, "CN"), (NameAttribute.COMMON_NAME, "张伟")))


@dataclass(frozen=True)
class SoftKey:
    """A key pair in memory that signs the one way its kind signs here."""

    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    @property
    def public(self) -> PublicKey:
        return PublicKey.from_spki(
            self.private.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    def sign(self, message: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())
        is_p384 = SIGNATURE_OF[self.public.algorithm] is SignatureAlgorithm.ECDSA_SHA384
        return self.private.sign(message, ec.ECDSA(hashes.SHA384() if is_p384 else hashes.SHA256()))


P256 = SoftKey(ec.derive_private_key(0x1234567, ec.SECP256R1()))
P384 = SoftKey(ec.derive_private_key(0x7654321, ec.SECP384R1()))
CUSTOMER = SoftKey(ec.derive_private_key(0xABCDEF, ec.SECP256R1()))


def an_issuer(key: SoftKey = P384, *, now: datetime = NOW, validity: timedelta = timedelta(days=3650)) -> Issuer:
    """A self-signed issuer with the key."""
    profile = replace(PROFILES["root-ca"], validity=validity, key_algorithms=frozenset(KeyAlgorithm))
    draft = draft_self_signed(
        profile=profile, subject=profile.subject_for({}), public_key=key.public, serial=1, now=now
    )
    return issuer_of(draft.sealed(key.sign(draft.tbs_der)), key.public.algorithm)


def issuer_of(certificate_der: bytes, algorithm: KeyAlgorithm) -> Issuer:
    return Issuer(
        name="issuing",
        certificate_der=certificate_der,
        key_id=b"\x01",
        algorithm=algorithm,
        crl_url="http://127.0.0.1:8080/crl/issuing.crl",
        ocsp_url="http://127.0.0.1:8080/ocsp",
        certificate_url="http://127.0.0.1:8080/ca/issuing.cer",
    )


def a_draft(
    profile: Profile | None = None,
    issuer: Issuer | None = None,
    *,
    subject: Name = ZHANG,
    alternative_names: Sequence[AlternativeName] = (),
    public_key: PublicKey | None = None,
    serial: int = 0xA1,
    now: datetime = NOW,
) -> Draft:
    return draft_certificate(
        profile=profile or PROFILES["personal-signing"],
        issuer=issuer or an_issuer(),
        subject=subject,
        alternative_names=alternative_names,
        public_key=public_key or CUSTOMER.public,
        serial=serial,
        now=now,
    )


BORN = "key-birth-1 local=yes always-sensitive=yes never-extractable=yes extractable=no mechanism=unknown"
"""What the tool says of a key on an honest U-Shield that does not tell its mechanisms."""


def saying(*texts: str, oid: str = STATEMENT) -> bytes:
    """The attributes of a request in which each of these is said of how its key was made."""
    return der.tlv(
        0xA0, *(der.sequence(der.oid(oid), der.set_of(der.tlv(der.UTF8_STRING, text.encode()))) for text in texts)
    )


def a_request(
    key: SoftKey = CUSTOMER, *, attributes: bytes | None = saying(BORN), subject: bytes | None = None
) -> bytes:
    """DER of a PKCS #10 request as the tool makes it, put together by hand so that each part can be made wrong."""
    fields = (der.integer(0), subject or der.sequence(), key.public.spki_der, attributes or b"")
    information = der.sequence(*fields)
    return der.signed(information, SIGNATURE_OF[key.public.algorithm], key.sign(information))
