"""Two officers decide that a U-Shield may be unlocked (STANDARDS 2.3; THREATS 24; DESIGN invariant 2).

One makes sure who is asking and opens the case, a supervisor approves it with a passkey. Each is shown one half of the
code, so that neither alone can unlock a U-Shield that came into their hands.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.codes import new_authorization_code, new_reference
from ca.domain.decisions import Act, Assertion, Decision
from ca.domain.devices import Device, DeviceState
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotFound
from ca.domain.names import verify_text
from ca.domain.notices import Notice
from ca.domain.officers import Officer, TrustedRole
from ca.domain.unlocking import UnlockCase, UnlockState, require_budget
from ca.portal_records import Notify
from ca.ports import Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.authorize import Authorize, require_branch
from ca.usecases.passkeys import Passkeys
from ca.usecases.sealed import unsealed

UNLOCK_SEAL = "unlock"
_HALF_SEAL, _CODE_SEAL = "unlock-half", "unlock-code"
HALF_LENGTH = 6
_MAKERS = (TrustedRole.RA_OPERATOR, TrustedRole.RA_SUPERVISOR, TrustedRole.HOTLINE)
_READERS = (*_MAKERS, TrustedRole.AUDITOR)
_LIVING = (CertificateStatus.ACTIVE, CertificateStatus.UNCONFIRMED)
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class UnlockView:
    """A case as the signer holds it."""

    case: UnlockCase
    challenge: bytes
    """What this officer's passkey signs to approve it."""
    may_approve: bool


@dataclass(frozen=True, slots=True)
class HalfCode:
    """One officer's half of the code; exists on one page, once."""

    case: UnlockCase
    half: str


def half_mac(seals: Seals, reference: str, maker_half: str) -> bytes:
    """What is kept of the maker's half."""
    return seals.seal(_HALF_SEAL, f"{reference}:{maker_half}".encode())


def code_mac(seals: Seals, reference: str, maker_half_mac: bytes, approver_half: str) -> bytes:
    """What is kept of the whole code. The maker's half enters by its MAC: the approver never sees it."""
    return seals.seal(_CODE_SEAL, f"{reference}:{approver_half}:".encode() + maker_half_mac)


def save_case(work: Work, seals: Seals, case: UnlockCase) -> None:
    """Seal and save."""
    work.unlocks.save(case, seals.seal(UNLOCK_SEAL, case.sealed_fields()))


def list_cases(work: Work, seals: Seals, device_serial: str) -> list[UnlockCase]:
    """All of a U-Shield, the youngest first. Raises Tampered for a row that the signer did not write."""
    return [unsealed(seals, UNLOCK_SEAL, found) for found in work.unlocks.list_by_device(device_serial)]


def require_unlockable(work: Work, device: Device, now: datetime) -> Certificate:
    """The certificate whose key will prove the unlock. Raises InvalidTransition for a U-Shield that must stay shut."""
    if device.so_use == 0:
        raise InvalidTransition(
            "this U-Shield was not prepared with the bank's SO password and cannot be unlocked; "
            "revoke its certificate and hand out another U-Shield"
        )
    if device.state not in (DeviceState.IN_USE, DeviceState.BLOCKED):
        raise InvalidTransition(f"this U-Shield is {device.state.value}; only one in use can be unlocked")
    # A company's U-Shield is handed to the company; whose certificates are on it are its operator's.
    people = {one.case.customer for one in work.applications.list_by_device(device.serial)}
    theirs = (one for person in sorted(people) for one in work.certificates.list_by_customer(person))
    on_it = [one for one in theirs if one.device_serial == device.serial]
    # A hold may be a report of loss: whoever has it then is not to be helped into it.
    if any(one.status is CertificateStatus.ON_HOLD for one in on_it):
        raise InvalidTransition("a certificate on this U-Shield is on hold; release it first, or leave it shut")
    living = [one for one in on_it if one.status in _LIVING and not one.is_expired(now)]
    if not living:
        raise InvalidTransition("no certificate on this U-Shield holds any more; apply for a new one instead")
    return living[-1]


@dataclass(frozen=True)
class DecideOnUnlock:
    """Open, show, approve, reject."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    passkeys: Passkeys
    authorize: Authorize
    notify: Notify

    def open(self, session: str, *, device_serial: str, reason: str) -> HalfCode:
        """The maker's half. Raises NotFound, InvalidTransition."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *_MAKERS)
            device = _find_device(work, officer, device_serial)
            certificate = require_unlockable(work, device, now)
            require_budget(list_cases(work, self.seals, device.serial))
            reason = verify_text(reason, _LONGEST_REASON)
            reference, half = new_reference(self.random), _new_half(self.random)
            case = UnlockCase(
                reference=reference,
                version=1,
                device_serial=device.serial,
                customer=certificate.customer,
                branch=device.branch,
                reason=reason,
                maker_person=officer.person,
                opened_at=now,
                expires_at=now + self.authorize.policy().unlock_case_life,
                state=UnlockState.PROPOSED,
                code_mac=half_mac(self.seals, reference, half),
            )
            save_case(work, self.seals, case)
            details = {"device": device.serial, "customer": case.customer, "reason": reason}
            work.audit.append(AuditEvent("unlock.opened", reference, officer.person, now, details))
            work.commit()
        return HalfCode(case, half)

    def show(self, session: str, reference: str) -> UnlockView:
        """As the signer holds it. Raises NotFound."""
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *_READERS)
            case = self._case(work, officer, reference)
            work.commit()
        may = TrustedRole.RA_SUPERVISOR in officer.roles and officer.person != case.maker_person
        return UnlockView(case, _decision(case, officer).challenge(), may)

    def approve(self, session: str, reference: str, *, case_digest: bytes, assertion: Assertion) -> HalfCode:
        """The supervisor's half. Raises NotAllowed for the maker, InvalidTransition for a case that was changed."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_SUPERVISOR)
            case = self._case(work, officer, reference)
            if officer.person == case.maker_person:
                raise NotAllowed("who opened an unlock may not approve it; another officer must")
            if case_digest != case.digest():
                raise InvalidTransition("the case was changed since it was shown; read it again")
            if now > case.expires_at:
                raise InvalidTransition("this unlock is out of date; open another one")
            device = _find_device(work, officer, case.device_serial)
            certificate = require_unlockable(work, device, now)
            customer = work.customers.get(certificate.customer)
            self.passkeys.decide(work, officer, _decision(case, officer), assertion)
            half = _new_half(self.random)
            approved = replace(
                case.become(UnlockState.APPROVED),
                approved_by=officer.person,
                code_mac=code_mac(self.seals, reference, case.code_mac, half),
            )
            save_case(work, self.seals, approved)
            if device.state is DeviceState.IN_USE:
                work.devices.save(device.become(DeviceState.BLOCKED))
            details = {"device": case.device_serial, "case": case.digest().hex()}
            work.audit.append(AuditEvent("unlock.approved", reference, officer.person, now, details))
            work.commit()
        # Two officers may have been talked into it: the customer hears of it before anybody can use it (T-45).
        self.notify(customer, certificate, Notice.UNLOCK_ALLOWED)
        return HalfCode(approved, half)

    def reject(self, session: str, reference: str, *, reason: str) -> UnlockCase:
        """By its maker or a supervisor, as long as it was not used."""
        if not reason.strip():
            raise InvalidRequest("say why, in a few words: it is kept in the audit log")
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *_MAKERS)
            case = self._case(work, officer, reference)
            if officer.person != case.maker_person and TrustedRole.RA_SUPERVISOR not in officer.roles:
                raise NotAllowed("only who opened an unlock, or a supervisor, ends it")
            rejected = case.become(UnlockState.REJECTED)
            save_case(work, self.seals, rejected)
            work.audit.append(AuditEvent("unlock.rejected", reference, officer.person, now, {"reason": reason}))
            work.commit()
        return rejected

    def _case(self, work: Work, officer: Officer, reference: str) -> UnlockCase:
        found = work.unlocks.find(reference)
        if found is None:
            raise NotFound("there is no such unlock at your branch")
        case = unsealed(self.seals, UNLOCK_SEAL, found)
        _require_reach(officer, case.branch, "unlock")
        return case


def _find_device(work: Work, officer: Officer, serial: str) -> Device:
    device = work.devices.find(serial)
    if device is None:
        raise NotFound("there is no such U-Shield at your branch")
    _require_reach(officer, device.branch, "U-Shield")
    return device


def _require_reach(officer: Officer, branch: str, what: str) -> None:
    # The hotline is every branch's: a customer who is locked out calls, wherever the account is.
    if TrustedRole.HOTLINE not in officer.roles:
        require_branch(officer, branch, what)


def _new_half(random: Callable[[int], bytes]) -> str:
    return new_authorization_code(random, HALF_LENGTH)


def _decision(case: UnlockCase, officer: Officer) -> Decision:
    return Decision(Act.APPROVE_UNLOCK, case.reference, case.digest(), officer.id, officer.person)
