"""ocsp/files.py: what is in the publication directory, and nothing beside it."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ca.domain.ocsp import CertId, issuer_keys
from ocsp.files import Publication, PublishedIssuers
from tests.fakes.ocsp_requests import cert_id
from tests.fakes.status_world import StatusWorld


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in ("crl", "ca"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_a_crl_has_its_own_times(directory: Path) -> None:
    world = StatusWorld()
    (directory / "crl/issuing.crl").write_bytes(world.published())

    file = Publication(directory).find("crl/issuing.crl")

    assert file is not None
    assert file.media_type == "application/pkix-crl"
    assert file.modified == world.clock.now()
    assert file.next_update == world.clock.now() + world.publish_crl.life


@pytest.mark.parametrize("name", ["issuing-delta", "issuing-p1"])
def test_deltas_and_partitions_are_served_as_any_crl(directory: Path, name: str) -> None:
    world = StatusWorld()
    world.issue(0xA1, partition=1)
    world.publish_crl("issuing")
    (directory / f"crl/{name}.crl").write_bytes(world.publisher.crls[name])

    file = Publication(directory).find(f"crl/{name}.crl")

    assert file is not None
    assert (file.content, file.media_type) == (world.publisher.crls[name], "application/pkix-crl")
    life = world.publish_crl.delta_life if name == "issuing-delta" else world.publish_crl.life
    assert file.next_update == world.clock.now() + life


def test_two_crls_of_one_number_have_tags_of_their_own(directory: Path) -> None:
    tags = set()
    for _ in range(2):
        (directory / "crl/issuing.crl").unlink(missing_ok=True)
        (directory / "crl/issuing.crl").write_bytes(StatusWorld().published())
        file = Publication(directory).find("crl/issuing.crl")
        assert file is not None
        tags.add(file.etag)
    assert len(tags) == 2


def test_a_certificate_has_the_time_of_its_file(directory: Path) -> None:
    path = directory / "ca/root.cer"
    path.write_bytes(b"certificate")
    os.utime(path, (1_700_000_000.5, 1_700_000_000.5))

    file = Publication(directory).find("ca/root.cer")

    assert file is not None
    assert (file.media_type, file.content, file.next_update) == ("application/pkix-cert", b"certificate", None)
    assert file.modified == datetime.fromtimestamp(1_700_000_000, UTC)


def test_a_file_that_changed_is_read_again_and_only_then(directory: Path) -> None:
    publication = Publication(directory)
    (directory / "ca/chain.pem").write_bytes(b"one")
    first = publication.find("ca/chain.pem")
    assert publication.find("ca/chain.pem") is first

    (directory / "ca/next").write_bytes(b"two")
    (directory / "ca/next").rename(directory / "ca/chain.pem")

    second = publication.find("ca/chain.pem")
    assert second is not None
    assert second.content == b"two"
    assert first is not None
    assert second.etag != first.etag


class _ReadMeanwhile(dict[str, object]):
    """Empty at the first look, as for a thread that waits while another one reads the file."""

    looked = False

    def get(self, key: str, default: object = None) -> object:
        if not self.looked:
            self.looked = True
            return None
        return super().get(key, default)


def test_a_file_that_another_thread_has_just_read_is_not_read_twice(directory: Path) -> None:
    publication = Publication(directory)
    (directory / "ca/chain.pem").write_bytes(b"one")
    first = publication.find("ca/chain.pem")
    publication._read = _ReadMeanwhile(publication._read)  # type: ignore[assignment]  # a dict that was late
    assert publication.find("ca/chain.pem") is first


def test_junk_in_place_of_a_crl_is_not_to_be_kept(directory: Path) -> None:
    (directory / "crl/issuing.crl").write_bytes(b"junk")
    file = Publication(directory).find("crl/issuing.crl")
    assert file is not None
    assert file.next_update == file.modified


@pytest.mark.parametrize(
    "name",
    [
        "crl/../secret.crl",
        "../secret.crl",
        "crl//secret.crl",
        "crl/.hidden.crl",
        "crl/issuing.crl/",
        "crl/issuing.cer",
        "ca/issuing.crl",
        "ca/issuing.key",
        "crl/a\x00.crl",
        "crl/ISSUING.crl",
        "crl/missing.crl",
        "crl/directory.crl",
        "crl/link.crl",
        "crl/pipe.crl",
        "",
    ],
)
def test_nothing_else_is_served(directory: Path, name: str) -> None:
    (directory / "secret.crl").write_bytes(b"secret")
    (directory / "crl/secret.crl").write_bytes(b"")
    (directory / "crl/.hidden.crl").write_bytes(b"hidden")
    (directory / "crl/directory.crl").mkdir()
    (directory / "crl/link.crl").symlink_to(directory / "secret.crl")
    os.mkfifo(directory / "crl/pipe.crl")
    assert Publication(directory).find(name) is None


def test_crls_are_listed_by_issuer(directory: Path) -> None:
    (directory / "crl/root.crl").write_bytes(b"1")
    (directory / "crl/issuing.crl").write_bytes(b"2")
    (directory / "crl/.issuing.crl.new").write_bytes(b"3")
    (directory / "crl/BAD.crl").write_bytes(b"4")
    assert list(Publication(directory).crls()) == ["issuing", "root"]


def asked_of(certificate: bytes) -> CertId:
    """A CertID that names the issuer of this certificate by SHA-256."""
    name, name_hash, key_hash = next(keys for keys in issuer_keys(certificate) if keys[0] == "sha256")
    return CertId(b"", name, name_hash, key_hash, 1)


def test_issuers_are_those_whose_certificates_are_published(directory: Path) -> None:
    world = StatusWorld()
    issuers = PublishedIssuers(directory)
    asked = asked_of(world.issuing.certificate_der)
    assert issuers.find(asked) is None

    (directory / "ca/junk.cer").write_bytes(b"junk")
    (directory / "ca/issuing.cer").write_bytes(world.issuing.certificate_der)
    os.utime(directory / "ca", ns=(1, 1))

    assert issuers.find(asked) == "issuing"
    assert issuers.find(asked) == "issuing"
    assert issuers.find(CertId.parse(cert_id(1))) is None


def test_without_the_directory_there_is_no_issuer(tmp_path: Path) -> None:
    world = StatusWorld()
    assert PublishedIssuers(tmp_path / "missing").find(asked_of(world.issuing.certificate_der)) is None
