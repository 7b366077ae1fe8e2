"""Which use case answers which operation for audits, disputes and backups. No rule lives here."""

from dataclasses import dataclass
from typing import Any

from ca import dossier_operations as ops
from ca.backup_operations import SignBackup
from ca.domain.audit import Head
from ca.domain.serials import parse_serial
from ca.operations import Operation, encode_base64
from ca.signer import Handler
from ca.usecases.compose_dossier import ComposeDossier
from ca.usecases.sign_backup import SignBackup as SignBackupManifest
from ca.usecases.verify_log import VerifyPiece


@dataclass(frozen=True)
class Auditing:
    """The use cases for audits and disputes, and for backups: what the audit key signs for somebody."""

    verify: VerifyPiece
    compose: ComposeDossier
    sign_backup: SignBackupManifest

    def table(self) -> dict[type[Operation], Handler]:
        """Every operation with what answers it."""
        return {ops.VerifyLog: self._verify, ops.ShowDossier: self._dossier, SignBackup: self._sign_backup}

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

    def _sign_backup(self, op: SignBackup) -> dict[str, Any]:
        return {"signature": encode_base64(self.sign_backup(op.digest, Head(op.number, op.hash)))}
