"""The signer offers the customer's tool: it packs the sources beside it and signs what it packed, and nothing else.

Nobody hands it anything to sign, so a web tier that was taken over cannot have another tool signed (docs/adr/0027).
What it packed for the first time is what the bank installed; another program waits until two officers have released it
(docs/adr/0037), and until then what was released before stays offered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ca.domain.audit import AuditEvent, ChainedEvent
from ca.domain.errors import InvalidRequest, NotReady, Tampered
from ca.domain.jws import verified
from ca.domain.tool_cases import Program, ToolCase, ToolState
from ca.domain.tool_releases import KIND, Packed, ToolRelease
from ca.ports import Clock, KeyId, KeyStore, Seals, UnitOfWork, Work
from ca.publishing import ToolOffer
from ca.usecases.sealed import unsealed
from ca.usecases.tool_jobs import state

TOOL_RELEASE_KEY = KeyId(b"tool-release-1")
SUBJECT = "ushield"
TOOL_SEAL = "tool-case"
APPROVED_EVENT, WITHDRAWN_EVENT = "tool.approved", "tool.withdrawn"
_EVENT = "tool.released"
_NO_FILES = {"number", "version", "program"}


def sealed_case(seals: Seals, found: tuple[ToolCase, bytes]) -> ToolCase:
    """The case, if the signer wrote it. Raises Tampered."""
    return unsealed(seals, TOOL_SEAL, found)


@dataclass(frozen=True)
class PublishTool:
    """A job: something is done when the sources changed, the release grows old, or somebody changed what is offered."""

    unit_of_work: UnitOfWork
    clock: Clock
    key_store: KeyStore
    seals: Seals
    offer: ToolOffer
    pack: Callable[[], Sequence[Packed]]
    program: Program

    def __call__(self) -> ToolRelease | None:
        """The new release, None when the present one is right or nothing may be offered.

        Raises NotReady, KeyStoreUnavailable, SigningRefused, Tampered.
        """
        with self.unit_of_work.look() as work:
            decided, last = self.decided(work), self._last(work)
        if decided is not None and decided.state is ToolState.WITHDRAWN:
            self.offer.withdraw()
            return None
        if last is None or self._allowed(decided, last) == self.program.digest:
            return self._offer(self.pack(), self.program, last)
        details = last.event.details
        return self._offer(self._kept(last), Program(details["version"], details.get("program", "")), last)

    def is_waiting(self, work: Work) -> bool:
        """Whether what is installed was not released by two officers and is not offered therefore."""
        decided, last = self.decided(work), self._last(work)
        if decided is not None and decided.state is ToolState.WITHDRAWN:
            return True
        return last is not None and self._allowed(decided, last) != self.program.digest

    def waits(self) -> bool:
        """The same, asked by itself."""
        with self.unit_of_work.look() as work:
            return self.is_waiting(work)

    def decided(self, work: Work) -> ToolCase | None:
        """The last release or withdrawal. Raises Tampered when the log knows of another one than the table."""
        now = self.clock.now()
        told = [work.audit.find_last(name, SUBJECT, now) for name in (APPROVED_EVENT, WITHDRAWN_EVENT)]
        latest = max((one for one in told if one is not None), key=lambda one: one.number, default=None)
        if latest is None:
            return None
        found = work.tool_cases.find(latest.event.details["case"])
        if found is None:
            raise Tampered("the last decision on the tool is not in the database any more: somebody took it away")
        case = sealed_case(self.seals, found)
        wanted = ToolState.APPROVED if latest.event.name == APPROVED_EVENT else ToolState.WITHDRAWN
        if case.state is not wanted:
            raise Tampered("the last decision on the tool is not as the log has it: somebody changed it")
        return case

    def find_offered(self) -> ToolRelease | None:
        """What is offered now, if we signed it."""
        manifest = self.offer.find_manifest()
        if manifest is None:
            return None
        try:
            return ToolRelease.parse(verified(KIND, manifest, self.key_store.public_key(TOOL_RELEASE_KEY)))
        except InvalidRequest:
            return None

    def _last(self, work: Work) -> ChainedEvent | None:
        # The log remembers the last number, whatever became of the files.
        return work.audit.find_last(_EVENT, SUBJECT, self.clock.now())

    def _allowed(self, decided: ToolCase | None, last: ChainedEvent) -> str:
        # A log from before releases were decided on names no program: what is installed then is what was.
        return decided.program if decided else last.event.details.get("program", self.program.digest)

    def _kept(self, last: ChainedEvent) -> Sequence[Packed]:
        """The files that were released last, from where they are offered. Raises NotReady when they are not there."""
        found = []
        for name, sha256 in sorted(last.event.details.items()):
            if name in _NO_FILES:
                continue
            packed = Packed(name, self.offer.read(name) or b"")
            if packed.sha256 != sha256:
                raise NotReady(
                    f"{name} is not what was released any more, and the tool that is installed was not released: "
                    "two CA administrators release it in the console, or the file is put back"
                )
            found.append(packed)
        return found

    def _offer(self, packed: Sequence[Packed], program: Program, last: ChainedEvent | None) -> ToolRelease | None:
        now = self.clock.now()
        # A release from before names no program: it is told once more, so that the next program is another one.
        is_told = last is not None and "program" in last.event.details
        if is_told and self._is_offered(packed, program.version):
            return None
        with self.unit_of_work() as work:
            last = self._last(work)
            number = int(last.event.details["number"]) + 1 if last else 1
            release = ToolRelease.of(packed, number=number, version=program.version, now=now)
            details = {"number": str(number), "version": program.version, "program": program.digest}
            details |= {one.name: one.sha256 for one in packed}
            work.audit.append(AuditEvent(_EVENT, SUBJECT, "signer", now, details))
            work.commit()
        self.offer.put(packed, state(self.key_store, TOOL_RELEASE_KEY, KIND, release.claims()))
        return release

    def _is_offered(self, packed: Sequence[Packed], version: str) -> bool:
        release = self.find_offered()
        current = release is not None and release.is_current(packed, version, self.clock.now())
        return current and self.offer.holds(packed)
