"""Where the tool is offered, in memory."""

from collections.abc import Sequence

from ca.domain.tool_cases import Program
from ca.domain.tool_releases import Packed
from ca.ports import Clock, KeyStore, Seals, UnitOfWork
from ca.usecases.publish_tool import PublishTool


class FakeToolOffer:
    """publishing.ToolOffer."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.manifest: str | None = None

    def find_manifest(self) -> str | None:
        return self.manifest

    def holds(self, packed: Sequence[Packed]) -> bool:
        return all(self.files.get(one.name) == one.content for one in packed)

    def read(self, name: str) -> bytes | None:
        return self.files.get(name)

    def put(self, packed: Sequence[Packed], manifest: str) -> None:
        self.files |= {one.name: one.content for one in packed}
        self.manifest = manifest

    def withdraw(self) -> None:
        self.manifest = None


def publish_tool(unit_of_work: UnitOfWork, clock: Clock, key_store: KeyStore, seals: Seals) -> PublishTool:
    """Of two files, which offers them in memory."""
    packed = [Packed("ushield.pyz", b"sources"), Packed("x.zip", b"x")]
    program = Program("1.0.0", "aa" * 32)
    return PublishTool(unit_of_work, clock, key_store, seals, FakeToolOffer(), lambda: packed, program)
