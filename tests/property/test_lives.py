"""State machines walk the bank: whatever is tried in whatever order, no certificate comes of one person alone.

The tables of the domain are walked too. Every step is an honest act, an attack, or a stranger with a pen in the
database; after each one the invariants of DESIGN section 4 are looked at.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from ca.domain import applications, certificates
from ca.domain.applications import ApplicationState
from ca.domain.certificates import CertificateStatus
from ca.domain.codes import CodeState
from ca.domain.decisions import Evidence, approval
from ca.domain.errors import InvalidTransition, PKIError
from ca.domain.revocation import RevocationReason
from ca.usecases.audit import VerifyAudit
from tests.builders import NOW, a_certificate, an_application
from tests.drafts import SoftKey, a_request
from tests.fakes.bank import HOTLINE, MARIA, PAVEL, SECURITY, STRANGER, SUPERVISOR, Bank, Codes, new_key

PEOPLE = st.sampled_from([MARIA, PAVEL, SUPERVISOR, STRANGER, HOTLINE, SECURITY])
CERTIFICATES = Bundle("certificates")
APPLICATIONS = Bundle("applications")
CODES = Bundle("codes")


class BankLife(RuleBasedStateMachine):
    """Officers, customers and a stranger who can write into the database."""

    def __init__(self) -> None:
        super().__init__()
        self.bank = Bank()
        self.bank.amend("machine", needs_confirmation=True, confirm_within=timedelta(days=1))
        self.keys: dict[int, SoftKey] = {}
        self.approvers: dict[str, str] = {}
        self.final: set[int] = set()

    @initialize(target=CERTIFICATES)
    def somebody_is_in_use(self) -> int:
        return self.take(self.honest_codes(MARIA, PAVEL))

    def honest_codes(self, maker: str, checker: str) -> Codes:
        application = self.bank.submitted(maker=maker, profile="machine")
        self.bank.approve(application, checker=checker)
        self.approvers[application] = checker
        return self.bank.codes(application, by=maker)

    def take(self, codes: Codes) -> int:
        key = new_key()
        certificate = self.bank.download(codes, a_request(key))
        self.keys[certificate.serial] = key
        return certificate.serial

    @rule(target=CODES, makes=st.booleans())
    def an_ordinary_morning(self, makes: bool) -> Codes:
        return self.honest_codes(*((MARIA, PAVEL) if makes else (PAVEL, MARIA)))

    @rule(target=APPLICATIONS, codes=CODES)
    def look_up(self, codes: Codes) -> str:
        return codes.application

    @rule(target=APPLICATIONS, maker=st.sampled_from([MARIA, PAVEL, STRANGER]))
    def submit(self, maker: str) -> str:
        return self.bank.submitted(maker=maker, profile="machine")

    @rule(application=APPLICATIONS, person=PEOPLE)
    def approve(self, application: str, person: str) -> None:
        self.try_to_approve(application, person)

    def try_to_approve(self, application: str, person: str) -> None:
        with suppress(PKIError):
            self.bank.approve(application, checker=person)
            self.approvers[application] = person

    @rule(application=APPLICATIONS, person=PEOPLE)
    def reject_or_withdraw(self, application: str, person: str) -> None:
        for act in (self.bank.decide.reject, self.bank.decide.withdraw):
            with suppress(PKIError):
                act(self.bank.session(person), application, reason="why not")

    @rule(target=CODES, application=APPLICATIONS, person=PEOPLE)
    def hand_out(self, application: str, person: str):  # type: ignore[no-untyped-def]  # one of them or none
        return self.try_to_hand_out(application, person)

    def try_to_hand_out(self, application: str, person: str):  # type: ignore[no-untyped-def]  # one of them or none
        try:
            return self.bank.codes(application, by=person)
        except PKIError:
            return multiple()

    @rule(target=CERTIFICATES, codes=CODES)
    def download(self, codes: Codes):  # type: ignore[no-untyped-def]  # one of them or none
        try:
            return self.take(codes)
        except PKIError:
            return multiple()

    @rule(codes=CODES)
    def guess(self, codes: Codes) -> None:
        with suppress(PKIError):
            self.bank.enrol.hints(codes.reference, "0000-0000-0000")

    @rule(serial=CERTIFICATES, honest=st.booleans())
    def confirm(self, serial: int, honest: bool) -> None:
        key = self.keys[serial] if honest else new_key()
        with suppress(PKIError):
            self.bank.confirmed(self.bank.certificate(serial), key)

    @rule(serial=CERTIFICATES, person=PEOPLE)
    def hold_or_release(self, serial: int, person: str) -> None:
        for act in (self.bank.change_status.hold, self.bank.change_status.release):
            with suppress(PKIError):
                act(self.bank.session(person), serial)

    @rule(serial=CERTIFICATES, person=PEOPLE)
    def revoke(self, serial: int, person: str) -> None:
        with suppress(PKIError):
            self.bank.change_status.revoke(self.bank.session(person), serial, RevocationReason.UNSPECIFIED)

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.bank.clock.tick(timedelta(hours=hours))
        self.bank.sweep.expire_codes()
        self.bank.sweep.revoke_unconfirmed()

    @rule(codes=CODES)
    def lose_power_while_signing(self, codes: Codes) -> None:
        self.bank.key_store.signatures_left = 0
        with suppress(PKIError):
            self.bank.download(codes, a_request(new_key()))
        self.bank.key_store.signatures_left = None
        self.bank.reconcile()

    @rule(application=APPLICATIONS, state=st.sampled_from(ApplicationState))
    def write_a_state(self, application: str, state: ApplicationState) -> None:
        self.bank.rewrite_state(application, state)

    @rule(codes=CODES)
    def write_codes_as_new(self, codes: Codes) -> None:
        fresh = replace(self.bank.pair(codes), state=CodeState.OPEN, attempts_left=9, request="")
        self.bank.stored.codes[codes.reference] = fresh
        self.bank.rewrite_state(codes.application, ApplicationState.CODES_ISSUED)

    @rule(application=APPLICATIONS)
    def write_evidence_of_the_maker(self, application: str) -> None:
        self.forge_evidence_of_the_maker(application)

    def forge_evidence_of_the_maker(self, application: str) -> None:
        case = self.bank.application(application).case
        maker = self.bank[case.maker_person]
        decision = approval(case, maker.officer)
        evidence = Evidence(decision, maker.passkey.sign(decision.challenge()), maker.passkey.public_key, NOW)
        self.bank.stored.evidence.append((application, evidence))

    @rule(application=APPLICATIONS, other=APPLICATIONS)
    def replay_evidence(self, application: str, other: str) -> None:
        replayed = [(application, evidence) for key, evidence in self.bank.stored.evidence if key == other]
        self.bank.stored.evidence.extend(replayed)

    @rule(target=CODES, maker=st.sampled_from([MARIA, PAVEL]), writes=st.booleans())
    def go_alone(self, maker: str, writes: bool):  # type: ignore[no-untyped-def]  # one of them or none
        """One person enters, approves and hands out; the database helps where it can."""
        application = self.bank.submitted(maker=maker, profile="machine")
        self.try_to_approve(application, maker)
        if writes:
            self.bank.rewrite_state(application, ApplicationState.APPROVED)
            self.forge_evidence_of_the_maker(application)
        return self.try_to_hand_out(application, maker)

    @invariant()
    def two_people_wanted_every_certificate(self) -> None:
        for certificate in self.bank.customer_certificates:
            maker = self.bank.application(certificate.application).case.maker_person
            assert self.approvers.get(certificate.application, maker) != maker

    @invariant()
    def one_application_has_one_certificate(self) -> None:
        answered = [certificate.application for certificate in self.bank.customer_certificates]
        assert len(answered) == len(set(answered))
        assert len(set(self.bank.signatures)) == len(answered)

    @invariant()
    def what_was_signed_was_recorded_first(self) -> None:
        assert set(self.bank.signatures) <= {intent.tbs_der for intent in self.bank.stored.intents.values()}

    @invariant()
    def revocation_never_un_happens(self) -> None:
        revoked = {c.serial for c in self.bank.customer_certificates if c.status is CertificateStatus.REVOKED}
        assert self.final <= revoked
        self.final = revoked

    @invariant()
    def the_log_is_whole(self) -> None:
        verify: VerifyAudit = self.bank.verify_audit
        assert verify().events == len(self.bank.event_names)


BankLife.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestBankLife = BankLife.TestCase


@given(st.lists(st.sampled_from(ApplicationState), max_size=12))
def test_no_walk_through_the_table_issues_without_an_approval(walk: list[ApplicationState]) -> None:
    application, been = an_application(), [ApplicationState.SUBMITTED]
    for wanted in walk:
        with suppress(InvalidTransition):
            application = application.become(wanted, at=NOW)
            been.append(application.state)
    if application.state in (ApplicationState.CLAIMED, ApplicationState.COMPLETED):
        assert been.index(ApplicationState.APPROVED) < been.index(ApplicationState.CODES_ISSUED)
    for before, after in pairwise(been):
        assert after in applications.transitions()[before]
    assert been.count(ApplicationState.CLAIMED) <= 1


@given(st.lists(st.sampled_from(["confirm", "suspend", "resume", "revoke"]), max_size=12))
def test_no_walk_brings_a_revoked_certificate_back(walk: list[str]) -> None:
    certificate = a_certificate(status=CertificateStatus.UNCONFIRMED)
    acts = {
        "confirm": lambda one: one.confirm(at=NOW),
        "suspend": lambda one: one.suspend(at=NOW),
        "resume": lambda one: one.resume(),
        "revoke": lambda one: one.revoke(RevocationReason.UNSPECIFIED, at=NOW),
    }
    confirmed = False
    for name in walk:
        before = certificate
        with suppress(InvalidTransition):
            certificate = acts[name](before)
            assert certificate.status in certificates.transitions()[before.status]
            confirmed = confirmed or name == "confirm"
        if before.status is CertificateStatus.REVOKED:
            assert certificate == before
    if certificate.status in (CertificateStatus.ACTIVE, CertificateStatus.ON_HOLD):
        assert confirmed
    assert (certificate.seen_by_relying_parties() is None) == (certificate.status is CertificateStatus.ACTIVE)
