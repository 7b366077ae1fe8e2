"""What the console's fake signer answers about the CA itself: jobs and versions of profiles."""

# ruff: noqa: N802 - methods are named after the operations they answer

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from ca import authority_operations as ops
from ca.domain.decisions import Act, Decision
from ca.domain.errors import InvalidTransition, NotAllowed, NotAuthenticated, NotFound
from ca.domain.profile_versions import ProfileVersion, facts
from ca.domain.proposals import ProposalState
from ca.domain.times import parse_instant, timestamp
from ca.domain.tool_cases import ToolCase, ToolState
from ca.operations import AssertionMessage, Health
from config.profile_files import TomlProfiles
from tests.drafts import PROFILES

NOW = datetime(2026, 11, 23, 7, 4, 5, tzinfo=UTC)
NEW = replace(PROFILES["machine"], version=2, validity=timedelta(days=90), title="Machine, 90 days")
VERSION = ProfileVersion(
    id="version-1",
    revision=1,
    profile="machine",
    number=2,
    text=TomlProfiles().write(NEW),
    profile_digest=NEW.digest,
    replaces=PROFILES["machine"].digest,
    reason="machines are renewed by themselves: shorter lives cost nothing",
    effective_from=NOW + timedelta(days=7),
    maker_person="E-admin",
    proposed_at=NOW - timedelta(hours=2),
    state=ProposalState.PROPOSED,
)

PACKAGE = b"the tool, newly packed"
CASE = ToolCase(
    id="case-1",
    revision=1,
    program="ab" * 32,
    tool_version="1.5.0",
    files=(("ushield-chromium.zip", "cd" * 32, 1980), ("ushield.pyz", hashlib.sha256(PACKAGE).hexdigest(), 87_102)),
    reason="reads the new U-Shield 4",
    maker_person="E-admin",
    proposed_at=NOW - timedelta(hours=1),
    state=ToolState.PROPOSED,
)
OFFERED = [["ushield-chromium.zip", "cd" * 32, 1980, True], ["ushield.pyz", "ef" * 32, 86_013, False]]


class _Asked(Protocol):
    versions: dict[str, ProfileVersion]
    releases: dict[str, ToolCase]

    def _who(self, operation: Any) -> dict[str, Any]: ...
    def _check(self, message: AssertionMessage, challenge: bytes) -> str: ...
    def _version(self, operation: Any) -> ProfileVersion: ...
    def _release(self, operation: Any) -> ToolCase: ...


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _decision(version: ProfileVersion, who: Mapping[str, Any]) -> Decision:
    return Decision(Act.APPROVE_PROFILE, version.id, version.digest(), who["id"], who["person"])


def _summary(name: str, versions: Mapping[str, ProfileVersion]) -> dict[str, Any]:
    profile = PROFILES[name]
    waiting = [one.id for one in versions.values() if (one.profile, one.state) == (name, ProposalState.PROPOSED)]
    return {
        "name": name,
        "title": profile.title,
        "number": profile.version,
        "since": "2026-11-01T00:00:00Z" if name == "tls-server" else "",
        "internal": profile.internal,
        "next": {"number": 2, "since": "2026-12-24T00:00:00Z"} if name == "officer" else None,
        "waiting": waiting[0] if waiting else "",
    }


class AuthorityAnswers:
    """A part of the fake signer."""

    def _Health(self: _Asked, _operation: Health) -> dict[str, Any]:
        return {"hsm": "ok", "database": "ok", "clock": "ok"}

    def _RunJobNow(self: _Asked, operation: ops.RunJobNow) -> dict[str, Any]:
        self._who(operation)
        return {"ok": True, "result": "done"}

    def _ShowSettings(self: _Asked, operation: ops.ShowSettings) -> dict[str, Any]:
        self._who(operation)
        return {
            "settings": [
                ["times.crl_life", "86400", "default"],
                ["database_url", "postgresql://ca:…@db/vermilion", "environment"],
                ["unlock case", "3d", "program"],
            ]
        }

    def _ListProfiles(self: _Asked, operation: ops.ListProfiles) -> dict[str, Any]:
        self._who(operation)
        return {"profiles": [_summary(name, self.versions) for name in sorted(PROFILES)]}

    def _ShowProfile(self: _Asked, operation: ops.ShowProfile) -> dict[str, Any]:
        self._who(operation)
        if operation.profile not in PROFILES:
            raise NotFound("there is no such profile")
        profile = PROFILES[operation.profile]
        return _summary(operation.profile, self.versions) | {
            "digest": profile.digest,
            "facts": list(facts(profile).items()),
            "text": TomlProfiles().write(replace(profile, version=profile.version + 1)),
            "may_change": not profile.ca,
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
                for one in self.versions.values()
                if one.profile == operation.profile
            ],
        }

    def _version(self: _Asked, operation: Any) -> ProfileVersion:
        if operation.version not in self.versions:
            raise NotFound("there is no such version of a profile")
        return self.versions[operation.version]

    def _ShowProfileVersion(self: _Asked, operation: ops.ShowProfileVersion) -> dict[str, Any]:
        who, version = self._who(operation), self._version(operation)
        return {
            "case": version.fields(),
            "digest": _b64(version.digest()),
            "state": version.state.value,
            "decided_by": version.decided_by,
            "facts": list(facts(TomlProfiles().parse(version.profile, version.text)).items()),
            "replaced": list(facts(PROFILES[version.profile]).items()),
            "challenge": _b64(_decision(version, who).challenge()),
            "may_approve": "ca-administrator" in who["roles"] and who["person"] != version.maker_person,
        }

    def _ProposeProfile(self: _Asked, operation: ops.ProposeProfile) -> dict[str, Any]:
        who = self._who(operation)
        proposed = TomlProfiles().parse(operation.profile, operation.text)
        version = replace(
            VERSION,
            id="version-2",
            profile=operation.profile,
            number=proposed.version,
            text=operation.text,
            reason=operation.reason,
            effective_from=parse_instant(operation.effective_from),
            maker_person=who["person"],
        )
        self.versions[version.id] = version
        return {"version": version.id}

    def _ApproveProfile(self: _Asked, operation: ops.ApproveProfile) -> dict[str, Any]:
        who, version = self._who(operation), self._version(operation)
        if who["person"] == version.maker_person:
            raise NotAllowed("who proposed a version may not approve it; another CA administrator must")
        if operation.digest != version.digest():
            raise InvalidTransition("the version was changed since it was shown; read it again")
        if self._check(operation.assertion, _decision(version, who).challenge()) != who["id"]:
            raise NotAuthenticated("this passkey is not yours")
        self.versions[version.id] = version.become(ProposalState.APPROVED, who["person"])
        return {"version": version.id, "state": "approved"}

    def _RejectProfile(self: _Asked, operation: ops.RejectProfile) -> dict[str, Any]:
        who, version = self._who(operation), self._version(operation)
        self.versions[version.id] = version.become(ProposalState.REJECTED, who["person"])
        return {"version": version.id, "state": "rejected"}

    def _ShowTool(self: _Asked, operation: ops.ShowTool) -> dict[str, Any]:
        self._who(operation)
        withdrawn = any(one.state is ToolState.WITHDRAWN for one in self.releases.values())
        offered = {
            "number": 41,
            "version": "1.4.0",
            "made_at": "2026-11-22T07:00:00Z",
            "expires_at": "2026-11-29T07:00:00Z",
            "files": OFFERED,
        }
        waiting = [one.id for one in self.releases.values() if one.state is ToolState.PROPOSED]
        return {
            "offered": None if withdrawn else offered,
            "installed": {"version": "1.5.0", "program": CASE.program, "files": [list(one) for one in CASE.files]},
            "withdrawn": withdrawn,
            "waits": True,
            "waiting": waiting[0] if waiting else "",
            "cases": [
                {
                    "id": one.id,
                    "version": one.tool_version,
                    "state": one.state.value,
                    "proposed_at": timestamp(one.proposed_at),
                    "maker_person": one.maker_person,
                    "decided_by": one.decided_by,
                    "reason": one.reason,
                }
                for one in self.releases.values()
            ],
        }

    def _release(self: _Asked, operation: Any) -> ToolCase:
        if operation.case not in self.releases:
            raise NotFound("there is no such release")
        return self.releases[operation.case]

    def _ShowToolCase(self: _Asked, operation: ops.ShowToolCase) -> dict[str, Any]:
        who, case = self._who(operation), self._release(operation)
        decision = Decision(Act.RELEASE_TOOL, case.id, case.digest(), who["id"], who["person"])
        return {
            "case": case.fields(),
            "digest": _b64(case.digest()),
            "state": case.state.value,
            "decided_by": case.decided_by,
            "offered": [one[:3] for one in OFFERED],
            "challenge": _b64(decision.challenge()),
            "may_approve": "ca-administrator" in who["roles"] and who["person"] != case.maker_person,
        }

    def _ProposeTool(self: _Asked, operation: ops.ProposeTool) -> dict[str, Any]:
        who = self._who(operation)
        self.releases["case-2"] = replace(CASE, id="case-2", maker_person=who["person"], reason=operation.reason)
        return {"case": "case-2", "state": "proposed"}

    def _ApproveTool(self: _Asked, operation: ops.ApproveTool) -> dict[str, Any]:
        who, case = self._who(operation), self._release(operation)
        if who["person"] == case.maker_person:
            raise NotAllowed("who proposed a release may not approve it; another CA administrator must")
        decision = Decision(Act.RELEASE_TOOL, case.id, case.digest(), who["id"], who["person"])
        if self._check(operation.assertion, decision.challenge()) != who["id"]:
            raise NotAuthenticated("this passkey is not yours")
        self.releases[case.id] = case.become(ToolState.APPROVED, who["person"], NOW)
        return {"case": case.id, "state": "approved"}

    def _RejectTool(self: _Asked, operation: ops.RejectTool) -> dict[str, Any]:
        who, case = self._who(operation), self._release(operation)
        self.releases[case.id] = case.become(ToolState.REJECTED, who["person"], NOW)
        return {"case": case.id, "state": "rejected"}

    def _WithdrawTool(self: _Asked, operation: ops.WithdrawTool) -> dict[str, Any]:
        who = self._who(operation)
        self.releases["case-3"] = replace(CASE, id="case-3", maker_person=who["person"], state=ToolState.WITHDRAWN)
        return {"case": "case-3", "state": "withdrawn"}
