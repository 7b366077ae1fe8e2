"""A customer is registered, a U-Shield enters the stock."""

from flask import Blueprint, abort, current_app, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.errors import sentence, status_of
from admin.forms import CompanyDeviceForm, CorrectionForm, CustomerForm, DeviceForm, EmptyForm
from admin.letters import portal_letter
from admin.paper import as_link, sealed_letter
from admin.signer import ask, note_look, officer
from ca.adapters.db.rows import CustomerRow, db
from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound
from ca.operations import CorrectCustomer, RegisterCustomer, RegisterDevice
from ca.portal_operations import HandDeviceToCompany, HandOutLetter

views = Blueprint("registration", __name__, url_prefix="/admin")


@views.route("/customers/register", methods=["GET", "POST"])
def customer() -> Response | tuple[str, int]:
    """Then on to the customer's page, from where an application begins."""
    form = CustomerForm()
    title, button = _("Register a customer"), _("Register this customer")
    if not form.validate_on_submit():
        return _form(form, title, button, "customers.index_view", 422 if form.errors else 200)
    try:
        answer = ask(
            RegisterCustomer,
            kind=form.kind.data,
            number=form.number.data,
            name=form.name.data,
            document_number=form.document_number.data,
            email=form.email.data or "",
            phone=form.phone.data or "",
            company=form.company.data or "",
        )
    except (InvalidRequest, InvalidTransition) as error:
        return _form(form, title, button, "customers.index_view", status_of(error), sentence(error))
    return redirect(url_for("customers.details_view", id=answer["customer"]), 303)


@views.route("/customers/<customer>/correct", methods=["GET", "POST"])
def correct(customer: str) -> Response | tuple[str, int]:
    """What the register says of a customer, by the document that is shown."""
    row = _customer(customer)
    note_look(row.id, "customers")
    form = CorrectionForm(data={name: getattr(row, name) for name in ("name", "document_number", "email", "phone")})
    title, button = _("Correct the register"), _("Correct it")
    if not form.validate_on_submit():
        return _form(form, title, button, "customers.index_view", 422 if form.errors else 200)
    fields = {name: getattr(form, name).data or "" for name in ("name", "document_number", "email", "phone")}
    try:
        ask(CorrectCustomer, customer=customer, **fields)
    except (InvalidRequest, InvalidTransition) as error:
        return _form(form, title, button, "customers.index_view", status_of(error), sentence(error))
    return redirect(url_for("customers.details_view", id=customer), 303)


@views.route("/u-shields/register", methods=["GET", "POST"])
def device() -> Response | tuple[str, int]:
    """Then on to the U-Shield's page."""
    form = DeviceForm()
    title, button = _("Register a U-Shield"), _("Take it into stock")
    if not form.validate_on_submit():
        return _form(form, title, button, "devices.index_view", 422 if form.errors else 200)
    try:
        answer = ask(RegisterDevice, serial=form.serial.data, model=form.model.data)
    except (InvalidRequest, InvalidTransition) as error:
        return _form(form, title, button, "devices.index_view", status_of(error), sentence(error))
    return redirect(url_for("devices.details_view", id=answer["device"]), 303)


@views.post("/customers/<customer>/letter")
def letter(customer: str) -> str:
    """The code that opens the customer's account on the portal, in clear, on this one answer and never again."""
    if not EmptyForm().validate_on_submit():
        abort(400)
    row = _customer(customer)
    letter, bank = ask(HandOutLetter, number=row.number), current_app.extensions["vermilion_organization"]
    portal = current_app.extensions["vermilion_enrolment_url"]
    sheet = portal_letter(row.name, row.branch, letter, bank=bank, portal=portal)
    return render_template("console/letter.html", letter=letter, customer=row, sheet=as_link(sealed_letter(sheet)))


@views.route("/customers/<customer>/u-shield", methods=["GET", "POST"])
def company_device(customer: str) -> Response | tuple[str, int]:
    """A company takes a U-Shield along; then back to its page."""
    row, form = _customer(customer), CompanyDeviceForm()
    title, button = _("Hand a U-Shield to %(name)s", name=row.name), _("Hand it out")
    if not form.validate_on_submit():
        return _form(form, title, button, "customers.index_view", 422 if form.errors else 200)
    try:
        ask(HandDeviceToCompany, number=row.number, serial=form.serial.data)
    except (InvalidRequest, InvalidTransition) as error:
        return _form(form, title, button, "customers.index_view", status_of(error), sentence(error))
    return redirect(url_for("customers.details_view", id=customer), 303)


def _customer(customer: str) -> CustomerRow:
    query = select(CustomerRow).where(CustomerRow.id == customer, CustomerRow.branch == officer().branch)
    row = db.session.scalars(query).one_or_none()
    if row is None:
        raise NotFound(_("there is no such customer at your branch"))
    return row


def _form(
    form: FlaskForm, title: str, button: str, back: str, status: int, message: str = ""
) -> tuple[str, int]:  # fmt: skip
    page = render_template("console/form.html", form=form, title=title, button=button, back=back, message=message)
    return page, status
