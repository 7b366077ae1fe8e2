"""How times, serial numbers, states and unusual characters are written on pages (LOOK: tokens and words)."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from admin.policy import policy
from ca.domain.names import unusual_characters
from ca.domain.revocation import RFC_NAMES, RevocationReason
from ca.domain.times import Millis, instant, parse_duration
from ca.languages import CHINESE


@dataclass(frozen=True, slots=True)
class Badge:
    """A state as icon, word and tone: colour never speaks alone."""

    icon: str
    word: str
    tone: str


_GOOD, _HELD, _BAD, _IDLE = "good", "held", "bad", "idle"
BADGES: dict[str, Badge] = {
    "submitted": Badge("clock", "submitted", _HELD),
    "approved": Badge("check", "approved", _GOOD),
    "rejected": Badge("cross", "rejected", _BAD),
    "withdrawn": Badge("minus", "withdrawn", _IDLE),
    "codes-issued": Badge("key", "codes handed out", _HELD),
    "claimed": Badge("clock", "code used", _HELD),
    "completed": Badge("check", "completed", _GOOD),
    "expired": Badge("minus", "expired", _IDLE),
    "locked": Badge("lock", "locked", _BAD),
    "void": Badge("minus", "void", _IDLE),
    "overtaken": Badge("minus", "overtaken", _IDLE),
    "unconfirmed": Badge("clock", "not confirmed yet", _HELD),
    "active": Badge("check", "active", _GOOD),
    "on-hold": Badge("pause", "on hold", _HELD),
    "revoked": Badge("cross", "revoked", _BAD),
    "in-stock": Badge("box", "in stock", _IDLE),
    "assigned": Badge("clock", "assigned", _HELD),
    "in-use": Badge("check", "in use", _GOOD),
    "blocked": Badge("lock", "blocked", _BAD),
    "lost": Badge("cross", "lost", _BAD),
    # A case to be corrected, and a U-Shield that came back: both wait for somebody.
    "returned": Badge("minus", "returned", _HELD),
    "destroyed": Badge("minus", "destroyed", _IDLE),
    "supplier": Badge("minus", "supplier", _IDLE),
    "vault": Badge("lock", "vault", _IDLE),
    "branch": Badge("box", "branch stock", _IDLE),
    "officer": Badge("box", "with an officer", _IDLE),
    "in-transit": Badge("clock", "in transit", _HELD),
    "customer": Badge("check", "with the customer", _GOOD),
    "on-its-way": Badge("clock", "on its way", _HELD),
    "confirmed": Badge("check", "confirmed", _GOOD),
    "refused": Badge("cross", "refused", _BAD),
    "serial-at-two-branches": Badge("warn", "serial number at two branches", _BAD),
    "one-key-on-two-u-shields": Badge("warn", "one key on two U-Shields", _BAD),
    "key-not-born-on-u-shield": Badge("warn", "key not born on the U-Shield", _BAD),
    "consignment-refused": Badge("warn", "consignment refused", _BAD),
    "count-differs": Badge("warn", "count differs", _BAD),
    "suspended": Badge("pause", "suspended", _HELD),
    "left": Badge("minus", "left", _IDLE),
    "bound": Badge("check", "bound", _GOOD),
    "ended": Badge("minus", "ended", _IDLE),
    "proposed": Badge("clock", "waiting for approval", _HELD),
    "open": Badge("key", "open", _HELD),
    "redeemed": Badge("check", "redeemed", _GOOD),
    "in time": Badge("check", "in time", _GOOD),
    "late": Badge("warn", "late", _BAD),
    "at latest": Badge("minus", "at latest", _IDLE),
    "waiting": Badge("clock", "waiting", _HELD),
    "ends soon": Badge("clock", "ends soon", _HELD),
    "published": Badge("check", "published", _GOOD),
    "not published": Badge("warn", "not published", _BAD),
    "well": Badge("check", "well", _GOOD),
    "overdue": Badge("warn", "overdue", _BAD),
    "released": Badge("check", "released", _GOOD),
    "waits for release": Badge("clock", "waits for release", _HELD),
    "signature holds": Badge("check", "holds", _GOOD),
    "intact": Badge("check", "intact", _GOOD),
    "changed": Badge("cross", "changed", _BAD),
    "unknown": Badge("cross", "unknown", _BAD),
    "True": Badge("check", "went well", _GOOD),
    "False": Badge("cross", "failed", _BAD),
}


def badge(state: object) -> Badge:
    """How a state looks; an unknown one looks idle rather than breaking the page."""
    text = str(state)
    return BADGES.get(text, Badge("minus", text, _IDLE))


def grouped(serial: str) -> list[str]:
    """Hexadecimal digits in fours, counted from the right, as fingerprints are read aloud."""
    first = len(serial) % 4
    return ([serial[:first]] if first else []) + [serial[at : at + 4] for at in range(first, len(serial), 4)]


def when(at: datetime | str | None) -> str:
    """`23 Nov 2026, 15:04 (UTC+8)` or `2026-11-23 15:04 (UTC+8)`, in the machine's own zone."""
    if at is None:
        return "–"
    local = (instant(at) if isinstance(at, str) else at).astimezone()
    offset = local.utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    zone = "UTC" if not minutes else f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")
    if str(get_locale()) == CHINESE:
        return f"{local:%Y-%m-%d %H:%M} ({zone})"
    return f"{local.day} {local:%b %Y, %H:%M} ({zone})"


def span(length: timedelta) -> str:
    """`14 min`, `3 h 12 min`, `2 days`."""
    minutes = int(length.total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60
    if days >= 2:
        text = ngettext("%(num)d day", "%(num)d days", days)
    elif hours and not minutes % 60:
        text = _("%(h)d h", h=hours)
    elif hours:
        text = _("%(h)d h %(m)d min", h=hours, m=minutes % 60)
    else:
        text = _("%(m)d min", m=minutes) if minutes else _("< 1 min")
    return str(text)


def reason_name(code: int | None) -> str:
    """The name of a CRLReason (RFC 5280 section 5.3.1)."""
    return "" if code is None else RFC_NAMES[RevocationReason(code)]


def exact(at: Millis) -> str:
    """`23 Nov 2026, 15:04 (UTC+8), 05.123 s`: seconds and milliseconds behind the minute."""
    return f"{when(datetime.fromtimestamp(at // 1000, UTC))}, {at // 1000 % 60:02}.{at % 1000:03} s"


def register(app: Flask, now: Callable[[], datetime]) -> None:
    """Make the formats known to templates."""

    def age(at: datetime | str | None) -> str:
        if at is None:
            return ""
        return span(now() - (instant(at) if isinstance(at, str) else at))

    def until(at: datetime) -> str:
        return span(at - now()) if at > now() else _("over")

    def due(submitted_at: datetime) -> str:
        """How long an application may still wait to be decided on; empty when it is overdue."""
        left = submitted_at + policy().decide_within - now()
        return span(left) if left > timedelta() else ""

    def length_of_time(text: str) -> str:
        """Of what the configuration writes: `10m`."""
        length = parse_duration(text)
        return span(length) if length >= timedelta(minutes=1) else _("%(s)d s", s=length.seconds)

    filters: dict[str, Callable[..., Any]] = {
        "when": when,
        "exact": exact,
        "age": age,
        "until": until,
        "due": due,
        "length_of_time": length_of_time,
        "badge": badge,
        "grouped": grouped,
        "reason_name": reason_name,
        "hexadecimal": lambda text: base64.b64decode(text).hex(),
        "unusual": unusual_characters,
    }
    app.jinja_env.filters.update(filters)


def utc_now() -> datetime:
    """Whole seconds, as everywhere."""
    return datetime.now(UTC).replace(microsecond=0)
