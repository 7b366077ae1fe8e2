"""Which use case answers which operation on the policy. No rule lives here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ca import policy_operations as ops
from ca.domain.policy import NUMBERS, POLICY, Policy, PolicyVersion, changed, text_of
from ca.domain.times import duration_text, parse_instant
from ca.operations import Operation
from ca.signer import Handler
from ca.usecases.decide_on_versions import DecideOnVersions
from ca.usecases.policy_numbers import NumberView, number_views
from ca.usecases.versions_in_force import PolicyInForce
from ca.version_answers import case_of, line_of, since_of, state_of

QUESTIONS: tuple[type[Operation], ...] = (ops.PolicyInForce, ops.ShowPolicy, ops.ShowPolicyVersion)
"""Asked by pages that only show."""


@dataclass(frozen=True)
class PolicyDesk:
    """What CA administrators decide on, and what is in force."""

    in_force: PolicyInForce
    decide: DecideOnVersions[PolicyVersion, Policy]

    @property
    def refresh(self) -> Callable[[], None]:
        """Before each operation: what another signer decided holds here, too."""
        return self.in_force.versions.refresh

    def table(self) -> dict[type[Operation], Handler]:
        """Every operation with what answers it."""
        return {
            ops.PolicyInForce: lambda _: {"numbers": self.in_force().numbers()},
            ops.ShowPolicy: self._show,
            ops.ShowPolicyVersion: self._show_version,
            ops.ProposePolicy: self._propose,
            ops.ApprovePolicy: lambda op: state_of(
                self.decide.approve(
                    op.session, op.version, case_digest=op.digest, assertion=op.assertion.to_assertion()
                )
            ),
            ops.RejectPolicy: lambda op: state_of(self.decide.reject(op.session, op.version, reason=op.reason)),
        }

    def _show(self, op: ops.ShowPolicy) -> dict[str, Any]:
        view = self.decide.show(op.session, POLICY)
        newest = view.newest.content
        return {
            "number": view.in_force.content.version,
            "numbers": [_number(one) for one in number_views(view)],
            "newest": newest.numbers(),
            "number_of_next": newest.version + 1,
            "waiting": view.waiting.id if view.waiting else "",
            "versions": [line_of(one) for one in reversed(view.versions)],
        }

    def _show_version(self, op: ops.ShowPolicyVersion) -> dict[str, Any]:
        shown = self.decide.show_version(op.session, op.version)
        return case_of(shown) | {
            "numbers": shown.content.numbers(),
            "replaced": shown.replaced.numbers(),
            "changed": changed(shown.replaced, shown.content),
        }

    def _propose(self, op: ops.ProposePolicy) -> dict[str, Any]:
        since, number = parse_instant(op.effective_from), self.in_force.versions.newest(POLICY).content.version + 1
        given = {"name": POLICY, "text": text_of(op.numbers, number), "reason": op.reason}
        return {"version": self.decide.propose(op.session, **given, effective_from=since).id}


def _number(one: NumberView) -> dict[str, Any]:
    bounds = NUMBERS[one.name]
    coming = one.coming
    return {
        "name": one.name,
        "value": duration_text(one.value),
        "since": since_of(one.since),
        "decided_by": one.version.decided_by if one.version else "",
        "version": one.version.id if one.version else "",
        "least": duration_text(bounds.least),
        "most": duration_text(bounds.most),
        "coming": {"value": duration_text(coming.value), "since": since_of(coming.since)} if coming else None,
    }
