"""What CA administrators can ask the signer for the CA itself. Rules: `ca/operations.py`."""

from typing import Annotated

from pydantic import Field

from ca.operations import B64, AssertionMessage, Identifier, OfficerOperation, Text

ProfileText = Annotated[str, Field(max_length=20_000, pattern=r"^[^\x00]*$")]
"""A profile as the configuration writes it (TOML)."""


class RunJobNow(OfficerOperation):
    """-> {ok, result}: one job, due or not."""

    path = "jobs/run-now"
    name: Identifier


class ShowSettings(OfficerOperation):
    """-> {settings: [[name, value, source]]}; source: file, default, environment or program."""

    path = "settings/show"


# Profiles, for those who may look: CA administrators, security officers, auditors.


class ListProfiles(OfficerOperation):
    """-> {profiles: [{name, title, number, since, internal, next, waiting}]}; `next` is approved, `waiting` is not."""

    path = "profiles/list"


class ShowProfile(OfficerOperation):
    """-> the same of one, with {digest, facts, text, may_change, versions}; `text`: what a proposal begins with."""

    path = "profiles/show"
    profile: Identifier


class ShowProfileVersion(OfficerOperation):
    """-> {case, digest, state, decided_by, facts, replaced, challenge, may_approve}"""

    path = "profiles/show-version"
    version: Identifier


class ProposeProfile(OfficerOperation):
    """-> {version: id}. `effective_from` as RFC 3339 text."""

    path = "profiles/propose"
    profile: Identifier
    text: ProfileText
    effective_from: Identifier
    reason: Text


class ApproveProfile(OfficerOperation):
    """-> {version, state}. `digest` is that of the version as shown."""

    path = "profiles/approve"
    version: Identifier
    digest: B64
    assertion: AssertionMessage


class RejectProfile(OfficerOperation):
    """-> {version, state}"""

    path = "profiles/reject"
    version: Identifier
    reason: Text


# The customer's tool, for the same readers.


class ShowTool(OfficerOperation):
    """-> {offered, installed, withdrawn, waits, waiting, cases}

    offered: null, or {number, version, made_at, expires_at, files: [[name, sha256, length, intact]]}, its signature
    verified; installed: {version, program, files}.
    """

    path = "tool/show"


class ShowToolCase(OfficerOperation):
    """-> {case, digest, state, decided_by, offered: [[name, sha256, length]], challenge, may_approve}"""

    path = "tool/show-case"
    case: Identifier


class ProposeTool(OfficerOperation):
    """-> {case, state}: to release what is installed."""

    path = "tool/propose"
    reason: Text


class ApproveTool(OfficerOperation):
    """-> {case, state}. `digest` is that of the case as shown."""

    path = "tool/approve"
    case: Identifier
    digest: B64
    assertion: AssertionMessage


class RejectTool(OfficerOperation):
    """-> {case, state}"""

    path = "tool/reject"
    case: Identifier
    reason: Text


class WithdrawTool(OfficerOperation):
    """-> {case, state}: nothing is offered any more."""

    path = "tool/withdraw"
    reason: Text
