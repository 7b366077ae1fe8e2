"""An OCSP request, read strictly and with bounded work (RFC 6960 section 4.1, RFC 9654)."""

from ca.domain import der
from ca.domain.errors import InvalidRequest
from ca.domain.ocsp import MAX_CERT_IDS, MAX_NONCE, NONCE_OID, CertId, Question

MAX_REQUEST = 8 * 1024

# What we understand, so that it may be marked critical. Of these only the nonce changes the answer: we always answer
# with the basic response type, with the responder's one algorithm, and for our own issuers only.
_RESPONSE_TYPES_OID = der.oid("1.3.6.1.5.5.7.48.1.4")
_SERVICE_LOCATOR_OID = der.oid("1.3.6.1.5.5.7.48.1.7")
_PREFERRED_ALGORITHMS_OID = der.oid("1.3.6.1.5.5.7.48.1.8")
_UNDERSTOOD = {NONCE_OID, _RESPONSE_TYPES_OID, _PREFERRED_ALGORITHMS_OID}
_UNDERSTOOD_OF_ONE = {_SERVICE_LOCATOR_OID}


def parse_request(blob: bytes) -> Question:
    """Raises InvalidRequest, and nothing else, unless `blob` is an OCSPRequest that we can answer as asked."""
    if len(blob) > MAX_REQUEST:
        raise InvalidRequest("the OCSP request is too long")
    parts = _sequence(_only(blob), "the OCSP request")
    # A signature is tolerated and not looked into: whoever asks gets the same answer (RFC 9919 section 3.1).
    if not 1 <= len(parts) <= 2 or (len(parts) == 2 and parts[1].tag != 0xA0):
        raise InvalidRequest("the OCSP request is not a tbsRequest with at most a signature")
    der.require_der(parts[0].der, "the tbsRequest")
    fields = _sequence(parts[0], "the tbsRequest")
    version = _take(fields, 0xA0)
    if version is not None and version.content != der.integer(0):
        raise InvalidRequest("the OCSP request is not of version 1")
    _take(fields, 0xA1)  # requestorName: nobody is asked who they are
    requests = _sequence(_required(fields), "the requestList")
    extensions = _take(fields, 0xA2)
    if fields:
        raise InvalidRequest("the tbsRequest has fields that are unknown or out of order")
    if not 1 <= len(requests) <= MAX_CERT_IDS:
        raise InvalidRequest(f"ask about 1 to {MAX_CERT_IDS} certificates at a time")
    values = _extensions(extensions, _UNDERSTOOD)
    return Question(tuple(_cert_id(request) for request in requests), _nonce(values.get(NONCE_OID)))


def _only(blob: bytes) -> der.Element:
    elements = der.Element(der.SEQUENCE, blob, blob).children()
    if len(elements) != 1:
        raise InvalidRequest("the OCSP request is not one DER element")
    return elements[0]


def _sequence(element: der.Element, what: str) -> list[der.Element]:
    if element.tag != der.SEQUENCE:
        raise InvalidRequest(f"{what} is not a SEQUENCE")
    return element.children()


def _take(fields: list[der.Element], tag: int) -> der.Element | None:
    """The first field if it has this tag, taken out of the list."""
    return fields.pop(0) if fields and fields[0].tag == tag else None


def _required(fields: list[der.Element]) -> der.Element:
    if not fields:
        raise InvalidRequest("the tbsRequest has no requestList")
    return fields.pop(0)


def _cert_id(request: der.Element) -> CertId:
    parts = _sequence(request, "a Request")
    if not 1 <= len(parts) <= 2 or (len(parts) == 2 and parts[1].tag != 0xA0):
        raise InvalidRequest("a Request is not a CertID with at most extensions")
    _extensions(parts[1] if len(parts) == 2 else None, _UNDERSTOOD_OF_ONE)
    return CertId.parse(parts[0].der)


def _extensions(tagged: der.Element | None, understood: set[bytes]) -> dict[bytes, bytes]:
    """Values by OID. Refuses what is critical and not understood (RFC 6960 section 4.1.2), and anything said twice."""
    if tagged is None:
        return {}
    inside = tagged.children()
    if len(inside) != 1:
        raise InvalidRequest("the extensions are not one SEQUENCE")
    values: dict[bytes, bytes] = {}
    for extension in _sequence(inside[0], "the extensions"):
        oid, critical, value = _extension(extension)
        if critical and oid not in understood:
            raise InvalidRequest("the OCSP request has a critical extension that is unknown here")
        if oid in values:
            raise InvalidRequest("the OCSP request has an extension twice")
        values[oid] = value
    return values


def _extension(extension: der.Element) -> tuple[bytes, bool, bytes]:
    match _sequence(extension, "an extension"):
        case [der.Element(tag=der.OBJECT_IDENTIFIER) as oid, der.Element(tag=der.OCTET_STRING) as value]:
            return oid.der, False, value.content
        case [
            der.Element(tag=der.OBJECT_IDENTIFIER) as oid,
            der.Element(tag=der.BOOLEAN) as critical,
            der.Element(tag=der.OCTET_STRING) as value,
        ]:
            return oid.der, critical.content == b"\xff", value.content
    raise InvalidRequest("an extension is not an identifier and a value")


def _nonce(value: bytes | None) -> bytes | None:
    if value is None:
        return None
    nonce = der.parse(value, "the nonce")
    if nonce.tag != der.OCTET_STRING or not 1 <= len(nonce.content) <= MAX_NONCE:
        raise InvalidRequest("a nonce is an OCTET STRING of 1 to 128 octets (RFC 9654 section 2.1)")
    return nonce.content
