"""Renew my Certificate on a SoftHSM token, against a bank on loopback, with the plug pulled after each step."""

import pytest
from cryptography import x509

from tests.fakes.enrolment import PASSWORD, Bank, Computer

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]

STEPS = ["OPEN", "LOOK", "KEY", "REQUEST", "FETCH", "STORE", "CHECK", "CONFIRM", "TIDY"]


@pytest.fixture
def renewing(computer: Computer, bank: Bank) -> Computer:
    """A computer whose U-Shield has a certificate that is to be renewed."""
    assert computer.download().status == 0
    bank.begin_renewal()
    return computer


def assert_renewed(computer: Computer, bank: Bank) -> None:
    """The old and the new one lie side by side, each with its key; one request, active, nothing left unfinished."""
    shown = computer.show()
    assert bank.old is not None
    assert bank.issued is not None
    assert bank.issued.public_key() != bank.old.public_key()
    serials = {entry["certificate"]["serial"] for entry in shown["entries"] if entry["certificate_matches_key"]}
    assert serials == {f"{one.serial_number:x}" for one in (bank.old, bank.issued)}
    assert len(shown["entries"]) == 2
    assert shown["unfinished"] == []
    assert len(set(bank.requests)) == 1
    assert bank.active


@pytest.mark.parametrize("algorithm", ["ec-p256", "ec-p384", "rsa-2048"])
def test_a_certificate_is_renewed_with_a_new_key_of_the_same_kind(
    computer: Computer, bank: Bank, algorithm: str
) -> None:
    bank.key_algorithms = [algorithm]
    assert computer.download().status == 0
    bank.begin_renewal()

    ran = computer.renew()

    assert ran.status == 0, ran
    assert (ran.json["status"], ran.json["key"]["algorithm"]) == ("active", algorithm)
    assert x509.load_pem_x509_certificate(ran.json["certificate"].encode()) == bank.issued
    assert_renewed(computer, bank)


@pytest.mark.parametrize("step", STEPS)
def test_after_a_power_cut_at_any_step_the_same_command_finishes_the_job(
    renewing: Computer, bank: Bank, step: str
) -> None:
    assert renewing.renew(interrupted_after=step).status == 77
    # After the last step nothing is left to be finished: the same command would renew the new one.
    if step != "TIDY":
        ran = renewing.renew()
        assert ran.status == 0, ran

    assert_renewed(renewing, bank)


@pytest.mark.parametrize("path", ["/enrolment/renew", "/enrolment/confirm"])
def test_an_answer_that_got_lost_costs_nothing(renewing: Computer, bank: Bank, path: str) -> None:
    bank.lose_answer_of.add(path)
    assert renewing.renew().status == 6
    assert renewing.renew().status == 0

    assert_renewed(renewing, bank)


def test_the_bank_says_why_it_does_not_renew_and_the_old_one_stays(computer: Computer, bank: Bank) -> None:
    assert computer.download().status == 0
    first = bank.issued
    bank.begin_renewal()
    assert bank.ca is not None
    bank.old = bank.ca.certificate  # the old key's signature does not fit any more
    assert first is not None
    bank.issued = first

    ran = computer.renew()

    assert (ran.status, ran.json["error"]) == (5, "D-47")
    assert "proof wrong" in ran.json["message"]
    assert computer.ushield("test", "--json", "--password-file", computer.secret("abc129")).status == 0


def test_a_serial_number_that_is_not_there_renews_nothing(renewing: Computer, bank: Bank) -> None:
    ran = renewing.renew("--serial", "abcdef")

    assert (ran.status, ran.json["error"]) == (3, "D-39")
    assert bank.requests == []


def test_the_password_reaches_no_server(renewing: Computer, bank: Bank) -> None:
    assert renewing.renew().status == 0

    assert not [seen for seen in bank.seen if b"abc129" in seen]


def assert_renewed_with_the_same_key(computer: Computer, bank: Bank) -> None:
    shown = computer.show()
    assert bank.old is not None
    assert bank.issued is not None
    assert bank.issued.public_key() == bank.old.public_key()
    serials = [entry["certificate"]["serial"] for entry in shown["entries"] if entry["certificate_matches_key"]]
    assert sorted(serials) == sorted(f"{one.serial_number:x}" for one in (bank.old, bank.issued))
    assert len({entry["id"] for entry in shown["entries"]}) == 1
    assert shown["unfinished"] == []
    assert len(set(bank.requests)) == 1
    assert bank.active


@pytest.mark.parametrize("step", ["FETCH", "STORE", "CONFIRM"])
def test_so_is_a_renewal_that_keeps_the_key(renewing: Computer, bank: Bank, step: str) -> None:
    assert renewing.renew("--same-key", interrupted_after=step).status == 77
    if step != "TIDY":
        ran = renewing.renew("--same-key")
        assert ran.status == 0, ran

    assert_renewed_with_the_same_key(renewing, bank)
    assert renewing.ushield("test", "--password-file", renewing.secret(PASSWORD)).status == 0


def test_a_bank_that_wants_a_new_key_leaves_nothing_unfinished(renewing: Computer, bank: Bank) -> None:
    bank.refuses_renewal = "this key was certified before; make a new one"
    refused = renewing.renew("--same-key")
    bank.refuses_renewal = ""
    bank.requests.clear()

    assert (refused.status, refused.json["error"]) == (5, "D-47")
    assert "make a new one" in refused.json["message"]
    assert renewing.show()["unfinished"] == []
    assert renewing.renew().status == 0
    assert_renewed(renewing, bank)
