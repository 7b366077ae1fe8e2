"""Flask-Admin shows rows and does nothing else: its routes that write, export or look up do not exist here.

Every query passes `visible`, which leaves only the rows of the officer's branch; another branch's row is not found
(THREATS 38 to 40; T-15, T-16).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from flask import current_app, request, url_for
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, case, exists, not_, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Query, aliased

from admin.access import SignedIn
from admin.language import lazily_named
from admin.paging import Place, Walk, apart, is_carried, key_of, mark_of, turn
from admin.signer import note_look, officer
from ca.adapters.db.base import Row
from ca.adapters.db.name_rows import NamePartRow
from ca.adapters.db.rows import CRLRow, db
from ca.domain.errors import InvalidRequest, NotFound
from ca.domain.name_parts import END, sought

_PAGE = 50
_LONGEST_SEARCH = 100
_WORDS = 8
Order = tuple[str, bool]
"""Column, and whether its largest value comes first."""
Rows = TypeVar("Rows", "Query[Any]", Select[Any])
_NEWEST = 20
_HEADINGS = {
    "device_serial": _l("U-Shield"),
    "holder": _l("Where it is"),
    "keeper": _l("Held by (person)"),
    "maker_name": _l("Entered by"),
    "maker_person": _l("Entered by (person)"),
    "not_after": _l("Valid until"),
    "not_before": _l("Valid from"),
    "public_key": _l("Public key (SHA-256)"),
    "registered_by": _l("Registered by (person)"),
    "customer_name": _l("Customer"),
    "person": _l("Employee number"),
    "ran_at": _l("Last run"),
    "ok": _l("Outcome"),
    "der": _l("DER"),
    "id": _l("Id"),
}


class Gated:
    """Open to whom the table lets in: asked twice (the gate asks it, too), answered once."""

    def is_accessible(self) -> bool:
        return request.endpoint is not None and officer().may(request.endpoint)


def chosen_days(windows: Sequence[int], otherwise: int) -> int:
    """Of the address's `days`. Raises InvalidRequest for a time that is not offered."""
    text = request.args.get("days", str(otherwise))
    if text not in {str(days) for days in windows}:
        *first, last = windows
        raise InvalidRequest(f"choose {', '.join(map(str, first))} or {last} days")
    return int(text)


def last_crls() -> list[CRLRow]:
    """The newest of each name."""
    # Name by name along the key: to group them the database would read every CRL there ever was.
    newest = select(CRLRow).order_by(CRLRow.name.desc(), CRLRow.number.desc()).limit(1)
    found: list[CRLRow] = []
    while row := db.session.scalar(newest.where(CRLRow.name < found[-1].name) if found else newest):
        found.append(row)
    return found[::-1]


def typed_words(field: str) -> str:
    """What was typed into a search field, without what no name and no number has."""
    return " ".join(request.args.get(field, "")[:_LONGEST_SEARCH].replace("\x00", "").split())


def _written(order: Order) -> str:
    name, descending = order
    return f"-{name}" if descending else name


class ReadOnlyView(Gated, ModelView):
    """A room with a list and a page for each row."""

    can_create = False
    can_edit = False
    can_delete = False
    can_export = False
    can_view_details = True
    can_set_page_size = False
    list_template = "console/list.html"
    details_template = "console/details.html"

    # Flask-Admin collects routes and actions from attributes: what is None is not routed.
    create_view = None
    edit_view = None
    delete_view = None
    action_view = None
    action_delete = None
    ajax_update = None
    ajax_lookup = None
    export = None

    column_sortable_list: ClassVar[Sequence[str]] = ()
    """Besides the first column of `column_default_sort`. An index must carry each (tests/unit/admin/test_plans.py)."""
    key: ClassVar[str] = "id"
    """Column that names a row in URLs."""
    branch_column: ClassVar[str | None] = "branch"
    chips: ClassVar[tuple[str, Sequence[str]] | None] = None
    """Column and values offered as filter chips."""
    kinds: ClassVar[Mapping[str, str]] = {}
    """How a column is drawn: badge, serial, when, age, due, published, mono, name, event, message, reason, roles,
    json."""
    title: ClassVar[str] = ""
    empty: ClassVar[str] = ""
    """What to do when the list is empty."""
    search_hint: ClassVar[str] = _l("Search in this list")
    """What may be typed into the list's own search field."""
    hidden: ClassVar[tuple[str, ...]] = ()

    def __init__(self, model: type[Row], endpoint: str, url: str) -> None:
        columns = [column.key for column in model.__mapper__.column_attrs]
        self.column_details_list = [name for name in columns if name not in self.hidden]
        super().__init__(model, db, name=self.title, endpoint=endpoint, url=f"/admin/{url}")

    def sees_all(self, who: SignedIn) -> bool:
        """Whether rows of other branches exist for this officer."""
        return self.branch_column is None or who.sees_all_branches

    def own(self) -> ColumnElement[bool]:
        """True of the rows that this officer may know of."""
        if self.branch_column is None or self.sees_all(officer()):
            return true()
        return self._column(self.branch_column) == officer().branch

    def visible(self, query: Rows) -> Rows:
        """Only what this officer may know of."""
        return query.filter(self.own())

    def find(self, identity: str) -> Any | None:
        """The visible row of this name."""
        query = self.visible(db.session.query(self.model))
        return query.filter(getattr(self.model, self.key) == identity).one_or_none()

    def get_one(self, id: object) -> Any:  # noqa: A002 - Flask-Admin's name
        """Raise NotFound for a row that is not there, or not for this officer to know of."""
        # Of an address with several ids Flask-Admin makes a list.
        found = self.find(id) if isinstance(id, str) else None
        if found is None:
            raise NotFound(_("there is nothing of that name at your branch"))
        return found

    def get_column_name(self, field: str) -> Any:
        """A column's heading, as officers say it: not yet in a language, because Flask-Admin asks once for all."""
        return _HEADINGS.get(field) or lazily_named(field.replace("_", " ").capitalize())

    def get_pk_value(self, model: Any) -> str:
        return str(getattr(model, self.key))

    @expose("/")
    def index_view(self) -> str:
        """A page of the list; its address says which rows, in which order, and behind which one."""
        typed, chosen, order = typed_words("search"), self.chosen_value(), self.asked_order()
        walks = apart(self.search(typed)) if typed else [self.walk(order)]
        mark = mark_of(str(self.endpoint), typed, chosen, *map(str, order))
        page = turn(db.session, self.model, walks, Place.read(request.args.get("at", ""), mark, walks), _PAGE)
        sort = None if order == self.default_order else _written(order)
        kept: dict[str, Any] = {"search": typed or None, "state": chosen or None, "sort": sort}

        def address(place: Place | None) -> str:
            return url_for(".index_view", **kept, at=place.written(mark)) if place else ""

        return self.render(
            self.list_template,
            data=page.rows,
            list_columns=self._list_columns,
            search=typed,
            sorts={} if typed else self._sorts(order, kept),
            is_sorted=bool(typed or sort),
            is_cut=page.is_cut,
            first=url_for(".index_view", **kept) if "at" in request.args else "",
            newer=address(page.newer),
            older=address(page.older),
        )

    @property
    def default_order(self) -> Order:
        """Column by which the list is sorted, and whether the largest comes first."""
        (name, descending), *_others = self._default_sort()
        return name, descending

    def search(self, typed: str) -> list[Walk]:
        """Which rows are found. Rooms of many rows look up what indexes have; otherwise the list is read on, and what
        has each of the words in some column is found."""
        columns = [self._column(name) for name in self.column_searchable_list or ()]
        words = typed.split()[:_WORDS]
        found = and_(*(or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in words))
        walk = self.walk()
        return [replace(walk, fits=and_(walk.fits, found))]

    def own_number(self, typed: str) -> list[Walk]:
        """Which rows the search over all rooms finds here."""
        return self.search(typed)

    def find_some(self, typed: str, most: int) -> tuple[list[Any], bool]:
        """What the search over all rooms shows of this one, and whether there is more."""
        page = turn(db.session, self.model, apart(self.own_number(typed)), None, most)
        return page.rows, page.older is not None

    def walk(self, order: Order | None = None, **equal: Any) -> Walk:
        """The officer's rows in an order, those with these values only."""
        name, descending = order or self.default_order
        names = self._order_names(name)
        given = {*equal} if self.branch_column is None or self.sees_all(officer()) else {*equal, self.branch_column}
        rows, fits = self.visible(select(self.model)).filter_by(**equal), self._has_chip()
        if self.chips and is_carried(self.model, given | {self.chips[0]}, names):
            rows, fits = rows.where(fits), true()
        rule = and_(true(), *(self._column(column) == value for column, value in equal.items()))
        return Walk(rows, tuple(map(self._column, names)), descending, fits, rule)

    def either(self, *conditions: ColumnElement[bool]) -> Walk:
        """The few rows for which one of the conditions holds: each finds them by an index of its own."""
        found = or_(*conditions)
        rows = select(self.model).where(found, self._own_at_last())
        return Walk(rows, key_of(self.model), fits=self._has_chip(), rule=found)

    def called(self, typed: str, customer: str, *order: str) -> list[Walk]:
        """Rows by the names of their customers, who stand in the column `customer`, in alphabetical order.

        `order` tells the rows of one customer apart.
        """
        beginning, who = sought(typed), officer()
        if not beginning:
            return []
        rows = select().select_from(NamePartRow).join(self.model, self._column(customer) == NamePartRow.customer)
        rows = rows.where(NamePartRow.part >= beginning, NamePartRow.part < beginning + END)
        if not self.sees_all(who):
            rows = rows.where(NamePartRow.branch == who.branch)
        # A name that begins so in two places is met twice, and shown where it is met first.
        before = aliased(NamePartRow)
        earlier = exists().where(
            before.customer == NamePartRow.customer, before.part >= beginning, before.part < NamePartRow.part
        )
        columns = (NamePartRow.part, NamePartRow.customer, *map(self._column, order))
        return [Walk(rows.where(self._own_at_last()), columns, fits=and_(self._has_chip(), not_(earlier)), lead=2)]

    def _own_at_last(self) -> ColumnElement[bool]:
        """The same as `own`, in a form that no index serves: what is sought leads to the rows, not the branch."""
        return case((self.own(), 1), else_=0) == 1

    def _sorts(self, asked: Order, kept: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        """Column -> address that sorts by it, the other way round when it does already, and the arrow it has now."""
        sorts = {}
        for name in (self.default_order[0], *(self.column_sortable_list or ())):
            is_now, (default, falls) = name == asked[0], self.default_order
            descending = not asked[1] if is_now else falls and name == default
            arrow = ("↓" if asked[1] else "↑") if is_now else ""
            sorts[name] = (url_for(".index_view", **{**kept, "sort": _written((name, descending))}), arrow)
        return sorts

    def asked_order(self) -> Order:
        """Of the address; the list's own when it names no column that an index has."""
        text = request.args.get("sort", "")
        name = text.removeprefix("-")
        is_known = name in {self.default_order[0], *(self.column_sortable_list or ())}
        return (name, text.startswith("-")) if is_known else self.default_order

    def _default_sort(self) -> list[Order]:
        given = self.column_default_sort or str(key_of(self.model)[0].key)
        several = given if isinstance(given, list) else [given]
        return [(one, False) if isinstance(one, str) else (str(one[0]), bool(one[1])) for one in several]

    def _order_names(self, name: str) -> list[str]:
        """Columns that sort by this one and leave no two rows equal."""
        default = [one for one, _falls in self._default_sort()]
        return list(
            dict.fromkeys(
                [*(default if name == default[0] else [name]), *(column.key for column in key_of(self.model))]
            )
        )

    def _column(self, name: str) -> "InstrumentedAttribute[Any]":
        found: InstrumentedAttribute[Any] = getattr(self.model, name)
        return found

    def render(self, template: str, **context: Any) -> str:
        """Flask-Admin's pages with our words and links."""
        context |= {"view": self, "chosen": self.chosen_value()}
        if "model" in context:
            note_look(self.customer_of(context["model"]), str(self.endpoint))
            context |= self.details_context(context["model"])
        rendered: str = super().render(template, **context)
        return rendered

    def customer_of(self, _row: Any) -> str:
        """Id of the customer whose data the row's page shows; empty when it shows nobody's."""
        return ""

    def details_context(self, row: Any) -> dict[str, Any]:
        """What a row's page needs besides the row."""
        return {"heading": self.get_pk_value(row)}

    def chosen_value(self) -> str:
        """The chip that the address names."""
        wanted = request.args.get("state", "")
        return wanted if self.chips and wanted in self.chips[1] else ""

    def _has_chip(self) -> ColumnElement[bool]:
        wanted = self.chosen_value()
        return self._column(self.chips[0]) == wanted if self.chips and wanted else true()


def newest(rows: Any, condition: Any, order: Any) -> list[Any]:
    """The last 20 of them by that column, in descending order."""
    return list(db.session.scalars(select(rows).where(condition).order_by(order.desc()).limit(_NEWEST)))


def now() -> datetime:
    """By the console's clock."""
    found: datetime = current_app.extensions["vermilion_now"]()
    return found


def tomorrow() -> datetime:
    """Its first minute where this machine stands."""
    return (now().astimezone() + timedelta(days=1)).replace(hour=0, minute=0, second=0, tzinfo=None)
