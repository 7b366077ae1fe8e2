"""What one officer, customer or job does while another has read and not yet written, on both databases.

On SQLite the other one waits for its turn; on PostgreSQL it comes in between. Neither may undo what the other did.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from ca.adapters.db.repositories.customers import SqlDevices
from ca.adapters.db.unit_of_work import SqlUnitOfWork
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.codes import CodeState
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    KeyOnAnotherDevice,
    NotAuthenticated,
    NotReady,
    PKIError,
)
from ca.domain.officers import Credential, Officer, OfficerState, TrustedRole, whole_code
from ca.domain.revocation import RevocationReason
from ca.usecases.authorize import OFFICER_SEAL
from ca.usecases.cases import CASE_SEAL
from ca.usecases.officer_changes import DecideOnOfficerChange
from ca.usecases.recovery import RecoverAccess
from ca.usecases.sweep import Sweep
from tests.drafts import a_request
from tests.fakes.authenticators import FakeAuthenticators, FakePasskey
from tests.fakes.bank import BRANCH, MARIA, PAVEL, SECOND_SECURITY, SECURITY, SUPERVISOR, Bank, Colleague, new_key


class Meanwhile:
    """Does something in another thread, once, and gives it time to come in between if it can."""

    def __init__(self) -> None:
        self.plan: Callable[[], object] | None = None
        self.outcome: list[object] = []
        self._thread = threading.Thread(target=self._run)

    def happen(self) -> None:
        if self.plan is not None and not self._thread.is_alive() and not self.outcome:
            self._thread.start()
            self._thread.join(1)

    def end(self) -> object:
        """Wait for it; what it returned or raised."""
        self._thread.join(30)
        return self.outcome[0]

    def _run(self) -> None:
        try:
            self.outcome.append(self.plan() if self.plan else None)
        except PKIError as error:
            self.outcome.append(error)


@pytest.fixture
def bank(unit_of_work: SqlUnitOfWork) -> Bank:
    return Bank(unit_of_work)


@pytest.fixture
def meanwhile() -> Meanwhile:
    return Meanwhile()


def stored(bank: Bank, serial: int) -> Certificate:
    with bank.unit_of_work() as work:
        return work.certificates.get(serial)


class Profiles(dict[str, Any]):
    """Looked up by the sweep between listing and writing."""

    def __init__(self, bank: Bank, meanwhile: Meanwhile) -> None:
        super().__init__(bank.profiles)
        self._meanwhile = meanwhile

    def get(self, *name: Any) -> Any:
        self._meanwhile.happen()
        return super().get(*name)


def sweeping(bank: Bank, profiles: Profiles) -> Sweep:
    return Sweep(bank.unit_of_work, bank.clock, profiles, bank.policy, bank.published.append, bank.open_receipt)


def test_an_officer_suspended_meanwhile_stays_suspended(bank: Bank, meanwhile: Meanwhile) -> None:
    pavel, first, second = bank[PAVEL], bank[SECURITY], bank[SECOND_SECURITY]
    proposed = bank.invite.propose(
        first.session, person=PAVEL, name="Pavel", branch=BRANCH, roles=["ra-operator", "ra-approver"]
    )
    invitation = proposed.invitation.id
    _, challenge = bank.invite.show(second.session, invitation)
    half = bank.invite.approve(second.session, invitation, second.passkey.sign(challenge))
    code = whole_code(half, proposed.half)
    _, challenge = bank.redeem.open(invitation, code)
    meanwhile.plan = lambda: bank.change_officer(first.session, pavel.officer.id, state="suspended", reason="fraud")

    class Seals:
        def seal(self, purpose: str, message: bytes) -> bytes:
            return bank.seals.seal(purpose, message)

        def require(self, purpose: str, message: bytes, seal: bytes) -> None:
            bank.seals.require(purpose, message, seal)
            if purpose == OFFICER_SEAL:
                meanwhile.happen()

    redeem = replace(bank.redeem, seals=Seals())
    with suppress(InvalidTransition):  # what it had read was out of date: nothing was written
        redeem(invitation, code, challenge=challenge, registration=FakePasskey().register(challenge), label="new")

    assert isinstance(meanwhile.end(), type(pavel.officer))
    with bank.unit_of_work() as work:
        assert work.officers.get(pavel.officer.id)[0].state is OfficerState.SUSPENDED
    bank.verify_audit()


def test_a_certificate_confirmed_while_the_sweep_runs_stays_active(bank: Bank, meanwhile: Meanwhile) -> None:
    key = new_key()
    certificate = bank.issued(key=key)
    bank.clock.set(certificate.issued_at + bank.profiles["personal-signing"].confirm_within)
    meanwhile.plan = lambda: bank.confirmed(certificate, key)
    sweep = sweeping(bank, Profiles(bank, meanwhile))

    assert sweep.revoke_unconfirmed() == 0

    meanwhile.end()
    assert stored(bank, certificate.serial).status is CertificateStatus.ACTIVE


def test_the_sweep_does_not_rewrite_a_revocation(bank: Bank, meanwhile: Meanwhile) -> None:
    certificate = bank.issued()
    bank.clock.set(certificate.issued_at + bank.profiles["personal-signing"].confirm_within)
    meanwhile.plan = lambda: bank.revoked(certificate, RevocationReason.KEY_COMPROMISE)
    sweep = sweeping(bank, Profiles(bank, meanwhile))

    assert sweep.revoke_unconfirmed() == 0

    meanwhile.end()
    revocation = stored(bank, certificate.serial).revocation
    assert revocation is not None
    assert revocation.reason is RevocationReason.KEY_COMPROMISE


def test_codes_used_in_their_last_second_do_not_expire(bank: Bank, meanwhile: Meanwhile) -> None:
    codes = bank.codes()
    with bank.unit_of_work() as work:
        pair = work.codes.find(codes.reference)
    bank.clock.set(pair.expires_at)
    meanwhile.plan = lambda: bank.download(codes, a_request(new_key()))

    class Late:
        """The sweep's clock, a second ahead of the customer's; what it lists is used before it writes."""

        @contextmanager
        def __call__(self) -> Iterator[Any]:
            with bank.unit_of_work() as work:
                yield work
            meanwhile.happen()

        def now(self) -> Any:
            return pair.expires_at.replace(second=pair.expires_at.second + 1)

    late = Late()

    sweep = Sweep(late, late, bank.profiles, bank.policy, bank.published.append, bank.open_receipt)
    assert sweep.expire_codes() == 0
    assert isinstance(meanwhile.end(), Certificate)
    with bank.unit_of_work() as work:
        assert work.codes.find(codes.reference).state is CodeState.CLAIMED


def test_two_downloads_with_one_key_make_one_certificate(bank: Bank, meanwhile: Meanwhile) -> None:
    first, second, key = bank.codes(), bank.codes(), new_key()
    meanwhile.plan = lambda: bank.download(second, a_request(key))

    class Linter:
        def lint_certificate(self, _der: bytes) -> list[str]:
            meanwhile.happen()
            return []

    issuance = replace(bank.issuance, linter=Linter())
    enrol = replace(bank.enrol, issuance=issuance, drafter=replace(bank.drafter, issuance=issuance))
    outcomes: list[object] = []
    try:
        outcomes.append(enrol(first.reference, first.code, a_request(key)))
    except PKIError as refusal:
        outcomes.append(refusal)

    outcomes.append(meanwhile.end())
    assert sorted(type(one).__name__ for one in outcomes) == [Certificate.__name__, KeyOnAnotherDevice.__name__]
    with bank.unit_of_work() as work:
        assert len(work.certificates.list_by_public_key(key.public.fingerprint)) == 1
        assert len(bank.signatures) == 1


def test_two_operators_assign_one_u_shield_once(
    bank: Bank, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    serial, customers, sessions = bank.device(), (bank.customer(), bank.customer()), (bank[MARIA], bank[PAVEL])

    def apply(which: int) -> object:
        return bank.submit(
            sessions[which].session,
            customer=customers[which],
            profile="personal-signing",
            device_serial=serial,
            host_names=[],
        )

    class Slow(SqlDevices):
        def find(self, serial: str) -> Any:
            found = super().find(serial)
            meanwhile.happen()
            return found

    monkeypatch.setattr("ca.adapters.db.unit_of_work.SqlDevices", Slow)
    meanwhile.plan = lambda: apply(1)
    outcomes: list[object] = []
    try:
        outcomes.append(apply(0))
    except PKIError as refusal:
        outcomes.append(refusal)

    outcomes.append(meanwhile.end())
    assert sum(isinstance(one, InvalidRequest) for one in outcomes) == 1


def test_new_codes_and_a_download_with_the_old_ones_do_not_wait_for_each_other_for_ever(
    bank: Bank, meanwhile: Meanwhile
) -> None:
    codes, supervisor = bank.codes(), bank.session(SUPERVISOR)
    meanwhile.plan = lambda: bank.download(codes, a_request(new_key()))

    class Seals:
        def seal(self, purpose: str, message: bytes) -> bytes:
            return bank.seals.seal(purpose, message)

        def require(self, purpose: str, message: bytes, seal: bytes) -> None:
            bank.seals.require(purpose, message, seal)
            if purpose == CASE_SEAL:
                meanwhile.happen()

    outcomes: list[object] = []
    try:
        outcomes.append(replace(bank.hand_out, seals=Seals())(supervisor, codes.application))
    except PKIError as refusal:
        outcomes.append(refusal)

    outcomes.append(meanwhile.end())
    assert not any(isinstance(one, NotReady) for one in outcomes)


def test_a_recovery_code_used_twice_at_once_gives_one_passkey(bank: Bank, meanwhile: Meanwhile) -> None:
    officers, session, passkey = bank.officers, bank.session(MARIA), bank[MARIA].passkey
    challenge = officers.access.challenge(session)
    code = officers.recover.make(officers.access.step_up(session, challenge, passkey.sign(challenge)))[0]
    (_, first), (_, second) = officers.recover.open(MARIA, code), officers.recover.open(MARIA, code)

    def use(recover: RecoverAccess, challenge: bytes) -> Officer:
        registration = FakePasskey().register(challenge)
        return recover(MARIA, code, challenge=challenge, registration=registration, label="new")

    class Authenticators(FakeAuthenticators):
        def verify_registration(self, registration: str, *, challenge: bytes, label: str) -> Credential:
            meanwhile.happen()
            return super().verify_registration(registration, challenge=challenge, label=label)

    meanwhile.plan = lambda: use(officers.recover, second)
    with suppress(NotAuthenticated, InvalidTransition):
        use(replace(officers.recover, authenticators=Authenticators()), first)

    meanwhile.end()
    with bank.unit_of_work() as work:
        officer, _ = work.officers.get(f"officer-{MARIA}")
        codes = officers.recover.book.find(work, officer.id)
    assert len(officer.credentials) == 2
    assert codes is not None
    assert len(codes.macs) == 9
    bank.verify_audit()


@pytest.mark.parametrize("act", ["suspend", "approve"])
def test_a_change_of_roles_does_not_undo_what_happened_meanwhile(bank: Bank, meanwhile: Meanwhile, act: str) -> None:
    pavel, first, second = bank[PAVEL], bank[SECURITY], bank[SECOND_SECURITY]
    third = bank.officer("E2003", frozenset({TrustedRole.SECURITY_OFFICER}))
    change = bank.move.propose(first.session, pavel.officer.id, branch=BRANCH, roles=["hotline"], reason="moves")

    def approve(move: DecideOnOfficerChange, by: Colleague) -> Officer:
        challenge = move.show(by.session, change.id).challenge
        assertion = by.passkey.sign(challenge)
        return move.approve(by.session, change.id, change_digest=change.digest(), assertion=assertion)

    class Passkeys:
        def decide(self, *given: Any) -> None:
            meanwhile.happen()
            bank.passkeys.decide(*given)

    plans: dict[str, Callable[[], object]] = {
        "suspend": lambda: bank.change_officer(third.session, pavel.officer.id, state="suspended", reason="fraud"),
        "approve": lambda: approve(bank.move, third),
    }
    meanwhile.plan = plans[act]
    with suppress(InvalidTransition):
        approve(replace(bank.move, passkeys=Passkeys()), second)

    outcome = meanwhile.end()
    with bank.unit_of_work() as work:
        officer, _ = work.officers.get(pavel.officer.id)
    if act == "suspend":
        assert isinstance(outcome, Officer)
        assert officer.state is OfficerState.SUSPENDED
    else:
        assert (officer.roles, officer.version) == (frozenset({TrustedRole.HOTLINE}), pavel.officer.version + 1)
    bank.verify_audit()
