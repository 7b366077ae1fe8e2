"""Which use case answers which operation for audits and disputes. No rule lives here."""

from dataclasses import dataclass
from typing import Any

from ca import dossier_operations as ops
from ca.domain.audit import Head
from ca.domain.serials import parse_serial
from ca.operations import Operation, encode_base64
from ca.signer import Handler
from ca.usecases.compose_dossier import ComposeDossier
from ca.usecases.verify_log import VerifyPiece


@dataclass(frozen=True)
class Auditing:
    """The use cases for audits and disputes."""

    verify: VerifyPiece
    compose: ComposeDossier

    def table(self) -> dict[type[Operation], Handler]:
        """Every operation with what answers it."""
        return {ops.VerifyLog: self._verify, ops.ShowDossier: self._dossier}

    def _verify(self, op: ops.VerifyLog) -> dict[str, Any]:
        piece = self.verify(op.session, Head(op.number, op.hash) if op.number else Head())
        return {
            "number": piece.head.number,
            "hash": encode_base64(piece.head.hash),
            "ends_at": piece.ends_at,
            "checkpoints": piece.checkpoints,
        }

    def _dossier(self, op: ops.ShowDossier) -> dict[str, Any]:
        files = self.compose(op.session, parse_serial(op.serial))
        return {"files": {name: encode_base64(content) for name, content in files.items()}}
