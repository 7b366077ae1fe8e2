"""Enrolment over Secure Transport: RFC 7030, as clarified by RFC 8951 (base64) and RFC 9908 (csrattrs).

* One issuing CA, and the code already decides the profile: no label is offered, a path with one is 404 (section 3.2.2).
* `serverkeygen` is not offered (a signing key is born in the U-Shield or in the bank's system, section 4.4), nor is
  `fullcmc` (section 4.3).
* Never 202: the second officer approved before the codes were handed out, so a right code is answered at once. The
  same request with the same code gets the same certificate again, however often it is asked (section 4.2.3).
"""

import base64
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed, NotFound, UnsupportedMediaType

from ca.domain.errors import InvalidRequest, NotAllowed, NotAuthenticated, NotReady
from ca.domain.requests import decode_base64_or_der
from ca.operations import Enrol, ReEnrol
from customer.credentials import require_codes
from customer.services import services, source, through_edge

CLIENT_CERTIFICATE_HEADER = "X-Vermilion-Client-Certificate"
"""Base64 DER of the certificate that the caller proved by TLS; only the edge can set it."""

# RFC 7030 section 4.5.2, RFC 9908 section 3: what we are glad of is a P-256 key (id-ecPublicKey with its curve) and
# ecdsa-with-SHA256. Nothing else is asked for, since the profile decides subject and extensions, never the request.
CSR_ATTRIBUTES = bytes.fromhex("3021301506072a8648ce3d0201310a06082a8648ce3d03010706082a8648ce3d040302")

views = Blueprint("est", __name__, url_prefix="/.well-known/est")


@views.get("/cacerts")
def cacerts() -> Response:
    """The issuing CA's and the root's certificate, for everybody (section 4.1)."""
    certificates = read_chain(services().chain_pem_path)
    return _base64(pkcs7.serialize_certificates(certificates, Encoding.DER), "application/pkcs7-mime")


@views.get("/csrattrs")
def csrattrs() -> Response:
    """What a request may hold (section 4.5); clients are free to ignore it."""
    return _base64(CSR_ATTRIBUTES, "application/csrattrs")


@views.post("/simpleenroll")
def simpleenroll() -> Response:
    """A certificate for the key of the request, by the two codes (section 4.2.1)."""
    codes = require_codes()
    certification_request = _request_der()
    with services().throttle.attempt(source()):
        answer = services().signer.call(
            Enrol(reference=codes.reference, code=codes.code, request=certification_request)
        )
    return _certs_only(answer["certificate"])


@views.post("/simplereenroll")
def simplereenroll() -> Response:
    """A successor of the certificate with which the caller connected (section 4.2.2)."""
    operation = ReEnrol(client_certificate=_client_certificate(), request=_request_der())
    try:
        with services().throttle.attempt(source()):
            answer = services().signer.call(operation)
    except NotAuthenticated as error:
        # 401 would invite codes, which this operation does not take.
        raise NotAllowed(str(error)) from error
    return _certs_only(answer["certificate"])


@views.route("/<operation>", methods=["GET", "POST"])
@views.route("/<label>/<operation>", methods=["GET", "POST"])
def not_offered(operation: str, label: str = "") -> Response:
    """Operations and labels that we do not offer (sections 3.2.2, 4.3, 4.4), and the wrong method for one we do."""
    if label:
        raise NotFound("No labels are offered: there is one issuing CA, and your codes decide the profile.")
    if operation in _OFFERED:
        methods = _OFFERED[operation]
        raise MethodNotAllowed(methods, f"{operation} takes {methods[0]} only.")
    raise NotFound(f"{_known(operation)} is not offered. Offered: {', '.join(_OFFERED)}.")


_OFFERED = {
    "cacerts": ("GET", "HEAD"),
    "simpleenroll": ("POST",),
    "simplereenroll": ("POST",),
    "csrattrs": ("GET", "HEAD"),
}


def _known(operation: str) -> str:
    return operation if operation in {"fullcmc", "serverkeygen"} else "This operation"


def read_chain(path: Path) -> list[x509.Certificate]:
    """Issuing CA first, root last. Raises NotReady when the file is missing or damaged."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NotReady(f"{path} cannot be read; hold the key ceremony or restore the state directory") from error


def _request_der() -> bytes:
    """The PKCS#10 bytes, whatever Content-Transfer-Encoding says (RFC 8951 section 3.1)."""
    if request.mimetype != "application/pkcs10":
        raise UnsupportedMediaType("Send a PKCS#10 request with the content type application/pkcs10.")
    decoded = decode_base64_or_der(request.get_data())
    if not decoded:
        raise InvalidRequest("the body is empty; send the base64 of a PKCS#10 request")
    return decoded


def _client_certificate() -> bytes:
    given = through_edge(CLIENT_CERTIFICATE_HEADER)
    try:
        decoded = base64.b64decode(given, validate=True)
    except ValueError:
        decoded = b""
    if not decoded:
        raise NotAllowed("connect with the certificate that is to be renewed (TLS client authentication)")
    return decoded


def _certs_only(certificate: str) -> Response:
    """The new certificate and nothing else; its chain comes from cacerts (section 4.2.3)."""
    issued = x509.load_der_x509_certificate(base64.b64decode(certificate))
    content = pkcs7.serialize_certificates([issued], Encoding.DER)
    return _base64(content, "application/pkcs7-mime; smime-type=certs-only")


def _base64(content: bytes, content_type: str) -> Response:
    """One unwrapped line. RFC 8951 made the header meaningless, but clients of RFC 7030 still look for it."""
    response = Response(base64.b64encode(content))
    response.headers["Content-Type"] = content_type
    response.headers["Content-Transfer-Encoding"] = "base64"
    return response
