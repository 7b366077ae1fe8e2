"""What the console's fake signer answers about the policy."""

# ruff: noqa: N802 - methods are named after the operations they answer

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from ca import policy_operations as ops
from ca.domain.decisions import Act, Decision
from ca.domain.errors import NotAllowed, NotAuthenticated, NotFound
from ca.domain.policy import NUMBERS, POLICY, USUAL, Policy, PolicyTexts, PolicyVersion, changed, text_of
from ca.domain.proposals import ProposalState
from ca.domain.times import duration_text, parse_instant, timestamp
from ca.operations import AssertionMessage, encode_base64

NOW = datetime(2026, 11, 23, 7, 4, 5, tzinfo=UTC)
_TEXTS = PolicyTexts()
IN_FORCE = replace(USUAL, version=2, letter_life=timedelta(days=7))
NEXT = replace(IN_FORCE, version=3, hold_undo=timedelta(minutes=5), session_idle=timedelta(minutes=5))


def _version(version_id: str, replaces: str, **changes: Any) -> PolicyVersion:
    given = {
        "reason": "the audit of October", "effective_from": NOW + timedelta(days=1), "maker_person": "E-admin",
        "proposed_at": NOW - timedelta(hours=2), "state": ProposalState.PROPOSED, "policy_digest": NEXT.digest,
        "number": 3, "text": _TEXTS.write(NEXT),
    }  # fmt: skip
    return PolicyVersion(id=version_id, revision=1, policy=POLICY, replaces=replaces, **(given | changes))


DECIDED = _version(
    "policy-1", USUAL.digest, number=2, text=_TEXTS.write(IN_FORCE), policy_digest=IN_FORCE.digest,
    effective_from=NOW - timedelta(days=22), state=ProposalState.APPROVED, decided_by="E-second-admin",
    reason="letters that lie about",
)  # fmt: skip
POLICY_VERSION = _version("policy-2", IN_FORCE.digest)
POLICY_VERSIONS = DECIDED, POLICY_VERSION


class _Asked(Protocol):
    policies: dict[str, PolicyVersion]
    in_force: Policy

    def _who(self, operation: Any) -> dict[str, Any]: ...
    def _check(self, message: AssertionMessage, challenge: bytes) -> str: ...
    def _policy(self, operation: Any) -> PolicyVersion: ...


def _decision(version: PolicyVersion, who: Mapping[str, Any]) -> Decision:
    return Decision(Act.APPROVE_POLICY, version.id, version.digest(), who["id"], who["person"])


def _number(name: str) -> dict[str, Any]:
    bounds, is_decided = NUMBERS[name], name == "letter_life"
    return {
        "name": name,
        "value": IN_FORCE.numbers()[name],
        "since": timestamp(DECIDED.effective_from) if is_decided else "",
        "decided_by": DECIDED.decided_by if is_decided else "",
        "version": DECIDED.id if is_decided else "",
        "least": duration_text(bounds.least),
        "most": duration_text(bounds.most),
        "coming": {"value": "2d", "since": "2026-12-24T00:00:00Z"} if name == "unlock_case_life" else None,
    }


class PolicyAnswers:
    """A part of the fake signer."""

    def _PolicyInForce(self: _Asked, _operation: ops.PolicyInForce) -> dict[str, Any]:
        return {"numbers": self.in_force.numbers()}

    def _ShowPolicy(self: _Asked, operation: ops.ShowPolicy) -> dict[str, Any]:
        self._who(operation)
        waiting = [one.id for one in self.policies.values() if one.state is ProposalState.PROPOSED]
        return {
            "number": 2,
            "numbers": [_number(name) for name in NUMBERS],
            "newest": IN_FORCE.numbers(),
            "number_of_next": 3,
            "waiting": waiting[0] if waiting else "",
            "versions": [
                {
                    "id": one.id,
                    "number": one.number,
                    "state": one.state.value,
                    "effective_from": timestamp(one.effective_from),
                    "maker_person": one.maker_person,
                    "decided_by": one.decided_by,
                    "reason": one.reason,
                }
                for one in self.policies.values()
            ],
        }

    def _policy(self: _Asked, operation: Any) -> PolicyVersion:
        if operation.version not in self.policies:
            raise NotFound("there is no such version of a policy")
        return self.policies[operation.version]

    def _ShowPolicyVersion(self: _Asked, operation: ops.ShowPolicyVersion) -> dict[str, Any]:
        who, version = self._who(operation), self._policy(operation)
        after = _TEXTS.parse(POLICY, version.text)
        before = USUAL if version.id == DECIDED.id else IN_FORCE
        return {
            "case": version.fields(),
            "digest": encode_base64(version.digest()),
            "state": version.state.value,
            "decided_by": version.decided_by,
            "numbers": after.numbers(),
            "replaced": before.numbers(),
            "changed": changed(before, after),
            "challenge": encode_base64(_decision(version, who).challenge()),
            "may_approve": "ca-administrator" in who["roles"] and who["person"] != version.maker_person,
        }

    def _ProposePolicy(self: _Asked, operation: ops.ProposePolicy) -> dict[str, Any]:
        who, text = self._who(operation), text_of(operation.numbers, 3)
        proposed = _TEXTS.parse(POLICY, text)
        since = parse_instant(operation.effective_from)
        given = {"reason": operation.reason, "effective_from": since, "maker_person": who["person"]}
        version = _version("policy-3", IN_FORCE.digest, text=text, policy_digest=proposed.digest, **given)
        self.policies[version.id] = version
        return {"version": version.id}

    def _ApprovePolicy(self: _Asked, operation: ops.ApprovePolicy) -> dict[str, Any]:
        who, version = self._who(operation), self._policy(operation)
        if who["person"] == version.maker_person:
            raise NotAllowed("who proposed a version may not approve it; another CA administrator must")
        if self._check(operation.assertion, _decision(version, who).challenge()) != who["id"]:
            raise NotAuthenticated("this passkey is not yours")
        self.policies[version.id] = version.become(ProposalState.APPROVED, who["person"])
        return {"version": version.id, "state": "approved"}

    def _RejectPolicy(self: _Asked, operation: ops.RejectPolicy) -> dict[str, Any]:
        who, version = self._who(operation), self._policy(operation)
        self.policies[version.id] = version.become(ProposalState.REJECTED, who["person"])
        return {"version": version.id, "state": "rejected"}
