"""A backup is signed by the signer, so that nobody else's is ever restored for ours."""

from dataclasses import dataclass

from ca.domain.audit import AuditEvent, Head
from ca.domain.backups import backup_message
from ca.domain.errors import SigningRefused
from ca.keeping import Journal
from ca.ports import Clock, KeyStore, UnitOfWork
from ca.usecases.audit import AUDIT_KEY


@dataclass(frozen=True)
class SignBackup:
    """Sign a manifest's digest together with the event to which the backup's journal goes."""

    unit_of_work: UnitOfWork
    clock: Clock
    key_store: KeyStore
    journal: Journal

    def __call__(self, digest: bytes, journal: Head) -> bytes:
        """The audit key's signature; that a backup was made is recorded first.

        Raises SigningRefused when the journal in the backup is not ours, KeyStoreUnavailable, NotReady.
        """
        if not journal.number or self.journal.head_at(journal.number) != journal:
            raise SigningRefused("the journal in this backup is another than the signer's; nothing was signed")
        with self.unit_of_work() as work:
            details = {"number": str(journal.number)}
            work.audit.append(AuditEvent("backup.made", digest.hex(), "operator", self.clock.now(), details))
            work.commit()
        return self.key_store.sign(AUDIT_KEY, backup_message(digest, journal))
