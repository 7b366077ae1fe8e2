"""Each number of the policy by itself: its value now, since when, by which decision, and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ca.domain.policy import NUMBERS, Policy, PolicyVersion
from ca.domain.proposals import ProposalState
from ca.usecases.decide_on_versions import SubjectView


@dataclass(frozen=True, slots=True)
class Coming:
    """What a number will be, from its day on."""

    value: timedelta
    since: datetime


@dataclass(frozen=True, slots=True)
class NumberView:
    """One number. `since` and `version` are None for what the configuration says."""

    name: str
    value: timedelta
    since: datetime | None
    version: PolicyVersion | None
    coming: Coming | None


def number_views(view: SubjectView[PolicyVersion, Policy]) -> Sequence[NumberView]:
    """In the order of the policy."""
    decided = {one.number: one for one in view.versions if one.state is ProposalState.APPROVED}
    return [_view_of(name, view, decided) for name in NUMBERS]


def _view_of(name: str, view: SubjectView[PolicyVersion, Policy], decided: dict[int, PolicyVersion]) -> NumberView:
    now = view.in_force.content.version
    value = getattr(view.in_force.content, name)
    # Behind the last version in force that said something else.
    since = view.history[0]
    for earlier, later in zip(view.history, view.history[1:], strict=False):
        if later.content.version <= now and getattr(earlier.content, name) != getattr(later.content, name):
            since = later
    later_on = (one for one in view.history if one.content.version > now)
    coming = next((one for one in later_on if getattr(one.content, name) != value), None)
    return NumberView(
        name,
        value,
        since.since,
        decided.get(since.content.version),
        Coming(getattr(coming.content, name), coming.since) if coming and coming.since else None,
    )
