"""An officer signs in with a TLS client certificate, if the bank has opened that door (docs/adr/0041; THREATS 45).

The edge has the handshake's proof and vouches for it by a signature over a challenge of ours, so that the console
cannot say by itself who called. Whether the certificate is ours, holds at this instant and is this officer's, the
signer finds in its own records.
"""

from dataclasses import dataclass

from ca.domain.audit import AuditEvent
from ca.domain.bindings import CertificateBinding
from ca.domain.errors import InvalidRequest, NotAllowed, NotAuthenticated, NotFound
from ca.domain.keys import PublicKey
from ca.domain.officers import Officer, OfficerState
from ca.domain.serials import serial_text
from ca.domain.sessions import CHALLENGE_LIFE, Challenge
from ca.domain.tbs import read_certificate
from ca.domain.vouchers import door_target, vouched
from ca.ports import Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.authorize import Authorize, begin_session
from ca.usecases.bound import BINDING_SEAL, CLOSED, fingerprint
from ca.usecases.report_unknown import ReportUnknownCertificate
from ca.usecases.sealed import unsealed

_PURPOSE = "certificate-sign-in"
_NOT_VOUCHED = "this certificate did not sign you in; begin again"
_NOT_BOUND = "this certificate is bound to no officer; sign in with your passkey, or ask a security officer to bind it"


@dataclass(frozen=True)
class SignInByCertificate:
    """Challenge, voucher, session."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    authorize: Authorize
    report_unknown: ReportUnknownCertificate
    edge_key: bytes | None
    """SubjectPublicKeyInfo of the key with which the edge vouches; None: the door is closed."""

    def challenge(self) -> bytes:
        """A one-time value for the request's target, good for five minutes. Raises NotAllowed: the door is closed."""
        if self.edge_key is None:
            raise NotAllowed(CLOSED)
        value = self.random(32)
        with self.unit_of_work() as work:
            work.challenges.add(Challenge(_PURPOSE, value, self.clock.now() + CHALLENGE_LIFE))
            work.commit()
        return value

    def __call__(
        self, challenge: bytes, certificate_der: bytes, voucher: bytes, *, source: str = ""
    ) -> tuple[str, Officer]:
        """The session token and the officer. Raises NotAllowed, NotAuthenticated, Tampered."""
        now = self.clock.now()
        self._require_vouched(challenge, certificate_der, voucher)
        self._report(certificate_der)
        with self.unit_of_work() as work:
            binding = self._binding(work, certificate_der)
            certificate = self.authorize.require_good(work, binding)
            officer = self.authorize.sealed_officer(work, binding.officer)
            if officer.state is not OfficerState.ACTIVE:
                raise NotAuthenticated(f"{officer.name} is {officer.state.value} and may not act")
            token = begin_session(work, self.seals, self.random, officer, now, source=source, binding=binding.id)
            details = {"certificate": serial_text(certificate.serial)} | ({"source": source} if source else {})
            work.audit.append(AuditEvent("officer.signed-in", officer.id, officer.person, now, details))
            work.commit()
        return token, officer

    def _require_vouched(self, challenge: bytes, certificate_der: bytes, voucher: bytes) -> None:
        if self.edge_key is None:
            raise NotAllowed(CLOSED)
        with self.unit_of_work() as work:
            given = work.challenges.take(_PURPOSE, challenge)
            work.commit()  # it stays used, whatever comes of it
        if given is None or given.is_over(self.clock.now()):
            raise NotAuthenticated(_NOT_VOUCHED)
        try:
            PublicKey.from_spki(self.edge_key).verify(voucher, vouched(door_target(challenge), certificate_der))
        except InvalidRequest as error:
            raise NotAuthenticated(_NOT_VOUCHED) from error

    def _report(self, certificate_der: bytes) -> None:
        # TLS let it in, so it leads to our root: if we do not know it, our key was misused (DESIGN invariant 10).
        try:
            is_alarm = self.report_unknown(certificate_der, by="edge")
        except InvalidRequest as error:
            raise NotAuthenticated(_NOT_BOUND) from error
        if is_alarm:
            raise NotAuthenticated(_NOT_BOUND)

    def _binding(self, work: Work, certificate_der: bytes) -> CertificateBinding:
        try:
            serial = read_certificate(certificate_der).serial
        except (InvalidRequest, NotFound) as error:
            raise NotAuthenticated(_NOT_BOUND) from error
        bound = work.bindings.list_bound(serial)
        if len(bound) != 1:
            raise NotAuthenticated(_NOT_BOUND)
        binding = unsealed(self.seals, BINDING_SEAL, bound[0])
        if fingerprint(certificate_der) != binding.fingerprint:
            raise NotAuthenticated(_NOT_BOUND)
        return binding
