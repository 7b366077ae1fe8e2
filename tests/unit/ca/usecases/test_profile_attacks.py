"""What two CA administrators together cannot do: the rules that are compiled in hold for every version (T-48)."""

from datetime import timedelta

import pytest

from ca.domain.errors import InvalidRequest
from tests.fakes.bank import Bank
from tests.fakes.profile_desk import DAY, ProfileDesk

USAGE = 'key_usage = ["digitalSignature"]'
PURPOSE = 'extended_key_usage = ["clientAuth"]'


@pytest.fixture
def desk() -> ProfileDesk:
    return ProfileDesk(Bank())


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (USAGE, 'key_usage = ["keyCertSign"]', "only a CA has keyCertSign"),
        (USAGE, 'key_usage = ["digitalSignature", "cRLSign"]', "only a CA has keyCertSign or cRLSign"),
        (USAGE, 'key_usage = ["digitalSignature", "keyEncipherment"]', "EC keys do not encipher"),
        (USAGE, "key_usage = []", "key usage is not empty"),
        (PURPOSE, 'extended_key_usage = ["OCSPSigning"]', "own responder"),
        (PURPOSE, 'extended_key_usage = ["clientAuth", "bundleSigning"]', "own bundle signer"),
        (PURPOSE, 'extended_key_usage = ["2.5.29.37.0"]', "without anyExtendedKeyUsage"),
        (PURPOSE, "extended_key_usage = []", "an end entity has an extended key usage"),
        ('title = "Machine"', 'title = "Machine"\nca = true', "a CA"),
        ('title = "Machine"', 'title = "Machine"\npath_length = 3', "only a CA has a path length"),
        ('title = "Machine"', 'title = "Machine"\nocsp_nocheck = true', "ocsp_nocheck belongs to responders"),
        ('title = "Machine"', 'title = "Machine"\ninternal = true', "enrolment"),
        ('validity = "397d"', 'validity = "1831d"', "at most five years"),
        ('validity = "397d"', 'validity = "1m"', "longer than backdate"),
        ('backdate = "5m"', 'backdate = "2d"', "at most one hour"),
        ('"rsa-2048"', '"rsa-1024"', "key_algorithms"),
        ('"ec-p256"', '"ec-p192"', "key_algorithms"),
        ('["ec-p256", "ec-p384", "rsa-2048", "rsa-3072", "rsa-4096"]', "[]", "one kind of key"),
        ('codes_valid_for = "7d"', 'codes_valid_for = "0d"', "codes expire"),
        ("code_attempts = 5", "code_attempts = 1000", "1 to 10 attempts"),
        ('text = "{host_name}"', 'text = "{anything}"', "a field in braces"),
        ("needs_device = false", "needs_device = true", "what this profile is for"),
        ("version = 2", "version = 1", "the next version has the number 2"),
        ("version = 2", "version = 7", "the next version has the number 2"),
        ("version = 2", "version = 2\nverify = false", "Extra inputs"),
        ("version = 2", "version = ", "Invalid value"),
    ],
)
def test_no_version_gets_past_what_is_compiled_in(desk: ProfileDesk, old: str, new: str, rule: str) -> None:
    text = desk.text("machine", (old, new))
    with pytest.raises(InvalidRequest, match=rule):
        desk.propose(text=text)
    assert desk.bank.stored.profile_versions == {}


def test_what_is_not_yet_compiled_in_at_the_proposal_counts_at_the_approval(desk: ProfileDesk) -> None:
    """An old proposal under laxer rules: the text is read again by the rules of the day."""
    version = desk.propose()
    forged = desk.text("machine", ('validity = "397d"', 'validity = "1831d"'))
    desk.rewrite(version, text=forged)
    found, _seal = desk.bank.stored.profile_versions[version.id]
    seal = desk.bank.seals.seal("profile-version", found.sealed_fields())
    desk.bank.stored.profile_versions[version.id] = (found, seal)
    with pytest.raises(InvalidRequest, match="five years"):
        desk.approve(version)


@pytest.mark.parametrize("profile", ["root-ca", "issuing-ca"])
def test_the_profile_of_a_ca_is_a_matter_of_the_ceremony(desk: ProfileDesk, profile: str) -> None:
    with pytest.raises(InvalidRequest, match="key ceremony"):
        desk.propose(profile, f'version = 9\ntitle = "CA"\n{CA}')


CA = """
internal = true
key_algorithms = ["ec-p384"]
validity = "20000d"
backdate = "0m"
key_usage = ["keyCertSign", "cRLSign"]
ca = true
crl_distribution_point = false
authority_information_access = false
[[subject]]
attribute = "common_name"
text = "Another root"
"""


@pytest.mark.parametrize(
    ("profile", "old", "new"),
    [
        ("ocsp-responder", 'extended_key_usage = ["OCSPSigning"]', 'extended_key_usage = ["bundleSigning"]'),
        ("bundle-signer", 'extended_key_usage = ["bundleSigning"]', 'extended_key_usage = ["clientAuth"]'),
        ("personal-signing", "needs_device = true", "needs_device = false"),
        ("personal-signing", "needs_confirmation = true", "needs_confirmation = false"),
    ],
)
def test_what_a_profile_is_for_stays(desk: ProfileDesk, profile: str, old: str, new: str) -> None:
    text = desk.text(profile, (old, new))
    with pytest.raises(InvalidRequest):
        desk.propose(profile, text)


def test_nothing_changed_is_no_version(desk: ProfileDesk) -> None:
    with pytest.raises(InvalidRequest, match="nothing is changed"):
        desk.propose(text=desk.text("machine"))


def test_a_sound_change_of_a_responder_is_taken(desk: ProfileDesk) -> None:
    desk.approve(desk.propose("ocsp-responder", validity=7 * DAY))
    desk.bank.clock.tick(DAY)
    assert desk.bank.profiles["ocsp-responder"].validity == timedelta(days=7)
