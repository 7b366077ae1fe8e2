"""Which version of each profile holds now: the configuration's, or the last one that two officers decided on.

Every use case asks here. The database is read again every few seconds, between operations and never within one, so
that each operation sees one set; who approves a version reads it at once (docs/adr/0035).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ca.domain.errors import InvalidRequest, PKIError, Tampered
from ca.domain.profile_versions import ProfileVersion
from ca.domain.profiles import Profile
from ca.domain.proposals import ProposalState
from ca.domain.times import CLOCK_TOLERANCE
from ca.ports import Clock, Seals, UnitOfWork, Work
from ca.profile_records import ProfileTexts
from ca.usecases.sealed import unsealed

VERSION_SEAL = "profile-version"
APPROVED_EVENT = "profile.approved"
READ_AGAIN = timedelta(seconds=5)


def sealed_version(seals: Seals, found: tuple[ProfileVersion, bytes]) -> ProfileVersion:
    """The version, if the signer wrote it. Raises Tampered."""
    return unsealed(seals, VERSION_SEAL, found)


@dataclass(frozen=True, slots=True)
class Dated:
    """A profile and since when it is in force; None: since the CA began."""

    profile: Profile
    since: datetime | None


@dataclass(eq=False)
class ProfilesInForce(Mapping[str, Profile]):
    """The profiles by name, as they hold at the clock's time. Raises PKIError for one whose record is broken."""

    unit_of_work: UnitOfWork
    clock: Clock
    seals: Seals
    texts: ProfileTexts
    files: Mapping[str, Profile]
    """What the configuration says."""
    _decided: dict[str, list[Dated]] = field(default_factory=dict)
    _broken: dict[str, str] = field(default_factory=dict)
    _read_at: datetime | None = None

    def __getitem__(self, name: str) -> Profile:
        return self.history(name)[-1].profile

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def history(self, name: str) -> Sequence[Dated]:
        """Every version that was ever in force, and the present one as the last. Raises KeyError, Tampered."""
        now = self.clock.now()
        return [one for one in self._versions(name) if one.since is None or one.since <= now]

    def newest(self, name: str) -> Dated:
        """The last one decided on, be it in force or not yet."""
        return self._versions(name)[-1]

    def _versions(self, name: str) -> list[Dated]:
        first = Dated(self.files[name], None)
        if name in self._broken:
            raise Tampered(self._broken[name])
        return [first, *self._decided.get(name, ())]

    def refresh(self) -> None:
        """Read the database again if that was not done just now."""
        if self._read_at is None or not self._read_at <= self.clock.now() < self._read_at + READ_AGAIN:
            self.read()

    def read(self) -> None:
        """Read the database again. A record that somebody else wrote breaks its profile and no other."""
        decided: dict[str, list[Dated]] = {name: [] for name in self.files}
        broken: dict[str, str] = {}
        with self.unit_of_work.look() as work:
            for found in work.profile_versions.list_approved():
                name = found[0].profile
                try:
                    decided.setdefault(name, []).append(self._dated(found))
                except PKIError as error:
                    broken[name] = f"version {found[0].number} of the profile {name} does not hold: {error}"
            broken |= {name: said for name in self.files if (said := self._missing(work, name, decided[name]))}
        self._decided, self._broken, self._read_at = decided, broken, self.clock.now()

    def _dated(self, found: tuple[ProfileVersion, bytes]) -> Dated:
        version = sealed_version(self.seals, found)
        profile = self.texts.parse(version.profile, version.text)
        if profile.digest != version.profile_digest or version.state is not ProposalState.APPROVED:
            raise InvalidRequest("the same text means something else than when it was approved")
        return Dated(profile, version.effective_from)

    def _missing(self, work: Work, name: str, decided: Sequence[Dated]) -> str:
        """What is said when the log knows of a later version than the table has: somebody took it away."""
        last = work.audit.find_last(APPROVED_EVENT, name, self.clock.now() + CLOCK_TOLERANCE)
        wanted = int(last.event.details["number"]) if last else 0
        newest = decided[-1].profile.version if decided else 0
        if wanted <= newest:
            return ""
        return f"version {wanted} of the profile {name} was approved and is not in the database"
