"""The event log: found by time, person, name and thing; each event in its place in the chain; verified; exported.

Pages go by the event's number, never by counting: the log only grows. What is exported proves itself
(`ca/domain/excerpts.py`), so it is put together from rows as they are.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, ClassVar

from flask import Response, jsonify, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from admin.signer import ask, note_export, parse_base64
from admin.spellings import serials
from admin.views.base import ReadOnlyView
from ca.adapters.db.log_rows import AuditCheckpointRow, AuditEventRow, AuditHeadRow
from ca.adapters.db.mapping.audit import to_chained_event, to_checkpoint
from ca.adapters.db.rows import CustomerRow, OfficerRow, db
from ca.domain.audit import GENESIS, Checkpoint, Head
from ca.domain.errors import InvalidRequest, NotFound, Tampered
from ca.domain.excerpts import excerpt
from ca.domain.times import CLOCK_TOLERANCE
from ca.dossier_operations import VerifyLog

PAGE = 50
MOST_EXPORTED = 10_000
"""Events in one file; the next one goes on where it ends."""
LONGEST_PROOF = 5_000
"""Links from the last event to a checkpoint."""
_LAST_NUMBER = 1 << 53


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; empty: anything."""

    first_day: date | None
    last_day: date | None
    actor: str
    name: str
    about: str
    before: int | None
    after: int | None

    @classmethod
    def of_address(cls) -> "Wanted":
        """Raises InvalidRequest."""
        actor, name, about = (
            request.args.get(text, "")[:100].replace("\x00", "").strip() for text in ("actor", "name", "about")
        )
        return cls(_day("from"), _day("to"), actor, name, about, _number("before"), _number("after"))

    def kept(self) -> dict[str, str]:
        """The same search as parts of an address."""
        days = {"from": self.first_day, "to": self.last_day}
        texts = {"actor": self.actor, "name": self.name, "about": self.about}
        return {name: str(value) for name, value in (days | texts).items() if value}


def _day(name: str) -> date | None:
    text = request.args.get(name, "")
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidRequest("write a day as year, month and day: 2026-11-30") from error
    if day is not None and not date(1970, 1, 2) <= day <= date(9999, 1, 1):
        raise InvalidRequest("nothing was recorded on such a day")
    return day


def _number(name: str) -> int | None:
    text = request.values.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 <= int(text) < _LAST_NUMBER:
        raise InvalidRequest("an event's number is digits only")
    return int(text)


class AuditView(ReadOnlyView):
    """The event log, newest first."""

    title = _l("Audit")
    empty = _l("No event was recorded yet.")
    branch_column = None
    key = "number"
    column_list = ("number", "name", "subject", "actor", "at")
    kinds: ClassVar = {"at": "when", "subject": "mono", "name": "mono", "details": "json"}
    hidden = ("hash", "salt", "changes")
    row_template = "console/event.html"

    @expose("/")
    def index_view(self) -> str:
        """One page of what was found."""
        wanted = Wanted.of_address()
        query = _found(wanted)
        if wanted.after is not None:
            rows = list(db.session.scalars(query.order_by(AuditEventRow.number).limit(PAGE + 1)))[::-1]
            newer, older, shown = len(rows) > PAGE, True, rows[-PAGE:]
        else:
            rows = list(db.session.scalars(query.order_by(AuditEventRow.number.desc()).limit(PAGE + 1)))
            newer, older, shown = wanted.before is not None, len(rows) > PAGE, rows[:PAGE]
        head = db.session.execute(select(AuditHeadRow.number)).scalar() or 0
        page: str = self.render(
            "console/audit.html", rows=shown, wanted=wanted, newer=newer, older=older, head=head, most=MOST_EXPORTED
        )
        return page

    @expose("/verify", methods=("GET", "POST"))
    def verify(self) -> str | Response:
        """A piece for each post; a script goes on by itself where scripts run."""
        piece, bad = None, ""
        if request.method == "POST":
            try:
                piece = ask(VerifyLog, number=_number("number") or 0, hash=parse_base64(request.form.get("hash", "")))
            except Tampered as error:
                bad = str(error)
        says = _("%(count)s of %(all)s events verified", count=piece["number"], all=piece["ends_at"]) if piece else ""
        if piece and request.accept_mimetypes.best == "application/json":
            return jsonify(piece | {"says": says})
        page: str = self.render("console/verify.html", piece=piece, bad=bad, says=says)
        return page

    @expose("/export")
    def export(self) -> Response:
        """Consecutive events with their proof, a line each."""
        first, last = _number("first") or 0, _number("last") or 0
        if not 1 <= first <= last:
            raise InvalidRequest("say from which event to which: the first number must not be above the last one")
        if last - first >= MOST_EXPORTED:
            raise InvalidRequest(f"choose at most {MOST_EXPORTED} events at a time")
        # Whole before it leaves: what fails is a page then, and not half a proof.
        lines = _lines(first, last)
        note_export(f"audit-{first}-{last}")
        response = Response(lines, mimetype="application/jsonl")
        response.headers["Content-Disposition"] = f'attachment; filename="audit-{first}-{last}.jsonl"'
        return response

    def find(self, identity: str) -> AuditEventRow | None:
        if not identity.isascii() or not identity.isdigit() or len(identity) > 15:
            return None
        return db.session.get(AuditEventRow, int(identity))

    def details_context(self, row: AuditEventRow) -> dict[str, Any]:
        before, behind = (db.session.get(AuditEventRow, row.number + step) for step in (-1, 1))
        previous = before.hash if before else GENESIS if row.number == 1 else None
        return {
            "heading": f"{row.number} · {row.name}",
            "before": before,
            "behind": behind,
            "previous": previous,
            "follows": previous is not None and _follows(row, previous),
            "checkpoint": _checkpoints(row.number, row.number + LONGEST_PROOF, limit=1),
        }


def _found(wanted: Wanted) -> Any:
    event, query = AuditEventRow, select(AuditEventRow)
    # A time is first turned into a number: then every page is read along the chain (CLOCK_TOLERANCE: clocks differ).
    if wanted.first_day is not None:
        begins = _midnight(wanted.first_day)
        near = select(event.number).where(event.at >= begins - CLOCK_TOLERANCE).order_by(event.at, event.number)
        query = query.where(event.number >= _one(near, _LAST_NUMBER), event.at >= begins)
    if wanted.last_day is not None:
        ends = _midnight(wanted.last_day + timedelta(days=1))
        near = select(event.number).where(event.at < ends + CLOCK_TOLERANCE)
        newest = _one(near.order_by(event.at.desc(), event.number.desc()), 0)
        query = query.where(event.number <= newest, event.at < ends)
    if wanted.actor:
        query = query.where(event.actor == wanted.actor)
    if wanted.name:
        query = query.where(event.name == wanted.name)
    if wanted.about:
        query = query.where(event.subject.in_(_subjects(wanted.about)))
    if wanted.after is not None:
        query = query.where(event.number > wanted.after)
    elif wanted.before is not None:
        query = query.where(event.number < wanted.before)
    return query


def _midnight(day: date) -> datetime:
    """In the machine's own zone, as pages show times."""
    return datetime.combine(day, time()).astimezone()


def _one(query: Any, otherwise: int) -> int:
    found: int | None = db.session.execute(query.limit(1)).scalar()
    return otherwise if found is None else found


def _subjects(typed: str) -> list[str]:
    """How the log names what somebody calls by number: certificates, customers, officers; and as it was typed."""
    people = select(CustomerRow.id).where((CustomerRow.number == typed) | (CustomerRow.document_number == typed))
    officers = select(OfficerRow.id).where(OfficerRow.person == typed)
    return sorted({typed, *serials(typed), *db.session.scalars(people.limit(PAGE)), *db.session.scalars(officers)})


def _follows(row: AuditEventRow, previous: bytes) -> bool:
    try:
        Head(row.number - 1, previous).follow(to_chained_event(row))
    except Tampered:
        return False
    return True


def _events(first: int, last: int) -> Any:
    event = AuditEventRow
    query = select(event).where(event.number >= first, event.number <= last).order_by(event.number)
    return (to_chained_event(row) for row in db.session.scalars(query))


def _checkpoints(first: int, last: int, limit: int = MOST_EXPORTED) -> list[Checkpoint]:
    one = AuditCheckpointRow
    query = select(one).where(one.number >= first, one.number <= last).order_by(one.number, one.id).limit(limit)
    return [to_checkpoint(row) for row in db.session.scalars(query)]


def _lines(first: int, last: int) -> str:
    events = list(_events(first, last))
    if not events:
        raise NotFound(_("no event has such a number"))
    before = next(iter(_events(first - 1, first - 1)), None)
    if events[0].number != first or (before is None and first > 1):
        raise Tampered(f"audit event {first} or the one before it is missing")
    head, last = Head(first - 1, before.hash if before else GENESIS), events[-1].number
    previous = head.hash
    for event in events:
        head = head.follow(event)
    nearest = _checkpoints(last, last + LONGEST_PROOF, limit=1)
    behind = list(islice(_events(last + 1, nearest[0].number), LONGEST_PROOF)) if nearest else []
    checkpoints = [*_checkpoints(first, last - 1), *nearest]
    plain = excerpt(previous, events, behind, checkpoints)
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in plain)
