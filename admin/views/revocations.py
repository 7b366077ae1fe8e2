"""A revocation that a second officer decides: its effect first, then approved with a passkey or rejected (ADR 0040)."""

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.forms import ReasonForm
from admin.signer import ask, note_look, officer, signed
from admin.views.changes import ENDING
from ca.adapters.db.rows import CertificateRow, db
from ca.certificate_operations import ApproveRevocation, RejectRevocation, ShowRevocation
from ca.domain.errors import NotFound
from ca.domain.revocation_cases import RevocationCaseState

views = Blueprint("revocations", __name__, url_prefix="/admin/revocations")


@views.get("/<case>")
def show(case: str) -> str:
    """As the signer holds it."""
    return _case_page(case)


@views.post("/<case>/approve")
def approve(case: str) -> Response:
    """The second officer's part."""
    answer = ask(ApproveRevocation, case=case, **signed())
    return redirect(url_for("certificates.details_view", id=answer["serial"]), 303)


@views.post("/<case>/reject")
def reject(case: str) -> Response | tuple[str, int]:
    """By any officer who may revoke, with the reason; the certificate stays on hold."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _case_page(case, _("Say why, in a few words: it is kept in the audit log.")), 422
    ask(RejectRevocation, case=case, reason=form.reason.data)
    return redirect(url_for("revocations.show", case=case), 303)


def _case_page(case: str, message: str = "") -> str:
    shown = ask(ShowRevocation, case=case)
    fields, who = shown["fields"], officer()
    row = db.session.scalars(select(CertificateRow).where(CertificateRow.serial == fields["serial"])).one_or_none()
    if row is None:
        raise NotFound(_("there is no such certificate at your branch"))
    note_look(row.customer, "certificates")
    waits = shown["state"] == RevocationCaseState.PROPOSED.value
    return render_template(
        "console/revocation.html",
        case=case,
        shown=shown,
        fields=fields,
        row=row,
        effects=ENDING,
        waits=waits,
        mine=who.person == fields["proposed_by"],
        may_approve=shown["may_approve"] and who.may("revocations.approve"),
        may_reject=waits and who.may("revocations.reject"),
        reason_form=ReasonForm(),
        message=message,
    )
