"""The console in front of the signer's real use cases: what an officer may do is the bank's word, not a fake's."""

from typing import Any

from ca import operations as ops
from ca.handlers import Handlers
from tests.fakes.bank import Bank


class BankSigner:
    """admin.signer.Signer over a bank in memory; operations travel as JSON, as over the socket."""

    def __init__(self, bank: Bank) -> None:
        self._table = Handlers(bank.use_cases).table()

    def call(self, operation: ops.Operation) -> dict[str, Any]:
        kind = type(operation)
        return self._table[kind](kind.model_validate(operation.payload()))
