"""Hold and its undoing, release, revoke: each on a page of its own that says what stops working before it does."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.errors import sentence, status_of
from admin.forms import EmptyForm, RevocationForm
from admin.signer import ask, note_look, officer
from ca.adapters.db.rows import CertificateRow, db
from ca.certificate_operations import ForeseeRevocation, UndoHold
from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound
from ca.domain.officers import TrustedRole
from ca.operations import Hold, OfficerOperation, Release, Revoke

views = Blueprint("changes", __name__, url_prefix="/admin/certificates")


@dataclass(frozen=True, slots=True)
class Change:
    """What an officer is about to do to a certificate, in words."""

    operation: type[OfficerOperation]
    title: Any
    button: Any
    effects: tuple[Any, ...]
    binding: bool = False


_HOLD = Change(
    Hold,
    _l("Hold this certificate"),
    _l("Hold this certificate"),
    (
        _l("OCSP answers “on hold” from the next question on; the next CRL lists it."),
        _l("The customer cannot sign or sign in with it while it is on hold."),
        _l("A supervisor of the branch can release it; nothing is lost."),
    ),
)
_UNDO = Change(
    UndoHold,
    _l("Undo my hold"),
    _l("Undo my hold"),
    (
        _l("OCSP answers “good” from the next question on; the next CRL no longer lists it."),
        _l("You can do this alone for 10 minutes after your hold, as long as nothing else happened."),
    ),
)
_RELEASE = Change(
    Release,
    _l("Release this certificate"),
    _l("Release this certificate"),
    (
        _l("OCSP answers “good” from the next question on; the next CRL no longer lists it."),
        _l("The customer can use it again at once. Make sure the cause of the hold is gone."),
    ),
)
ENDING = (
    _l("It ends for good: nobody can bring it back, not even a CA administrator."),
    _l("OCSP answers “revoked” from the next question on; the next CRL lists it, with the reason."),
    _l("“Invalid since” stands in the CRL and in the log: who relied on it since then must look again."),
    _l("The customer needs a new application to get another one."),
)
"""What a revocation does, by whomever it is decided."""
_REVOKE = Change(
    Revoke,
    _l("Revoke this certificate"),
    _l("Revoke for good"),
    (
        *ENDING,
        _l("With the reason keyCompromise its key is refused for everybody, forever, and a CRL is made at once."),
    ),
    binding=True,
)
_REVOKE_BY_TWO = Change(
    Revoke,
    _l("Revoke this certificate"),
    _l("Propose to revoke it"),
    (
        _l("Its profile asks for two officers. It is on hold at once and stays so, whatever is decided."),
        *_HOLD.effects[:2],
        _l("Another approver or supervisor of the branch decides within 7 days whether it ends for good."),
        _l("With the reason keyCompromise nobody is asked: you end it at once, and its key is refused for ever."),
    ),
    binding=True,
)


@views.route("/<serial>/hold", methods=["GET", "POST"])
def hold(serial: str) -> Response | tuple[str, int]:
    """Until it is released or revoked."""
    return _change(_HOLD, _certificate(serial), EmptyForm())


@views.route("/<serial>/undo-hold", methods=["GET", "POST"])
def undo_hold(serial: str) -> Response | tuple[str, int]:
    """Whoever held it by mistake takes that back."""
    return _change(_UNDO, _certificate(serial), EmptyForm())


@views.route("/<serial>/release", methods=["GET", "POST"])
def release(serial: str) -> Response | tuple[str, int]:
    """Lift a hold."""
    return _change(_RELEASE, _certificate(serial), EmptyForm())


@views.route("/<serial>/revoke", methods=["GET", "POST"])
def revoke(serial: str) -> Response | tuple[str, int]:
    """For good, with a reason; or on hold until a second officer has decided."""
    row, form = _certificate(serial), RevocationForm()
    if ask(ForeseeRevocation, serial=row.serial)["by_two"]:
        return _change(_REVOKE_BY_TWO, row, form)
    del form.why
    return _change(_REVOKE, row, form)


def _change(change: Change, row: CertificateRow, form: FlaskForm) -> Response | tuple[str, int]:
    if not form.validate_on_submit():
        return _page(change, row, form, 422 if form.errors else 200)
    fields = {}
    if isinstance(form, RevocationForm):
        why = form.why.data or "" if "why" in form else ""
        fields = {"reason": form.reason.data, "invalid_since": form.invalid_since_text(), "why": why}
    try:
        ask(change.operation, serial=row.serial, **fields)
    except (InvalidRequest, InvalidTransition) as error:
        return _page(change, row, form, status_of(error), sentence(error))
    return redirect(url_for("certificates.details_view", id=row.serial), 303)


def _certificate(serial: str) -> CertificateRow:
    who = officer()
    query = select(CertificateRow).where(CertificateRow.serial == serial)
    if TrustedRole.HOTLINE not in who.roles and not who.sees_all_branches:
        query = query.where(CertificateRow.branch == who.branch)
    row = db.session.scalars(query).one_or_none()
    if row is None:
        raise NotFound(_("there is no such certificate at your branch"))
    note_look(row.customer, "certificates")
    return row


def _page(
    change: Change, row: CertificateRow, form: FlaskForm, status: int, message: str = ""
) -> tuple[str, int]:  # fmt: skip
    return render_template("console/change.html", change=change, row=row, form=form, message=message), status
