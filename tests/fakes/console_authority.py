"""What the console's fake signer answers about the CA itself: jobs and versions of profiles."""

# ruff: noqa: N802 - methods are named after the operations they answer

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from ca import authority_operations as ops
from ca.domain.decisions import Act, Decision
from ca.domain.errors import InvalidTransition, NotAllowed, NotAuthenticated, NotFound
from ca.domain.profile_versions import ProfileVersion, VersionState, facts
from ca.domain.times import parse_instant, timestamp
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
    state=VersionState.PROPOSED,
)


class _Asked(Protocol):
    versions: dict[str, ProfileVersion]

    def _who(self, operation: Any) -> dict[str, Any]: ...
    def _check(self, message: AssertionMessage, challenge: bytes) -> str: ...
    def _version(self, operation: Any) -> ProfileVersion: ...


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _decision(version: ProfileVersion, who: Mapping[str, Any]) -> Decision:
    return Decision(Act.APPROVE_PROFILE, version.id, version.digest(), who["id"], who["person"])


def _summary(name: str, versions: Mapping[str, ProfileVersion]) -> dict[str, Any]:
    profile = PROFILES[name]
    waiting = [one.id for one in versions.values() if (one.profile, one.state) == (name, VersionState.PROPOSED)]
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
        self.versions[version.id] = version.become(VersionState.APPROVED, who["person"])
        return {"version": version.id, "state": "approved"}

    def _RejectProfile(self: _Asked, operation: ops.RejectProfile) -> dict[str, Any]:
        who, version = self._who(operation), self._version(operation)
        self.versions[version.id] = version.become(VersionState.REJECTED, who["person"])
        return {"version": version.id, "state": "rejected"}
