"""The home page's figures: what a job counted (ca/domain/figures.py), and live what an index answers at once.

Officers see those of their branch, oversight roles those of all branches together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, func, select

from admin.access import SignedIn
from admin.errors import sentence
from admin.language import told
from admin.policy import policy
from admin.signer import tell
from ca.adapters.db.figure_rows import FigureRow
from ca.adapters.db.receipt_rows import ReceiptRow
from ca.adapters.db.repositories.receipts import receipt_of
from ca.adapters.db.rows import ApplicationRow, CodePairRow, db
from ca.domain.applications import ApplicationState
from ca.domain.certificates import CertificateStatus
from ca.domain.codes import CodeState
from ca.domain.devices import DeviceState
from ca.domain.errors import PKIError
from ca.domain.figures import BY_DAY, EVERYWHERE, EXPIRED, Subject
from ca.domain.receipts import OCSP_CHANNELS, Verdict
from ca.domain.times import Millis
from ca.languages import CHINESE
from ca.operations import Health

CODES_END_WITHIN = timedelta(days=4)
"""Open codes that end within this time are on the work list: the branch still reaches the customer before a weekend."""
_SHOWN = 20
_ASKED = 20
"""Receipts looked through for the last one about OCSP."""
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_STATES = [*CertificateStatus, EXPIRED, *DeviceState]
"""In the order in which they are shown: that of a life."""
_TITLES = {
    Subject.ISSUED: _l("Issued"),
    Subject.RENEWED: _l("Renewed"),
    Subject.REVOKED: _l("Revoked"),
}
_SHOWN_SUBJECTS = [subject.value for subject in Subject if subject is not Subject.CHECKED]
_PARTS = {"hsm": _l("HSM"), "database": _l("Database"), "clock": _l("Clock"), "signer": _l("Signer")}
"""Of the signer, as it names them when it is asked how it is."""
_AGES = (
    (_l("under 1 h"), timedelta(), _HOUR),
    (_l("1 to 4 h"), _HOUR, 4 * _HOUR),
    (_l("4 to 24 h"), 4 * _HOUR, _DAY),
    (_l("over 24 h"), _DAY, None),
)


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers in a row, each with its name."""

    title: Any
    labels: Sequence[str]
    values: Sequence[int]

    @property
    def pairs(self) -> list[tuple[str, int]]:
        return list(zip(self.labels, self.values, strict=True))


@dataclass(frozen=True, slots=True)
class Seen:
    """How long changes of status took to be seen in one channel, in milliseconds."""

    channel: str
    p95: int | None
    promised: int
    late: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What the job counted, for one branch or all."""

    at: datetime
    by_day: list[Series]
    ending: Series
    certificates: Series
    devices: Series
    seen: list[Seen]


@dataclass(frozen=True, slots=True)
class Answering:
    """The last change of status that the prober asked OCSP about."""

    verdict: Verdict
    seen_at: Millis | None


@dataclass(frozen=True, slots=True)
class Age:
    """How many applications have waited so long."""

    label: Any
    count: int
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class Board:
    """All of it. `health` has the name of each part of the signer with what is wrong; nothing when it works."""

    counted: Counted | None
    ages: list[Age]
    ending_codes: list[tuple[ApplicationRow, datetime]]
    health: list[tuple[Any, str]]
    ocsp: Answering | None


def board(who: SignedIn) -> Board:
    """For the page of this officer."""
    now: datetime = current_app.extensions["vermilion_now"]()
    return Board(
        counted=_counted(EVERYWHERE if who.sees_all_branches else who.branch),
        ages=_ages(who, now) if who.may("cases.show") else [],
        ending_codes=_ending_codes(who, now) if who.may("cases.codes") else [],
        health=_health(),
        ocsp=_ocsp(),
    )


def _counted(branch: str) -> Counted | None:
    """None before the job has run for the first time."""
    rows = db.session.scalars(
        select(FigureRow)
        .where(FigureRow.branch.in_({EVERYWHERE, branch}), FigureRow.subject.in_(_SHOWN_SUBJECTS))
        .order_by(FigureRow.subject, FigureRow.slot)
    ).all()
    if not rows:
        return None
    # All branches together have every slot; a branch has only those that are not empty.
    everywhere = [row for row in rows if row.branch == EVERYWHERE]
    own = {(row.subject, row.slot): row.value for row in rows if row.branch == branch}

    def series(subject: Subject, title: Any = "") -> Series:
        slots = [row.slot for row in everywhere if row.subject == subject]
        slots.sort(key=lambda slot: _STATES.index(slot) if slot in _STATES else -1)
        return Series(title, [_label(slot) for slot in slots], [own.get((subject, slot), 0) for slot in slots])

    return Counted(
        at=everywhere[0].counted_at,
        by_day=[series(subject, _TITLES[subject]) for subject in BY_DAY],
        ending=series(Subject.ENDING),
        certificates=series(Subject.CERTIFICATES),
        devices=series(Subject.DEVICES),
        seen=_seen(everywhere),
    )


def _seen(rows: Iterable[FigureRow]) -> list[Seen]:
    values = {(row.subject, row.slot): row.value for row in rows}
    return [
        Seen(channel, None if p95 < 0 else p95, values[Subject.PROMISED, channel], values[Subject.LATE, channel])
        for (subject, channel), p95 in values.items()
        if subject == Subject.SEEN
    ]


def _label(slot: str) -> str:
    """`23 Nov` of a day, `Nov 2026` of a month, a state as it is; in Chinese the day and the month, too."""
    if not slot[:1].isdigit() or str(get_locale()) == CHINESE:
        return slot
    if slot.count("-") == 1:
        return f"{date.fromisoformat(f'{slot}-01'):%b %Y}"
    day = date.fromisoformat(slot)
    return f"{day.day} {day:%b}"


def _at_branch(who: SignedIn) -> list[ColumnElement[bool]]:
    return [] if who.sees_all_branches else [ApplicationRow.branch == who.branch]


def _ages(who: SignedIn, now: datetime) -> list[Age]:
    at = ApplicationRow.submitted_at
    counts = [
        func.count().filter(and_(at <= now - least, *([] if most is None else [at > now - most])))
        for _label, least, most in _AGES
    ]
    waiting = select(*counts).where(ApplicationRow.state == ApplicationState.SUBMITTED.value, *_at_branch(who))
    found, within = db.session.execute(waiting).one(), policy().decide_within
    return [Age(label, count, least >= within) for (label, least, _most), count in zip(_AGES, found, strict=True)]


def _ending_codes(who: SignedIn, now: datetime) -> list[tuple[ApplicationRow, datetime]]:
    wanted = (
        select(ApplicationRow, CodePairRow.expires_at)
        .join(CodePairRow, CodePairRow.application == ApplicationRow.id)
        .where(CodePairRow.state == CodeState.OPEN.value, CodePairRow.expires_at <= now + CODES_END_WITHIN)
        .where(*_at_branch(who))
    )
    found = db.session.execute(wanted.order_by(CodePairRow.expires_at).limit(_SHOWN))
    return [(application, expires_at) for application, expires_at in found]


def _health() -> list[tuple[Any, str]]:
    try:
        return [(_PARTS[part], "" if says == "ok" else told(says)) for part, says in tell(Health).items()]
    except PKIError as error:
        return [(_PARTS["signer"], sentence(error))]


def _ocsp() -> Answering | None:
    newest = select(ReceiptRow).order_by(ReceiptRow.changed_at.desc()).limit(_ASKED)
    for receipt in map(receipt_of, db.session.scalars(newest)):
        sightings = [one for one in receipt.sightings if one.channel in OCSP_CHANNELS]
        if receipt.overtaken or not sightings:
            continue
        verdicts = {one.verdict(receipt.changed_at) for one in sightings}
        worst = next(each for each in (Verdict.LATE, Verdict.WAITING, *Verdict) if each in verdicts)
        return Answering(worst, max((one.seen_at for one in sightings if one.seen_at is not None), default=None))
    return None
