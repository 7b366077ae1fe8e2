"""Cases as the signer keeps them: sealed when their maker submits them, and found by officers of their branch alone."""

from collections.abc import Mapping

from ca.domain.applications import Application, Case
from ca.domain.errors import InvalidTransition, NotFound
from ca.domain.officers import Officer
from ca.domain.profiles import Profile
from ca.ports import Seals, Work
from ca.usecases.authorize import require_branch

CASE_SEAL = "case"


def require_sealed(seals: Seals, application: Application, seal: bytes) -> None:
    """Raise Tampered unless the signer sealed exactly this case when its maker submitted it."""
    seals.require(CASE_SEAL, application.case.sealed_fields(), seal)


def find_case(work: Work, seals: Seals, officer: Officer, application_id: str) -> Application:
    """The application, sealed and at this officer's branch. Raises NotFound, Tampered."""
    try:
        application, seal = work.applications.get(application_id)
    except NotFound as error:
        raise NotFound("there is no such application at your branch") from error
    require_branch(officer, application.case.branch, "application")
    require_sealed(seals, application, seal)
    return application


def require_profile(profiles: Mapping[str, Profile], case: Case) -> None:
    """Raise InvalidTransition unless its profile is the one that it was entered under."""
    if not case.is_under(profiles.get(case.profile)):
        raise InvalidTransition("the profile was changed since the application was entered; enter it again")
