"""Two CA administrators who change the policy, over the bank in memory."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ca.domain.policy import POLICY, Policy, PolicyVersion, text_of
from ca.domain.times import duration_text
from ca.usecases.decide_on_versions import DecideOnVersions
from tests.fakes.bank import ADMINISTRATOR, SECOND_ADMINISTRATOR, Bank

DAY = timedelta(days=1)


@dataclass
class PolicyDesk:
    """What they do in the console."""

    bank: Bank

    @property
    def decide(self) -> DecideOnVersions[PolicyVersion, Policy]:
        return self.bank.use_cases.policy.decide

    @property
    def tomorrow(self) -> datetime:
        return self.bank.clock.now() + DAY

    def text(self, **changes: timedelta) -> str:
        """The next version's text, with these numbers changed."""
        newest = self.bank.policy.versions.newest(POLICY).content
        told = {name: duration_text(value) for name, value in changes.items()}
        return text_of(newest.numbers() | told, newest.version + 1)

    def propose(
        self, *, by: str = ADMINISTRATOR, since: datetime | None = None, text: str = "", **changes: timedelta
    ) -> PolicyVersion:
        return self.decide.propose(
            self.bank.session(by),
            name=POLICY,
            text=text or self.text(**changes),
            effective_from=since or self.tomorrow,
            reason="stricter",
        )

    def approve(self, version: PolicyVersion, *, by: str = SECOND_ADMINISTRATOR) -> PolicyVersion:
        """Look and sign, as the console does."""
        shown = self.decide.show_version(self.bank.session(by), version.id)
        return self.decide.approve(
            self.bank.session(by),
            version.id,
            case_digest=shown.version.digest(),
            assertion=self.bank[by].passkey.sign(shown.challenge),
        )

    def changed(self, **changes: timedelta) -> PolicyVersion:
        """A version in force."""
        approved = self.approve(self.propose(**changes))
        self.bank.clock.tick(DAY)
        return approved

    def rewrite(self, version: PolicyVersion, **changes: object) -> None:
        """Edit a version straight in the database; the seal stays as it was."""
        kept = self.bank.stored.policy_versions
        found, seal = kept[version.id]
        kept[version.id] = (replace(found, **changes), seal)  # type: ignore[arg-type]  # any field
