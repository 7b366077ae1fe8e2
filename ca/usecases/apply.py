"""An RA operator enters an application for a customer at the counter (RFC 3647 section 4.1).

The subject, the names, the U-Shield and the validity are decided here by the profile and the register, never by the
certification request that comes later (DESIGN invariant 3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ca.domain.applications import Application, ApplicationState, Case
from ca.domain.audit import AuditEvent
from ca.domain.customers import Customer
from ca.domain.devices import DeviceState
from ca.domain.errors import InvalidRequest, NotFound
from ca.domain.names import AlternativeName
from ca.domain.officers import Officer, TrustedRole
from ca.domain.profiles import Profile
from ca.ports import Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.authorize import Authorize, require_branch

CASE_SEAL = "case"
HANDED_OUT = frozenset({DeviceState.ASSIGNED, DeviceState.IN_USE})
"""A U-Shield in one of these states is in its customer's hand and works."""


def find_profile(profiles: Mapping[str, Profile], name: str) -> Profile:
    """The profile customers may apply for. Raises InvalidRequest naming those there are."""
    profile = profiles.get(name)
    if profile is None or profile.internal:
        known = ", ".join(sorted(p.name for p in profiles.values() if not p.internal))
        raise InvalidRequest(f"there is no profile {name!r} to apply for; there are {known}")
    return profile


@dataclass(frozen=True)
class SubmitApplication:
    """The maker's act: the case is sealed as entered and waits for another officer."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    authorize: Authorize
    profiles: Mapping[str, Profile]

    def __call__(
        self, session: str, *, customer: str, profile: str, device_serial: str, host_names: Sequence[str]
    ) -> Application:
        """Raise InvalidRequest when profile, U-Shield and names do not fit together."""
        now = self.clock.now()
        chosen = find_profile(self.profiles, profile)
        with self.unit_of_work() as work:
            maker = self.authorize(work, session, TrustedRole.RA_OPERATOR)
            person = _customer_of(work, maker, customer)
            self._assign_device(work, chosen, person, device_serial, maker)
            case = Case(
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
                    device_serial=device_serial,
                    host_name=host_names[0] if host_names else "",
                    branch=maker.branch,
                    company_name=work.customers.get(person.company).name if person.company else "",
                ),
                alternative_names=alternative_names_of(chosen, person, host_names),
                device_serial=device_serial,
                validity=chosen.validity,
                branch=maker.branch,
                maker_person=maker.person,
                maker_name=maker.name,
                submitted_at=now,
                company=person.company,
                addresses=tuple(address for address in (person.email, person.phone) if address),
            )
            application = Application(case, ApplicationState.SUBMITTED, updated_at=now)
            work.applications.save(application, self.seals.seal(CASE_SEAL, case.sealed_fields()))
            details = {"profile": chosen.name, "customer": person.id, "case": case.digest().hex()}
            work.audit.append(AuditEvent("application.submitted", application.id, maker.person, now, details))
            work.commit()
        return application

    def _assign_device(self, work: Work, profile: Profile, customer: Customer, serial: str, maker: Officer) -> None:
        if not profile.needs_device:
            if serial:
                raise InvalidRequest(f"the profile {profile.name} is not bound to a U-Shield")
            return
        device = work.devices.find(serial) if serial else None
        if device is None or device.branch != maker.branch:
            raise InvalidRequest("enter the serial number of a U-Shield from your branch's stock")
        if device.state is DeviceState.IN_STOCK:
            work.devices.save(device.assign(customer.id))
            event = AuditEvent("device.assigned", serial, maker.person, self.clock.now(), {"customer": customer.id})
            work.audit.append(event)
        elif device.customer not in {customer.id, customer.company} or device.state not in HANDED_OUT:
            raise InvalidRequest(f"U-Shield {serial} is {device.state.value} and not free for this customer")


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
