"""One field that finds: names and numbers of customers, serial numbers in any spelling, U-Shields, reference numbers.

What is found is what the rooms would show this officer: another branch's row is not found (T-16).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from sqlalchemy import or_
from werkzeug.wrappers import Response

from admin.signer import officer
from admin.views.base import ReadOnlyView
from ca.adapters.db.rows import ApplicationRow, CertificateRow, CodePairRow, CustomerRow, DeviceRow, db

views = Blueprint("search", __name__, url_prefix="/admin")

_LONGEST = 100
_SHOWN = 20
_ROOMS = ("customers", "applications", "certificates", "devices")


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of one room, at most `_SHOWN`."""

    room: str
    rows: list[Any] = field(default_factory=list)
    is_cut: bool = False


@views.get("/search")
def index() -> str | Response:
    """A single hit is opened at once."""
    typed = " ".join(request.args.get("q", "")[:_LONGEST].replace("\x00", "").split())
    found = [one for room in _ROOMS if (one := _look(room, typed)).rows] if typed else []
    if len(found) == 1 and len(found[0].rows) == 1:
        return redirect(_page_of(found[0].room, found[0].rows[0]))
    return render_template("console/search.html", typed=typed, found=found, most=_SHOWN, page_of=_page_of)


def serials(typed: str) -> set[str]:
    """As the rows have them (hex, small letters, no zeros in front), of whatever spelling: hex or decimal, with colons
    and blanks, in any case."""
    plain = re.sub(r"[\s:]", "", typed).lower()
    found = set()
    if re.fullmatch(r"(0x)?[0-9a-f]{4,40}", plain):
        found.add(plain.removeprefix("0x").lstrip("0"))
    if re.fullmatch(r"[0-9]{4,49}", plain):
        found.add(f"{int(plain):x}")
    return found


def _look(room: str, typed: str) -> Found:
    rooms: Mapping[str, ReadOnlyView] = current_app.extensions["vermilion_rooms"]
    view = rooms[room]
    if not officer().may(f"{room}.details_view"):
        return Found(room)
    conditions, newest = _MATCHES[room](typed)
    query = view.visible(db.session.query(view.model)).filter(or_(*conditions)).order_by(newest.desc())
    rows = query.limit(_SHOWN + 1).all()
    return Found(room, rows[:_SHOWN], len(rows) > _SHOWN)


def _customers(typed: str) -> tuple[list[Any], Any]:
    exact = [CustomerRow.number == typed, CustomerRow.document_number == typed, CustomerRow.branch == typed]
    return [*exact, CustomerRow.name.icontains(typed, autoescape=True)], CustomerRow.registered_at


def _applications(typed: str) -> tuple[list[Any], Any]:
    reference = re.sub(r"[\s-]", "", typed)
    coded = db.session.query(CodePairRow.application).filter(CodePairRow.reference == reference)
    return [ApplicationRow.id == typed, ApplicationRow.id.in_(coded)], ApplicationRow.submitted_at


def _certificates(typed: str) -> tuple[list[Any], Any]:
    on_device = CertificateRow.device_serial.in_(_spellings(typed))
    return [CertificateRow.serial.in_(serials(typed)), on_device], CertificateRow.issued_at


def _spellings(typed: str) -> set[str]:
    """Of a U-Shield's serial number: engraved in capitals, told by its token in small letters."""
    return {typed, typed.upper(), typed.lower()}


def _devices(typed: str) -> tuple[list[Any], Any]:
    return [DeviceRow.serial.in_(_spellings(typed))], DeviceRow.registered_at


_MATCHES = {"customers": _customers, "applications": _applications, "certificates": _certificates, "devices": _devices}


def _page_of(room: str, row: Any) -> str:
    rooms: Mapping[str, ReadOnlyView] = current_app.extensions["vermilion_rooms"]
    return url_for(f"{room}.details_view", id=rooms[room].get_pk_value(row))
