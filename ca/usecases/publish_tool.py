"""The signer offers the customer's tool: it packs the sources beside it and signs what it packed, and nothing else.

Nobody hands it anything to sign, so a web tier that was taken over cannot have another tool signed (docs/adr/0027).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ca.domain.audit import AuditEvent
from ca.domain.errors import InvalidRequest
from ca.domain.jws import verified
from ca.domain.tool_releases import KIND, Packed, ToolRelease
from ca.ports import Clock, KeyId, KeyStore, UnitOfWork
from ca.publishing import ToolOffer
from ca.usecases.tool_jobs import state

TOOL_RELEASE_KEY = KeyId(b"tool-release-1")
_EVENT, _SUBJECT = "tool.released", "ushield"


@dataclass(frozen=True)
class PublishTool:
    """A job: something is done when the sources changed, the release grows old, or somebody changed what is offered."""

    unit_of_work: UnitOfWork
    clock: Clock
    key_store: KeyStore
    offer: ToolOffer
    pack: Callable[[], Sequence[Packed]]
    version: str

    def __call__(self) -> ToolRelease | None:
        """The new release, None when the present one is right. Raises NotReady, KeyStoreUnavailable, SigningRefused."""
        packed, now = self.pack(), self.clock.now()
        if self._is_offered(packed):
            return None
        with self.unit_of_work() as work:
            # The log remembers the last number, whatever became of the files.
            last = work.audit.find_last(_EVENT, _SUBJECT, now)
            number = int(last.event.details["number"]) + 1 if last else 1
            release = ToolRelease.of(packed, number=number, version=self.version, now=now)
            details = {"number": str(number), "version": self.version}
            details |= {one.name: one.sha256 for one in packed}
            work.audit.append(AuditEvent(_EVENT, _SUBJECT, "signer", now, details))
            work.commit()
        self.offer.put(packed, state(self.key_store, TOOL_RELEASE_KEY, KIND, release.claims()))
        return release

    def _is_offered(self, packed: Sequence[Packed]) -> bool:
        manifest = self.offer.find_manifest()
        if manifest is None or not self.offer.holds(packed):
            return False
        try:
            claims = verified(KIND, manifest, self.key_store.public_key(TOOL_RELEASE_KEY))
            return ToolRelease.parse(claims).is_current(packed, self.version, self.clock.now())
        except InvalidRequest:
            return False
