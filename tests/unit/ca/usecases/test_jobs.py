"""ca/usecases/jobs.py, sweep.py, responder.py, health.py: what happens by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from ca.domain.applications import ApplicationState
from ca.domain.certificates import CertificateStatus
from ca.domain.codes import CodeState
from ca.domain.errors import InvalidRequest, KeyStoreUnavailable, NotAuthenticated, NotReady, PKIError
from ca.domain.policy import USUAL
from ca.domain.profiles import EXTENDED_KEY_USAGES, Profile
from ca.domain.revocation import Revocation, RevocationReason
from ca.ports import Work
from ca.usecases.jobs import Job
from ca.usecases.publish_bundle import BUNDLE_PROFILE, bundle_key
from tests.builders import a_crl
from tests.drafts import a_request
from tests.fakes.bank import MARIA, PAVEL, SUPERVISOR, Bank, new_key
from tests.fakes.ceremony import ISSUING

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


# One leader at a time


def test_the_leader_gets_it_done(bank: Bank) -> None:
    run = bank.run_job("count", "first")
    assert run is not None
    assert (run.ok, run.result, run.ran_at) == (True, "counted", bank.clock.now())
    assert bank.stored.runs["count"] == run


def test_nobody_else_does(bank: Bank) -> None:
    bank.run_job("count", "first")
    bank.clock.tick(timedelta(seconds=29))
    assert bank.run_job("count", "second") is None


def test_a_leader_that_died_is_followed(bank: Bank) -> None:
    bank.run_job("count", "first")
    bank.clock.tick(MINUTE)
    assert bank.run_job("count", "second") is not None
    assert bank.run_job("count", "first") is None


def test_a_leader_that_asks_on_stays(bank: Bank) -> None:
    bank.run_job("count", "first")
    for _ in range(5):
        bank.clock.tick(timedelta(seconds=20))
        bank.run_job("count", "first")
    assert bank.run_job("count", "second") is None


def test_only_what_is_due_is_done(bank: Bank) -> None:
    bank.run_job("count", "first")
    bank.clock.tick(timedelta(seconds=59))
    assert bank.run_job("count", "first") is None
    bank.clock.tick(SECOND)
    assert bank.run_job("count", "first") is not None


@pytest.mark.parametrize("error", [PKIError("the HSM is away"), PermissionError("crl/")], ids=["ours", "a file's"])
def test_a_failure_is_a_result_and_tried_again_at_once(bank: Bank, error: Exception) -> None:
    def fail() -> str:
        raise error

    bank.jobs["fail"] = Job("fail", DAY, fail)
    run = bank.run_job("fail", "first")
    assert run is not None
    assert not run.ok
    assert str(error) in run.result
    assert bank.stored.runs["fail"] == run
    assert bank.run_job("fail", "first") is not None


def test_a_job_with_a_defect_shows_as_failed(bank: Bank) -> None:
    assert bank.run_job("count", "first") is not None
    bank.clock.tick(MINUTE)

    def fail() -> str:
        raise KeyError("unforeseen")

    bank.jobs["count"] = Job("count", MINUTE, fail)

    with pytest.raises(KeyError):
        bank.run_job("count", "first")

    run = bank.stored.runs["count"]
    assert (run.ok, run.ran_at) == (False, bank.clock.now())
    assert "defect" in run.result


def test_an_unknown_job_is_refused(bank: Bank) -> None:
    with pytest.raises(InvalidRequest, match="there are count"):
        bank.run_job("sign anything", "first")


# What time ends


def test_codes_nobody_used_expire(bank: Bank) -> None:
    unused, used = bank.codes(), bank.codes()
    bank.download(used, a_request())
    bank.clock.set(bank.pair(unused).expires_at + SECOND)

    assert bank.sweep.expire_codes() == 1

    assert bank.pair(unused).state is CodeState.EXPIRED
    assert bank.state(unused.application) is ApplicationState.EXPIRED
    assert bank.pair(used).state is CodeState.CLAIMED
    assert bank.event_names[-1] == "codes.expired"
    assert bank.sweep.expire_codes() == 0


def test_a_supervisor_hands_out_new_codes_for_expired_ones(bank: Bank) -> None:
    codes = bank.codes()
    bank.clock.set(bank.pair(codes).expires_at + SECOND)
    bank.sweep.expire_codes()
    bank.download(bank.codes(codes.application, by=SUPERVISOR), a_request())


def test_an_application_that_went_on_without_its_codes_is_left_alone(bank: Bank) -> None:
    codes = bank.codes()
    bank.rewrite_state(codes.application, ApplicationState.VOID)
    bank.clock.set(bank.pair(codes).expires_at + SECOND)
    assert bank.sweep.expire_codes() == 1
    assert bank.state(codes.application) is ApplicationState.VOID


def test_a_certificate_never_confirmed_is_revoked(bank: Bank) -> None:
    key = new_key()
    certificate = bank.issued(key=key)
    nonce = bank.confirm.challenge(certificate.serial)
    assert nonce
    bank.clock.tick(DAY - SECOND)
    assert bank.sweep.revoke_unconfirmed() == 0
    bank.clock.tick(SECOND)

    assert bank.sweep.revoke_unconfirmed() == 1

    revocation = bank.certificate(certificate.serial).revocation
    assert revocation is not None
    assert revocation.reason is RevocationReason.CESSATION_OF_OPERATION
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.details["why"]) == ("certificate.revoked", "never confirmed")
    assert bank.stored.crl_due[ISSUING]
    assert bank.published == [ISSUING]
    with pytest.raises(PKIError):
        bank.confirmed(certificate, key)


def test_what_was_never_confirmed_is_revoked_since_its_issuance(bank: Bank) -> None:
    certificate = bank.issued()
    seen = certificate.seen_by_relying_parties()
    assert seen is not None
    bank.clock.tick(2 * DAY)

    bank.sweep.revoke_unconfirmed()

    revoked = bank.certificate(certificate.serial).seen_by_relying_parties()
    assert revoked == Revocation(RevocationReason.CESSATION_OF_OPERATION, certificate.issued_at)
    assert revoked.revoked_at == seen.revoked_at


def test_what_was_confirmed_after_it_was_listed_is_left_alone(bank: Bank) -> None:
    key = new_key()
    certificate = bank.issued(key=key)
    bank.clock.tick(DAY)

    class Profiles(dict[str, Profile]):
        def get(self, name: str) -> Profile:  # type: ignore[override]  # as the sweep asks
            bank.confirmed(certificate, key)
            return self[name]

    assert replace(bank.sweep, profiles=Profiles(bank.profiles)).revoke_unconfirmed() == 0
    assert bank.status(certificate.serial) is CertificateStatus.ACTIVE


def test_codes_used_after_they_were_listed_do_not_expire(bank: Bank) -> None:
    codes = bank.codes()
    bank.clock.set(bank.pair(codes).expires_at)

    class Late:
        """Lists a second too late for the customer, who comes in before anything is written."""

        @contextmanager
        def __call__(self) -> Iterator[Work]:
            with bank.unit_of_work() as work:
                yield work
            if bank.pair(codes).state is CodeState.OPEN:
                bank.download(codes, a_request())

        def now(self) -> datetime:
            return bank.clock.now() + SECOND

    late = Late()
    assert replace(bank.sweep, unit_of_work=late, clock=late).expire_codes() == 0
    assert bank.pair(codes).state is CodeState.CLAIMED


def test_certificates_in_use_are_not_swept(bank: Bank) -> None:
    certificate = bank.active()
    bank.clock.tick(30 * DAY)
    assert bank.sweep.revoke_unconfirmed() == 0
    assert bank.status(certificate.serial) is CertificateStatus.ACTIVE


def test_the_predecessor_outlives_a_renewal_that_was_never_confirmed(bank: Bank) -> None:
    from tests.fakes.bank import request_like

    current = bank.active()
    bank.clock.set(current.not_after - 30 * DAY)
    bank.re_enrol(current.der, request_like(current.der, new_key()))
    bank.clock.tick(2 * DAY)
    assert bank.sweep.revoke_unconfirmed() == 1
    assert bank.status(current.serial) is CertificateStatus.ACTIVE


def test_without_its_profile_an_unconfirmed_certificate_does_not_wait(bank: Bank) -> None:
    certificate = bank.issued()
    del bank.profile_files["personal-signing"]
    bank.clock.tick(SECOND)
    assert bank.sweep.revoke_unconfirmed() == 1
    assert bank.status(certificate.serial) is CertificateStatus.REVOKED


def test_challenges_nobody_answered_are_forgotten(bank: Bank) -> None:
    bank.sign_in.challenge()
    assert bank.sweep.forget_challenges() == 0
    bank.clock.tick(timedelta(minutes=5) + SECOND)
    assert bank.sweep.forget_challenges() == 1
    assert bank.stored.challenges == {}


def test_sessions_that_are_over_are_forgotten(bank: Bank) -> None:
    live, signed_out = bank[MARIA], bank[PAVEL]
    bank.sign_in.out(signed_out.session)
    assert bank.sweep.forget_sessions() == 1
    assert bank.sign_in.who(live.session).person == MARIA
    bank.clock.tick(USUAL.session_idle)
    assert bank.sweep.forget_sessions() == 0
    bank.clock.tick(SECOND)
    assert bank.sweep.forget_sessions() == 1
    assert bank.stored.sessions == {}


# The OCSP responder's certificate


def test_without_its_profile_no_responder_is_certified(bank: Bank) -> None:
    del bank.profile_files["ocsp-responder"]
    with pytest.raises(NotReady, match="the profile ocsp-responder is missing"):
        bank.responder(ISSUING)
    assert bank.signatures == []


def test_the_responders_certificate_does_one_thing(bank: Bank) -> None:
    certificate = bank.responder(ISSUING)
    parsed = x509.load_der_x509_certificate(certificate.der)
    usages = parsed.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    assert parsed.extensions.get_extension_for_class(x509.OCSPNoCheck)
    assert (certificate.application, certificate.status) == ("", CertificateStatus.ACTIVE)
    assert [e.actor for e in bank.unit_of_work.events[-2:]] == ["signer", "signer"]


def test_the_bundle_signers_certificate_does_one_thing(bank: Bank) -> None:
    certificate = replace(bank.responder, profile=BUNDLE_PROFILE, key_of=bundle_key)(ISSUING)
    parsed = x509.load_der_x509_certificate(certificate.der)
    usages = parsed.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [usage.dotted_string for usage in usages] == [EXTENDED_KEY_USAGES["bundleSigning"]]
    assert parsed.extensions.get_extension_for_class(x509.CRLDistributionPoints)
    assert certificate.public_key != bank.responder(ISSUING).public_key


def test_it_is_renewed_when_two_thirds_of_its_life_are_over(bank: Bank) -> None:
    first = bank.responder.renew_if_due(ISSUING)
    assert first is not None
    due = first.not_after - (first.not_after - first.not_before) / 3
    bank.clock.set(due.replace(microsecond=0))
    assert bank.responder.renew_if_due(ISSUING) is None
    bank.clock.tick(SECOND)
    second = bank.responder.renew_if_due(ISSUING)
    assert second is not None
    assert second.public_key == first.public_key
    assert second.not_after > first.not_after
    assert bank.responder.renew_if_due(ISSUING) is None


def test_a_renewal_the_hsm_broke_off_is_finished_later(bank: Bank) -> None:
    bank.key_store.signatures_left = 0
    with pytest.raises(KeyStoreUnavailable):
        bank.responder(ISSUING)
    bank.key_store.signatures_left = None
    (serial,) = bank.reconcile()
    assert bank.certificate(serial).profile == "ocsp-responder"
    assert bank.responder.renew_if_due(ISSUING) is None


# Health


def test_a_healthy_signer_says_ok(bank: Bank) -> None:
    assert bank.health() == {"hsm": "ok", "database": "ok", "clock": "ok"}


def test_an_hsm_that_is_away_is_said(bank: Bank) -> None:
    bank.key_store.away = True
    assert bank.health()["hsm"] == "the HSM is away"


def test_a_wrong_key_in_the_hsm_is_said(bank: Bank) -> None:
    bank.stored.issuers[ISSUING] = replace(bank.stored.issuers[ISSUING], key_id=b"ocsp-issuing")
    assert "not the one in the CA certificate" in bank.health()["hsm"]


def test_a_missing_issuer_is_said(bank: Bank) -> None:
    del bank.stored.issuers[ISSUING]
    assert "issuing" in bank.health()["hsm"]


def test_a_database_that_is_away_is_said(bank: Bank) -> None:
    def away():  # type: ignore[no-untyped-def]  # a unit of work
        raise NotReady("the database is away")

    health = replace(bank.health, unit_of_work=away)()
    assert health == {
        "hsm": "the database is away",
        "database": "the database is away",
        "clock": "the database is away",
    }


def test_a_clock_behind_the_last_crl_is_said(bank: Bank) -> None:
    now = bank.clock.now()
    bank.stored.crls.append(a_crl(number=2, this_update=now, next_update=now + DAY))
    assert bank.health()["clock"] == "ok"
    bank.clock.tick(-SECOND)
    assert "behind the last CRL" in bank.health()["clock"]


def test_swept_codes_are_refused_like_wrong_ones(bank: Bank) -> None:
    codes = bank.codes()
    bank.clock.set(bank.pair(codes).expires_at + SECOND)
    bank.sweep.expire_codes()
    with pytest.raises(NotAuthenticated):
        bank.download(codes, a_request())
