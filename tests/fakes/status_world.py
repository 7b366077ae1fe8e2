"""A root, an issuing CA with its OCSP responder, and certificates in every state, for tests of OCSP and CRLs."""

import hashlib
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ca.domain.certificates import Certificate, CertificateStatus, Intent
from ca.domain.crl import with_partition
from ca.domain.issuers import Issuer
from ca.domain.keys import KeyAlgorithm
from ca.domain.ocsp import PLAIN, Policy
from ca.domain.profiles import EXTENDED_KEY_USAGES
from ca.domain.revocation import RevocationReason
from ca.ports import KeyId
from ca.usecases.answer_ocsp import RESPONDER_PROFILE, AnswerOCSP, Contradictions, responder_key
from ca.usecases.publish_bundle import BUNDLE_PROFILE, PublishBundle, bundle_key
from ca.usecases.publish_crl import PublishCRL
from ca.usecases.responder import MEMORY_PROFILE
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.key_store import FakeKeyStore
from tests.fakes.publisher import FakeLinter, FakePublisher
from tests.fakes.work import FakeUnitOfWork

DAY = timedelta(days=1)
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def key_usage(*wanted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in wanted for usage in _USAGES})


def subject(common_name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )


class StatusWorld:
    """Real signatures by keys in memory; everything else is the fakes of the ports."""

    def __init__(
        self,
        start: datetime = NOON,
        *,
        algorithm: KeyAlgorithm = KeyAlgorithm.EC_P256,
        ocsp_url: str = "http://localhost:8080/ocsp",
        policy: Policy = PLAIN,
        public_url: str = "http://localhost:8080",
    ) -> None:
        self._public_url = public_url
        self.clock = FakeClock(start)
        self.key_store = FakeKeyStore()
        self.unit_of_work = FakeUnitOfWork()
        self.publisher = FakePublisher()
        self.linter = FakeLinter()
        self.algorithm = algorithm
        self._holders = ec.generate_private_key(ec.SECP256R1()).public_key()
        self.root = self._authority("root", None, ocsp_url="")
        self.issuing = self._authority("issuing", self.root, ocsp_url=ocsp_url)
        self.responder = self.certify_responder()
        self.standings = self.unit_of_work.standings
        contradictions = Contradictions(self.unit_of_work, self.clock)
        self.answer_ocsp = AnswerOCSP(
            self.unit_of_work, self.clock, self.key_store, self.standings, contradictions, policy=policy
        )
        self.bundle_signer = self.certify_bundle_signer()
        self.publish_bundle = PublishBundle(
            self.unit_of_work, self.clock, self.key_store, self.publisher, self.standings
        )
        self.publish_crl = PublishCRL(
            self.unit_of_work, self.clock, self.key_store, self.publisher, self.linter, self.standings
        )

    def _authority(self, name: str, parent: Issuer | None, *, ocsp_url: str) -> Issuer:
        key = KeyId(name.encode())
        self.key_store.generate(key, name, self.algorithm)
        public_key = self._public_key(key)
        builder = (
            self._builder(subject(name), subject(parent.name if parent else name), public_key, self.clock.now())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(key_usage("key_cert_sign", "crl_sign"), critical=True)
        )
        der = self._signed(builder, KeyId(parent.key_id) if parent else key)
        issuer = Issuer(
            name=name,
            certificate_der=der,
            key_id=key,
            algorithm=self.algorithm,
            crl_url=f"{self._public_url}/crl/{name}.crl",
            ocsp_url=ocsp_url,
            certificate_url=f"{self._public_url}/ca/{name}.cer",
        )
        with self.unit_of_work() as work:
            work.issuers.save(issuer)
            work.commit()
        return issuer

    def certify_responder(self, *, life: timedelta = 30 * DAY, serial: int = 0x05C9) -> Certificate:
        key = responder_key("issuing")
        if key not in self.key_store._keys:
            self.key_store.generate(key, "ocsp", self.algorithm)
        return self.certify_key(self._public_key(key), life=life, serial=serial)

    def certify_key(
        self, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, *, life: timedelta, serial: int = 0
    ) -> Certificate:
        """A responder's certificate; without a serial it is one for a key in memory."""
        builder = (
            self._builder(subject("responder"), subject("issuing"), key, self.clock.now(), life, serial)
            .add_extension(key_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
            .add_extension(x509.OCSPNoCheck(), critical=False)
            .add_extension(self._authority_key_identifier(), critical=False)
        )
        profile = RESPONDER_PROFILE if serial else MEMORY_PROFILE
        return self._keep(builder, "issuing", profile, CertificateStatus.ACTIVE)

    def certify_bundle_signer(
        self, *, life: timedelta = 14 * DAY, serial: int = 0x0B5C, purpose: str = EXTENDED_KEY_USAGES["bundleSigning"]
    ) -> Certificate:
        key = bundle_key("issuing")
        if key not in self.key_store._keys:
            self.key_store.generate(key, "bundle", self.algorithm)
        usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier(purpose)])
        builder = (
            self._builder(subject("bundles"), subject("issuing"), self._public_key(key), self.clock.now(), life, serial)
            .add_extension(key_usage("digital_signature"), critical=True)
            .add_extension(usage, critical=False)
            .add_extension(self._authority_key_identifier(), critical=False)
        )
        return self._keep(builder, "issuing", BUNDLE_PROFILE, CertificateStatus.ACTIVE)

    def issue(
        self,
        serial: int,
        status: CertificateStatus = CertificateStatus.ACTIVE,
        *,
        life: timedelta = 365 * DAY,
        issuer: str = "issuing",
        partition: int | None = None,
    ) -> Certificate:
        builder = self._builder(
            subject("Li Wei"), subject(issuer), self._holders, self.clock.now(), life, serial
        ).add_extension(self._authority_key_identifier(), critical=False)
        if partition is not None:
            place = x509.UniformResourceIdentifier(with_partition(self.issuing, partition).crl_url)
            points = x509.CRLDistributionPoints([x509.DistributionPoint([place], None, None, None)])
            builder = builder.add_extension(points, critical=False)
            with self.unit_of_work() as work:
                work.crls.add_partition(issuer, partition, place.value)
                work.commit()
        return self._keep(builder, issuer, "individual", status, partition)

    def issue_revoked(self, *serials: int, life: timedelta = 365 * DAY) -> None:
        for serial in serials:
            self.issue(serial, life=life)
            self.revoke(serial)

    def revoke(
        self,
        serial: int,
        reason: RevocationReason = RevocationReason.KEY_COMPROMISE,
        invalid_since: datetime | None = None,
    ) -> Certificate:
        before = self.unit_of_work.certificates[serial]
        return self._change(before.revoke(reason, at=self.clock.now(), invalid_since=invalid_since))

    def suspend(self, serial: int) -> Certificate:
        return self._change(self.unit_of_work.certificates[serial].suspend(at=self.clock.now()))

    def resume(self, serial: int) -> Certificate:
        return self._change(self.unit_of_work.certificates[serial].resume())

    def confirm(self, serial: int) -> Certificate:
        return self._change(self.unit_of_work.certificates[serial].confirm(at=self.clock.now()))

    def _change(self, certificate: Certificate) -> Certificate:
        with self.unit_of_work() as work:
            work.certificates.save(certificate)
            work.crls.set_due(certificate.issuer, due=True)
            work.commit()
        self._changed_without_an_event()
        return certificate

    def _changed_without_an_event(self) -> None:
        """The signer records each change as an event and knows by it to look again; here there is none."""
        if hasattr(self, "answer_ocsp"):
            self.answer_ocsp.known.clear()

    def published(self, name: str = "issuing") -> bytes:
        """A new full CRL of an issuer, as it is in the public place."""
        self.publish_crl(name)
        return self.publisher.crls[name]

    def forget(self, serial: int) -> None:
        """Lose a record, as a restore of an old backup does."""
        del self.unit_of_work.stored.certificates[serial]
        del self.unit_of_work.stored.intents[serial]
        del self.standings.kept[serial]

    def asked(
        self, serial: int, hash_algorithm: hashes.HashAlgorithm | None = None, *, issuer: Issuer | None = None
    ) -> bytes:
        """The DER of an OCSP request by an independent implementation."""
        by = x509.load_der_x509_certificate((issuer or self.issuing).certificate_der)
        algorithm = hash_algorithm or hashes.SHA1()  # noqa: S303 - what most clients send
        name_hash, key_hash = hashes.Hash(algorithm), hashes.Hash(algorithm)
        name_hash.update(by.subject.public_bytes())
        key_hash.update(_key_bits(by))
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            name_hash.finalize(), key_hash.finalize(), serial, algorithm
        )
        return builder.build().public_bytes(Encoding.DER)

    def _keep(
        self,
        builder: x509.CertificateBuilder,
        issuer: str,
        profile: str,
        status: CertificateStatus,
        partition: int | None = None,
    ) -> Certificate:
        der = self._signed(builder, KeyId(issuer.encode()))
        made = x509.load_der_x509_certificate(der)
        spki = made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        certificate = Certificate(
            serial=made.serial_number,
            issuer=issuer,
            profile=profile,
            der=der,
            public_key=hashlib.sha256(spki).hexdigest(),
            subject=made.subject.rfc4514_string(),
            application="",
            customer="",
            device_serial="",
            branch="",
            not_before=made.not_valid_before_utc,
            not_after=made.not_valid_after_utc,
            issued_at=self.clock.now(),
            status=status,
            crl_partition=partition,
        )
        intent = Intent(
            serial=certificate.serial,
            issuer=issuer,
            profile=profile,
            application="",
            tbs_der=made.tbs_certificate_bytes,
            public_key=certificate.public_key,
            request="",
            predecessor=None,
            intended_at=certificate.issued_at,
            needs_confirmation=status is CertificateStatus.UNCONFIRMED,
            signed=True,
        )
        with self.unit_of_work() as work:
            work.intents.add(intent)
            work.certificates.add(certificate)
            work.commit()
        self._changed_without_an_event()
        return certificate

    def _builder(
        self,
        of: x509.Name,
        by: x509.Name,
        public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        now: datetime,
        life: timedelta = 3650 * DAY,
        serial: int = 0,
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(of)
            .issuer_name(by)
            .public_key(public_key)
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + life)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        )

    def _authority_key_identifier(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._public_key(KeyId(b"issuing")))

    def _public_key(self, key: KeyId) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
        loaded = serialization.load_der_public_key(self.key_store.public_key(key))
        assert isinstance(loaded, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
        return loaded

    def _signed(self, builder: x509.CertificateBuilder, key: KeyId) -> bytes:
        _, private = self.key_store._keys[key]
        hash_algorithm = hashes.SHA384() if self.algorithm is KeyAlgorithm.EC_P384 else hashes.SHA256()
        return builder.sign(private, hash_algorithm).public_bytes(Encoding.DER)


def _key_bits(certificate: x509.Certificate) -> bytes:
    """The key's BIT STRING value, by way of its encodings in cryptography and not of our own parser."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
