"""What CA administrators ask the signer about the policy, and what its pages go by. Rules: `ca/operations.py`."""

from typing import Annotated

from pydantic import Field

from ca.operations import B64, AssertionMessage, Identifier, OfficerOperation, Operation, Text

Numbers = Annotated[dict[Identifier, Annotated[str, Field(max_length=20)]], Field(max_length=100)]


class PolicyInForce(Operation):
    """-> {numbers: {name: value}}: as `ca/domain/policy.py` writes them; the strictest while the record is broken."""

    path = "policy/in-force"


class ShowPolicy(OfficerOperation):
    """-> {number, numbers, newest, number_of_next, waiting, versions}

    numbers: [{name, value, since, decided_by, version, least, most, coming}], `since` empty for the configuration's,
    `coming` null or {value, since, version}; newest: {name: value} of the last version decided on.
    """

    path = "policy/show"


class ShowPolicyVersion(OfficerOperation):
    """-> {case, digest, state, decided_by, numbers, replaced, changed, challenge, may_approve}"""

    path = "policy/show-version"
    version: Identifier


class ProposePolicy(OfficerOperation):
    """-> {version: id}. Every number, by its name; `effective_from` as RFC 3339 text."""

    path = "policy/propose"
    numbers: Numbers
    effective_from: Identifier
    reason: Text


class ApprovePolicy(OfficerOperation):
    """-> {version, state}. `digest` is that of the version as shown."""

    path = "policy/approve"
    version: Identifier
    digest: B64
    assertion: AssertionMessage


class RejectPolicy(OfficerOperation):
    """-> {version, state}"""

    path = "policy/reject"
    version: Identifier
    reason: Text
