"""An RA operator enters an application for a customer at the counter (RFC 3647 section 4.1).

The subject, the names, the U-Shield and the validity are decided here by the profile and the register, never by the
certification request that comes later (DESIGN invariant 3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ca.domain.applications import Application, ApplicationState, Case
from ca.domain.audit import AuditEvent
from ca.domain.custody import Holder
from ca.domain.customers import Customer
from ca.domain.devices import Device, DeviceState
from ca.domain.errors import InvalidRequest, NotAllowed, NotFound
from ca.domain.names import AlternativeName
from ca.domain.officers import Officer, TrustedRole
from ca.domain.profiles import Profile
from ca.ports import Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.authorize import Authorize, require_branch
from ca.usecases.cases import CASE_SEAL, find_case
from ca.usecases.custody import move, require_at_counter
from ca.usecases.outlook import Outlook, outlook

HANDED_OUT = frozenset({DeviceState.ASSIGNED, DeviceState.IN_USE})
"""A U-Shield in one of these states is in its customer's hand and works."""


def find_profile(profiles: Mapping[str, Profile], name: str) -> Profile:
    """The profile customers may apply for. Raises InvalidRequest naming those there are."""
    profile = profiles.get(name)
    if profile is None or profile.internal:
        known = ", ".join(sorted(p.name for p in profiles.values() if not p.internal))
        raise InvalidRequest(f"there is no profile {name!r} to apply for; there are {known}")
    return profile


@dataclass(frozen=True, slots=True)
class Entry:
    """What the maker chooses; the profile and the register decide the rest."""

    profile: str
    device_serial: str = ""
    host_names: Sequence[str] = ()


@dataclass(frozen=True)
class SubmitApplication:
    """The maker's act: the case is sealed as entered and waits for another officer."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    authorize: Authorize
    profiles: Mapping[str, Profile]

    def __call__(self, session: str, *, customer: str, entry: Entry) -> Application:
        """Raise InvalidRequest when profile, U-Shield and names do not fit together."""
        with self.unit_of_work() as work:
            maker = self.authorize(work, session, TrustedRole.RA_OPERATOR)
            application = self.enter(work, maker, _customer_of(work, maker, customer), entry)
            work.commit()
        return application

    def preview(self, session: str, *, customer: str, entry: Entry, application_id: str = "") -> Outlook:
        """What it would become, and nothing is entered. Raises as the real act does.

        `application_id`: of the returned case that it would correct.
        """
        with self.unit_of_work() as work:
            maker = self.authorize(work, session, TrustedRole.RA_OPERATOR)
            person = _customer_of(work, maker, customer)
            chosen = find_profile(self.profiles, entry.profile)
            find_device(work, chosen, person, entry.device_serial, maker)
            case = self._case(work, maker, person, entry)
            if application_id:
                case = _next_version(find_case(work, self.seals, maker, application_id).case, case)
            return outlook(work, self.seals, case, chosen, maker)

    def correct(self, session: str, application_id: str, *, entry: Entry) -> Application:
        """The next version of a case that an approver returned; the register is read anew. By its maker only."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            maker = self.authorize(work, session, TrustedRole.RA_OPERATOR)
            returned = find_case(work, self.seals, maker, application_id)
            former = returned.case
            if maker.person != former.maker_person:
                raise NotAllowed("only who entered an application can correct it")
            person = _customer_of(work, maker, former.customer)
            self._assign_device(work, find_profile(self.profiles, entry.profile), person, entry.device_serial, maker)
            case = _next_version(former, self._case(work, maker, person, entry))
            application = returned.correct(case, at=now)
            self._save(work, application, "application.corrected", maker, {"version": str(case.version)})
            free_device(work, former, maker, now, returned.reason)
            work.commit()
        return application

    def enter(self, work: Work, maker: Officer, person: Customer, entry: Entry, *, batch: str = "") -> Application:
        """Within a transaction of the caller. Raises InvalidRequest."""
        chosen = find_profile(self.profiles, entry.profile)
        self._assign_device(work, chosen, person, entry.device_serial, maker)
        case = replace(self._case(work, maker, person, entry), batch=batch)
        application = Application(case, ApplicationState.SUBMITTED, updated_at=case.submitted_at)
        self._save(work, application, "application.submitted", maker, {})
        return application

    def _save(self, work: Work, application: Application, event: str, maker: Officer, more: Mapping[str, str]) -> None:
        case = application.case
        work.applications.save(application, self.seals.seal(CASE_SEAL, case.sealed_fields()))
        details = {"profile": case.profile, "customer": case.customer, "case": case.digest().hex(), **more}
        work.audit.append(AuditEvent(event, case.application, maker.person, case.submitted_at, details))

    def _case(self, work: Work, maker: Officer, person: Customer, entry: Entry) -> Case:
        chosen = find_profile(self.profiles, entry.profile)
        hosts = entry.host_names
        return Case(
            application=self.random(8).hex(),
            version=1,
            profile=chosen.name,
            profile_digest=chosen.digest,
            customer=person.id,
            customer_number=person.number,
            customer_name=person.name,
            document_number=person.document_number,
            subject=subject_of(
                chosen,
                person,
                device_serial=entry.device_serial,
                host_name=hosts[0] if hosts else "",
                branch=maker.branch,
                company_name=work.customers.get(person.company).name if person.company else "",
            ),
            alternative_names=alternative_names_of(chosen, person, hosts),
            device_serial=entry.device_serial,
            validity=chosen.validity,
            branch=maker.branch,
            maker_person=maker.person,
            maker_name=maker.name,
            submitted_at=self.clock.now(),
            company=person.company,
            addresses=tuple(address for address in (person.email, person.phone) if address),
        )

    def _assign_device(self, work: Work, profile: Profile, customer: Customer, serial: str, maker: Officer) -> None:
        device = find_device(work, profile, customer, serial, maker)
        if device is not None and device.state is DeviceState.IN_STOCK:
            work.devices.save(device.assign(customer.id))
            event = AuditEvent("device.assigned", serial, maker.person, self.clock.now(), {"customer": customer.id})
            work.audit.append(event)


def _next_version(former: Case, case: Case) -> Case:
    return replace(case, application=former.application, version=former.version + 1, batch=former.batch)


def find_device(work: Work, profile: Profile, customer: Customer, serial: str, maker: Officer) -> Device | None:
    """The U-Shield that a case may name, None for a profile without. Raises InvalidRequest."""
    if not profile.needs_device:
        if serial:
            raise InvalidRequest(f"the profile {profile.name} is not bound to a U-Shield")
        return None
    device = work.devices.find(serial) if serial else None
    if device is None or device.branch != maker.branch:
        raise InvalidRequest("enter the serial number of a U-Shield from your branch's stock")
    if device.state is DeviceState.IN_STOCK:
        require_at_counter(device, maker)
    is_theirs = device.customer in {customer.id, customer.company} and device.state in HANDED_OUT
    if device.state is not DeviceState.IN_STOCK and not is_theirs:
        raise InvalidRequest(f"U-Shield {serial} is {device.state.value} and not free for this customer")
    return device


def free_device(work: Work, case: Case, officer: Officer, at: datetime, why: str) -> None:
    """The U-Shield of a case that names it no more goes back to the stock, unless another application needs it or it is
    in use."""
    serial = case.device_serial
    device = work.devices.find(serial) if serial else None
    # What a company was handed stays with it, whatever becomes of its operators' applications.
    if device is None or device.state is not DeviceState.ASSIGNED or device.customer != case.customer:
        return
    if not any(application.needs_its_device for application in work.applications.list_by_device(serial)):
        freed = device.unassign()
        work.devices.save(freed)
        if freed.holder is Holder.CUSTOMER:
            move(work, freed, Holder.BRANCH, by=officer.person, at=at, why=why)
        details = {"application": case.application}
        work.audit.append(AuditEvent("device.unassigned", serial, officer.person, at, details))


def _customer_of(work: Work, maker: Officer, customer: str) -> Customer:
    try:
        person = work.customers.get(customer)
    except NotFound as error:
        raise NotFound("there is no such customer at your branch") from error
    require_branch(maker, person.branch, "customer")
    return person


def subject_of(
    profile: Profile,
    customer: Customer,
    *,
    device_serial: str,
    host_name: str = "",
    branch: str,
    company_name: str,
) -> tuple[tuple[str, str], ...]:
    """As the profile says. Raises ProfileViolation when it needs what this customer has not, such as a company."""
    fields = {
        "customer_name": customer.name,
        "customer_number": customer.number,
        "company_name": company_name,
        "device_serial": device_serial,
        "host_name": host_name,
        "officer_name": customer.name,
        "branch": branch,
    }
    name = profile.subject_for({field: text for field, text in fields.items() if text})
    return tuple((attribute, text) for attribute, text in name.as_list())


def alternative_names_of(
    profile: Profile, customer: Customer, host_names: Sequence[str] = ()
) -> tuple[tuple[str, str], ...]:
    """As the profile says. Raises InvalidRequest for host names too few or too many."""
    names: list[tuple[str, str]] = []
    if "dns" in profile.alternative_names:
        if not host_names:
            raise InvalidRequest(f"the profile {profile.name} needs at least one host name")
        if len(set(host_names)) != len(host_names):
            raise InvalidRequest("a host name is there twice")
        names += [("dns", AlternativeName("dns", host).value) for host in host_names]
    elif host_names:
        raise InvalidRequest(f"the profile {profile.name} has no host names")
    if "email" in profile.alternative_names and customer.email:
        names.append(("email", customer.email))
    return tuple(names)
