import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fakes.enrolment import Bank, Computer

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]

FACTORY, PASSWORD = "12345678", "abc129"


def test_a_u_shield_prepared_by_the_bank_is_listed_with_its_serial_number(computer: Computer, bank: Bank) -> None:
    listed = computer.ushield("providers", "--json").json["providers"]

    tokens = [token for one in listed for token in one["tokens"] if token["initialized"]]

    assert [(token["label"], token["serial"], token["password"]) for token in tokens[:1]] == [
        ("U-Shield", bank.device_serial, "set")
    ]


def test_a_module_that_crashes_hurts_nobody(computer: Computer, tmp_path: Path) -> None:
    # A module whose first call ends its process.
    source = tmp_path / "crash.c"
    source.write_text("#include <stdlib.h>\nint C_GetFunctionList(void *p) { abort(); }\n")
    library = tmp_path / "crash.so"
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        library.write_bytes(b"\x7fELF")
    else:
        subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source)], check=True)

    ran = computer.ushield("providers", "--json", "--provider", str(library))

    assert ran.status == 0
    assert ran.json["providers"][0]["trouble"]
    assert computer.ushield("show", "--json", "--provider", str(library)).json["error"] == "D-13"


def test_two_u_shields_cannot_have_one_label(computer: Computer) -> None:
    ran = computer.ushield("init", "--label", "U-Shield", "--json")

    assert ran.status == 3
    assert ran.json["error"] == "D-17"


@pytest.mark.parametrize("label", ["", " ", "x" * 33])
def test_a_label_that_cannot_be_one_makes_no_u_shield(computer: Computer, label: str) -> None:
    before = computer.ushield("providers", "--json").json

    ran = computer.ushield("init", "--label", label, "--json")

    assert (ran.status, ran.json["error"]) == (2, "D-06")
    assert computer.ushield("providers", "--json").json == before


def test_blanks_around_a_label_do_not_count(computer: Computer) -> None:
    assert computer.ushield("init", "--label", " Second ", "--json").json["label"] == "Second"


@pytest.mark.parametrize("content", ["", "\n", "123\n", "1" * 256])
def test_an_administrator_password_that_cannot_be_one_makes_no_u_shield(
    computer: Computer, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "so-pin"
    file.write_text(content)

    ran = computer.ushield("init", "--label", "Second", "--so-pin-file", str(file), "--json")

    assert (ran.status, ran.json["error"]) == (2, "D-06")


def test_the_administrator_password_is_kept_where_only_its_owner_reads_it(computer: Computer, tmp_path: Path) -> None:
    file = tmp_path / "so-pin"

    computer.ushield("init", "--label", "Second", "--so-pin-file", str(file))
    computer.ushield("init", "--label", "Third", "--so-pin-file", str(file))

    assert file.stat().st_mode & 0o777 == 0o400
    assert len(file.read_text().strip()) == 32


def test_show_tells_in_words_where_the_key_was_made(computer: Computer, bank: Bank) -> None:
    computer.download()

    shown = computer.ushield("show", "--password-file", computer.secret(PASSWORD)).out

    assert bank.issued is not None
    serial = f"{bank.issued.serial_number:x}"
    assert " ".join(serial[i : i + 4] for i in range(0, len(serial), 4)) in shown
    assert "CN=Zhang Wei" in shown
    assert "made on the U-Shield, can never leave it" in shown
    assert "the certificate is for this key" in shown


def test_without_the_password_certificates_show_and_keys_do_not(computer: Computer) -> None:
    computer.download()

    shown = computer.ushield("show", "--json").json

    assert shown["opened"] is False
    assert shown["entries"][0]["certificate"]["subject"] == "CN=Zhang Wei"
    assert shown["entries"][0]["key"] is None


def test_an_unfinished_download_is_named(computer: Computer) -> None:
    computer.interrupted_after("REQUEST")

    assert computer.show()["unfinished"] == ["0123456786"]


def test_a_u_shield_that_works_says_so(computer: Computer) -> None:
    computer.download()

    ran = computer.ushield("test", "--password-file", computer.secret(PASSWORD))

    assert ran.status == 0
    assert "Your U-Shield works" in ran.out


def test_testing_an_empty_u_shield_says_that_there_is_nothing_to_test(computer: Computer) -> None:
    ran = computer.ushield("test", "--json", "--password-file", computer.secret(FACTORY))

    assert ran.status == 3
    assert ran.json["error"] == "D-39"


def test_the_password_is_changed_for_good(computer: Computer) -> None:
    computer.download()

    files = ("--password-file", computer.secret(PASSWORD), "--new-password-file", computer.secret("Neu7531"))
    ran = computer.ushield("password", *files)

    assert ran.status == 0, ran
    assert computer.ushield("test", "--password-file", computer.secret(PASSWORD)).status == 4
    assert computer.ushield("test", "--password-file", computer.secret("Neu7531")).status == 0


def test_a_wrong_password_is_told_with_what_the_u_shield_tells_of_tries(computer: Computer) -> None:
    ran = computer.ushield("test", "--json", "--password-file", computer.secret("Wrong99"))

    assert ran.status == 4
    assert ran.json["error"] == "D-20"
    assert "locks itself" in ran.json["message"]
    assert computer.ushield("providers", "--json").json["providers"][0]["tokens"][0]["password"] == "low"


def test_a_token_directory_that_is_not_there_is_not_made_by_looking(computer: Computer, tmp_path: Path) -> None:
    ran = computer.python("-m", "ushield", "show", "--json", "--token-dir", tmp_path / "none")

    assert ran.status == 2
    assert ran.json["error"] == "D-06"
    assert not (tmp_path / "none").exists()


def test_a_certificate_is_deleted_with_its_key_only_when_it_is_said_to_be_valid(computer: Computer) -> None:
    assert computer.download().status == 0
    serial = computer.show()["entries"][0]["certificate"]["serial"]
    asked = ("--serial", serial, "--json", "--password-file", computer.secret(PASSWORD))

    kept = computer.ushield("delete", *asked)
    wrong = computer.ushield("delete", "--serial", "77", *asked[2:])
    still = computer.show()["entries"]
    gone = computer.ushield("delete", *asked, "--although-valid")

    assert (kept.status, kept.json["error"]) == (2, "D-90")
    assert wrong.json["error"] == "D-39"
    assert len(still) == 1
    assert gone.status == 0, gone
    assert gone.json["deleted"][0]["certificate"]["serial"] == serial
    assert computer.show()["entries"] == []
    assert "Private Key" not in computer.pkcs11_tool("--list-objects", "--login", "--pin", PASSWORD)


@pytest.mark.parametrize("command", ["providers", "init", "download", "show", "test", "password", "delete"])
def test_every_command_explains_itself_and_its_exit_status(computer: Computer, command: str) -> None:
    ran = computer.python("-m", "ushield", command, "--help")

    assert ran.status == 0
    assert "Exit status" in ran.out
