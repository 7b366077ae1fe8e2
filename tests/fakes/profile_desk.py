"""Two CA administrators who change profiles, over the bank in memory."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ca.domain.profile_versions import ProfileVersion
from ca.domain.profiles import Profile
from ca.usecases.decide_on_versions import DecideOnVersions
from tests.fakes.bank import ADMINISTRATOR, SECOND_ADMINISTRATOR, Bank

DAY = timedelta(days=1)


@dataclass
class ProfileDesk:
    """What they do in the console."""

    bank: Bank

    @property
    def decide(self) -> DecideOnVersions[ProfileVersion, Profile]:
        return self.bank.use_cases.authority.profiles

    @property
    def tomorrow(self) -> datetime:
        return self.bank.clock.now() + DAY

    def text(self, profile: str, *changes: tuple[str, str], **fields: object) -> str:
        """The next version's text: with these fields changed, then with these words."""
        newest = self.bank.profiles.newest(profile).content
        text = self.bank.profiles.texts.write(replace(newest, version=newest.version + 1, **fields))  # type: ignore[arg-type]  # any field
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return text

    def propose(
        self,
        profile: str = "machine",
        text: str = "",
        *,
        by: str = ADMINISTRATOR,
        since: datetime | None = None,
        validity: timedelta = 90 * DAY,
    ) -> ProfileVersion:
        return self.decide.propose(
            self.bank.session(by),
            name=profile,
            text=text or self.text(profile, validity=validity),
            effective_from=since or self.tomorrow,
            reason="shorter lives",
        )

    def approve(self, version: ProfileVersion | str, *, by: str = SECOND_ADMINISTRATOR) -> ProfileVersion:
        """Look and sign, as the console does."""
        wanted = version if isinstance(version, str) else version.id
        shown = self.decide.show_version(self.bank.session(by), wanted)
        return self.decide.approve(
            self.bank.session(by),
            wanted,
            case_digest=shown.version.digest(),
            assertion=self.bank[by].passkey.sign(shown.challenge),
        )

    def changed(self, profile: str = "machine", text: str = "", *, validity: timedelta = 90 * DAY) -> ProfileVersion:
        """A version in force."""
        approved = self.approve(self.propose(profile, text, validity=validity))
        self.bank.clock.tick(DAY)
        return approved

    def rewrite(self, version: ProfileVersion, **changes: object) -> None:
        """Edit a version straight in the database; the seal stays as it was."""
        kept = self.bank.stored.profile_versions
        found, seal = kept[version.id]
        kept[version.id] = (replace(found, **changes), seal)  # type: ignore[arg-type]  # any field
