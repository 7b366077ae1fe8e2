"""Which use case answers which operation of auditors. No rule lives here."""

import base64
from dataclasses import dataclass
from typing import Any

from ca import dossier_operations as ops
from ca.domain.audit import Head
from ca.operations import Operation
from ca.signer import Handler
from ca.usecases.verify_log import VerifyPiece


@dataclass(frozen=True)
class Auditing:
    """The use cases of auditors."""

    verify: VerifyPiece

    def table(self) -> dict[type[Operation], Handler]:
        """Every operation with what answers it."""
        return {ops.VerifyLog: self._verify}

    def _verify(self, op: ops.VerifyLog) -> dict[str, Any]:
        piece = self.verify(op.session, Head(op.number, op.hash) if op.number else Head())
        return {
            "number": piece.head.number,
            "hash": base64.b64encode(piece.head.hash).decode("ascii"),
            "ends_at": piece.ends_at,
            "checkpoints": piece.checkpoints,
        }
