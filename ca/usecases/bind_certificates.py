"""Binding a certificate to an officer: one security officer proposes, another approves (invariant 2; docs/adr/0041).

Nobody does either for themselves. Ending a binding takes one of them, or the officer: it only takes away, and may have
to be quick. What it opened is closed at the next request.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from ca.domain.audit import AuditEvent
from ca.domain.bindings import BindingState, CertificateBinding
from ca.domain.certificates import Certificate
from ca.domain.decisions import Act, Assertion, Decision
from ca.domain.errors import InvalidRequest, InvalidTransition, NotAllowed, NotAuthenticated, NotFound
from ca.domain.names import verify_text
from ca.domain.officers import Officer, OfficerState, TrustedRole
from ca.domain.serials import serial_text
from ca.ports import Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.answered import answered_case
from ca.usecases.authorize import OFFICER_SEAL, Authorize
from ca.usecases.bound import fingerprint, require_holding, save_binding, sealed_binding
from ca.usecases.passkeys import Passkeys
from ca.usecases.sealed import unsealed

PROFILE = "officer"
"""The profile of certificates that officers sign in with."""
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class BindingView:
    """A binding as the signer holds it, for one security officer."""

    binding: CertificateBinding
    challenge: bytes
    flaw: str
    """Why nobody can sign in with it, or approve it any more; empty when all is well."""
    may_approve: bool
    is_yours: bool
    """About the one who asks."""


@dataclass(frozen=True)
class DecideOnBinding:
    """Propose, show, approve, reject, end."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    passkeys: Passkeys
    authorize: Authorize

    def propose(self, session: str, officer_id: str, *, serial: int, reason: str) -> CertificateBinding:
        """What another security officer is to approve. Raises NotAllowed about oneself, InvalidRequest, NotFound."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            by = self.authorize(work, session, TrustedRole.SECURITY_OFFICER)
            officer = self.authorize.sealed_officer(work, officer_id)
            if officer.person == by.person:
                raise NotAllowed("nobody gives themselves another way in")
            if officer.state is not OfficerState.ACTIVE:
                raise InvalidTransition(f"{officer.name} is {officer.state.value}; only active officers sign in")
            certificate = self._certificate(work, serial)
            binding = CertificateBinding(
                id=self.random(8).hex(),
                version=1,
                officer=officer.id,
                person=officer.person,
                name=officer.name,
                serial=certificate.serial,
                fingerprint=fingerprint(certificate.der),
                subject=certificate.subject,
                reason=verify_text(reason, _LONGEST_REASON),
                proposed_by=by.person,
                proposed_at=now,
                expires_at=now + self.authorize.policy().officer_change_life,
            )
            save_binding(work, self.seals, binding)
            work.audit.append(AuditEvent("officer.binding-proposed", binding.id, by.person, now, _told(binding)))
            work.commit()
        return binding

    def show(self, session: str, binding_id: str) -> BindingView:
        """As the signer holds it. Raises NotFound."""
        with self.unit_of_work() as work:
            by = self.authorize(work, session, TrustedRole.SECURITY_OFFICER)
            binding = sealed_binding(work, self.seals, binding_id)
            flaw = self._flaw(work, binding)
            work.commit()
        waits = binding.state is BindingState.PROPOSED
        may = waits and not flaw and by.person not in (binding.proposed_by, binding.person)
        return BindingView(binding, _decision(binding, by).challenge(), flaw, may, by.person == binding.person)

    def approve(
        self, session: str, binding_id: str, *, binding_digest: bytes, assertion: Assertion
    ) -> CertificateBinding:
        """The binding in force. Raises NotAllowed, InvalidTransition, InvalidRequest, NotAuthenticated."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            by = self.authorize(work, session, TrustedRole.SECURITY_OFFICER)
            binding = sealed_binding(work, self.seals, binding_id)
            if by.person in (binding.proposed_by, binding.person):
                raise NotAllowed("another security officer must approve: not who proposed it, not whom it is about")
            if binding_digest != binding.digest():
                raise InvalidTransition("the binding is not what was shown; read it again")
            bound = binding.become(BindingState.BOUND, by=by.person)
            if now > binding.expires_at:
                raise InvalidTransition("this proposal is out of date; propose it anew")
            self._require_proposer(work, binding)
            if self.authorize.sealed_officer(work, binding.officer).state is not OfficerState.ACTIVE:
                raise InvalidTransition(f"{binding.name} is not active any more; only active officers sign in")
            if fingerprint(self._certificate(work, binding.serial).der) != binding.fingerprint:
                raise InvalidTransition("the certificate is not the one that was shown; propose it anew")
            self.passkeys.decide(work, by, _decision(binding, by), assertion)
            save_binding(work, self.seals, bound)
            work.audit.append(AuditEvent("officer.certificate-bound", binding.officer, by.person, now, _told(bound)))
            work.commit()
        return bound

    def reject(self, session: str, binding_id: str, *, reason: str) -> CertificateBinding:
        """By any security officer but the one it is about; its proposer takes it back so."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            by = self.authorize(work, session, TrustedRole.SECURITY_OFFICER)
            binding = sealed_binding(work, self.seals, binding_id)
            if by.person == binding.person:
                raise NotAllowed("nobody decides about themselves")
            reason = verify_text(reason, _LONGEST_REASON)
            rejected = binding.become(BindingState.REJECTED, by=by.person, reason=reason)
            save_binding(work, self.seals, rejected)
            details = {"officer": binding.officer, "reason": reason}
            work.audit.append(AuditEvent("officer.binding-rejected", binding.id, by.person, now, details))
            work.commit()
        return rejected

    def end(self, session: str, binding_id: str, *, reason: str) -> CertificateBinding:
        """By a security officer, or the officer it lets in. Raises NotFound to others, InvalidTransition."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            by = self.authorize(work, session)
            binding = sealed_binding(work, self.seals, binding_id)
            if by.id != binding.officer and TrustedRole.SECURITY_OFFICER not in by.roles:
                raise NotFound("there is no such binding")
            reason = verify_text(reason, _LONGEST_REASON)
            ended = binding.become(BindingState.ENDED, by=by.person, reason=reason)
            save_binding(work, self.seals, ended)
            details = _told(ended) | {"reason": reason}
            work.audit.append(AuditEvent("officer.certificate-unbound", binding.officer, by.person, now, details))
            work.commit()
        return ended

    def _certificate(self, work: Work, serial: int) -> Certificate:
        """One that can be bound: ours, approved by two, of the right profile, holding, and nobody's yet."""
        certificate = work.certificates.get(serial)
        if certificate.profile != PROFILE:
            raise InvalidRequest(f"only certificates of the profile {PROFILE} sign officers in; apply for one first")
        try:
            answered_case(work, self.seals, certificate)
            require_holding(certificate, self.clock.now())
        except NotAuthenticated as error:
            raise InvalidRequest("this certificate does not hold; only one that is active can be bound") from error
        if not _is_for_clients(certificate):
            raise InvalidRequest("this certificate is not made for signing in: it lacks the usage clientAuth")
        if work.bindings.list_bound(serial):
            raise InvalidTransition("this certificate is bound to an officer already; end that binding first")
        return certificate

    def _flaw(self, work: Work, binding: CertificateBinding) -> str:
        try:
            if binding.state is BindingState.BOUND:
                self.authorize.require_good(work, binding)
            elif binding.state is BindingState.PROPOSED:
                if self.clock.now() > binding.expires_at:
                    raise InvalidTransition("this proposal is out of date; propose it anew")
                self._certificate(work, binding.serial)
        except (InvalidRequest, InvalidTransition, NotAuthenticated, NotFound) as error:
            return str(error)
        return ""

    def _require_proposer(self, work: Work, binding: CertificateBinding) -> None:
        # Who lost the role since is no longer one of the two people that this needs (THREATS 4).
        found = work.officers.find_by_person(binding.proposed_by)
        if found is None:
            raise NotAllowed("who proposed this is no officer")
        unsealed(self.seals, OFFICER_SEAL, found).require(TrustedRole.SECURITY_OFFICER)


def _is_for_clients(certificate: Certificate) -> bool:
    extensions = x509.load_der_x509_certificate(certificate.der).extensions
    try:
        return ExtendedKeyUsageOID.CLIENT_AUTH in extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False


def _told(binding: CertificateBinding) -> dict[str, str]:
    return {
        "binding": binding.id,
        "officer": binding.officer,
        "person": binding.person,
        "certificate": serial_text(binding.serial),
        "subject": binding.subject,
        "reason": binding.reason,
    }


def _decision(binding: CertificateBinding, officer: Officer) -> Decision:
    return Decision(Act.APPROVE_BINDING, binding.id, binding.digest(), officer.id, officer.person)
