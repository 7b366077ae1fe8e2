"""A new certificate for a new key, asked for with the certificate it follows (RFC 7030 section 4.2.2; RFC 3647 4.7).

Being known is not being entitled (THREATS 2, 27): the certificate must be ours to the last byte, active and inside the
profile's window, and the approval of its application is checked again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509

from ca.domain.certificates import Certificate, CertificateStatus, Intent
from ca.domain.errors import InvalidRequest, NotAuthenticated, NotFound, ProfileViolation
from ca.domain.issuers import Issuer
from ca.domain.profiles import Profile
from ca.domain.requests import CertificationRequest
from ca.ports import Clock, UnitOfWork, Work
from ca.usecases.dossier import Dossier
from ca.usecases.enrol import Drafter
from ca.usecases.issuance import Issuance

_CUSTOMER = "customer"


@dataclass(frozen=True)
class ReEnrol:
    """The subject and all names stay; only the key is new."""

    unit_of_work: UnitOfWork
    clock: Clock
    dossier: Dossier
    drafter: Drafter
    issuance: Issuance
    profiles: Mapping[str, Profile]

    def __call__(self, client_certificate_der: bytes, request_der: bytes) -> Certificate:
        """The new certificate; the same request again gets the same one."""
        request = CertificationRequest.parse(request_der)
        intent, issuer = self._intend(client_certificate_der, request)
        return self.issuance.finish(intent, issuer, _CUSTOMER)

    def _intend(self, client_certificate_der: bytes, request: CertificationRequest) -> tuple[Intent, Issuer]:
        with self.unit_of_work() as work:
            current = self._current(work, client_certificate_der)
            existing = work.intents.find_for_request(current.application, request.fingerprint)
            if existing is not None and existing.predecessor == current.serial:
                return existing, work.issuers.get(existing.issuer)
            self._require_renewable(current)
            _require_same_names(current, request)
            application, profile = self.dossier.require(work, current.application)
            intent = self.drafter.intend(work, application, profile, request, predecessor=current)
            issuer = work.issuers.get(intent.issuer)
            work.commit()
        return intent, issuer

    def _current(self, work: Work, client_certificate_der: bytes) -> Certificate:
        try:
            serial = x509.load_der_x509_certificate(client_certificate_der).serial_number
            current = work.certificates.get(serial)
        except (ValueError, NotFound) as error:
            raise NotAuthenticated("this certificate is not one of ours") from error
        if current.der != client_certificate_der or not current.application:
            raise NotAuthenticated("this certificate is not one of ours")
        if current.status is not CertificateStatus.ACTIVE or current.is_expired(self.clock.now()):
            raise NotAuthenticated("this certificate does not hold any more; ask at your branch")
        return current

    def _require_renewable(self, current: Certificate) -> None:
        profile = self.profiles.get(current.profile)
        if profile is None or profile.renewal_opens_before is None:
            raise ProfileViolation("certificates of this kind are not renewed; apply for a new one at your branch")
        opens = current.not_after - profile.renewal_opens_before
        if self.clock.now() < opens:
            raise ProfileViolation(f"renewal opens on {opens:%d %b %Y}")


def _require_same_names(current: Certificate, request: CertificationRequest) -> None:
    old = x509.load_der_x509_certificate(current.der)
    new = x509.load_der_x509_csr(request.der)
    # Values are compared, not their string types: OpenSSL writes UTF8String where others write PrintableString.
    if _attributes(new.subject) != _attributes(old.subject):
        raise InvalidRequest("the subject must be that of the present certificate; a new name needs a new application")
    try:
        asked = new.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    try:
        held = old.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        held = None
    if held is None or set(asked) != set(held):
        raise InvalidRequest("the alternative names must be those of the present certificate")


def _attributes(name: x509.Name) -> list[tuple[str, str | bytes]]:
    return [(attribute.oid.dotted_string, attribute.value) for attribute in name]
