"""Certificates and their requests as files, and the pages of the CAs above them, in the formats that others read."""

from collections.abc import Callable

from flask import Blueprint, Response, abort, current_app, render_template
from flask_babel import gettext as _

from admin.chain import chain_of, p7c, pem, request_pem
from admin.decoding import decoded
from admin.signer import note_look
from admin.views.base import newest
from ca.adapters.db.mapping.certificates import to_intent
from ca.adapters.db.rows import CertificateRow, IntentRow, IssuerRow, db
from ca.domain.errors import NotFound

views = Blueprint("files", __name__, url_prefix="/admin/certificates")

_TYPES = {"der": "application/pkix-cert", "pem": "application/x-pem-file", "p7c": "application/pkcs7-mime"}

_WRITERS: dict[str, Callable[[list[bytes]], bytes]] = {"der": b"".join, "pem": pem, "p7c": p7c}


@views.get("/<serial>/certificate.<kind>")
def certificate(serial: str, kind: str) -> Response:
    """The certificate alone."""
    row = _visible(serial)
    return _file([row.der], kind, ("der", "pem"), row.serial)


@views.get("/<serial>/chain.<kind>")
def chain(serial: str, kind: str) -> Response:
    """With the CAs above it, the root last."""
    row = _visible(serial)
    above = [der for _link, der in chain_of(row.der)]
    return _file([row.der, *above], kind, ("pem", "p7c"), f"{row.serial}-chain")


@views.get("/<serial>/request.<kind>")
def request(serial: str, kind: str) -> Response:
    """The certification request that was answered, as it was kept (RFC 2986; as text RFC 7468 section 7)."""
    row = _visible(serial)
    found = next(iter(newest(IntentRow, IntentRow.serial == row.serial, IntentRow.id)), None)
    intent = to_intent(found) if found else None
    if intent is None or not intent.request_der:
        raise NotFound(_("the request of this certificate was not kept: it was issued before requests were"))
    intent.require_request()
    name = f"{row.serial}-request.{kind}"
    if kind == "der":
        return _attached(intent.request_der, "application/pkcs10", name)
    if kind != "pem":
        abort(404)
    return _attached(request_pem(intent.request_der), _TYPES["pem"], name)


@views.get("/issuers/<name>")
def issuer(name: str) -> str:
    """What stands in a CA's own certificate, and what is above it."""
    row = _issuer(name)
    above = [link for link, _der in chain_of(row.certificate_der)]
    return render_template("console/issuer.html", row=row, decoded=decoded(row.certificate_der), chain=above)


@views.get("/issuers/<name>/certificate.<kind>")
def issuer_certificate(name: str, kind: str) -> Response:
    """A CA's own certificate."""
    row = _issuer(name)
    return _file([row.certificate_der], kind, ("der", "pem"), row.name)


def _visible(serial: str) -> CertificateRow:
    room = current_app.extensions["vermilion_rooms"]["certificates"]
    row: CertificateRow = room.get_one(serial)
    note_look(row.customer, "certificates")
    return row


def _issuer(name: str) -> IssuerRow:
    row = db.session.get(IssuerRow, name)
    if row is None:
        raise NotFound(_("there is nothing of that name at your branch"))
    return row


def _file(certificates: list[bytes], kind: str, kinds: tuple[str, ...], name: str) -> Response:
    if kind not in kinds:
        abort(404)
    try:
        body = _WRITERS[kind](certificates)
    except ValueError:
        abort(404)
    return _attached(body, _TYPES[kind], f"{name}.{kind}")


def _attached(body: bytes, mimetype: str, name: str) -> Response:
    response = Response(body, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
