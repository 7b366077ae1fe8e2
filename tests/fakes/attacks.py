"""What somebody with a pen in the database does to a bank; the seals stay as they were."""

from dataclasses import replace

from ca.domain.applications import ApplicationState
from tests.fakes.work import Stored


class Attacked:
    """A part of `tests.fakes.bank.Bank`."""

    stored: Stored

    def rewrite_case(self, application: str, **changes: object) -> None:
        """Edit a case straight in the database; the seal stays as it was."""
        found, seal = self.stored.applications[application]
        case = replace(found.case, **changes)  # type: ignore[arg-type]  # any field
        self.stored.applications[application] = (replace(found, case=case), seal)

    def rewrite_state(self, application: str, state: ApplicationState) -> None:
        """Edit an application's state straight in the database."""
        found, seal = self.stored.applications[application]
        self.stored.applications[application] = (replace(found, state=state), seal)

    def rewrite_officer(self, person: str, **changes: object) -> None:
        """Edit an officer straight in the database; the seal stays as it was."""
        key = f"officer-{person}"
        found, seal = self.stored.officers[key]
        self.stored.officers[key] = (replace(found, **changes), seal)  # type: ignore[arg-type]  # any field
