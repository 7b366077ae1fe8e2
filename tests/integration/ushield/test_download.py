from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.fakes.enrolment import Bank, Ca, Computer

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]

STEPS = ["LOOK", "ASK", "OPEN", "KEY", "REQUEST", "FETCH", "STORE", "CHECK", "CONFIRM", "TIDY"]
HALF_WRITTEN = Path(__file__).with_name("half_written.py")
FACTORY, PASSWORD, CODE = "12345678", "abc129", "7K3M-9QWX-2FH3"


def assert_finished(computer: Computer, bank: Bank) -> None:
    """One key pair, one certificate, one request, active, and nothing left unfinished."""
    shown = computer.show()
    assert bank.issued is not None
    assert len(shown["entries"]) == 1
    assert shown["entries"][0]["certificate_matches_key"] is True
    assert shown["entries"][0]["certificate"]["serial"] == f"{bank.issued.serial_number:x}"
    assert shown["unfinished"] == []
    assert len(set(bank.requests)) == 1
    assert bank.active


@pytest.mark.parametrize("algorithm", ["ec-p256", "ec-p384", "rsa-2048"])
def test_a_certificate_is_downloaded_and_confirmed(computer: Computer, bank: Bank, algorithm: str) -> None:
    bank.key_algorithms = [algorithm]

    ran = computer.download()

    assert ran.status == 0, ran
    assert ran.err == ""
    assert ran.json["status"] == "active"
    assert ran.json["key"]["algorithm"] == algorithm
    assert x509.load_pem_x509_certificate(ran.json["certificate"].encode()) == bank.issued
    assert_finished(computer, bank)


def test_the_key_is_born_on_the_u_shield_and_can_never_leave_it(computer: Computer) -> None:
    computer.download()

    key = computer.show()["entries"][0]["key"]

    assert key["local"]
    assert key["sensitive"]
    assert key["always_sensitive"]
    assert key["never_extractable"]
    assert not key["extractable"]


@pytest.mark.parametrize("step", STEPS)
def test_after_a_power_cut_at_any_step_the_same_command_finishes_the_job(
    computer: Computer, bank: Bank, step: str
) -> None:
    assert computer.interrupted_after(step).status == 77

    ran = computer.download()

    assert ran.status == 0, ran
    assert_finished(computer, bank)


def test_a_certificate_that_was_left_half_written_is_fetched_again(computer: Computer, bank: Bank) -> None:
    assert computer.interrupted_after("STORE").status == 77
    computer.python(HALF_WRITTEN, computer.token_dir, PASSWORD)

    ran = computer.download()

    assert ran.status == 0, ran
    assert_finished(computer, bank)


@pytest.mark.parametrize(
    "path", ["/enrolment/profile-hints", "/.well-known/est/simpleenroll", "/enrolment/challenge", "/enrolment/confirm"]
)
def test_an_answer_lost_on_the_way_costs_nothing(computer: Computer, bank: Bank, path: str) -> None:
    bank.lose_answer_of.add(path)
    first = computer.download()

    second = computer.download()

    assert first.status == 6
    assert first.json["error"] == "D-52"
    assert second.status == 0, second
    assert_finished(computer, bank)


def test_another_computer_can_finish_an_interrupted_download(computer: Computer, bank: Bank, tmp_path: Path) -> None:
    assert computer.interrupted_after("REQUEST").status == 77
    note_in_a_file = list((tmp_path / ".local").rglob("*.json")) if (tmp_path / ".local").exists() else []

    computer.download()

    assert note_in_a_file == []
    assert_finished(computer, bank)


def test_a_wrong_code_leaves_the_u_shield_untouched(computer: Computer, bank: Bank) -> None:
    ran = computer.download(code="0000-0000-0000")

    assert ran.status == 5
    assert ran.json["error"] == "D-40"
    assert computer.show(FACTORY)["opened"]
    assert bank.requests == []


def test_codes_for_another_u_shield_are_not_used_on_this_one(computer: Computer, bank: Bank) -> None:
    mine, bank.device_serial = bank.device_serial, "ffff000011112222"

    ran = computer.download()

    assert ran.status == 3
    assert ran.json["error"] == "D-35"
    assert mine in ran.json["message"]
    assert computer.show(FACTORY)["entries"] == []


def test_the_factory_password_guards_nothing(computer: Computer) -> None:
    assert computer.interrupted_after("OPEN").status == 77

    assert computer.ushield("show", "--password-file", computer.secret(FACTORY)).status == 4
    assert computer.show(PASSWORD)["opened"]


@pytest.mark.parametrize("weak", [FACTORY, "111111", "abcdef", "abc12", "abc12 9"])
def test_a_weak_password_is_refused_and_nothing_is_changed(computer: Computer, bank: Bank, weak: str) -> None:
    ran = computer.download(password=weak)

    assert ran.status == 4
    assert ran.json["error"] == "D-23"
    assert computer.show(FACTORY)["entries"] == []
    assert bank.requests == []


def test_no_password_ever_reaches_the_server(computer: Computer, bank: Bank) -> None:
    computer.download()

    assert len(bank.seen) == 4
    assert not any(PASSWORD.encode() in seen or FACTORY.encode() in seen for seen in bank.seen)


def test_a_server_that_is_not_the_bank_gets_no_codes(computer: Computer, bank: Bank, ca: Ca, tmp_path: Path) -> None:
    other_root = tmp_path / "other.pem"
    other_root.write_bytes(type(ca)().certificate.public_bytes(Encoding.PEM))

    ran = computer.download(ca_file=str(other_root))

    assert ran.status == 6
    assert ran.json["error"] == "D-50"
    assert bank.seen == []


def test_a_bank_that_is_away_is_tried_again_later(computer: Computer, bank: Bank) -> None:
    bank.away = True
    first = computer.download()
    bank.away = False

    second = computer.download()

    assert first.status == 6
    assert first.json["error"] == "D-53"
    assert "in 30 seconds" in first.json["message"]
    assert second.status == 0


def test_a_server_that_does_not_exist_is_said_to_be_away(computer: Computer, bank: Bank) -> None:
    bank.address = "https://localhost:1"

    assert computer.download().json["error"] == "D-52"


def test_a_second_u_shield_is_not_chosen_by_guessing(computer: Computer, bank: Bank) -> None:
    computer.ushield("init", "--label", "Second")

    guessed = computer.download()
    said = computer.download("--token", bank.device_serial or "")

    assert guessed.status == 3
    assert guessed.json["error"] == "D-12"
    assert said.status == 0, said


def test_the_steps_are_shown_as_they_are_done(computer: Computer) -> None:
    ran = computer.ushield("download", *computer.download_arguments())

    assert ran.status == 0
    assert [line.split()[1] for line in ran.out.splitlines() if line.startswith("✓")] == [
        f"{n}/10" for n in range(1, 11)
    ]
    assert "Your certificate is active" in ran.out
    assert PASSWORD not in ran.out
    assert CODE not in ran.out


def test_at_a_terminal_code_and_password_are_asked_for_and_not_shown(computer: Computer, bank: Bank) -> None:
    where = ("--server", bank.address, "--reference", "0123456786", "--ca-file", bank.ca_file)
    typed = {"code: ": "7k3m 9qwx 2fh3", "digits): ": PASSWORD, "again: ": PASSWORD}

    status, shown = computer.at_terminal("download", *where, typed=typed)

    assert status == 0, shown
    assert "Your certificate is active" in shown
    assert "waiting for you: CN=Zhang Wei" in shown
    assert PASSWORD not in shown
    assert "9qwx" not in shown


def test_two_passwords_that_differ_change_nothing(computer: Computer, bank: Bank) -> None:
    where = ("--server", bank.address, "--reference", "0123456786", "--ca-file", bank.ca_file)
    typed = {"code: ": CODE, "digits): ": PASSWORD, "again: ": "abc128"}

    status, shown = computer.at_terminal("download", *where, typed=typed)

    assert status == 4
    assert "(D-24)" in shown
    assert computer.show(FACTORY)["opened"]


@pytest.mark.opensc
def test_pkcs11_tool_sees_key_and_certificate_and_that_the_key_cannot_leave(computer: Computer) -> None:
    computer.download()

    listed = computer.pkcs11_tool("--login", "--pin", PASSWORD, "-O")

    private = listed[listed.index("Private Key Object") :]
    identifiers = {line.split()[1] for line in listed.splitlines() if line.strip().startswith("ID:")}
    assert "sensitive, always sensitive, never extractable, local" in private
    assert listed.count("Certificate Object") == 1
    assert listed.count("Private Key Object") == 1
    assert listed.count("Public Key Object") == 1
    assert "Data object" not in listed
    assert len(identifiers) == 1
