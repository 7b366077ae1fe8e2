"""What the signer can be asked about officers' roles and their own access. Rules: `ca/operations.py`."""

from typing import Annotated

from pydantic import Field

from ca.operations import B64, AssertionMessage, Identifier, OfficerOperation, Text

# Roles and branches


class ProposeOfficerChange(OfficerOperation):
    """A security officer proposes other roles or another branch. -> {change}"""

    path = "officer-changes/propose"
    officer: Identifier
    branch: Identifier
    roles: Annotated[list[Identifier], Field(max_length=10)]
    reason: Text


class ShowOfficerChange(OfficerOperation):
    """-> {fields, digest, state, void, decided_by, decision_reason, challenge, may_approve}"""

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
