"""What officers can ask of one certificate besides hold, release and revoke. Rules: `ca/operations.py`."""

from ca.operations import Identifier, OfficerOperation


class ExamineCertificate(OfficerOperation):
    """-> {findings: [text], approvals: [{act, officer, person, at, digest: hex, passkey: hex, wrong}], request_wrong}.

    Judged now. `wrong` is empty when the passkey's signature holds, `request_wrong` when the kept request does.
    """

    path = "certificates/examine"
    serial: Identifier


class UndoHold(OfficerOperation):
    """Whoever held it takes that back, soon after it. -> {serial, status}"""

    path = "certificates/undo-hold"
    serial: Identifier
