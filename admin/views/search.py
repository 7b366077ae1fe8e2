"""One field that finds: names and numbers of customers, serial numbers in any spelling, U-Shields, reference numbers.

What is found is what the rooms would show this officer: another branch's row is not found (T-16).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response

from admin.signer import officer
from admin.views.base import ReadOnlyView, typed_words

views = Blueprint("search", __name__, url_prefix="/admin")

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
    typed = typed_words("q")
    found = [one for room in _ROOMS if (one := _look(room, typed)).rows] if typed else []
    if len(found) == 1 and len(found[0].rows) == 1:
        return redirect(_page_of(found[0].room, found[0].rows[0]))
    return render_template("console/search.html", typed=typed, found=found, most=_SHOWN, page_of=_page_of)


def _look(room: str, typed: str) -> Found:
    rooms: Mapping[str, ReadOnlyView] = current_app.extensions["vermilion_rooms"]
    if not officer().may(f"{room}.details_view"):
        return Found(room)
    return Found(room, *rooms[room].find_some(typed, _SHOWN))


def _page_of(room: str, row: Any) -> str:
    rooms: Mapping[str, ReadOnlyView] = current_app.extensions["vermilion_rooms"]
    return url_for(f"{room}.details_view", id=rooms[room].get_pk_value(row))
