"""Every set of roles there can be, by every way that gives one: what excludes each other is never one person's."""

from dataclasses import replace
from itertools import chain, combinations

import pytest

from ca.domain.applications import ApplicationState
from ca.domain.errors import InvalidRequest, NotAllowed
from ca.domain.officers import Invitation, InvitationState, Officer, TrustedRole, require_compatible, whole_code
from ca.domain.policy import USUAL
from ca.usecases.authorize import save_officer
from ca.usecases.officers import open_invitation, parse_roles, propose_invitation
from tests.fakes.authenticators import FakePasskey
from tests.fakes.bank import BRANCH, MARIA, PAVEL, SECOND_SECURITY, SECURITY, Bank

_R = TrustedRole
SETS = [frozenset(one) for one in chain.from_iterable(combinations(TrustedRole, size) for size in range(8))]
ALONE = {_R.SECURITY_OFFICER, _R.CA_ADMINISTRATOR, _R.AUDITOR}
FORBIDDEN = [one for one in SETS if not one or (one & ALONE and len(one) > 1)]
ALLOWED = [one for one in SETS if one not in FORBIDDEN]


def names(roles: frozenset[TrustedRole]) -> list[str]:
    return sorted(role.value for role in roles)


def written(roles: frozenset[TrustedRole]) -> str:
    return " ".join(names(roles)) or "none"


@pytest.fixture(scope="module")
def bank() -> Bank:
    bank = Bank()
    for person in (MARIA, SECURITY, SECOND_SECURITY):
        bank.session(person)
    return bank


def test_the_walk_is_over_every_set() -> None:
    assert (len(SETS), len(set(SETS)), len(ALLOWED)) == (128, 128, 18)


@pytest.mark.parametrize("roles", ALLOWED, ids=written)
def test_a_set_that_is_allowed_is_taken(roles: frozenset[TrustedRole]) -> None:
    require_compatible(roles)
    assert parse_roles(names(roles)) == roles


@pytest.mark.parametrize("roles", FORBIDDEN, ids=written)
def test_no_way_in_takes_a_set_that_is_forbidden(bank: Bank, roles: frozenset[TrustedRole]) -> None:
    first, officer = bank.session(SECURITY), bank.stored.officers[f"officer-{MARIA}"][0]
    with pytest.raises(InvalidRequest):
        bank.invite.propose(first, person="E9", name="Nina", branch=BRANCH, roles=names(roles))
    with pytest.raises(InvalidRequest):
        bank.move.propose(first, officer.id, branch=BRANCH, roles=names(roles), reason="x")
    with pytest.raises(InvalidRequest):
        officer.moved(branch=BRANCH, roles=roles)
    with bank.unit_of_work() as work, pytest.raises(InvalidRequest):
        save_officer(work, bank.seals, forged(officer, roles))
    assert bank.stored.officers[officer.id][0] == officer


def forged(officer: Officer, roles: frozenset[TrustedRole]) -> Officer:
    """A newer record with these roles, made without asking the domain."""
    return replace(officer, roles=roles, version=officer.version + 1)


@pytest.mark.parametrize("roles", [one for one in FORBIDDEN if one], ids=written)
def test_a_sealed_invitation_to_a_forbidden_set_makes_no_officer(bank: Bank, roles: frozenset[TrustedRole]) -> None:
    # As an older version, or a hole in this one, could have sealed it.
    name = written(roles)
    invitation = Invitation(
        id=name,
        person="E9",
        name="Nina",
        branch=BRANCH,
        roles=roles,
        proposed_by=SECURITY,
        state=InvitationState.PROPOSED,
        expires_at=bank.clock.now() + USUAL.invitation_life,
    )
    with bank.unit_of_work() as work:
        proposed = propose_invitation(work, bank.seals, bank.random, invitation)
        half = open_invitation(work, bank.seals, bank.random, proposed.invitation, SECOND_SECURITY)
        work.commit()
    code = whole_code(half, proposed.half)
    _, challenge = bank.redeem.open(name, code)
    registration = FakePasskey().register(challenge)
    with pytest.raises(InvalidRequest, match="together"):
        bank.redeem(name, code, challenge=challenge, registration=registration, label="x")
    assert all(officer.person != "E9" for officer in bank.unit_of_work.officers.values())


# Operator and approver may be one person, on two cases


@pytest.mark.parametrize("roles", [one for one in ALLOWED if _R.RA_APPROVER in one], ids=written)
def test_whatever_the_maker_becomes_they_do_not_approve_their_own_case(roles: frozenset[TrustedRole]) -> None:
    bank = Bank()
    application = bank.submitted(maker=MARIA)
    passkey = bank[MARIA].passkey
    later = bank.officer(MARIA, roles, passkey=passkey, name="Another Name")
    with pytest.raises(NotAllowed):
        bank.approve(application, checker=later)
    assert bank.state(application) is ApplicationState.SUBMITTED
    if roles >= {_R.RA_OPERATOR}:
        others = bank.submitted(maker=PAVEL)
        bank.approve(others, checker=later)
        assert bank.state(others) is ApplicationState.APPROVED
