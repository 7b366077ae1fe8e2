"""Keyset paging: a page begins behind a row and not behind a number of rows.

So an index leads to it, the last page costs what the first does, and rows that come in meanwhile move nothing. What no
index can tell (`Walk.fits`) is asked of so many rows at most; then the page ends, and the next one goes on from there.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self, cast

from flask_babel import gettext as _
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    Select,
    String,
    Table,
    and_,
    false,
    literal,
    not_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import ColumnProperty, InstrumentedAttribute, Session, defer, scoped_session

from ca.adapters.db.base import Row
from ca.adapters.db.columns import UtcSeconds
from ca.domain.errors import InvalidRequest

LOOKED_AT = 1000
"""Rows that one page looks at, at most."""
_AT_ONCE = 500
_LONGEST = 1000
_LARGEST = 2**63 - 1
"""Of a number that both databases can compare with."""

Reader = Session | scoped_session[Any]
Values = tuple[Any, ...]
Columns = tuple[InstrumentedAttribute[Any], ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """Some rows of a list in the order of an index."""

    rows: Select[Any]
    """FROM and WHERE, which the index carries; columns are chosen here."""
    order: Columns
    """All in one direction; together they name a row; never NULL."""
    descending: bool = False
    fits: ColumnElement[bool] = field(default_factory=true)
    """Asked of each row that is met."""
    rule: ColumnElement[bool] = field(default_factory=false)
    """True of the rows that later walks leave to this one."""
    lead: int = 0
    """How many columns of the order belong to the table that leads when several are joined."""

    def look(self, key: Columns, behind: Values | None, *, backward: bool, limit: int) -> Select[Any]:
        """The next rows as (whether it fits, values of the order, key)."""
        down = self.descending is not backward
        query = self.rows.with_only_columns(self.fits, *self.order, *key, maintain_column_froms=True)
        if behind is not None:
            query = query.where(*self._behind(behind, down=down))
        query = query.order_by(*(column.desc() if down else column.asc() for column in self.order)).limit(limit)
        return cast("Select[Any]", query)

    def _behind(self, values: Values, *, down: bool) -> Iterator[ColumnElement[bool]]:
        bound = [literal(value, column.type) for value, column in zip(values, self.order, strict=True)]
        here, there = tuple_(*self.order), tuple_(*bound)
        if self.lead:
            # An index is used for columns of one table only.
            first, until = tuple_(*self.order[: self.lead]), tuple_(*bound[: self.lead])
            yield first <= until if down else first >= until
        yield here < there if down else here > there


def apart(walks: Sequence[Walk]) -> list[Walk]:
    """Such that no row is met by two of them."""
    rules = [walk.rule for walk in walks]
    return [
        replace(walk, fits=and_(walk.fits, *map(not_, rules[:number]))) if number else walk
        for number, walk in enumerate(walks)
    ]


@dataclass(frozen=True, slots=True)
class Place:
    """Between two rows of the walks, and which way to go on."""

    walk: int
    values: Values
    backward: bool = False

    def written(self, mark: str) -> str:
        """For an address. `mark` names the list that it belongs to."""
        plain = [int(one.timestamp()) if isinstance(one, datetime) else one for one in self.values]
        text = json.dumps([mark, self.walk, int(self.backward), *plain], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, mark: str, walks: Sequence[Walk]) -> Self | None:
        """None where a list begins. Raises InvalidRequest for what `written` never wrote for this list."""
        if not text:
            return None
        try:
            given, number, backward, *plain = _parsed(text)
            if given != mark or number not in range(len(walks)) or backward not in {0, 1}:
                raise _strange()
            number = int(number)
            values = [_value(one, column) for one, column in zip(plain, walks[number].order, strict=True)]
            return cls(number, tuple(values), bool(backward))
        except (ValueError, TypeError, OverflowError, OSError, RecursionError) as error:
            raise _strange() from error


def mark_of(*what: str) -> str:
    """Names a list by all that chooses its rows and their order."""
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Turned:
    """A page, and where the pages beside it begin."""

    rows: list[Any]
    newer: Place | None
    older: Place | None
    is_cut: bool
    """Whether it ended because so many rows were looked at."""


@dataclass(slots=True)
class _Hunt:
    """What was met on the way."""

    session: Reader
    key: Columns
    size: int
    met: list[tuple[Place, Values]] = field(default_factory=list)
    last: Place | None = None
    looked: int = 0

    @property
    def is_over(self) -> bool:
        return len(self.met) > self.size or self.looked >= LOOKED_AT

    def follow(self, walk: Walk, number: int, behind: Values | None, *, backward: bool) -> None:
        """One walk, until it or the hunt is over."""
        while not self.is_over:
            # Most pages are full of the first rows that are met.
            limit = min(_AT_ONCE, LOOKED_AT - self.looked) if self.looked else self.size + 1
            rows = self.session.execute(walk.look(self.key, behind, backward=backward, limit=limit)).all()
            for fits, *values in rows:
                self.looked += 1
                behind = tuple(values[: len(walk.order)])
                self.last = Place(number, behind)
                if fits:
                    self.met.append((self.last, tuple(values[len(walk.order) :])))
                if self.is_over:
                    return
            if len(rows) < limit:
                return


def key_of(model: type[Row]) -> Columns:
    """The columns of a table's primary key."""
    return tuple(getattr(model, str(column.key)) for column in model.__mapper__.primary_key)


def turn(session: Reader, model: type[Row], walks: Sequence[Walk], place: Place | None, size: int) -> Turned:
    """The page at a place: of all walks, one after another, each row that fits."""
    backward = place is not None and place.backward
    numbers = list(range(len(walks)))
    if place is not None:
        numbers = numbers[place.walk :: -1] if backward else numbers[place.walk :]
    hunt = _Hunt(session, key_of(model), size)
    for number in numbers:
        behind = place.values if place is not None and place.walk == number else None
        hunt.follow(walks[number], number, behind, backward=backward)
    return _page(hunt, model, place, backward=backward)


def _page(hunt: _Hunt, model: type[Row], place: Place | None, *, backward: bool) -> Turned:
    is_full = len(hunt.met) > hunt.size
    met = hunt.met[: hunt.size]
    is_cut = not is_full and hunt.looked >= LOOKED_AT
    onward = met[-1][0] if is_full else hunt.last if is_cut else None
    # Behind us is at least the row from which we came.
    back = met[0][0] if met and place is not None else None
    if backward:
        met.reverse()
    ahead = onward and Place(onward.walk, onward.values, backward)
    behind = back and Place(back.walk, back.values, not backward)
    newer, older = (ahead, behind) if backward else (behind, ahead)
    return Turned(_rows(hunt, model, [key for _at, key in met]), newer, older, is_cut)


def _rows(hunt: _Hunt, model: type[Row], keys: list[Values]) -> list[Any]:
    """By their keys only: with more to choose by, a database may choose worse than its key."""
    if not keys:
        return []
    first, *others = hunt.key
    wanted = tuple_(*hunt.key).in_(keys) if others else first.in_([key for (key,) in keys])
    # Octets are on no list, and in some tables they are most of a row.
    octets = [defer(getattr(model, one.key)) for one in model.__mapper__.column_attrs if _is_octets(one)]
    found = {
        tuple(getattr(row, column.key) for column in hunt.key): row
        for row in hunt.session.scalars(select(model).where(wanted).options(*octets))
    }
    return [found[key] for key in keys if key in found]


def _is_octets(attribute: ColumnProperty[Any]) -> bool:
    return any(isinstance(column.type, LargeBinary) for column in attribute.columns)


def _parsed(text: str) -> list[Any]:
    if len(text) > _LONGEST or not text.isascii():
        raise _strange()
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except binascii.Error as error:
        raise _strange() from error
    if not isinstance(found, list):
        raise _strange()
    return found


def _value(plain: object, column: InstrumentedAttribute[Any]) -> Any:
    """What a column can be compared with, of what stood in an address."""
    if isinstance(column.type, String):
        if not isinstance(plain, str) or "\x00" in plain:
            raise _strange()
        plain.encode()  # half a surrogate pair is no text for a database
        return plain
    largest = _LARGEST if isinstance(column.type, BigInteger | UtcSeconds) else _LARGEST >> 32
    if type(plain) is not int or not 0 <= plain <= largest:
        raise _strange()
    return datetime.fromtimestamp(plain, UTC) if isinstance(column.type, UtcSeconds) else plain


def _strange() -> InvalidRequest:
    return InvalidRequest(_("this address is of no page of this list; begin at the list's first page"))


def is_carried(model: type[Row], equal: set[str], order: Sequence[str]) -> bool:
    """Whether an index begins with the columns whose values are given and goes on in this order."""
    table = cast("Table", model.__table__)
    whole = [index for index in table.indexes if index.dialect_options["sqlite"]["where"] is None]
    for columns in (table.primary_key.columns, *(index.columns for index in whole)):
        names = [column.name for column in columns]
        count = len(equal)
        if set(names[:count]) == equal and names[count : count + len(order)] == list(order):
            return True
    return False
