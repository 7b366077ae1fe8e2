"""Which case a certificate answers: shown by the CA's signature and the sealed case, never by rows alone."""

from cryptography import x509

from ca.domain.applications import Case
from ca.domain.certificates import Certificate
from ca.domain.drafting import verify_signed
from ca.domain.errors import NotAuthenticated, NotFound, SigningRefused
from ca.domain.names import AlternativeName, Name
from ca.domain.tbs import read_certificate
from ca.ports import Seals, Work
from ca.usecases.cases import require_sealed


def require_signed(work: Work, current: Certificate) -> None:
    """Raise NotAuthenticated unless one of our CAs signed it."""
    # That it stands in our records proves nothing: somebody may have put it there.
    try:
        verify_signed(current.der, work.issuers.get(current.issuer).spki_der)
    except (NotFound, SigningRefused) as error:
        raise NotAuthenticated("this certificate is not one of ours") from error


def require_own(current: Certificate, case: Case) -> None:
    """Raise SigningRefused unless the case says what the certificate says."""
    # Nor does the application that its record names, unless it says what the certificate says.
    names = frozenset(AlternativeName(kind, value).to_x509() for kind, value in case.alternative_names)
    held = alternative_names(x509.load_der_x509_certificate(current.der).extensions)
    if Name.from_list(case.subject).der != read_certificate(current.der).subject_der or names != held:
        raise SigningRefused("the certificate answers another application than its record says")


def answered_case(work: Work, seals: Seals, current: Certificate) -> Case:
    """The sealed case it answers. Raises NotAuthenticated, NotFound, SigningRefused, Tampered."""
    require_signed(work, current)
    application, seal = work.applications.get(current.application)
    require_sealed(seals, application, seal)
    require_own(current, application.case)
    return application.case


def alternative_names(extensions: x509.Extensions) -> frozenset[x509.GeneralName]:
    """Those of a certificate or a request."""
    try:
        return frozenset(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return frozenset()
