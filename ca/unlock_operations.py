"""What the signer can be asked to prepare a U-Shield for unlocking, and to unlock it. Rules: `ca/operations.py`."""

from ca.operations import B64, AssertionMessage, Identifier, OfficerOperation, Operation, Text, Token


class PrepareDevice(OfficerOperation):
    """-> {answer}: a JWS for the supervisor's tool (docs/protocols/unlock.md). `public_key`: X25519, 32 octets."""

    path = "devices/prepare"
    serial: Identifier
    token_serial: Identifier
    public_key: B64


class OpenUnlock(OfficerOperation):
    """-> {reference, half, expires_at}: the maker's half of the unlock code, shown once."""

    path = "unlocks/open"
    device_serial: Identifier
    reason: Text


class ShowUnlock(OfficerOperation):
    """-> {case, digest, state, challenge, may_approve}: what a supervisor approves, and what their passkey signs."""

    path = "unlocks/show"
    reference: Identifier


class ApproveUnlock(OfficerOperation):
    """-> {reference, half, expires_at}: the supervisor's half. `digest` is that of the case as shown."""

    path = "unlocks/approve"
    reference: Identifier
    digest: B64
    assertion: AssertionMessage


class RejectUnlock(OfficerOperation):
    """-> {state}"""

    path = "unlocks/reject"
    reference: Identifier
    reason: Text


class AnswerUnlock(Operation):
    """-> {answer}: a JWS for the customer's tool. A wrong code counts."""

    path = "unlocks/answer"
    reference: Identifier
    code: Token
    token_serial: Identifier
    public_key: B64


class CompleteUnlock(Operation):
    """-> {serial, status}: by a signature of the certificate's key over the answer's nonce."""

    path = "unlocks/complete"
    reference: Identifier
    nonce: B64
    certificate: B64
    signature: B64
