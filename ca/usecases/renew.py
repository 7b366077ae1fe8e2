"""A new certificate for a new key, asked for with the certificate it follows (RFC 7030 section 4.2.2; RFC 3647 4.7).

Being known is not being entitled (THREATS 2, 27): the certificate must be ours to the last byte, active and inside the
profile's window, and the approval of its application is checked again.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from ca.domain import der
from ca.domain.certificates import Certificate, CertificateStatus, Intent
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    KeyNotBornOnDevice,
    NotAuthenticated,
    NotFound,
    ProfileViolation,
)
from ca.domain.issuers import Issuer
from ca.domain.keys import PublicKey
from ca.domain.profiles import Profile
from ca.domain.requests import CertificationRequest
from ca.domain.serials import serial_text
from ca.domain.tbs import read_certificate
from ca.ports import Clock, UnitOfWork, Work
from ca.usecases.answered import alternative_names, require_own, require_signed
from ca.usecases.confirm import confirmation_purpose
from ca.usecases.dossier import Dossier
from ca.usecases.enrol import Drafter
from ca.usecases.issuance import Issuance
from ca.usecases.key_birth import KeyBirthAlarms
from ca.usecases.report_unknown import ReportUnknownCertificate

_CUSTOMER = "customer"
_CONTEXT = b"vermilion renew v1\x00"


@dataclass(frozen=True)
class ReEnrol:
    """The subject and all names stay; only the key is new."""

    unit_of_work: UnitOfWork
    clock: Clock
    dossier: Dossier
    drafter: Drafter
    issuance: Issuance
    profiles: Mapping[str, Profile]
    report_unknown: ReportUnknownCertificate

    def __call__(self, client_certificate_der: bytes, request_der: bytes) -> Certificate:
        """The new certificate; the same request again gets the same one."""
        request = CertificationRequest.parse(request_der)
        self._raise_alarm(client_certificate_der)
        try:
            intent, issuer = self._intend(client_certificate_der, request)
        except KeyNotBornOnDevice as error:
            KeyBirthAlarms(self.drafter.random).refused(self.unit_of_work, error, at=self.clock.now())
            raise
        return self.issuance.finish(intent, issuer, _CUSTOMER)

    def _raise_alarm(self, client_certificate_der: bytes) -> None:
        # TLS let it in, so it carries our signature: if we do not know it, our key was misused (DESIGN invariant 10).
        with suppress(InvalidRequest):
            self.report_unknown(client_certificate_der, by=_CUSTOMER)

    def _intend(self, client_certificate_der: bytes, request: CertificationRequest) -> tuple[Intent, Issuer]:
        with self.unit_of_work() as work:
            current = self._current(work, client_certificate_der)
            existing = work.intents.find_for_request(current.application, request.fingerprint)
            if existing is not None and existing.predecessor == current.serial:
                return existing, work.issuers.get(existing.issuer)
            self._require_renewable(current)
            _require_same_names(current, request)
            application, profile = self.dossier.require(work, current.application, renewal=True)
            self._require_last(work, current, profile)
            require_own(current, application.case)
            intent = self.drafter.intend(work, application, profile, request, predecessor=current)
            issuer = work.issuers.get(intent.issuer)
            work.commit()
        return intent, issuer

    def _current(self, work: Work, client_certificate_der: bytes) -> Certificate:
        try:
            current = work.certificates.get(read_certificate(client_certificate_der).serial)
        except (InvalidRequest, NotFound) as error:
            raise NotAuthenticated("this certificate is not one of ours") from error
        if current.der != client_certificate_der or not current.application:
            raise NotAuthenticated("this certificate is not one of ours")
        require_signed(work, current)
        if current.status is not CertificateStatus.ACTIVE:
            raise NotAuthenticated("this certificate does not hold any more; ask at your branch")
        self._require_not_closed(current)
        return current

    def _require_not_closed(self, current: Certificate) -> None:
        profile, now = self.profiles.get(current.profile), self.clock.now()
        closes = current.not_after + (profile.renewal_closes_after if profile else timedelta(0))
        if current.is_expired(now) and now > closes:
            raise NotAuthenticated(
                f"this certificate ended on {current.not_after:%d %b %Y} and could be renewed until {closes:%d %b %Y}; "
                "bring your identity document and your U-Shield to your branch, which applies for a new one"
            )

    def _require_renewable(self, current: Certificate) -> None:
        profile = self.profiles.get(current.profile)
        if profile is None or profile.renewal_opens_before is None:
            raise ProfileViolation("certificates of this kind are not renewed; apply for a new one at your branch")
        opens = current.not_after - profile.renewal_opens_before
        if self.clock.now() < opens:
            raise ProfileViolation(f"renewal opens on {opens:%d %b %Y}")

    def _require_last(self, work: Work, current: Certificate, profile: Profile) -> None:
        # Of several that wait for confirmation one is confirmed; without confirmation the first is the only one.
        if profile.needs_confirmation:
            return
        now = self.clock.now()
        issued = [one.serial for one in work.certificates.list_successors(current.serial) if _holds(one, now)]
        intended = [one.serial for one in work.intents.list_unsigned() if one.predecessor == current.serial]
        for serial in (*issued, *intended):
            raise InvalidTransition(
                f"this certificate was renewed already, by {serial_text(serial)}; renew that one or have it revoked"
            )


@dataclass(frozen=True)
class RenewByKey:
    """A customer renews with the U-Shield: the old key signs for the new one (docs/protocols/enrolment.md)."""

    unit_of_work: UnitOfWork
    clock: Clock
    re_enrol: ReEnrol
    origin: str

    def __call__(self, certificate_der: bytes, request_der: bytes, *, nonce: bytes, signature: bytes) -> Certificate:
        """As ReEnrol. Raises NotAuthenticated unless the old key signed, for our origin and this nonce."""
        try:
            shown = read_certificate(certificate_der)
            PublicKey.from_spki(shown.spki_der).verify(signature, self._message(certificate_der, request_der, nonce))
        except InvalidRequest as error:
            raise NotAuthenticated("the key of the certificate that is renewed did not sign this request") from error
        with self.unit_of_work() as work:
            given = work.challenges.take(confirmation_purpose(shown.serial), nonce)
            work.commit()  # it stays used, whatever comes of it
        if given is None or given.is_over(self.clock.now()):
            raise InvalidRequest("this nonce was not given for this certificate or is used up; ask for a new one")
        return self.re_enrol(certificate_der, request_der)

    def _message(self, certificate_der: bytes, request_der: bytes, nonce: bytes) -> bytes:
        origin, old, request = (
            hashlib.sha256(each).digest() for each in (self.origin.encode(), certificate_der, request_der)
        )
        return _CONTEXT + origin + nonce + old + request


def _holds(certificate: Certificate, now: datetime) -> bool:
    return certificate.status is not CertificateStatus.REVOKED and not certificate.is_expired(now)


def _require_same_names(current: Certificate, request: CertificationRequest) -> None:
    asked_subject = der.parse_sequence(request.der, "the request")[0].children()[1].der
    try:
        subject = _values(asked_subject)
        asked = alternative_names(x509.load_der_x509_csr(request.der).extensions)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise InvalidRequest("the names in the request cannot be read") from error
    # Values are compared, not their string types: OpenSSL writes UTF8String where others write PrintableString.
    if subject != _values(read_certificate(current.der).subject_der):
        raise InvalidRequest("the subject must be that of the present certificate; a new name needs a new application")
    held = alternative_names(x509.load_der_x509_certificate(current.der).extensions)
    if asked and asked != held:
        raise InvalidRequest("the alternative names must be those of the present certificate")


def _values(name_der: bytes) -> list[tuple[bytes, bytes]]:
    pairs = [
        tuple(part.children()) for relative in der.parse_sequence(name_der, "the name") for part in relative.children()
    ]
    return [(kind.der, value.content) for kind, value in pairs]
