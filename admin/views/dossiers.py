"""A certificate's dossier for a dispute: the signer puts it together and signs, here it is packed."""

import base64
import io
import zipfile

from flask import Blueprint, Response

from admin.signer import ask
from ca.dossier_operations import ShowDossier

views = Blueprint("dossiers", __name__, url_prefix="/admin")

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The oldest date a ZIP knows: the same dossier gives the same octets, whenever it is packed."""


@views.post("/certificates/<serial>/dossier")
def take(serial: str) -> Response:
    """As a ZIP. Nothing is added: what the signer did not sign is refused by the verifier that goes with it."""
    answer = ask(ShowDossier, serial=serial)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as bundle:
        for name, content in answer["files"].items():
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            bundle.writestr(entry, base64.b64decode(content))
    response = Response(sink.getvalue(), mimetype="application/zip")
    # The signer knew it as a serial number: nothing else comes this far.
    response.headers["Content-Disposition"] = f'attachment; filename="dossier-{serial.replace(":", "").lower()}.zip"'
    return response
