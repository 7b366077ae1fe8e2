"""The stock of U-Shields: deliveries, consignments by two officers, the evening balance, alarms (ADR 0033).

A page is always one branch's: the officer's own, or the one that an overseer names.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select
from werkzeug.wrappers import Response

from admin.errors import sentence, status_of
from admin.forms import CountForm, DestroyForm, EmptyForm, FindingForm, ReasonForm, ReceiveForm, SendForm
from admin.signer import ask, officer
from ca import stock_operations as ops
from ca.adapters.db.mapping.stock import to_balance, to_consignment
from ca.adapters.db.repositories.stock import SqlStock
from ca.adapters.db.rows import CustomerRow, DeviceRow, db
from ca.adapters.db.stock_rows import AlarmRow, BalanceRow, ConsignmentRow
from ca.domain.custody import MOST_AT_ONCE, ConsignmentState, Purpose
from ca.domain.devices import DeviceState
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotFound
from ca.domain.stock import COUNTED, AlarmKind, BalanceState, lines, totals
from ca.operations import OfficerOperation

views = Blueprint("stock", __name__, url_prefix="/admin/stock")

MOST = 200
"""Alarms and consignments of a page; the newest ones."""
PAGE = 50
_REFUSED = (InvalidRequest, InvalidTransition, NotAllowed, NotFound)
WHAT_TO_DO = {
    AlarmKind.SERIAL_TWICE.value: _l(
        "Compare the engraving with the papers of both deliveries. Keep the U-Shield locked away until you know which "
        "of the two is real."
    ),
    AlarmKind.SAME_KEY.value: _l(
        "Hold the certificate on the first U-Shield and take both back: a key that is in two places was not made by "
        "either."
    ),
    AlarmKind.NOT_BORN_HERE.value: _l(
        "Ask the customer in, with the U-Shield and the newest tool. A key that was made elsewhere, or can leave, may "
        "be somewhere else, too: revoke its certificate if there is one, take the U-Shield back and hand out another."
    ),
    AlarmKind.REFUSED.value: _l("Count together with the sender, then send what is really there."),
    AlarmKind.MISCOUNT.value: _l(
        "Look at the ledger of what moved since the last balance. Report what stays missing to the security officer."
    ),
}


@views.get("/")
def index() -> str:
    """What the branch answers for, since the last balance."""
    branch, kept = _branch(), SqlStock(db.session())
    last = kept.find_last_balance(branch)
    now: datetime = current_app.extensions["vermilion_now"]()
    held, moves = kept.count_held(branch), kept.sum_moves(branch, last.at if last else None, now)
    return render_template(
        "console/stock.html",
        branch=branch,
        last=last,
        lines=lines(branch, held, moves),
        totals=totals(branch, held, moves),
        on_the_way=_on_the_way(branch),
        proposed=kept.list_proposed(branch),
        alarms=len(_alarms(branch, settled=False)),
    )


@views.route("/receive", methods=["GET", "POST"])
def receive() -> Response | tuple[str, int]:
    """All rows of the list or none; then on to the stock."""
    form, problems = ReceiveForm(), []
    message, status = "", 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            rows = [ops.BatchRowMessage(row=one.row, serial=one.serial) for one in form.list_rows()]
            if len(rows) > MOST_AT_ONCE:
                raise InvalidRequest(_("at most %(most)s in one list; split it", most=MOST_AT_ONCE))
            answer = ask(ops.ReceiveBatch, model=form.model.data, into=form.into.data, rows=rows)
            problems = answer["problems"]
            if not problems:
                return redirect(url_for(".index"), 303)
            message = _("Nothing was received: %(count)s rows do not stand.", count=len(problems))
        except (InvalidRequest, InvalidTransition) as error:
            message, status = sentence(error), status_of(error)
    return render_template("console/stock_receive.html", form=form, message=message, problems=problems), status


@views.route("/send", methods=["GET", "POST"])
def send() -> Response | tuple[str, int]:
    """Then on to the consignment, which waits for the other officer."""
    form = SendForm()
    return _consign(form, "console/stock_send.html", ops.SendDevices, to_branch=form.to_branch.data)


@views.route("/destroy", methods=["GET", "POST"])
def destroy() -> Response | tuple[str, int]:
    """The same, for what ends."""
    return _consign(DestroyForm(), "console/stock_destroy.html", ops.DestroyDevices)


def _consign(
    form: Any, template: str, operation: type[OfficerOperation], **fields: Any
) -> Response | tuple[str, int]:  # fmt: skip
    message, status = "", 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        serials = [one for one in re.split(r"[\s,;]+", form.serials.data) if one]
        try:
            answer = ask(operation, serials=serials, reason=form.reason.data, **fields)
            return redirect(url_for(".consignment", consignment=answer["consignment"]), 303)
        except _REFUSED as error:
            message, status = sentence(error), status_of(error)
    return render_template(template, form=form, message=message), status


@views.get("/consignments/<consignment>")
def consignment(consignment: str) -> str:
    """Who sent what, and who ended it."""
    return _consignment_page(consignment)


@views.post("/consignments/<consignment>/confirm")
def confirm(consignment: str) -> Response | tuple[str, int]:
    """By the second officer."""
    return _act(ops.ConfirmConsignment, _consignment_page, consignment=consignment)


@views.post("/consignments/<consignment>/refuse")
def refuse(consignment: str) -> Response | tuple[str, int]:
    """With the reason; everything goes back."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _consignment_page(consignment, _("Say why, in a few words: it is kept in the audit log.")), 422
    return _act(ops.RefuseConsignment, _consignment_page, consignment=consignment, reason=form.reason.data)


def _consignment_page(consignment: str, message: str = "") -> str:
    who = officer()
    row = db.session.get(ConsignmentRow, consignment)
    if row is None or not (who.sees_all_branches or who.branch in (row.from_branch, row.to_branch)):
        raise NotFound(_("there is no such consignment at your branch"))
    shown = to_consignment(row)
    waits, mine = shown.state is ConsignmentState.ON_ITS_WAY, shown.sent_by == who.person
    receives = who.may("stock.confirm") and who.branch == shown.to_branch
    return render_template(
        "console/stock_consignment.html",
        shown=shown,
        destroys=shown.purpose is Purpose.DESTRUCTION,
        waits=waits,
        mine=mine,
        may_confirm=waits and receives and not mine,
        may_refuse=waits and who.may("stock.refuse") and (mine or receives),
        reason_form=ReasonForm(),
        ours=_ours(shown.serials),
        message=message,
    )


@views.route("/count", methods=["GET", "POST"])
def count() -> Response | tuple[str, int]:
    """What was counted by hand: the form does not show what is expected."""
    form = CountForm()
    message, status = "", 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            numbers = {holder.value: form[holder.value].data for holder in COUNTED}
            answer = ask(ops.CountStock, **numbers)
            return redirect(url_for(".balance", balance=answer["balance"]), 303)
        except _REFUSED as error:
            message, status = sentence(error), status_of(error)
    return render_template("console/stock_count.html", form=form, message=message), status


@views.get("/balances/<balance>")
def balance(balance: str) -> str:
    """Expected beside counted."""
    return _balance_page(balance)


@views.post("/balances/<balance>/confirm")
def confirm_balance(balance: str) -> Response | tuple[str, int]:
    """By the second officer."""
    return _act(ops.ConfirmBalance, _balance_page, balance=balance)


def _balance_page(balance: str, message: str = "") -> str:
    who = officer()
    row = db.session.get(BalanceRow, balance)
    if row is None or not (who.sees_all_branches or who.branch == row.branch):
        raise NotFound(_("there is no such balance at your branch"))
    shown = to_balance(row)
    mine, waits = shown.counted_by == who.person, shown.state is BalanceState.PROPOSED
    return render_template(
        "console/stock_balance.html",
        shown=shown,
        waits=waits,
        mine=mine,
        may_confirm=waits and not mine and who.may("stock.confirm_balance") and who.branch == shown.branch,
        message=message,
    )


@views.get("/alarms")
def alarms() -> str:
    """Open ones, or those that were settled."""
    settled = request.args.get("state") == "settled"
    found = _alarms(_branch(), settled=settled)
    return render_template(
        "console/stock_alarms.html",
        alarms=found,
        ours=_ours([one.subject for one in found]),
        settled=settled,
        branch=_branch(),
        most=MOST,
        what_to_do=WHAT_TO_DO,
        form=FindingForm(),
    )


@views.post("/alarms/<alarm>")
def settle(alarm: str) -> Response | tuple[str, int]:
    """With what was found; then back to the list."""
    form = FindingForm()
    if not form.validate_on_submit():
        abort(422, _("Say what was found, in a few words: it is kept in the audit log."))
    ask(ops.SettleAlarm, alarm=alarm, finding=form.finding.data)
    return redirect(url_for(".alarms"), 303)


@views.get("/factory-passwords")
def factory() -> str:
    """U-Shields whose certificate was never confirmed: their password is the one they were made with.

    The tool changes it before it confirms, so the first confirmation, which puts a U-Shield in use, ends it.
    """
    branch, handed_out = _branch(), request.args.get("state") != "in-stock"
    state = DeviceState.ASSIGNED if handed_out else DeviceState.IN_STOCK
    query = (
        select(DeviceRow, CustomerRow)
        .outerjoin(CustomerRow, CustomerRow.id == DeviceRow.customer)
        .where(DeviceRow.branch == branch, DeviceRow.state == state.value)
        .where(DeviceRow.serial > request.args.get("after", "").replace("\x00", ""))
        .order_by(DeviceRow.serial)
    )
    found = list(db.session.execute(query.limit(PAGE + 1)))
    return render_template(
        "console/stock_factory.html",
        rows=found[:PAGE],
        after=found[PAGE - 1][0].serial if len(found) > PAGE else "",
        branch=branch,
        handed_out=handed_out,
    )


@views.post("/u-shields/<serial>/take")
def take(serial: str) -> Response:
    """Into the officer's own keeping."""
    return _of_device(ops.TakeDevice, serial)


@views.post("/u-shields/<serial>/put-back")
def put_back(serial: str) -> Response:
    """Into the branch's stock again."""
    return _of_device(ops.PutDeviceBack, serial)


def _of_device(operation: type[OfficerOperation], serial: str) -> Response:
    if not EmptyForm().validate_on_submit():
        abort(400)
    ask(operation, serial=serial)
    return redirect(url_for("devices.details_view", id=serial), 303)


@views.route("/u-shields/<serial>/return", methods=["GET", "POST"])
def give_back(serial: str) -> Response | tuple[str, int]:
    """From the customer, with the reason."""
    form = ReasonForm()
    message, status = "", 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            ask(ops.ReturnDevice, serial=serial, reason=form.reason.data)
            return redirect(url_for("devices.details_view", id=serial), 303)
        except _REFUSED as error:
            message, status = sentence(error), status_of(error)
    return render_template("console/stock_return.html", serial=serial, form=form, message=message), status


def _act(
    operation: type[OfficerOperation], page: Callable[[str, str], str], **fields: Any
) -> Response | tuple[str, int]:
    """Do it, then on to the thing as it stands now; what is refused is said on its page. The first field names it."""
    if not EmptyForm().validate_on_submit():
        abort(400)
    name, identity = next(iter(fields.items()))
    try:
        ask(operation, **fields)
    except (InvalidTransition, NotAllowed) as error:
        return page(identity, sentence(error)), status_of(error)
    return redirect(url_for(f".{name}", **{name: identity}), 303)


def _branch() -> str:
    """Whose stock is looked at."""
    named = request.args.get("branch", "").replace("\x00", "").strip()[:64]
    return named if named and officer().sees_all_branches else officer().branch


def _ours(serials: Sequence[str]) -> set[str]:
    """Those whose pages this officer can open: the others are at another branch, or were never registered."""
    query = select(DeviceRow.serial).where(DeviceRow.serial.in_(serials))
    if not officer().sees_all_branches:
        query = query.where(DeviceRow.branch == officer().branch)
    return set(db.session.scalars(query))


def _on_the_way(branch: str) -> list[ConsignmentRow]:
    query = select(ConsignmentRow).where(
        or_(ConsignmentRow.from_branch == branch, ConsignmentRow.to_branch == branch),
        ConsignmentRow.state == ConsignmentState.ON_ITS_WAY.value,
    )
    return list(db.session.scalars(query.order_by(ConsignmentRow.sent_at).limit(MOST)))


def _alarms(branch: str, *, settled: bool) -> list[AlarmRow]:
    by = AlarmRow.settled_by
    query = select(AlarmRow).where(AlarmRow.branch == branch, by != "" if settled else by == "")
    return list(db.session.scalars(query.order_by(AlarmRow.raised_at.desc()).limit(MOST)))
