"""relying_party/verify_bundle.py against what the CA makes: two implementations of docs/protocols/bundle.md."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from ca.domain import bundle as ours
from ca.domain.bundle import BundleKind
from ca.domain.keys import KeyAlgorithm
from ca.usecases.publish_bundle import bundle_key
from relying_party.verify_bundle import Bundle, RefusedError, Seen, load_issuer, main
from tests.architecture.sources import ROOT
from tests.fakes.clock import NOON
from tests.fakes.status_world import StatusWorld

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
FULL, PATCH = BundleKind.FULL, BundleKind.PATCH


@pytest.fixture
def world() -> StatusWorld:
    world = StatusWorld()
    for serial in (0xA1, 0xA2, 0xA3):
        world.issue(serial)
    world.revoke(0xA2)
    world.suspend(0xA3)
    world.publish_bundle("issuing")
    return world


def issuer(world: StatusWorld) -> x509.Certificate:
    return load_issuer(world.issuing.certificate_der)


def files(world: StatusWorld) -> tuple[bytes, bytes]:
    return world.publisher.bundles["issuing", FULL], world.publisher.bundles["issuing", PATCH]


def opened(world: StatusWorld, *, seen: Seen | None = None, patched: bool = True) -> Bundle:
    full, patch = files(world)
    now = world.clock.now().timestamp()
    return Bundle(issuer(world), full, patch if patched else None, seen=seen, now=now)


def signed_by(world: StatusWorld, certificate_der: bytes) -> bytes:
    """The full bundle as somebody would make it who has the signer's key and a certificate of their choice."""
    return signed_body(world, ours.body_of(certificate_der, ours.Bundle.parse(files(world)[0]).lists))


def signed_body(world: StatusWorld, body: bytes, kind: BundleKind = FULL, **changes: int) -> bytes:
    """What the signer itself would make if it had a defect."""
    head = ours.Bundle.parse(world.publisher.bundles["issuing", kind]).header
    header = replace(head, body_length=len(body), body_digest=hashlib.sha256(body).digest(), **changes).encoded
    return ours.joined(header, world.key_store.sign(bundle_key("issuing"), header), body)


def status(bundle: Bundle) -> list[str]:
    return [bundle.status(serial) for serial in (0xA1, 0xA2, 0xA3, 0xFF)]


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.EC_P256, KeyAlgorithm.EC_P384, KeyAlgorithm.RSA_2048])
def test_a_bundle_of_each_kind_of_key_is_believed(algorithm: KeyAlgorithm) -> None:
    world = StatusWorld(algorithm=algorithm)
    world.publish_bundle("issuing")
    assert status(opened(world)) == ["good"] * 4


def test_revoked_held_and_good_are_told_apart(world: StatusWorld) -> None:
    assert status(opened(world)) == ["good", "revoked", "held", "good"]
    assert status(opened(world, patched=False)) == ["good", "revoked", "held", "good"]


def test_a_patch_goes_before_its_base(world: StatusWorld) -> None:
    world.revoke(0xA1)
    world.resume(0xA3)
    world.publish_bundle.catch_up("issuing")
    assert status(opened(world)) == ["revoked", "revoked", "good", "good"]
    assert status(opened(world, patched=False)) == ["good", "revoked", "held", "good"]


def test_a_patch_for_another_bundle_is_refused(world: StatusWorld) -> None:
    old_full, old_patch = files(world)
    world.publish_bundle("issuing")
    full, patch = files(world)
    now = NOON.timestamp()
    for base, other in ((full, old_patch), (old_full, patch)):
        with pytest.raises(RefusedError, match="another full bundle"):
            Bundle(issuer(world), base, other, now=now)


def test_a_patch_is_no_bundle_and_a_bundle_no_patch(world: StatusWorld) -> None:
    full, patch = files(world)
    for given in ((patch, None), (full, full)):
        with pytest.raises(RefusedError, match="given for"):
            Bundle(issuer(world), *given, now=NOON.timestamp())


def test_a_bundle_older_than_one_that_was_accepted_is_refused(world: StatusWorld) -> None:
    old_full, old_patch = files(world)
    world.clock.tick(HOUR)
    world.publish_bundle("issuing")
    seen = opened(world).seen

    with pytest.raises(RefusedError, match="older than one"):
        Bundle(issuer(world), old_full, old_patch, seen=seen, now=NOON.timestamp())
    with pytest.raises(RefusedError, match="older than one"):
        opened(world, seen=seen, patched=False)
    assert opened(world, seen=seen).seen == seen


def test_what_a_patch_told_cannot_be_untold_by_its_base(world: StatusWorld) -> None:
    world.revoke(0xA1)
    world.publish_bundle.catch_up("issuing")
    seen = opened(world).seen
    with pytest.raises(RefusedError, match="older than one"):
        opened(world, seen=seen, patched=False)


def test_a_bundle_of_an_older_time_under_a_newer_number_is_refused(world: StatusWorld) -> None:
    seen = opened(world).seen
    later = Seen(seen.issuer, seen.number - 1, seen.this_update + 1, seen.sha256)
    with pytest.raises(RefusedError, match="older than one"):
        opened(world, seen=later)


def test_two_bundles_of_one_number_are_an_alarm(world: StatusWorld) -> None:
    seen = opened(world).seen
    with pytest.raises(RefusedError, match="tell the bank"):
        opened(world, seen=Seen(seen.issuer, seen.number, seen.this_update, "00" * 32))


def test_what_was_seen_of_another_issuer_is_no_yardstick(world: StatusWorld) -> None:
    stranger = StatusWorld()
    stranger.publish_bundle("issuing")
    with pytest.raises(RefusedError, match="a state file for each"):
        opened(world, seen=opened(stranger).seen)


def test_a_bundle_ends_when_it_says(world: StatusWorld) -> None:
    end = NOON + world.publish_bundle.life
    world.clock.set(end - SECOND)
    opened(world)
    world.clock.set(end)
    with pytest.raises(RefusedError, match="run out"):
        opened(world)


def test_a_bundle_from_the_future_is_refused(world: StatusWorld) -> None:
    world.clock.set(NOON - 60 * SECOND)
    opened(world)
    world.clock.set(NOON - 61 * SECOND)
    with pytest.raises(RefusedError, match="from the future"):
        opened(world)


def test_another_issuers_bundle_is_refused(world: StatusWorld) -> None:
    full, _ = files(world)
    for other in (world.root, StatusWorld().issuing):
        with pytest.raises(RefusedError, match="another issuer"):
            Bundle(load_issuer(other.certificate_der), full, now=NOON.timestamp())


def test_a_signer_that_was_revoked_is_not_believed(world: StatusWorld) -> None:
    old = world.bundle_signer
    world.certify_bundle_signer(serial=0x0B5D)
    world.revoke(old.serial)
    world.publish_bundle("issuing")
    opened(world)
    # Whoever has the old certificate and the key signs a list in which it holds; but not in this one.
    forged = signed_by(world, old.der)
    with pytest.raises(RefusedError, match="signer was revoked"):
        Bundle(issuer(world), forged, now=NOON.timestamp())


def test_a_signer_of_another_issuer_is_not_believed(world: StatusWorld) -> None:
    for certificate in (StatusWorld().bundle_signer.der, b"junk", b""):
        with pytest.raises(RefusedError, match=r"not certified by the issuer|can be read"):
            Bundle(issuer(world), signed_by(world, certificate), now=NOON.timestamp())


@pytest.mark.parametrize("purpose", ["1.3.6.1.5.5.7.3.9", "2.5.29.37.0"])
def test_a_signer_for_another_purpose_is_not_believed(world: StatusWorld, purpose: str) -> None:
    forged = signed_by(world, world.certify_bundle_signer(serial=0x0B5D, purpose=purpose).der)
    with pytest.raises(RefusedError, match="certified for bundles"):
        Bundle(issuer(world), forged, now=NOON.timestamp())


def test_a_signer_is_believed_within_its_own_time_only(world: StatusWorld) -> None:
    forged = signed_by(world, world.certify_bundle_signer(serial=0x0B5D, life=HOUR).der)
    with pytest.raises(RefusedError, match="all of the bundle's time"):
        Bundle(issuer(world), forged, now=NOON.timestamp())


def test_every_single_byte_counts(world: StatusWorld) -> None:
    for which, content in enumerate(files(world)):
        for at in range(len(content)):
            given = list(files(world))
            given[which] = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
            with pytest.raises(RefusedError):
                Bundle(issuer(world), *given, now=NOON.timestamp())


def test_cut_off_or_longer_is_refused(world: StatusWorld) -> None:
    full, _ = files(world)
    for content in [*(full[:length] for length in range(len(full))), full + b"\x00"]:
        with pytest.raises(RefusedError):
            Bundle(issuer(world), content, now=NOON.timestamp())


TWO_BUCKETS_BACK = b"\x01" + (2).to_bytes(4, "big") + b"".join(n.to_bytes(4, "big") for n in [2, 1] + [2] * 254)


@pytest.mark.parametrize(
    ("lists", "word"),
    [
        (b"", "cut off"),
        (b"\x00\x00\x00\x00\x01123456", "cut off"),
        (b"\x01\x00\x00\x00\x00", "cut off"),
        (b"\x03\x00\x00\x00\x00", "unknown kind"),
        (TWO_BUCKETS_BACK + bytes(12), "out of order"),
        (bytes(10) + b"\x00\x00\x00\x00\x011234567", "after the lists"),
        (bytes(16), "after the lists"),
    ],
)
def test_lists_that_are_none_are_refused_though_signed(world: StatusWorld, lists: bytes, word: str) -> None:
    body = ours.body_of(world.bundle_signer.der, ours.Lists.of([], [])).removesuffix(bytes(15)) + lists
    with pytest.raises(RefusedError, match=word):
        Bundle(issuer(world), signed_body(world, body), now=NOON.timestamp())


def test_a_signature_that_is_cut_off_is_refused(world: StatusWorld) -> None:
    with pytest.raises(RefusedError, match="cut off"):
        Bundle(issuer(world), files(world)[0][:150], now=NOON.timestamp())


def test_a_patch_older_than_its_base_is_refused(world: StatusWorld) -> None:
    full, _ = files(world)
    body = ours.body_of(world.bundle_signer.der, ours.Lists.of([], []))
    with pytest.raises(RefusedError, match="older than the full bundle"):
        Bundle(issuer(world), full, signed_body(world, body, PATCH, number=0), now=NOON.timestamp())


# The command line, by the clock on the wall


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    world = StatusWorld(datetime.now(UTC).replace(microsecond=0))
    for serial in (0xA1, 0xA2, 0xA3):
        world.issue(serial)
    world.revoke(0xA2)
    world.suspend(0xA3)
    world.publish_bundle("issuing")
    for name, content in zip(("bundle", "patch"), files(world), strict=True):
        (tmp_path / f"issuing.{name}").write_bytes(content)
    (tmp_path / "issuing.cer").write_bytes(world.issuing.certificate_der)
    return tmp_path


def run(directory: Path, *serials: str) -> int:
    given = {"--issuer": "issuing.cer", "--bundle": "issuing.bundle", "--patch": "issuing.patch", "--state": "seen"}
    options = [part for name, file in given.items() for part in (name, str(directory / file))]
    return main([*options, *serials])


@pytest.mark.parametrize(
    ("serials", "said", "code"),
    [
        (["a1"], "a1 good\n", 0),
        (["a1", "A2"], "a1 good\na2 revoked\n", 1),
        (["0xA3"], "a3 held\n", 1),
        (["00:a1"], "a1 good\n", 0),
        ([], "", 0),
    ],
)
def test_the_command_says_one_word_for_each(
    directory: Path, capsys: pytest.CaptureFixture[str], serials: list[str], said: str, code: int
) -> None:
    assert run(directory, *serials) == code
    assert capsys.readouterr().out == said


def test_the_command_is_a_program_by_itself(directory: Path) -> None:
    command = [sys.executable, "-I", ROOT / "relying_party" / "verify_bundle.py"]
    options = ["--issuer", "issuing.cer", "--bundle", "issuing.bundle", "--state", "seen", "a2"]
    done = subprocess.run([*command, *options], cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("a2 revoked\n", "", 1)


def test_the_command_remembers_what_it_accepted(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(directory) == 0
    seen = json.loads((directory / "seen").read_text())
    seen["number"] += 1
    (directory / "seen").write_text(json.dumps(seen))

    assert run(directory, "a1") == 3

    refused = capsys.readouterr()
    assert refused.out == ""
    assert "older than one that was accepted" in refused.err
    assert json.loads((directory / "seen").read_text()) == seen


@pytest.mark.parametrize(
    ("file", "content", "word"),
    [
        ("seen", "junk", "cannot be read"),
        ("seen", "{}", "cannot be read"),
        ("issuing.bundle", "junk", "too short"),
        ("issuing.bundle", None, "No such file"),
        ("issuing.cer", "junk", "refused"),
    ],
)
def test_the_command_refuses_in_a_sentence(
    directory: Path, capsys: pytest.CaptureFixture[str], file: str, content: str | None, word: str
) -> None:
    if content is None:
        (directory / file).unlink()
    else:
        (directory / file).write_text(content)

    assert run(directory, "a1") == 3

    assert word in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "xyz", "0", "-1"])
def test_what_is_no_serial_is_no_question(directory: Path, text: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(directory, f" {text}")
    assert stopped.value.code == 2


def test_an_issuer_in_pem_is_the_same(world: StatusWorld) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    assert load_issuer(issuer(world).public_bytes(Encoding.PEM)) == issuer(world)
