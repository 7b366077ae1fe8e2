"""What the signer can be asked about the stock of U-Shields. Rules: `ca/operations.py`."""

from typing import Annotated, Literal

from pydantic import Field

from ca.domain.custody import MOST_AT_ONCE
from ca.operations import Identifier, Message, OfficerOperation, Text

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Serials = Annotated[list[Identifier], Field(max_length=MOST_AT_ONCE)]


class BatchRowMessage(Message):
    """A line of a list, by its number in the file (from 1)."""

    row: Annotated[int, Field(ge=1, le=1_000_000)]
    serial: Text


class ReceiveBatch(OfficerOperation):
    """-> {received, problems: [{row, serial, problem}]}: all rows are in the stock, or none is."""

    path = "stock/receive"
    model: Text
    into: Literal["vault", "branch"]
    rows: Annotated[list[BatchRowMessage], Field(max_length=MOST_AT_ONCE)]


class TakeDevice(OfficerOperation):
    """-> {device}: out of the branch's stock, into the officer's keeping."""

    path = "stock/take"
    serial: Identifier


class PutDeviceBack(OfficerOperation):
    """-> {device}: into the branch's stock again."""

    path = "stock/put-back"
    serial: Identifier


class ReturnDevice(OfficerOperation):
    """-> {device}: from its customer; it waits for destruction."""

    path = "stock/return"
    serial: Identifier
    reason: Text


class SendDevices(OfficerOperation):
    """-> {consignment}: on their way to a branch's stock, until a supervisor there confirms them."""

    path = "stock/send"
    serials: Serials
    to_branch: Identifier
    reason: Text


class DestroyDevices(OfficerOperation):
    """-> {consignment}: set aside until a supervisor confirms that they were destroyed."""

    path = "stock/destroy"
    serials: Serials
    reason: Text


class ConfirmConsignment(OfficerOperation):
    """-> {consignment, state}: by another person than the sender."""

    path = "stock/confirm"
    consignment: Identifier


class RefuseConsignment(OfficerOperation):
    """-> {consignment, state}: everything goes back to where it came from."""

    path = "stock/refuse"
    consignment: Identifier
    reason: Text


class CountStock(OfficerOperation):
    """-> {balance}: what was counted this evening."""

    path = "stock/count"
    vault: Count
    branch: Count
    officer: Count
    returned: Count


class ConfirmBalance(OfficerOperation):
    """-> {balance, state}: by another person than the one who counted."""

    path = "stock/confirm-balance"
    balance: Identifier


class SettleAlarm(OfficerOperation):
    """-> {alarm}"""

    path = "stock/settle"
    alarm: Identifier
    finding: Text
