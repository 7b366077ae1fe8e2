"""What the signer can be asked about certificates that officers sign in with. Rules: `ca/operations.py`."""

from ca.operations import B64, AssertionMessage, Identifier, OfficerOperation, Operation, Text, Token


class CertificateChallenge(Operation):
    """-> {challenge}: for the target of the request that signs in (ca/domain/vouchers.py). 403: the door is closed."""

    path = "sign-in/certificate/challenge"


class SignInByCertificate(Operation):
    """`voucher` is the edge's signature over the request's target and `certificate`. -> {token, officer}"""

    path = "sign-in/certificate"
    challenge: B64
    certificate: B64
    voucher: B64
    source: Identifier = ""


class ProposeBinding(OfficerOperation):
    """A security officer proposes to bind a certificate to an officer. -> {binding}"""

    path = "bindings/propose"
    officer: Identifier
    serial: Token
    reason: Text


class ShowBinding(OfficerOperation):
    """-> {fields, digest, state, flaw, decided_by, decision_reason, challenge, may_approve, yours}"""

    path = "bindings/show"
    binding: Identifier


class ApproveBinding(OfficerOperation):
    """A second security officer approves. `digest` is that of the binding as shown. -> {officer}: an id."""

    path = "bindings/approve"
    binding: Identifier
    digest: B64
    assertion: AssertionMessage


class RejectBinding(OfficerOperation):
    """-> {state}"""

    path = "bindings/reject"
    binding: Identifier
    reason: Text


class EndBinding(OfficerOperation):
    """By a security officer, or the officer whom it lets in. -> {state}"""

    path = "bindings/end"
    binding: Identifier
    reason: Text
