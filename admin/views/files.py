"""Certificates as files, and the pages of the CAs above them: public data, in the formats that others read."""

from collections.abc import Callable

from flask import Blueprint, Response, abort, current_app, render_template
from flask_babel import gettext as _

from admin.chain import chain_of, p7c, pem
from admin.decoding import decoded
from admin.signer import note_look
from ca.adapters.db.rows import CertificateRow, IssuerRow, db
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
    response = Response(body, mimetype=_TYPES[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response
