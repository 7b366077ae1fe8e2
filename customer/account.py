"""Signed in: my certificates, a lost U-Shield, cancelling, history, settings. Every page works without JavaScript.

A session is the signer's token in a cookie that no script reads and no other site sends along. What changes something
is a POST whose Origin is ours: browsers send it with every POST, and other pages cannot say ours (THREATS 39).
"""

import contextlib
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers.response import Response as Redirect

from ca import portal_operations as ops
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotAuthenticated, PKIError
from ca.languages import LANGUAGES, keep
from ca.operations import Operation
from customer.services import services, source

views = Blueprint("account", __name__)

COOKIE = "__Host-vermilion-customer"
"""Over https, for this host and all its paths only, says its name (RFC 6265bis section 4.1.3.2)."""
_LONGEST = 200
STATUS_WORDS = {
    "unconfirmed": "waiting for your U-Shield: finish the download",
    "active": "active",
    "on-hold": "on hold",
    "revoked": "ended",
    "expired": "expired",
}


EVENT_WORDS = {
    "customer.registered": "You were registered at a branch",
    "customer.corrected": "Your data at the bank were corrected",
    "customer.looked-at": "Your data were looked at",
    "account.letter-handed-out": "A letter for your login password was handed out",
    "account.letter-refused": "A wrong code of a letter was typed",
    "account.opened": "Your login password was set by letter",
    "account.password-changed": "Your login password was changed",
    "account.settled": "Your settings were changed",
    "customer.signed-in": "Signed in",
    "customer.signed-out": "Signed out",
    "customer.sign-in-refused": "A wrong password was typed",
    "application.submitted": "A certificate was applied for",
    "application.approved": "The application was approved",
    "application.returned": "Your branch corrects the application",
    "application.corrected": "The application was corrected",
    "application.rejected": "The application was rejected",
    "application.withdrawn": "The application was withdrawn",
    "codes.handed-out": "The two codes were handed out",
    "codes.reissued": "New codes were handed out",
    "codes.expired": "The codes expired",
    "codes.refused": "A wrong code was typed",
    "codes.locked": "The codes are locked",
    "certificate.intended": "The certificate is being made",
    "certificate.issued": "The certificate was made",
    "certificate.confirmed": "The certificate became active",
    "unlock.completed": "Your U-Shield was unlocked with a new certificate password",
    "certificate.held": "The certificate was put on hold",
    "certificate.released": "The certificate was released",
    "certificate.revoked": "The certificate was ended",
    "cancellation.overtaken": "The cancellation no longer counts",
    "revocation.proposed": "The bank is to end the certificate; a second officer decides",
    "revocation.approved": "A second officer decided that the certificate ends",
    "revocation.rejected": "It was decided that the certificate does not end; it stays on hold",
    "revocation.overtaken": "What was to be decided about the certificate is no longer open",
    "administrator.applied": "With it, a certificate for an operator of your company was applied for",
    "administrator.held": "With it, a certificate of an operator of your company was put on hold",
}


def ask(kind: type[ops.CustomerOperation], **fields: str) -> dict[str, Any]:
    """An operation of the customer who is signed in. Raises NotAuthenticated when nobody is."""
    return services().signer.call(kind(session=session_token(), **fields))


def session_token() -> str:
    """The cookie's. Raises NotAuthenticated when there is none."""
    token = request.cookies.get(COOKIE, "")
    if not token or len(token) > _LONGEST:
        raise NotAuthenticated("your session is over; sign in again")
    return token


def _form(*names: str) -> Mapping[str, str]:
    """The fields of a form of ours. Raises NotAllowed for one that another site sent."""
    if request.headers.get("Origin", "") != services().origin:
        raise NotAllowed("This form did not come from our own page. Open the page again and press the button there.")
    fields = {name: request.form.get(name, "") for name in names}
    if any(len(value) > _LONGEST or "\0" in value for value in fields.values()):
        raise InvalidRequest("What was typed is longer than anything we ask for.")
    return fields


def _attempt(operation: Operation) -> dict[str, Any]:
    with services().throttle.attempt(source()):
        return services().signer.call(operation)


@views.get("/sign-in")
def sign_in() -> str:
    """Customer number and login password."""
    return render_template("customer/sign_in.html", number="", refused="")


@views.post("/sign-in")
def begin() -> Response | Redirect | tuple[str, int]:
    """A new session, whatever cookie came along (T-18)."""
    typed = _form("number", "password")
    try:
        number, password = typed["number"].strip(), typed["password"]
        with services().accounts.attempt(source(), number.casefold()):
            answer = _attempt(ops.PortalSignIn(number=number[:64], password=password, source=source()))
    except (NotAuthenticated, InvalidRequest):
        return render_template("customer/sign_in.html", number=typed["number"], refused=True), 401
    response = redirect(url_for("account.home"), 303)
    keep_session(response, answer["token"])
    return response


@views.post("/sign-out")
def sign_out() -> Redirect:
    """Nobody who is signed out already is told so."""
    _form()
    response = redirect(url_for("portal.home"), 303)
    with contextlib.suppress(NotAuthenticated):
        ask(ops.PortalSignOut)
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Strict")
    return response


@views.get("/first-password")
def first_password() -> str:
    """The letter of the branch opens the account, or opens it anew."""
    return render_template("customer/first_password.html", typed={}, refused="")


@views.post("/first-password")
def open_account() -> Redirect | tuple[str, int]:
    """Number, code of the letter, a password twice."""
    typed = _form("number", "code", "password", "again")
    refused = ""
    if typed["password"] != typed["again"]:
        refused = "The two passwords are not the same. Nothing was changed. Type both again."
    else:
        try:
            number, code = typed["number"].strip()[:64], typed["code"][:100]
            _attempt(ops.OpenAccount(number=number, code=code, password=typed["password"]))
        except NotAuthenticated:
            refused = (
                "The customer number or the code is not right, or the code can no longer be used. Check both against "
                "the letter; your branch can give you a new one."
            )
        except InvalidRequest as error:
            refused = str(error)
    if refused:
        return render_template("customer/first_password.html", typed=typed, refused=refused), 422
    return redirect(url_for("account.sign_in", opened="1"), 303)


@views.get("/me")
def home() -> str:
    """My certificates, and what can be done with them."""
    me = ask(ops.ShowMe)
    certificates = ask(ops.ListOwnCertificates)["certificates"]
    return render_template(
        "customer/me.html",
        me=me,
        certificates=certificates,
        standing=standing,
        words=STATUS_WORDS,
        hotline=services().hotline,
    )


def standing(certificate: Mapping[str, Any]) -> str:
    """Its status; `expired` for one that would hold if its time were not over."""
    is_over = certificate["is_expired"] and certificate["status"] == "active"
    return "expired" if is_over else str(certificate["status"])


def own_devices() -> list[str] | None:
    """Serial numbers of the customer's U-Shields; None when nobody is signed in, or the signer cannot be asked."""
    try:
        return [serial.upper() for serial in ask(ops.ListOwnDevices)["devices"]]
    except PKIError:
        return None


@views.get("/me/certificates/<serial>/<any(lost, cancel, renew):act>")
def ask_first(serial: str, act: str) -> str:
    """What stops working, before anything does."""
    return render_template(f"customer/{act}.html", certificate=_own(serial), server=services().enrolment_url)


@views.post("/me/certificates/<serial>/<any(lost, cancel, undo):act>")
def stop(serial: str, act: str) -> Redirect | tuple[str, int]:
    """On hold at once; a cancellation can be undone for a day."""
    _form()
    kind = {"lost": ops.ReportLost, "cancel": ops.CancelOwn, "undo": ops.UndoCancellation}[act]
    try:
        ask(kind, serial=serial[:64])
    except InvalidTransition as error:
        page = render_template("customer/not_now.html", certificate=_own(serial), refused=str(error))
        return page, 409
    return redirect(url_for("account.home", done=act), 303)


def _own(serial: str) -> dict[str, Any]:
    listed = ask(ops.ListOwnCertificates)["certificates"]
    found: dict[str, Any] | None = next((one for one in listed if one["serial"] == serial), None)
    if found is None:
        raise InvalidRequest("You have no such certificate.")
    return found


@views.get("/me/history")
def history() -> str:
    """Every event, the youngest first."""
    events = ask(ops.ShowOwnHistory)["events"]
    return render_template("customer/history.html", events=events, event_words=EVENT_WORDS)


@views.get("/me/settings")
def settings() -> str:
    """Language, sessions, login password."""
    return _settings("")


@views.post("/me/password")
def change_password() -> Redirect | tuple[str, int]:
    """The present one, and a new one twice."""
    typed = _form("old", "password", "again")
    if typed["password"] != typed["again"]:
        return _settings("The two passwords are not the same. Nothing was changed. Type both again."), 422
    try:
        with services().throttle.attempt(source()):
            ask(ops.ChangeLoginPassword, old=typed["old"], new=typed["password"])
    except InvalidRequest as error:
        return _settings(str(error)), 422
    return redirect(url_for("account.settings", done="password"), 303)


@views.post("/me/sessions/end")
def end_sessions() -> Redirect:
    """All but this one."""
    _form()
    ask(ops.EndOtherSessions)
    return redirect(url_for("account.settings", done="sessions"), 303)


@views.post("/me/language")
def remember_language() -> Redirect:
    """Kept with the account, for notices and for every browser."""
    language = _form("language")["language"]
    ask(ops.ChooseLanguage, language=language)
    response = redirect(url_for("account.settings", done="language"), 303)
    keep(response, language)
    return response


@views.post("/me/notices")
def choose_channel() -> Redirect:
    """By e-mail, by SMS, or both."""
    ask(ops.ChooseChannel, channel=_form("channel")["channel"])
    return redirect(url_for("account.settings", done="notices"), 303)


@views.get("/me/export")
def export() -> Response:
    """My own data, as JSON."""
    me, certificates = ask(ops.ShowMe), ask(ops.ListOwnCertificates)["certificates"]
    everything = {"me": me, "certificates": certificates, "history": ask(ops.ShowOwnHistory)["events"]}
    response = jsonify(everything)
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


def _settings(refused: str) -> str:
    me, sessions = ask(ops.ShowMe), ask(ops.ListSessions)["sessions"]
    return render_template("customer/settings.html", me=me, sessions=sessions, languages=LANGUAGES, refused=refused)


def keep_session(response: Redirect, token: str) -> None:
    """Give the browser the signer's token: unreadable to scripts, never from another site."""
    response.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="Strict", path="/")
