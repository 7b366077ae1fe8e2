"""Flask-Admin shows rows and does nothing else: its routes that write, export or look up do not exist here.

Every query passes `visible`, which leaves only the rows of the officer's branch; another branch's row is not found
(THREATS 38 to 40; T-15, T-16).
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import request
from flask_admin.contrib.sqla import ModelView
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Query

from admin.access import SignedIn
from admin.language import lazily_named
from admin.signer import note_look, officer
from ca.adapters.db.base import Row
from ca.adapters.db.rows import CRLRow, db
from ca.domain.errors import InvalidRequest, NotFound

_LAST_PAGE = 100_000
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
    newest = select(CRLRow.name, func.max(CRLRow.number)).group_by(CRLRow.name)
    query = select(CRLRow).where(tuple_(CRLRow.name, CRLRow.number).in_(newest))
    return list(db.session.scalars(query.order_by(CRLRow.name)))


class ReadOnlyView(Gated, ModelView):
    """A room with a list and a page for each row."""

    can_create = False
    can_edit = False
    can_delete = False
    can_export = False
    can_view_details = True
    can_set_page_size = False
    simple_list_pager = True  # no count(*) over a table that only grows
    page_size = 50
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
    hidden: ClassVar[tuple[str, ...]] = ()

    def __init__(self, model: type[Row], endpoint: str, url: str) -> None:
        columns = [column.key for column in model.__mapper__.column_attrs]
        self.column_details_list = [name for name in columns if name not in self.hidden]
        super().__init__(model, db, name=self.title, endpoint=endpoint, url=f"/admin/{url}")

    def sees_all(self, who: SignedIn) -> bool:
        """Whether rows of other branches exist for this officer."""
        return self.branch_column is None or who.sees_all_branches

    def visible(self, query: "Query[Any]") -> "Query[Any]":
        """Only what this officer may know of."""
        if self.branch_column is None or self.sees_all(officer()):
            return query
        return query.filter(getattr(self.model, self.branch_column) == officer().branch)

    def get_query(self) -> "Query[Any]":
        return self._chosen(self.visible(db.session.query(self.model)))

    def get_count_query(self) -> "Query[Any]":
        return self._chosen(self.visible(db.session.query(func.count("*")).select_from(self.model)))

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

    def get_list(self, page: int | None, *args: Any, **kwargs: Any) -> Any:
        """A page number from outside cannot run out of the database's range."""
        return super().get_list(min(max(page or 0, 0), _LAST_PAGE), *args, **kwargs)

    def render(self, template: str, **context: Any) -> str:
        """Flask-Admin's pages with our words and links."""
        context |= {"view": self, "chosen": self._chosen_value()}
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

    def _apply_search(self, query: Any, count_query: Any, joins: Any, count_joins: Any, search: str) -> Any:
        # Flask-Admin would read % and _ in what was typed as wildcards (THREATS 44).
        for term in search.replace("\x00", "").split()[:8]:
            matches = or_(*(field.icontains(term, autoescape=True) for field, _path in self._search_fields))
            query = query.filter(matches)
            count_query = count_query.filter(matches) if count_query is not None else None
        return query, count_query, joins, count_joins

    def _chosen_value(self) -> str:
        wanted = request.args.get("state", "")
        return wanted if self.chips and wanted in self.chips[1] else ""

    def _chosen(self, query: "Query[Any]") -> "Query[Any]":
        wanted = self._chosen_value()
        if not self.chips or not wanted:
            return query
        return query.filter(getattr(self.model, self.chips[0]) == wanted)
