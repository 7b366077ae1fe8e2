"""What officers can ask of one certificate besides hold, release and revoke. Rules: `ca/operations.py`."""

from ca.operations import Identifier, OfficerOperation


class UndoHold(OfficerOperation):
    """Whoever held it takes that back, soon after it. -> {serial, status}"""

    path = "certificates/undo-hold"
    serial: Identifier
