"""What the signer can be asked of applications, alone and in batches. Rules: `ca/operations.py`."""

from typing import Annotated

from pydantic import Field

from ca.operations import B64, AssertionMessage, Identifier, Message, OfficerOperation, Text


class SubmitApplication(OfficerOperation):
    """-> {application: id}"""

    path = "applications/submit"
    customer: Identifier
    profile: Identifier
    device_serial: Identifier = ""
    host_names: Annotated[tuple[Text, ...], Field(max_length=20)] = ()


class PreviewApplication(SubmitApplication):
    """-> {case, digest, outlook}: what would be entered; nothing is."""

    path = "applications/preview"
    application: Identifier = ""
    """The returned case that it would correct."""


class ShowCase(OfficerOperation):
    """-> {case, digest, state, reason, challenge, profile_current, may_approve, outlook}: what the approver sees and
    signs. outlook: {contents, warnings, previous, former, corrected}, as `ca/case_handlers.py` has it."""

    path = "applications/show"
    application: Identifier


class ApproveApplication(OfficerOperation):
    """-> {state}. `digest` is that of the case as shown: another one means it was changed since (409)."""

    path = "applications/approve"
    application: Identifier
    digest: B64
    assertion: AssertionMessage


class ReturnApplication(OfficerOperation):
    """An approver gives it back for correction. -> {state}"""

    path = "applications/return"
    application: Identifier
    reason: Text


class CorrectApplication(OfficerOperation):
    """The maker enters the next version of a returned case. -> {state}"""

    path = "applications/correct"
    application: Identifier
    profile: Identifier
    device_serial: Identifier = ""
    host_names: Annotated[tuple[Text, ...], Field(max_length=20)] = ()


class RejectApplication(OfficerOperation):
    """-> {state}"""

    path = "applications/reject"
    application: Identifier
    reason: Text


class WithdrawApplication(OfficerOperation):
    """The maker takes it back. -> {state}"""

    path = "applications/withdraw"
    application: Identifier
    reason: Text


class BatchLineMessage(Message):
    """A person of a company, as the maker's list has them."""

    number: Identifier
    name: Text
    document_number: Identifier
    email: Text = ""
    phone: Identifier = ""
    device_serial: Identifier = ""


class SubmitBatch(OfficerOperation):
    """-> {batch: id or null, problems: [{line, sentence}]}: all or nothing. company: its customer number.

    Without `apply` the lines are only checked, by the same steps.
    """

    path = "batches/submit"
    company: Identifier
    profile: Identifier
    lines: Annotated[list[BatchLineMessage], Field(min_length=1, max_length=200)]
    apply: bool


class ShowBatch(OfficerOperation):
    """-> {batch, digest, challenge, may_approve, cases: [{case, state, outlook}]}"""

    path = "batches/show"
    batch: Identifier


class ApproveBatch(OfficerOperation):
    """One signature for the cases that still wait. -> {approved: [application]}. `digest` is that of the batch."""

    path = "batches/approve"
    batch: Identifier
    digest: B64
    assertion: AssertionMessage
