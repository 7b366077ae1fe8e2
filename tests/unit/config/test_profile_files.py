"""Profile files are read strictly: the first bad key stops the start."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ca.domain.errors import NotReady
from config.profile_files import TomlProfiles, load_profiles

SHIPPED = Path(__file__).parents[3] / "config" / "profiles"
MACHINE = (SHIPPED / "machine.toml").read_text("utf-8")
RESPONDER = (SHIPPED / "ocsp-responder.toml").read_text("utf-8")


def test_the_shipped_profiles_are_these() -> None:
    assert set(load_profiles(SHIPPED)) == {
        "root-ca",
        "issuing-ca",
        "ocsp-responder",
        "bundle-signer",
        "ocsp-responder-memory",
        "tls-server",
        "officer",
        "machine",
        "personal-signing",
        "corporate-operator",
        "company-administrator",
        "company-operator",
    }


@pytest.mark.parametrize(
    ("name", "device", "confirmation"),
    [
        ("personal-signing", True, True),
        ("corporate-operator", True, True),
        ("company-administrator", True, True),
        ("company-operator", True, True),
        ("officer", True, True),
        ("machine", False, False),
        ("tls-server", False, False),
    ],
)
def test_profiles_of_u_shields_are_confirmed(name: str, device: bool, confirmation: bool) -> None:
    profile = load_profiles(SHIPPED)[name]

    assert (profile.needs_device, profile.needs_confirmation) == (device, confirmation)


def test_times_are_read_with_their_unit(tmp_path: Path) -> None:
    (tmp_path / "machine.toml").write_text(MACHINE, "utf-8")

    profile = load_profiles(tmp_path)["machine"]

    assert (profile.validity, profile.backdate) == (timedelta(days=397), timedelta(minutes=5))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MACHINE.replace("version = 1", "version = 1\nverify = false"), "verify: Extra inputs are not permitted"),
        (MACHINE.replace('validity = "397d"', 'validity = "13 months"'), "validity: .*397d"),
        (MACHINE.replace('validity = "397d"', "validity = 397"), "validity: .*397d"),
        (MACHINE.replace('"ec-p256", ', '"rsa-1024", '), "key_algorithms.0: "),
        (MACHINE.replace("code_attempts = 5", 'code_attempts = 5\npassword = "x"'), "enrolment.password: Extra"),
        (MACHINE.replace('title = "Machine"', ""), "title: Field required"),
        (MACHINE.replace('["digitalSignature"]', '["keyCertSign"]'), "profile machine: only a CA has keyCertSign"),
        (MACHINE.replace("version = 1", "version = 1\ninternal = true"), r"profile machine: \[enrolment\] belongs"),
        (RESPONDER.replace("internal = true", ""), r"profile machine: \[enrolment\] belongs"),
        ("version = ", "Invalid value"),
    ],
    ids=[
        "unknown key",
        "words for a time",
        "number for a time",
        "unknown algorithm",
        "unknown key inside",
        "missing key",
        "broken rule",
        "enrolment of an internal profile",
        "no enrolment",
        "no TOML",
    ],
)
def test_a_bad_file_is_named_with_its_first_bad_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "machine.toml").write_text(text, "utf-8")

    with pytest.raises(NotReady, match=rf"machine.toml: {message}"):
        load_profiles(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "machine.toml").write_bytes(b"title = '\xb9\xfa'")

    with pytest.raises(NotReady, match=r"machine\.toml"):
        load_profiles(tmp_path)


@pytest.mark.parametrize("name", sorted(load_profiles(SHIPPED)))
def test_what_is_written_reads_back_the_same(name: str) -> None:
    profile = load_profiles(SHIPPED)[name]
    if not profile.ca:
        assert TomlProfiles().parse(name, TomlProfiles().write(profile)) == profile


def test_a_quote_in_a_profile_stays_in_its_place() -> None:
    profile = load_profiles(SHIPPED)["machine"]
    hostile = replace(profile, title='M"\\\n[enrolment]\x7f')
    assert TomlProfiles().parse("machine", TomlProfiles().write(hostile)) == hostile


def test_a_directory_without_profiles_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="has no profiles"):
        load_profiles(tmp_path)


def test_who_writes_the_next_version_sees_that_two_may_decide_on_revocations() -> None:
    machine = replace(load_profiles(SHIPPED)["machine"], revocation_by_two=True)

    assert TomlProfiles().parse("machine", TomlProfiles().write(machine)) == machine
    assert "[revocation]\nby_two = false\n" in TomlProfiles().write(replace(machine, revocation_by_two=False))
