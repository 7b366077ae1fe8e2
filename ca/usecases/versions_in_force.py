"""Which version of a profile or of the policy holds now: the configuration's, or the last one two officers decided on.

Every use case asks here. The database is read again every few seconds, between operations and never within one, so
that each operation sees one set; who approves a version reads it at once (docs/adr/0035).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from ca.domain.decisions import Act
from ca.domain.errors import InvalidRequest, PKIError, Tampered
from ca.domain.policy import POLICY as POLICY_NAME
from ca.domain.policy import STRICTEST, Policy, PolicyTexts, PolicyVersion
from ca.domain.policy import require_successor as require_policy
from ca.domain.profile_versions import ProfileVersion
from ca.domain.profile_versions import require_successor as require_profile
from ca.domain.profiles import Profile
from ca.domain.proposals import ProposalState
from ca.domain.times import CLOCK_TOLERANCE
from ca.domain.versions import Numbered, Version
from ca.ports import Clock, Seals, UnitOfWork, Work
from ca.profile_records import Texts, Versions
from ca.usecases.sealed import unsealed

AnyVersion = TypeVar("AnyVersion", bound=Version)
Content = TypeVar("Content", bound=Numbered)

READ_AGAIN = timedelta(seconds=5)


@dataclass(frozen=True)
class Kind(Generic[AnyVersion, Content]):
    """What changes by versions, and how its versions are kept and compared."""

    name: str
    act: Act
    version: type[AnyVersion]
    records: Callable[[Work], Versions[AnyVersion]]
    require_successor: Callable[[Content, Content], None]
    """Of the last one and the next. Raises InvalidRequest."""

    @property
    def approved_event(self) -> str:
        return f"{self.name}.approved"

    def seal(self, seals: Seals, version: AnyVersion) -> bytes:
        return seals.seal(f"{self.name}-version", version.sealed_fields())

    def sealed(self, seals: Seals, found: tuple[AnyVersion, bytes]) -> AnyVersion:
        """The version, if the signer wrote it. Raises Tampered."""
        return unsealed(seals, f"{self.name}-version", found)


PROFILE: Kind[ProfileVersion, Profile] = Kind(
    "profile", Act.APPROVE_PROFILE, ProfileVersion, lambda work: work.profile_versions, require_profile
)
POLICY: Kind[PolicyVersion, Policy] = Kind(
    "policy", Act.APPROVE_POLICY, PolicyVersion, lambda work: work.policy_versions, require_policy
)


@dataclass(frozen=True, slots=True)
class Dated(Generic[Content]):
    """What a version says and since when it is in force; None: since the CA began."""

    content: Content
    since: datetime | None


@dataclass(eq=False)
class InForce(Mapping[str, Content], Generic[AnyVersion, Content]):
    """By name, as they hold at the clock's time. Raises PKIError for one whose record is broken."""

    kind: Kind[AnyVersion, Content]
    unit_of_work: UnitOfWork
    clock: Clock
    seals: Seals
    texts: Texts[Content]
    files: Mapping[str, Content]
    """What the configuration says."""
    _decided: dict[str, list[Dated[Content]]] = field(default_factory=dict)
    _broken: dict[str, str] = field(default_factory=dict)
    _read_at: datetime | None = None

    def __getitem__(self, name: str) -> Content:
        return self.history(name)[-1].content

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def history(self, name: str) -> Sequence[Dated[Content]]:
        """Every version that was ever in force, and the present one as the last. Raises KeyError, Tampered."""
        now = self.clock.now()
        return [one for one in self.decided(name) if one.since is None or one.since <= now]

    def newest(self, name: str) -> Dated[Content]:
        """The last one decided on, be it in force or not yet."""
        return self.decided(name)[-1]

    def decided(self, name: str) -> Sequence[Dated[Content]]:
        """The configuration's, and every one that was decided on. Raises KeyError, Tampered."""
        first = Dated(self.files[name], None)
        if name in self._broken:
            raise Tampered(self._broken[name])
        return [first, *self._decided.get(name, ())]

    def refresh(self) -> None:
        """Read the database again if that was not done just now."""
        if self._read_at is None or not self._read_at <= self.clock.now() < self._read_at + READ_AGAIN:
            self.read()

    def read(self) -> None:
        """Read the database again. A record that somebody else wrote breaks what it is about and nothing else."""
        decided: dict[str, list[Dated[Content]]] = {name: [] for name in self.files}
        broken: dict[str, str] = {}
        with self.unit_of_work.look() as work:
            for found in self.kind.records(work).list_approved():
                version, name = found[0], found[0].subject
                try:
                    decided.setdefault(name, []).append(self._dated(found))
                except PKIError as error:
                    broken[name] = f"version {version.number} of {self._called(name)} does not hold: {error}"
            broken |= {name: said for name in self.files if (said := self._missing(work, name, decided[name]))}
        self._decided, self._broken, self._read_at = decided, broken, self.clock.now()

    def _dated(self, found: tuple[AnyVersion, bytes]) -> Dated[Content]:
        version = self.kind.sealed(self.seals, found)
        content = self.texts.parse(version.subject, version.text)
        if content.digest != version.content_digest or version.state is not ProposalState.APPROVED:
            raise InvalidRequest("the same text means something else than when it was approved")
        return Dated(content, version.effective_from)

    def _missing(self, work: Work, name: str, decided: Sequence[Dated[Content]]) -> str:
        """What is said when the log knows of a later version than the table has: somebody took it away."""
        last = work.audit.find_last(self.kind.approved_event, name, self.clock.now() + CLOCK_TOLERANCE)
        wanted = int(last.event.details["number"]) if last else 0
        newest = decided[-1].content.version if decided else 0
        if wanted <= newest:
            return ""
        return f"version {wanted} of {self._called(name)} was approved and is not in the database"

    def _called(self, name: str) -> str:
        return f"the {self.kind.name}" if name == self.kind.name else f"the {self.kind.name} {name}"


ProfilesInForce = InForce[ProfileVersion, Profile]


def profiles_in_force(
    unit_of_work: UnitOfWork, clock: Clock, seals: Seals, texts: Texts[Profile], files: Mapping[str, Profile]
) -> ProfilesInForce:
    """Nothing was read yet."""
    return InForce(PROFILE, unit_of_work, clock, seals, texts, files)


@dataclass(frozen=True)
class PolicyInForce:
    """What the policy says now; the strictest of all while its record is broken, so that work can go on."""

    versions: InForce[PolicyVersion, Policy]

    def __call__(self) -> Policy:
        try:
            return self.versions[POLICY_NAME]
        except Tampered:
            return STRICTEST


def policy_in_force(unit_of_work: UnitOfWork, clock: Clock, seals: Seals, first: Policy) -> PolicyInForce:
    """Nothing was read yet."""
    return PolicyInForce(InForce(POLICY, unit_of_work, clock, seals, PolicyTexts(), {POLICY_NAME: first}))
