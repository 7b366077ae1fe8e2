"""The customer downloads the certificate with the two codes (RFC 7030 section 4.2; DESIGN invariants 3 and 4)."""

from collections.abc import Mapping
from dataclasses import dataclass

from ca.domain.applications import Application, ApplicationState
from ca.domain.audit import AuditEvent
from ca.domain.certificates import Certificate, Intent
from ca.domain.codes import CodePair, CodeState
from ca.domain.crl import partition_for, with_partition
from ca.domain.drafting import draft_certificate
from ca.domain.errors import (
    InvalidRequest,
    InvalidTransition,
    KeyNotBornOnDevice,
    KeyOnAnotherDevice,
    NotAuthenticated,
    ProfileViolation,
)
from ca.domain.issuers import Issuer
from ca.domain.keys import PublicKey
from ca.domain.names import AlternativeName, Name
from ca.domain.profiles import Profile
from ca.domain.requests import CertificationRequest
from ca.domain.serials import new_serial
from ca.domain.stock import AlarmKind
from ca.ports import Clock, Random, UnitOfWork, Work
from ca.usecases.codes import WRONG_CODES, CheckCodes
from ca.usecases.custody import RaiseAlarm
from ca.usecases.dossier import Dossier
from ca.usecases.issuance import Issuance
from ca.usecases.key_birth import KeyBirthAlarms, require_born_on_device

_CUSTOMER = "customer"


@dataclass(frozen=True)
class Hints:
    """What the customer's tool needs to know before it makes a key."""

    profile: Profile
    application: Application
    token_serial: str
    """The serial number of the U-Shield it must go into; empty when it is bound to none that can tell its own."""


@dataclass(frozen=True)
class Drafter:
    """From an approved case and a public key to a recorded intent; enrolment and renewal share it."""

    clock: Clock
    random: Random
    issuance: Issuance
    issuer: Issuer
    """As it stood when the signer started: a row edited since must not say where a certificate points to."""
    crl_partitions: int = 0
    """Among how many CRLs new certificates are spread; 0: they all point to the full one."""

    def intend(
        self,
        work: Work,
        application: Application,
        profile: Profile,
        request: CertificationRequest,
        *,
        predecessor: Certificate | None = None,
    ) -> Intent:
        """Check the key, draft, lint, record. Raises ProfileViolation for a key we do not certify."""
        now = self.clock.now()
        serial = self._free_serial(work)
        partitions = self.crl_partitions
        issuer = with_partition(self.issuer, partition_for(serial, partitions)) if partitions else self.issuer
        self._require_acceptable_key(work, request.public_key, profile)
        require_born_on_device(request, application.id)
        self._require_fresh_key(work, request.public_key, application, profile, predecessor)
        case = application.case
        draft = draft_certificate(
            profile=profile,
            issuer=issuer,
            subject=Name.from_list([list(pair) for pair in case.subject]),
            alternative_names=[AlternativeName(kind, value) for kind, value in case.alternative_names],
            public_key=request.public_key,
            serial=serial,
            now=now,
        )
        intent = Intent(
            serial=draft.serial,
            issuer=issuer.name,
            profile=profile.name,
            application=application.id,
            tbs_der=draft.tbs_der,
            public_key=request.public_key.fingerprint,
            request=request.fingerprint,
            predecessor=predecessor.serial if predecessor else None,
            intended_at=now,
            needs_confirmation=profile.needs_confirmation,
            request_der=request.der,
        )
        recorded = self.issuance.record(work, intent, draft, issuer, profile, _CUSTOMER)
        KeyBirthAlarms(self.random).unsaid(work, request, case, at=now)
        # Somebody else may have brought the same key while this one was linted: now it is one at a time, until commit.
        work.issuers.take_turn(issuer.name)
        self._require_fresh_key(work, request.public_key, application, profile, predecessor, ours=recorded.serial)
        return recorded

    def _free_serial(self, work: Work) -> int:
        # A collision of 128 random bits means the random source is broken (T-06).
        for _ in range(3):
            serial = new_serial(self.random)
            if work.certificates.find(serial) is None:
                return serial
        raise InvalidTransition("three serials in a row were taken; the random source is broken, nothing was signed")

    def _require_acceptable_key(self, work: Work, key: PublicKey, profile: Profile) -> None:
        if key.algorithm not in profile.key_algorithms:
            accepted = ", ".join(sorted(algorithm.value for algorithm in profile.key_algorithms))
            raise ProfileViolation(f"this kind of key is not accepted here; accepted are {accepted}")
        if any(PublicKey.from_spki(issuer.spki_der).fingerprint == key.fingerprint for issuer in work.issuers.list()):
            raise ProfileViolation("this is the key of a certificate authority")

    def _require_fresh_key(
        self,
        work: Work,
        key: PublicKey,
        application: Application,
        profile: Profile,
        predecessor: Certificate | None,
        *,
        ours: int | None = None,
    ) -> None:
        if work.blocked_keys.find(key.fingerprint) is not None:
            raise ProfileViolation("this key is blocked; make a new one")
        # Intents before certificates: one that is signed between the two questions is found by the second.
        for intent in work.intents.list_unsigned():
            if intent.public_key == key.fingerprint and intent.serial != ours:
                raise ProfileViolation(_KNOWN_KEY)
        for earlier in work.certificates.list_by_public_key(key.fingerprint):
            kept = predecessor is not None and earlier.public_key == predecessor.public_key
            if earlier.is_compromised or not (
                kept and profile.same_key_on_renewal and earlier.customer == application.case.customer
            ):
                if earlier.device_serial and application.case.device_serial not in {"", earlier.device_serial}:
                    raise KeyOnAnotherDevice(_KNOWN_KEY, earlier.device_serial)
                raise ProfileViolation(_KNOWN_KEY)


_KNOWN_KEY = "this key was certified before; make a new one"
_USED = "these codes were used already, for another request"


@dataclass(frozen=True)
class Enrol:
    """Two codes and a certification request become one certificate, however often they are sent."""

    unit_of_work: UnitOfWork
    clock: Clock
    check_codes: CheckCodes
    dossier: Dossier
    drafter: Drafter
    issuance: Issuance
    profiles: Mapping[str, Profile]

    def hints(self, reference: str, code: str) -> Hints:
        """What the codes stand for. Raises NotAuthenticated."""
        pair = self.check_codes.require(reference, code)
        with self.unit_of_work() as work:
            application, profile = self.dossier.require(work, pair.application)
            device = work.devices.find(application.case.device_serial)
        return Hints(profile, application, device.token_serial if device else "")

    def __call__(self, reference: str, code: str, request_der: bytes) -> Certificate:
        """The certificate. Raises NotAuthenticated, InvalidRequest, InvalidTransition when the codes are used up."""
        pair = self.check_codes.require(reference, code)
        request = self._parse(pair, request_der)
        try:
            intent, issuer = self._claim(pair.reference, request)
        except KeyOnAnotherDevice as error:
            self._alarm(pair, error.device_serial)
            raise
        except KeyNotBornOnDevice as error:
            KeyBirthAlarms(self.drafter.random).refused(self.unit_of_work, error, at=self.clock.now())
            raise
        return self.issuance.finish(intent, issuer, _CUSTOMER)

    def _alarm(self, pair: CodePair, first: str) -> None:
        """The refusal undid its transaction: the alarm has one of its own."""
        raise_alarm, now = RaiseAlarm(self.drafter.random), self.clock.now()
        with self.unit_of_work() as work:
            case = work.applications.get(pair.application)[0].case
            told = f"the key of {first} was brought for {case.device_serial}, application {case.application}"
            for serial in sorted((case.device_serial, first)):
                device = work.devices.find(serial)
                where = {"branch": device.branch if device else case.branch, "subject": serial, "told": told}
                raise_alarm(work, AlarmKind.SAME_KEY, **where, by=_CUSTOMER, at=now)
            work.commit()

    def _parse(self, pair: CodePair, request_der: bytes) -> CertificationRequest:
        try:
            return CertificationRequest.parse(request_der)
        except InvalidRequest:
            # A broken request leaves the codes usable but counts as an attempt (T-01).
            now = self.clock.now()
            with self.unit_of_work() as work:
                current = work.codes.find(pair.reference)
                if current is not None:
                    self.check_codes.count_miss(work, current, now)
                work.audit.append(AuditEvent("request.refused", pair.application, _CUSTOMER, now))
                work.commit()
            raise

    def _claim(self, reference: str, request: CertificationRequest) -> tuple[Intent, Issuer]:
        now = self.clock.now()
        with self.unit_of_work() as work:
            # Read again inside the transaction that claims: another download may have been faster.
            pair = work.codes.find(reference)
            if pair is None or not pair.is_usable(now):
                raise NotAuthenticated(WRONG_CODES)
            if pair.state is CodeState.CLAIMED:
                intent = work.intents.find_for_request(pair.application, request.fingerprint)
                if intent is None or pair.request != request.fingerprint:
                    raise InvalidTransition(_USED)
                return intent, work.issuers.get(intent.issuer)
            if _has_certificate(work, pair.application):
                # The rows say the codes are new, and they are not: somebody wrote them back.
                raise InvalidTransition(_USED)
            application, profile = self.dossier.require(work, pair.application)
            claimed = application.become(ApplicationState.CLAIMED, at=now)
            work.codes.save(pair.claim(request.fingerprint))
            work.applications.set_state(claimed)
            intent = self.drafter.intend(work, claimed, profile, request)
            issuer = work.issuers.get(intent.issuer)
            work.commit()
        return intent, issuer


def _has_certificate(work: Work, application: str) -> bool:
    begun = any(intent.application == application for intent in work.intents.list_unsigned())
    return begun or work.certificates.find_by_application(application) is not None
