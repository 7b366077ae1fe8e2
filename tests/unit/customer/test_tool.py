"""Download Software Tool: what the bank signed and nothing else, whoever writes on the disk (T-41, T-42)."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ca.adapters.tool_offer import MANIFEST, ToolDirectory
from ca.domain.jws import signing_input
from ca.domain.keys import KeyAlgorithm
from ca.domain.tool_releases import KIND, Packed, ToolRelease
from ca.usecases.publish_tool import TOOL_RELEASE_KEY
from ca.usecases.tool_jobs import state
from tests.fakes.key_store import FakeKeyStore

TOOL = Packed("ushield.pyz", b"the tool")
EXTENSION = Packed("ushield-chromium.zip", b"the extension")
NOW = datetime.now(UTC).replace(microsecond=0)


class Offer:
    """A signer that offers the tool to this client."""

    def __init__(self, place: Path) -> None:
        self.directory, self.key_store = place / "tool", FakeKeyStore()
        key = self.key_store.generate(TOOL_RELEASE_KEY, "", KeyAlgorithm.EC_P256)
        (place / "tool-release.spki").write_bytes(key)

    def put(self, *packed: Packed, at: datetime = NOW, kind: str = KIND) -> None:
        release = ToolRelease.of(packed, number=7, version="1.2.3", now=at)
        manifest = state(self.key_store, TOOL_RELEASE_KEY, kind, release.claims())
        ToolDirectory(self.directory).put(packed, manifest)


@pytest.fixture
def offer(tmp_path: Path) -> Offer:
    offer = Offer(tmp_path)
    offer.put(TOOL, EXTENSION)
    return offer


def test_what_the_release_names_is_served_octet_for_octet(client: FlaskClient, offer: Offer) -> None:
    page = client.get("/tool/").text
    served = client.get("/tool/ushield.pyz")

    assert (served.status_code, served.data) == (200, TOOL.content)
    assert "attachment" in served.headers["Content-Disposition"]
    assert TOOL.sha256 in page
    assert "Version 1.2.3" in page
    assert client.get("/tool/release.jws").text == (offer.directory / MANIFEST).read_text()
    hashes = client.get("/tool/SHA256SUMS").text
    assert f"{hashlib.sha256(EXTENSION.content).hexdigest()}  ushield-chromium.zip\n" in hashes


@pytest.mark.parametrize("content", [b"the toom", b"the too", b"the tool!", b""])
def test_a_file_that_was_changed_on_the_disk_is_not_served(client: FlaskClient, offer: Offer, content: bytes) -> None:
    (offer.directory / "ushield.pyz").write_bytes(content)
    response = client.get("/tool/ushield.pyz")

    assert response.status_code == 503
    assert "not what the bank signed" in response.text
    assert client.get("/tool/ushield-chromium.zip").data == EXTENSION.content


def test_a_file_that_is_gone_is_said(client: FlaskClient, offer: Offer) -> None:
    (offer.directory / "ushield.pyz").unlink()

    assert client.get("/tool/ushield.pyz").status_code == 503


def test_another_key_signs_nothing_for_us(client: FlaskClient, offer: Offer, tmp_path: Path) -> None:
    other = FakeKeyStore()
    key = other.generate(TOOL_RELEASE_KEY, "", KeyAlgorithm.EC_P256)
    (tmp_path / "tool-release.spki").write_bytes(key)

    assert {client.get(f"/tool/{name}").status_code for name in ("ushield.pyz", "release.jws", "SHA256SUMS")} == {503}
    assert "not offered at this moment" in client.get("/tool/").text
    assert offer.directory.exists()


def test_a_release_that_is_over_is_not_offered(client: FlaskClient, offer: Offer) -> None:
    offer.put(TOOL, at=NOW - timedelta(days=8))

    assert client.get("/tool/ushield.pyz").status_code == 503


def test_another_statement_of_the_bank_is_no_release(client: FlaskClient, offer: Offer) -> None:
    offer.put(TOOL, kind="vermilion-job")

    assert client.get("/tool/ushield.pyz").status_code == 503


@pytest.mark.parametrize("text", ["", "a.b.c", "é", "." * 100, "[]"])
def test_junk_is_no_release(client: FlaskClient, offer: Offer, text: str) -> None:
    (offer.directory / MANIFEST).write_text(text)

    assert client.get("/tool/ushield.pyz").status_code == 503


@pytest.mark.parametrize("name", ["secret", "..%2fchain.pem", "%2e%2e/chain.pem", ".", "ushield.pyz%00", "sub%5cx"])
def test_nothing_else_is_served_from_there(client: FlaskClient, offer: Offer, name: str) -> None:
    (offer.directory / "secret").write_text("secret")

    assert client.get(f"/tool/{name}").status_code == 404


def test_a_link_in_the_place_of_a_file_leads_nowhere(client: FlaskClient, offer: Offer) -> None:
    offer.put(TOOL)
    (offer.directory.parent / "secret").write_text("secret")
    (offer.directory / "linked").symlink_to(offer.directory.parent / "secret")
    (offer.directory / "ushield.pyz").unlink()
    (offer.directory / "ushield.pyz").symlink_to(offer.directory.parent / "secret")

    answers = [client.get(f"/tool/{name}") for name in ("linked", "ushield.pyz")]

    assert [answer.status_code for answer in answers] == [404, 503]
    assert not any("secret" in answer.text for answer in answers)


def test_without_a_tool_the_page_says_so(client: FlaskClient) -> None:
    assert "not offered at this moment" in client.get("/tool/").text


def test_the_kind_is_part_of_what_is_signed() -> None:
    assert signing_input("a", {}, b"key") != signing_input("b", {}, b"key")
