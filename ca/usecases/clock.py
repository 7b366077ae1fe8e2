"""A clock that went backwards signs nothing and lets nothing expired live again (DESIGN invariant 11).

What was signed and recorded last says how late it is at least, and survives a restart. The last CRL is the firm part:
an event that is recorded by a wrong clock, such as a sign-in, is the last one from then on.
"""

from datetime import datetime

from ca.domain.errors import NotReady
from ca.domain.times import CLOCK_TOLERANCE
from ca.ports import Work


def latest_recorded(work: Work) -> datetime | None:
    """The latest moment our records know of: the last CRL of each issuer and the last audit event."""
    moments = [crl_made for issuer in work.issuers.list() if (crl_made := work.crls.last_made(issuer.name))]
    head = work.audit.head()
    moments += [chained.event.at for chained in work.audit.read(head.number - 1)]
    return max(moments, default=None)


def require_clock(work: Work, now: datetime) -> None:
    """Raise NotReady when the clock is behind what was signed or recorded."""
    latest = latest_recorded(work)
    if latest is not None and now < latest - CLOCK_TOLERANCE:
        raise NotReady(f"the clock is behind {latest:%d %b %Y %H:%M} UTC, when something was recorded; set it right")
