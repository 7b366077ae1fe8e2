"""ca/usecases/publish_crl.py: numbers only grow, nothing is lost, and a failure leaves the CRL due."""

import hashlib
from datetime import datetime, timedelta

import pytest
from cryptography import x509

from ca.domain.certificates import CertificateStatus
from ca.domain.crl import CRLScope
from ca.domain.errors import (
    KeyStoreUnavailable,
    LintFailed,
    NotFound,
    NotReady,
    SigningRefused,
    Tampered,
)
from ca.domain.keys import KeyAlgorithm
from ca.ports import KeyId
from tests.fakes.certificates import FakeCertificates
from tests.fakes.clock import NOON
from tests.fakes.status_world import DAY, StatusWorld

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> StatusWorld:
    return StatusWorld()


def published(world: StatusWorld) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(world.publisher.crls["issuing"])


def number_of(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def serials_of(crl: x509.CertificateRevocationList) -> list[int]:
    return [entry.serial_number for entry in crl]


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.EC_P256, KeyAlgorithm.EC_P384, KeyAlgorithm.RSA_2048])
def test_the_first_crl_is_number_one_and_empty(algorithm: KeyAlgorithm) -> None:
    world = StatusWorld(algorithm=algorithm)

    record = world.publish_crl("issuing")

    crl = published(world)
    issuer = x509.load_der_x509_certificate(world.issuing.certificate_der)
    assert crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # RSA or EC
    assert (number_of(crl), serials_of(crl)) == (1, [])
    assert (crl.last_update_utc, crl.next_update_utc) == (NOON, NOON + DAY)
    whole = world.publisher.crls["issuing"]
    assert (record.number, record.entries, record.size) == (1, 0, len(whole))
    assert record.sha256 == hashlib.sha256(whole).hexdigest()
    assert record.published
    assert world.unit_of_work.stored.crls[0] == record


def test_it_lists_what_does_not_hold_by_serial_number(world: StatusWorld) -> None:
    world.issue_revoked(0xB2, 0xA1)
    world.issue(0xC3)
    world.publish_crl("issuing")
    assert serials_of(published(world)) == [0xA1, 0xB2]


def test_a_held_certificate_leaves_the_crl_when_released(world: StatusWorld) -> None:
    world.issue(0xA1)
    world.suspend(0xA1)
    world.publish_crl("issuing")
    assert serials_of(published(world)) == [0xA1]
    world.resume(0xA1)
    world.publish_crl("issuing")
    assert serials_of(published(world)) == []


def test_each_step_is_an_event(world: StatusWorld) -> None:
    world.issue_revoked(0xA1)
    world.publish_crl("issuing")
    events = world.unit_of_work.events
    assert [(event.name, event.subject) for event in events] == [
        ("crl.numbered", "issuing"),
        ("crl.intended", "issuing"),
        ("crl.intended", "issuing-delta"),
        ("crl.signed", "issuing"),
        ("crl.signed", "issuing-delta"),
        ("crl.published", "issuing"),
        ("crl.published", "issuing-delta"),
    ]
    assert {event.details["number"] for event in events} == {"1"}
    assert [event.details["entries"] for event in events[1:3]] == ["1", "0"]


def test_what_was_linted_is_what_is_signed(world: StatusWorld) -> None:
    world.publish_crl("issuing")
    assert published(world).tbs_certlist_bytes in world.linter.seen[0]


def test_an_expired_certificate_stays_for_one_crl_more(world: StatusWorld) -> None:
    world.issue_revoked(0xA1, life=DAY)
    world.publish_crl("issuing")
    world.clock.tick(DAY + timedelta(seconds=1))
    world.publish_crl("issuing")
    assert serials_of(published(world)) == [0xA1]
    world.clock.tick(HOUR)
    world.publish_crl("issuing")
    assert serials_of(published(world)) == []


def test_numbers_grow_with_every_crl_even_within_a_second(world: StatusWorld) -> None:
    assert [world.publish_crl("issuing").number for _ in range(3)] == [1, 2, 3]


def test_issuers_count_on_their_own(world: StatusWorld) -> None:
    world.publish_crl("issuing")
    assert world.publish_crl("root").number == 1


def test_the_number_goes_on_from_the_published_file_after_a_restore(world: StatusWorld) -> None:
    backup = world.unit_of_work.stored.copy()
    for _ in range(5):
        world.publish_crl("issuing")
    world.unit_of_work.stored = backup

    assert world.publish_crl("issuing").number == 6


def test_a_restore_that_lost_a_revocation_publishes_nothing(world: StatusWorld) -> None:
    world.issue(0xA1)
    backup = world.unit_of_work.stored.copy()
    world.revoke(0xA1)
    world.publish_crl("issuing")
    before = world.publisher.crls["issuing"]
    world.unit_of_work.stored = backup

    with pytest.raises(Tampered, match="a1"):
        world.publish_crl("issuing")

    assert world.publisher.crls["issuing"] == before
    assert world.unit_of_work.events[-1].name == "crl.refused"
    assert world.unit_of_work.events[-1].details["reason"].startswith("certificate a1")


def test_a_lost_row_is_noticed_by_our_own_copy_alone(world: StatusWorld) -> None:
    world.issue_revoked(0xA1)
    world.publish_crl("issuing")
    world.publisher.crls.clear()
    world.forget(0xA1)
    with pytest.raises(Tampered):
        world.publish_crl("issuing")


@pytest.mark.parametrize("junk", [True, False])
def test_a_copy_that_we_did_not_sign_stops_everything(world: StatusWorld, junk: bool) -> None:
    world.publisher.copies["issuing"] = b"junk" if junk else StatusWorld().published()
    with pytest.raises(Tampered, match="not signed"):
        world.publish_crl("issuing")
    assert world.unit_of_work.event_names == ["crl.refused"]


@pytest.mark.parametrize("junk", [b"", b"junk", b"stranger"])
def test_a_published_file_that_is_not_ours_is_written_over(world: StatusWorld, junk: bytes) -> None:
    stranger = StatusWorld()
    stranger.issue_revoked(0xA1)
    for _ in range(9):
        stranger.publish_crl("issuing")
    world.publisher.crls["issuing"] = stranger.publisher.crls["issuing"] if junk == b"stranger" else junk

    assert world.publish_crl("issuing").number == 1
    assert number_of(published(world)) == 1


def test_a_clock_behind_the_last_crl_signs_nothing(world: StatusWorld) -> None:
    world.clock.tick(HOUR)
    world.publish_crl("issuing")
    signatures = len(world.key_store.signed)
    world.clock.tick(timedelta(seconds=-1))

    with pytest.raises(NotReady, match="clock"):
        world.publish_crl("issuing")

    assert len(world.key_store.signed) == signatures
    assert world.unit_of_work.event_names[-1] == "crl.refused"


def test_a_finding_of_the_linter_costs_no_signature_and_leaves_the_crl_due(world: StatusWorld) -> None:
    world.linter.findings = ["something is wrong"]
    with pytest.raises(LintFailed, match="something is wrong"):
        world.publish_crl("issuing")
    assert world.key_store.signed == []
    assert world.publisher.crls == {}
    assert world.publish_crl.is_due("issuing")
    assert world.unit_of_work.event_names == [
        "crl.numbered",
        "crl.intended",
        "crl.intended",
        "crl.failed",
        "crl.failed",
    ]
    assert world.unit_of_work.events[-1].details["reason"].startswith("CRL 1 of issuing")


def test_an_hsm_that_is_away_leaves_the_crl_due_and_the_next_run_repairs(world: StatusWorld) -> None:
    world.issue_revoked(0xA1)
    world.key_store.away = True
    with pytest.raises(KeyStoreUnavailable):
        world.publish_crl("issuing")
    assert world.publish_crl.is_due("issuing")

    world.key_store.away = False
    world.publish_crl("issuing")

    assert (number_of(published(world)), serials_of(published(world))) == (2, [0xA1])
    assert not world.publish_crl.is_due("issuing")


def test_a_key_that_is_not_the_certificates_is_found_out(world: StatusWorld) -> None:
    del world.key_store._keys[KeyId(b"issuing")]
    world.key_store.generate(KeyId(b"issuing"), "another", KeyAlgorithm.EC_P256)
    with pytest.raises(SigningRefused):
        world.publish_crl("issuing")
    assert world.unit_of_work.stored.crls == []


@pytest.mark.parametrize("refusal", [OSError("the disk is full"), NotReady("the bucket is away")])
def test_a_public_place_that_fails_leaves_the_crl_due_and_the_next_run_repairs(
    world: StatusWorld, refusal: Exception
) -> None:
    world.issue_revoked(0xA1)
    world.publisher.refusal = refusal
    with pytest.raises(type(refusal)):
        world.publish_crl("issuing")
    names = ["crl.numbered", "crl.intended", "crl.intended", "crl.signed", "crl.signed", "crl.failed", "crl.failed"]
    assert world.unit_of_work.event_names == names
    assert world.publish_crl.is_due("issuing")

    world.publisher.refusal = None
    world.publish_crl("issuing")

    assert number_of(published(world)) == 2
    assert not world.publish_crl.is_due("issuing")


@pytest.mark.parametrize("commit", [1, 2, 3, 4, 5])
def test_a_crash_after_any_commit_leaves_the_crl_due_or_published(world: StatusWorld, commit: int) -> None:
    world.issue_revoked(0xA1)
    world.unit_of_work.refuse_commit(commit)

    with pytest.raises(NotReady):
        world.publish_crl("issuing")

    assert world.publish_crl.is_due("issuing") or serials_of(published(world)) == [0xA1]
    assert world.publish_crl("issuing").number == (1 if commit == 1 else 2)
    assert serials_of(published(world)) == [0xA1]


@pytest.mark.parametrize("step", ["turn", "draft", "write", "read", "copy", "publish", "flush"])
def test_a_disk_that_is_full_at_any_step_leaves_the_old_crl_or_the_new_one(world: StatusWorld, step: str) -> None:
    world.publish_crl("issuing")
    before = world.publisher.crls["issuing"]
    world.issue_revoked(0xA1)
    world.publisher.fail_at = step

    with pytest.raises(OSError, match="No space"):
        world.publish_crl("issuing")

    assert world.publisher.crls["issuing"] == before or serials_of(published(world)) == [0xA1]
    assert world.publish_crl.is_due("issuing")
    world.publisher.fail_at = ""
    assert world.publish_crl("issuing").number == (2 if step == "turn" else 3)
    assert serials_of(published(world)) == [0xA1]
    assert not world.publish_crl.is_due("issuing")


def test_a_status_that_changes_while_the_crl_is_signed_makes_the_next_one_due(world: StatusWorld) -> None:
    world.issue(0xA1)

    class SlowLinter:
        def lint_certificate(self, der: bytes) -> list[str]:
            return []

        def lint_crl(self, der: bytes) -> list[str]:
            if world.unit_of_work.certificates[0xA1].status is CertificateStatus.ACTIVE:
                world.revoke(0xA1)
            return []

    object.__setattr__(world.publish_crl, "linter", SlowLinter())
    world.publish_crl("issuing")

    assert serials_of(published(world)) == []
    assert world.publish_crl.is_due("issuing")


def test_records_that_change_under_the_draft_publish_nothing(
    world: StatusWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.issue_revoked(0xA1)

    def too_few(self: FakeCertificates, scope: CRLScope, alive_at: datetime) -> tuple[int, int]:
        return 0, 0

    monkeypatch.setattr(FakeCertificates, "measure_entries", too_few)
    with pytest.raises(NotReady, match="changed"):
        world.publish_crl("issuing")
    assert world.publisher.crls == {}
    assert world.publish_crl.is_due("issuing")


def test_a_long_list_is_linted_by_a_sample_from_all_over_it(world: StatusWorld) -> None:
    world.issue_revoked(*range(0x1000, 0x1000 + 105))
    world.publish_crl("issuing")
    linted = [entry.serial_number for entry in x509.load_der_x509_crl(world.linter.seen[0])]
    assert linted == list(range(0x1000, 0x1000 + 105, 5))
    assert len(serials_of(published(world))) == 105


def test_it_is_due_before_the_first_and_when_the_public_place_holds_something_else(world: StatusWorld) -> None:
    assert world.publish_crl.is_due("issuing")
    world.publish_crl("issuing")
    assert not world.publish_crl.is_due("issuing")
    world.publisher.crls["issuing"] = b"something else"
    assert world.publish_crl.is_due("issuing")


def test_an_entry_stays_until_a_crl_after_expiry_was_really_published(world: StatusWorld) -> None:
    world.issue_revoked(0xA1, life=DAY)
    world.publish_crl("issuing")
    world.clock.tick(2 * DAY)
    world.publisher.refusal = OSError("the disk is full")
    with pytest.raises(OSError, match="full"):
        world.publish_crl("issuing")
    world.publisher.refusal = None
    world.clock.tick(HOUR)

    world.publish_crl("issuing")

    assert serials_of(published(world)) == [0xA1]


def test_an_unknown_issuer_has_no_crl(world: StatusWorld) -> None:
    with pytest.raises(NotFound):
        world.publish_crl("nobody")
