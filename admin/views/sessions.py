"""A security officer ends the sessions of one officer, or of all of them; each page says first what that does."""

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from admin.forms import EmptyForm
from admin.gate import forget
from admin.signer import ask
from ca.adapters.db.rows import OfficerRow, db
from ca.domain.errors import NotFound
from ca.officer_operations import EndAllSessions, EndSessionsOf

views = Blueprint("sessions", __name__, url_prefix="/admin")

_OF_ONE = (
    _l("Whoever is signed in as this officer is out at once, on every device. What was typed and not sent is lost."),
    _l("They can sign in again with their passkeys. To keep them out, suspend them."),
)
_OF_ALL = (
    _l("Every officer is out at once, on every device, and you are too. What was typed and not sent is lost."),
    _l("Everybody can sign in again with their passkeys. Roles, passkeys and cases stay as they are."),
    _l("Customers on the portal, OCSP, CRLs and renewals go on."),
)


@views.route("/officers/<officer_id>/end-sessions", methods=["GET", "POST"])
def end_of(officer_id: str) -> Response | str:
    """One officer's."""
    row = db.session.get(OfficerRow, officer_id)
    if row is None:
        raise NotFound(_("there is no such officer"))
    if EmptyForm().validate_on_submit():
        ask(EndSessionsOf, officer=row.id)
        return redirect(url_for("officers.details_view", id=row.id), 303)
    return render_template(
        "console/end_sessions.html",
        title=_("End all sessions of this officer"),
        row=row,
        effects=_OF_ONE,
        back=url_for("officers.details_view", id=row.id),
    )


@views.route("/officers/end-all-sessions", methods=["GET", "POST"])
def end_all() -> Response | str:
    """Everybody's, one's own too."""
    if EmptyForm().validate_on_submit():
        ask(EndAllSessions)
        response = redirect(url_for("sign_in.page"), 303)
        forget(response)
        return response
    return render_template(
        "console/end_sessions.html",
        title=_("End all sessions of all officers"),
        row=None,
        effects=_OF_ALL,
        back=url_for("officers.index_view"),
    )
