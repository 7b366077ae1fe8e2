"""My company: its administrator sees the operators, applies for them and holds their certificates (docs/adr/0030).

The pages show; what changes something is signed on the U-Shield, so a script carries it. The signer asks who it is each
time, and takes a password for nobody.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from ca import portal_operations as ops
from ca.domain.errors import InvalidRequest, NotAllowed, NotAuthenticated
from ca.languages import language
from customer.account import STATUS_WORDS, ask, session_token, standing
from customer.bridge import require_own_page
from customer.parsing import parse_body
from customer.services import services, source

views = Blueprint("company", __name__, url_prefix="/me/company")
bridge = Blueprint("company_bridge", __name__, url_prefix="/bridge/company")

APPLICATION_WORDS = {
    "submitted": "waits for the bank",
    "approved": "approved: the branch hands out the codes",
    "codes-issued": "the codes were handed out",
    "claimed": "the certificate is being downloaded",
    "completed": "done",
    "rejected": "rejected by the bank",
    "withdrawn": "withdrawn",
    "expired": "the codes expired: ask your branch for new ones",
    "locked": "the codes are locked: ask your branch for new ones",
    "void": "no longer counts",
}


@views.get("")
def home() -> str | tuple[str, int]:
    """The operators, their certificates and applications."""
    try:
        company = ask(ops.ShowCompany)
    except NotAllowed:
        return render_template("customer/company_closed.html"), 403
    return render_template(
        "customer/company.html",
        company=company,
        standing=standing,
        words=STATUS_WORDS,
        application_words=APPLICATION_WORDS,
    )


@views.get("/apply")
def apply() -> str:
    """For a new operator, or with `number` for one whose certificate ended."""
    company, number = ask(ops.ShowCompany), request.args.get("number", "")
    operator = _operator(company, number) if number else None
    used = [one["device_serial"] for one in _certificates_and_application(operator)]
    devices = list(dict.fromkeys([*used, *company["free_devices"]]))
    return render_template("customer/company_apply.html", company=company, operator=operator, devices=devices)


@views.get("/hold/<serial>")
def hold(serial: str) -> str:
    """What stops working, before anything does."""
    company = ask(ops.ShowCompany)
    for operator in company["operators"]:
        if any(one["serial"] == serial for one in operator["certificates"]):
            return render_template("customer/company_hold.html", operator=operator, serial=serial)
    raise InvalidRequest("No operator of your company has such a certificate.")


@bridge.post("/order-application")
def order_application() -> Response:
    """-> {job, number}"""
    return _carry(ops.OrderCompanyApplication, language=language())


@bridge.post("/apply")
def submit() -> Response:
    """-> {application}: with the statement of the U-Shield."""
    return _carry(ops.CompanyApply)


@bridge.post("/order-hold")
def order_hold() -> Response:
    """-> {job}"""
    return _carry(ops.OrderCompanyHold, language=language())


@bridge.post("/hold")
def stop() -> Response:
    """-> {serial, status}: on hold at once, with the statement of the U-Shield."""
    return _carry(ops.CompanyHold)


def _carry(kind: type[ops.CustomerOperation], **fields: str) -> Response:
    require_own_page()
    try:
        operation = parse_body(kind, session=session_token(), **fields)
        with services().throttle.attempt(source()):
            return jsonify(services().signer.call(operation))
    except NotAuthenticated as error:
        raise NotAllowed(str(error)) from error


def _operator(company: Mapping[str, Any], number: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = next((one for one in company["operators"] if one["number"] == number), None)
    if found is None:
        raise InvalidRequest("Your company has no such operator.")
    return found


def _certificates_and_application(operator: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    if operator is None:
        return []
    return [*operator["certificates"], *([operator["application"]] if operator["application"] else [])]
