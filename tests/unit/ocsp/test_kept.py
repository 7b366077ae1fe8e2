"""ocsp/kept.py: what is given back is what was signed, octet for octet, as long as the certificate stands so."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ca.domain import der
from ca.domain.errors import NotReady
from ca.domain.keys import KeyAlgorithm
from ca.domain.ocsp import CertId, Policy
from ca.domain.revocation import RevocationReason
from ca.domain.serials import new_serial
from ca.domain.standings import Standing, face_of
from ocsp.kept import KeptAnswer, KeptAnswers, variant
from ocsp.request import parse_request
from ocsp.response import SignedAnswer, parse_answer
from tests.fakes.status_world import DAY, StatusWorld

RANDOM = random.Random(5)  # noqa: S311 - the same serials each time
SERIAL = new_serial(RANDOM.randbytes)


@pytest.fixture
def boot_id(tmp_path: Path) -> Path:
    path = tmp_path / "boot_id"
    path.write_text("first\n")
    return path


@pytest.fixture
def kept(tmp_path: Path, boot_id: Path) -> Iterator[KeptAnswers]:
    opened = KeptAnswers(tmp_path / "kept", limit=1000, boot_id=str(boot_id))
    yield opened
    opened.environment.close()


def signed(world: StatusWorld, serial: int) -> tuple[CertId, bytes, SignedAnswer]:
    (cert_id,) = parse_request(world.asked(serial)).cert_ids
    standing = Standing.of(world.unit_of_work.certificates[serial]).pack()
    return cert_id, standing, parse_answer(world.answer_ocsp([cert_id.der]))


def given(kept: KeptAnswers, cert_id: CertId, standing: bytes) -> bytes | None:
    found = kept.find(variant(cert_id.head), cert_id.serial_octets, face_of(standing))
    return found and found.der


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.EC_P256, KeyAlgorithm.EC_P384, KeyAlgorithm.RSA_2048])
def test_what_was_signed_is_given_back_for_every_kind_of_key(kept: KeptAnswers, algorithm: KeyAlgorithm) -> None:
    world = StatusWorld(algorithm=algorithm)
    world.issue(SERIAL)
    cert_id, standing, answer = signed(world, SERIAL)
    kept.keep(cert_id, standing, answer)

    found = kept.find(variant(cert_id.head), cert_id.serial_octets, face_of(standing))

    produced = int(world.clock.now().timestamp())
    assert found == KeptAnswer(answer.der, produced, produced + 3600)


@pytest.mark.parametrize("reason", [*RevocationReason])
@pytest.mark.parametrize("serial", [1, 0xA1, SERIAL, 2**159 - 1])
def test_so_is_what_says_revoked(kept: KeptAnswers, serial: int, reason: RevocationReason) -> None:
    world = StatusWorld()
    world.issue(serial)
    if reason is RevocationReason.CERTIFICATE_HOLD:
        world.suspend(serial)
    else:
        world.revoke(serial, reason)
    cert_id, standing, answer = signed(world, serial)
    kept.keep(cert_id, standing, answer)

    assert given(kept, cert_id, standing) == answer.der


def test_so_is_what_says_since_when_statuses_are_known(kept: KeptAnswers) -> None:
    world = StatusWorld(policy=Policy(archive_cutoff=True))
    world.issue(SERIAL, life=DAY)
    world.clock.tick(2 * DAY)
    cert_id, standing, answer = signed(world, SERIAL)
    assert der.oid("1.3.6.1.5.5.7.48.1.6") in answer.der
    kept.keep(cert_id, standing, answer)

    assert given(kept, cert_id, standing) == answer.der


def test_it_is_given_only_while_the_certificate_stands_so(kept: KeptAnswers) -> None:
    world = StatusWorld()
    world.issue(SERIAL)
    cert_id, good, answer = signed(world, SERIAL)
    kept.keep(cert_id, good, answer)
    world.revoke(SERIAL)
    _, revoked, newer = signed(world, SERIAL)

    assert given(kept, cert_id, revoked) is None
    kept.keep(cert_id, revoked, newer)
    assert given(kept, cert_id, revoked) == newer.der
    assert given(kept, cert_id, good) is None


def test_many_share_a_template_and_each_gets_its_own(kept: KeptAnswers) -> None:
    world = StatusWorld()
    answers = {}
    for _ in range(100):
        serial = new_serial(RANDOM.randbytes)
        world.issue(serial)
        answers[serial] = signed(world, serial)
        kept.keep(*answers[serial])

    assert [given(kept, cert_id, standing) for cert_id, standing, _ in answers.values()] == [
        answer.der for _, _, answer in answers.values()
    ]
    # Signatures are mostly of 70 to 72 octets, now and then shorter: a template for each length.
    assert len(kept._known) == len({len(answer.der) for _, _, answer in answers.values()})


def test_an_answer_that_no_template_fits_is_not_kept(kept: KeptAnswers) -> None:
    world = StatusWorld()
    world.issue(SERIAL)
    cert_id, standing, answer = signed(world, SERIAL)
    other = parse_answer(world.answer_ocsp([cert_id.der]))

    kept.keep(cert_id, standing, SignedAnswer(**{**_fields(answer), "signature": other.signature}))

    assert kept.count() == 0


def _fields(answer: SignedAnswer) -> dict[str, object]:
    return {name: getattr(answer, name) for name in SignedAnswer.__slots__}


def test_a_template_that_is_gone_means_no_answer(kept: KeptAnswers) -> None:
    world = StatusWorld()
    world.issue(SERIAL)
    cert_id, standing, answer = signed(world, SERIAL)
    kept.keep(cert_id, standing, answer)
    with kept.environment.begin(write=True) as transaction:
        transaction.drop(kept._templates, delete=False)

    assert given(kept, cert_id, standing) is None


def test_a_name_that_another_template_has_means_that_it_is_not_kept(kept: KeptAnswers) -> None:
    world = StatusWorld()
    world.issue(SERIAL)
    cert_id, standing, answer = signed(world, SERIAL)
    kept.keep(cert_id, standing, answer)
    with kept.environment.begin(write=True, db=kept._templates) as transaction, transaction.cursor() as cursor:
        cursor.first()
        transaction.put(cursor.key(), b"another")
        transaction.drop(kept._answers, delete=False)

    kept.keep(cert_id, standing, answer)

    assert kept.count() == 0


def test_there_are_never_more_than_the_limit(tmp_path: Path, boot_id: Path) -> None:
    kept = KeptAnswers(tmp_path / "few", limit=100, boot_id=str(boot_id))
    world = StatusWorld()
    for _ in range(300):
        serial = new_serial(RANDOM.randbytes)
        world.issue(serial)
        last = signed(world, serial)
        kept.keep(*last)
        assert kept.count() <= 100

    assert given(kept, last[0], last[1]) == last[2].der
    kept.environment.close()


def test_room_is_made_in_each_way_to_write_cert_ids(kept: KeptAnswers) -> None:
    ways = (b"\x10aaa", b"\x90bbb")
    with kept.environment.begin(write=True, db=kept._answers) as transaction:
        for way in ways:
            for number in range(4000):
                transaction.put(way + b"\x01" + RANDOM.randbytes(16), b"%d" % number)
        for _ in range(30):
            kept._forget_some(transaction)
        with transaction.cursor() as cursor:
            left = [bytes(key[:4]) for key in cursor.iternext(values=False)]
    # 64 are forgotten at once; half of the thirty times, more or less, in each.
    assert all(left.count(way) < 4000 - 2 * 64 for way in ways)


def test_where_there_is_no_room_left_nothing_is_kept_and_nobody_fails(
    kept: KeptAnswers, caplog: pytest.LogCaptureFixture
) -> None:
    world = StatusWorld()
    full = kept.environment.info()["map_size"]
    kept.environment.set_mapsize(16 << 10)
    for number in range(3):
        world.issue(SERIAL + number)
        cert_id, standing, answer = signed(world, SERIAL + number)
        kept.keep(cert_id, standing, answer)

        assert given(kept, cert_id, standing) is None
    assert len(caplog.records) == 1

    kept.environment.set_mapsize(full)
    kept.keep(cert_id, standing, answer)
    assert given(kept, cert_id, standing) == answer.der


def test_what_cannot_be_read_is_not_there(kept: KeptAnswers) -> None:
    world = StatusWorld()
    world.issue(SERIAL)
    cert_id, standing, answer = signed(world, SERIAL)
    kept.keep(cert_id, standing, answer)
    kept.environment.close()

    assert given(kept, cert_id, standing) is None


def test_they_outlive_the_process_but_not_the_boot(kept: KeptAnswers, tmp_path: Path, boot_id: Path) -> None:
    world = StatusWorld()
    world.issue(SERIAL)
    cert_id, standing, answer = signed(world, SERIAL)
    kept.keep(cert_id, standing, answer)
    for boot, expected in (("first", answer.der), ("second", None)):
        kept.environment.close()
        boot_id.write_text(boot)
        again = KeptAnswers(tmp_path / "kept", limit=1000, boot_id=str(boot_id))
        assert given(again, cert_id, standing) == expected
        again.environment.close()
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_where_it_cannot_be_written_it_is_not_ready(tmp_path: Path, boot_id: Path) -> None:
    tmp_path.joinpath("file").write_bytes(b"")
    with pytest.raises(NotReady, match="writable"):
        KeptAnswers(tmp_path / "file" / "kept", limit=1000, boot_id=str(boot_id))
