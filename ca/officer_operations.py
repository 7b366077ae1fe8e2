"""What the signer can be asked about officers' roles and their own access. Rules: `ca/operations.py`."""

from typing import Annotated

from pydantic import Field

from ca.operations import B64, AssertionMessage, Identifier, OfficerOperation, Operation, Text, Token

Registration = Annotated[str, Field(max_length=20_000)]

# Roles, branches and reinstatements


class ProposeOfficerChange(OfficerOperation):
    """A security officer proposes other roles or another branch. -> {change}"""

    path = "officer-changes/propose"
    officer: Identifier
    branch: Identifier
    roles: Annotated[list[Identifier], Field(max_length=10)]
    reason: Text


class ProposeReinstatement(OfficerOperation):
    """A security officer proposes that a suspension ends. -> {change}"""

    path = "officer-changes/propose-reinstatement"
    officer: Identifier
    reason: Text


class ShowOfficerChange(OfficerOperation):
    """-> {fields, digest, state, reinstates, void, decided_by, decision_reason, challenge, may_approve}"""

    path = "officer-changes/show"
    change: Identifier


class ApproveOfficerChange(OfficerOperation):
    """A second security officer approves. `digest` is that of the change as shown. -> {officer}"""

    path = "officer-changes/approve"
    change: Identifier
    digest: B64
    assertion: AssertionMessage


class RejectOfficerChange(OfficerOperation):
    """-> {state}"""

    path = "officer-changes/reject"
    change: Identifier
    reason: Text


# One's own access


class ShowAccess(OfficerOperation):
    """-> {passkeys: [{id, label, used_at}], sessions: [{id, began_at, seen_at, source, certificate, this}],
    recovery: null | {left, made_at, used_at}, stepped_up_until}; times are null where there is none"""

    path = "access/show"


class StepUpChallenge(OfficerOperation):
    """-> {challenge}"""

    path = "access/step-up/challenge"


class StepUp(OfficerOperation):
    """-> {token}: of the session that takes the place of this one."""

    path = "access/step-up"
    challenge: B64
    assertion: AssertionMessage
    source: Identifier = ""


class NewPasskey(OfficerOperation):
    """After a step-up. -> {challenge, person, name, known}: what a browser needs; `known` are credential ids."""

    path = "access/passkeys/challenge"


class AddPasskey(OfficerOperation):
    """After a step-up. `registration` is the JSON of the browser's PublicKeyCredential. -> {}"""

    path = "access/passkeys/add"
    challenge: B64
    registration: Registration
    label: Text


class RemovePasskey(OfficerOperation):
    """After a step-up. -> {}"""

    path = "access/passkeys/remove"
    passkey: B64


class MakeRecoveryCodes(OfficerOperation):
    """After a step-up. -> {codes}: shown once; the ones before are void."""

    path = "access/recovery-codes"


class OpenRecovery(Operation):
    """-> {challenge, person, name}: what a browser needs to make a new passkey. A wrong code counts."""

    path = "recovery/open"
    person: Identifier
    code: Token


class Recover(Operation):
    """Registers a new passkey and uses the code up; is no sign-in. -> {}"""

    path = "recovery/recover"
    person: Identifier
    code: Token
    challenge: B64
    registration: Registration
    label: Text


# Sessions


class EndOwnSession(OfficerOperation):
    """-> {}"""

    path = "access/sessions/end"
    live: Identifier


class EndOwnOtherSessions(OfficerOperation):
    """-> {ended}"""

    path = "access/sessions/end-others"


class EndSessionsOf(OfficerOperation):
    """By a security officer. -> {ended}"""

    path = "officers/end-sessions"
    officer: Identifier


class EndAllSessions(OfficerOperation):
    """By a security officer: every officer's, their own too. -> {ended}"""

    path = "sessions/end-all"
