"""What officers can ask of one certificate besides hold, release and revoke. Rules: `ca/operations.py`."""

from ca.operations import B64, AssertionMessage, Identifier, OfficerOperation, Text


class ExamineCertificate(OfficerOperation):
    """-> {findings: [text], approvals: [{act, officer, person, at, digest: hex, passkey: hex, wrong}], request_wrong,
    ended_by_two: {act, case, person, at, digest: hex, wrong} or null, where a second officer decided on its end}.

    Judged now. `wrong` is empty when the passkey's signature holds, `request_wrong` when the kept request does.
    """

    path = "certificates/examine"
    serial: Identifier


class UndoHold(OfficerOperation):
    """Whoever held it takes that back, soon after it. -> {serial, status}"""

    path = "certificates/undo-hold"
    serial: Identifier


class ForeseeRevocation(OfficerOperation):
    """-> {by_two: bool}: whether a second officer would decide, unless the reason is keyCompromise."""

    path = "certificates/foresee-revocation"
    serial: Identifier


class ShowRevocation(OfficerOperation):
    """-> {fields, digest, state, status, late, changed, decided_by, decision_reason, challenge, may_approve}.

    What the second officer decides on, and what their passkey signs; `status`: the certificate's.
    """

    path = "revocations/show"
    case: Identifier


class ApproveRevocation(OfficerOperation):
    """-> {serial, status}: revoked. `digest` is that of the case as shown."""

    path = "revocations/approve"
    case: Identifier
    digest: B64
    assertion: AssertionMessage


class RejectRevocation(OfficerOperation):
    """-> {state}. The certificate stays on hold."""

    path = "revocations/reject"
    case: Identifier
    reason: Text
