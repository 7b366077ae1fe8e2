"""Which use case answers which operation on the CA itself. No rule lives here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ca import authority_operations as ops
from ca.domain.profile_versions import ProfileVersion, facts
from ca.domain.profiles import Profile
from ca.domain.times import parse_instant, timestamp
from ca.domain.tool_cases import ToolCase
from ca.domain.tool_releases import ToolRelease
from ca.operations import Operation, encode_base64
from ca.signer import Handler
from ca.usecases.decide_on_versions import DecideOnVersions, SubjectView
from ca.usecases.jobs import RunJobNow
from ca.usecases.show_settings import ShowSettings
from ca.usecases.tool_desk import DecideOnTool
from ca.version_answers import case_of, line_of, since_of, state_of

QUESTIONS: tuple[type[Operation], ...] = (
    ops.ListProfiles,
    ops.ShowProfile,
    ops.ShowProfileVersion,
    ops.ShowSettings,
    ops.ShowTool,
    ops.ShowToolCase,
)
"""Asked by pages that only show."""


@dataclass(frozen=True)
class Authority:
    """The use cases of CA administrators."""

    run_now: RunJobNow
    profiles: DecideOnVersions[ProfileVersion, Profile]
    settings: ShowSettings
    tool: DecideOnTool

    @property
    def refresh(self) -> Callable[[], None]:
        """Before each operation: what another signer decided holds here, too."""
        return self.profiles.in_force.refresh

    def table(self) -> dict[type[Operation], Handler]:
        """Every operation with what answers it."""
        return {
            ops.RunJobNow: self._run_now,
            ops.ShowSettings: lambda op: {
                "settings": [[one.name, one.value, one.source] for one in self.settings(op.session)]
            },
            ops.ListProfiles: lambda op: {"profiles": [_summary(one) for one in self.profiles.overview(op.session)]},
            ops.ShowProfile: self._show_profile,
            ops.ShowProfileVersion: self._show_version,
            ops.ProposeProfile: self._propose,
            ops.ApproveProfile: self._approve,
            **self._of_the_tool(),
            ops.RejectProfile: lambda op: state_of(self.profiles.reject(op.session, op.version, reason=op.reason)),
        }

    def _of_the_tool(self) -> dict[type[Operation], Handler]:
        tool = self.tool
        return {
            ops.ShowTool: self._show_tool,
            ops.ShowToolCase: self._show_tool_case,
            ops.ProposeTool: lambda op: _tool_state(tool.propose(op.session, reason=op.reason)),
            ops.ApproveTool: lambda op: _tool_state(
                tool.approve(op.session, op.case, case_digest=op.digest, assertion=op.assertion.to_assertion())
            ),
            ops.RejectTool: lambda op: _tool_state(tool.reject(op.session, op.case, reason=op.reason)),
            ops.WithdrawTool: lambda op: _tool_state(tool.withdraw(op.session, reason=op.reason)),
        }

    def _show_tool(self, op: ops.ShowTool) -> dict[str, Any]:
        view = self.tool.show(op.session)
        return {
            "offered": _offered(view.offered, view.intact) if view.offered else None,
            "installed": {"version": view.program.version, "program": view.program.digest, "files": view.installed},
            "withdrawn": view.withdrawn,
            "waits": view.waits,
            "waiting": view.waiting.id if view.waiting else "",
            "cases": [_tool_line(one) for one in view.cases],
        }

    def _show_tool_case(self, op: ops.ShowToolCase) -> dict[str, Any]:
        shown = self.tool.show_case(op.session, op.case)
        files = shown.offered.files if shown.offered else {}
        return {
            "case": shown.case.fields(),
            "digest": encode_base64(shown.case.digest()),
            "state": shown.case.state.value,
            "decided_by": shown.case.decided_by,
            "offered": [[name, of.sha256, of.length] for name, of in sorted(files.items())],
            "challenge": encode_base64(shown.challenge),
            "may_approve": shown.may_approve,
        }

    def _run_now(self, op: ops.RunJobNow) -> dict[str, Any]:
        run = self.run_now(op.session, op.name)
        return {"ok": run.ok, "result": run.result}

    def _show_profile(self, op: ops.ShowProfile) -> dict[str, Any]:
        view = self.profiles.show(op.session, op.profile)
        return _summary(view) | {
            "digest": view.in_force.content.digest,
            "facts": list(facts(view.in_force.content).items()),
            "text": self._next_text(view.newest.content),
            "may_change": not view.in_force.content.ca,
            "versions": [line_of(one) for one in reversed(view.versions)],
        }

    def _next_text(self, newest: Profile) -> str:
        """What a proposal begins with: the last one's text, and the next number."""
        return self.profiles.in_force.texts.write(replace(newest, version=newest.version + 1))

    def _show_version(self, op: ops.ShowProfileVersion) -> dict[str, Any]:
        shown = self.profiles.show_version(op.session, op.version)
        return case_of(shown) | {
            "facts": list(facts(shown.content).items()),
            "replaced": list(facts(shown.replaced).items()),
        }

    def _propose(self, op: ops.ProposeProfile) -> dict[str, Any]:
        since = parse_instant(op.effective_from)
        given = {"name": op.profile, "text": op.text, "reason": op.reason}
        return {"version": self.profiles.propose(op.session, **given, effective_from=since).id}

    def _approve(self, op: ops.ApproveProfile) -> dict[str, Any]:
        assertion = op.assertion.to_assertion()
        return state_of(self.profiles.approve(op.session, op.version, case_digest=op.digest, assertion=assertion))


def _tool_state(case: ToolCase) -> dict[str, Any]:
    return {"case": case.id, "state": case.state.value}


def _offered(release: ToolRelease, intact: frozenset[str]) -> dict[str, Any]:
    return {
        "number": release.number,
        "version": release.version,
        "made_at": timestamp(release.made_at),
        "expires_at": timestamp(release.expires_at),
        "files": [[name, of.sha256, of.length, name in intact] for name, of in sorted(release.files.items())],
    }


def _tool_line(case: ToolCase) -> dict[str, Any]:
    return {
        "id": case.id,
        "version": case.tool_version,
        "state": case.state.value,
        "proposed_at": timestamp(case.proposed_at),
        "maker_person": case.maker_person,
        "decided_by": case.decided_by,
        "reason": case.reason,
    }


def _summary(view: SubjectView[ProfileVersion, Profile]) -> dict[str, Any]:
    present, coming = view.in_force, view.newest
    return {
        "name": view.name,
        "title": present.content.title,
        "number": present.content.version,
        "since": since_of(present.since),
        "internal": present.content.internal,
        "next": None if coming == present else {"number": coming.content.version, "since": since_of(coming.since)},
        "waiting": view.waiting.id if view.waiting else "",
    }
