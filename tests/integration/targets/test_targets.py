"""ca/adapters/targets: S3-compatible storage (moto's server) and a directory (OpenLDAP's slapd), for real."""

import hashlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import ldap3
import pytest
from moto.server import ThreadedMotoServer

from ca.adapters.targets.ldap import LDAPTarget
from ca.adapters.targets.s3 import S3Target
from ca.domain.errors import NotReady
from ca.targets import Held, Item, Target
from tests.fakes.ports import free_port
from tests.fakes.publisher import FakeFile
from tests.fakes.status_world import StatusWorld

pytestmark = pytest.mark.socket

BASE = "ou=pki,dc=bank,dc=example"
ADMIN, SECRET = "cn=admin,dc=bank,dc=example", "not a secret"
_SLAPD = """
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {directory}/pid
database mdb
suffix "dc=bank,dc=example"
rootdn "cn=admin,dc=bank,dc=example"
rootpw "not a secret"
directory {directory}/data
maxsize 1073741824
"""


class Storage:
    """Somewhere real, and a target that puts there."""

    def __init__(self, directory: Path) -> None:
        self.server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self.server.start()
        host, port = self.server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        (directory / "credentials").write_text("access_key_id = testing\nsecret_access_key = testing\n")
        self.directory = directory
        self.client = boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t"
        )
        # The server keeps what it has in this process, and the next one begins with it.
        self.bucket = f"pki-{port}"
        self.client.create_bucket(Bucket=self.bucket)
        self.targets: list[S3Target] = []

    def target(self, **changes: Any) -> S3Target:
        given = {
            "endpoint_url": self.url,
            "bucket": self.bucket,
            "prefix": "bank/",
            "region": "us-east-1",
            "credentials": self.directory / "credentials",
        }
        self.targets.append(S3Target("cloud", **(given | changes)))
        return self.targets[-1]

    def get(self, path: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.bucket, Key=f"bank/{path}")["Body"].read()
        return content

    def overwrite(self, path: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=f"bank/{path}", Body=content)

    def away(self) -> Target:
        return self.target(endpoint_url=f"http://127.0.0.1:{free_port()}")

    def stop(self) -> None:
        for each in (self.client, *self.targets):
            each.close()
        self.server.stop()
        self.server._server.server_close()


class Directory:
    def __init__(self, directory: Path) -> None:
        (directory / "data").mkdir()
        (directory / "slapd.conf").write_text(_SLAPD.format(directory=directory))
        (directory / "password").write_text(f"{SECRET}\n")
        self.directory, self.port = directory, free_port()
        self.url = f"ldap://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            ["/usr/sbin/slapd", "-f", directory / "slapd.conf", "-h", self.url, "-d", "0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()
        connection = self.connect()
        connection.add("dc=bank,dc=example", ["dcObject", "organization"], {"dc": "bank", "o": "Bank"})
        connection.add(BASE, ["organizationalUnit"], {"ou": "pki"})
        connection.unbind()

    def _wait(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("slapd does not come up")

    def connect(self) -> Any:
        server = ldap3.Server(self.url, get_info=ldap3.NONE)
        return ldap3.Connection(server, ADMIN, SECRET, auto_bind=True)

    def target(self, **changes: Any) -> LDAPTarget:
        given = {
            "url": self.url,
            "ca_file": None,
            "base": BASE,
            "bind_dn": ADMIN,
            "password": self.directory / "password",
        }
        return LDAPTarget("directory", **(given | changes))

    def _place(self, path: str) -> tuple[str, str]:
        return LDAPTarget._place(self.target(), path)

    def get(self, path: str) -> bytes:
        entry, attribute = self._place(path)
        connection = self.connect()
        connection.search(entry, "(objectClass=pkiCA)", ldap3.BASE, attributes=[attribute])
        content: bytes = connection.response[0]["raw_attributes"][attribute][0]
        connection.unbind()
        return content

    def overwrite(self, path: str, content: bytes) -> None:
        entry, attribute = self._place(path)
        connection = self.connect()
        assert connection.modify(entry, {attribute: [(ldap3.MODIFY_REPLACE, [content])]}), connection.result
        connection.unbind()

    def away(self) -> Target:
        return self.target(url=f"ldap://127.0.0.1:{free_port()}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture
def directory() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="vermilion-target-"))
    yield place
    shutil.rmtree(place)


@pytest.fixture(params=["s3", pytest.param("ldap", marks=pytest.mark.ldap)])
def place(request: pytest.FixtureRequest, directory: Path) -> Iterator[Any]:
    made = Storage(directory) if request.param == "s3" else Directory(directory)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def world() -> StatusWorld:
    world = StatusWorld()
    world.issue_revoked(0xA1)
    return world


def crl(world: StatusWorld) -> tuple[Item, bytes]:
    """A new one."""
    record = world.publish_crl("issuing")
    content = world.publisher.crls["issuing"]
    assert hashlib.sha256(content).hexdigest() == record.sha256
    return Item("crl/issuing.crl", record.number, record.sha256, "application/pkix-crl", 300), content


def held(item: Item, found: Held | None) -> bool:
    return found is not None and (found.number, found.sha256) == (item.number, item.sha256)


def test_what_is_put_is_there_octet_for_octet_and_found_again(place: Any, world: StatusWorld) -> None:
    target = place.target()
    item, content = crl(world)
    assert target.find(item.path) is None
    target.put(item, FakeFile(content), None)
    assert place.get(item.path) == content
    assert held(item, target.find(item.path))
    newer, other = crl(world)
    target.put(newer, FakeFile(other), target.find(newer.path))
    assert place.get(item.path) == other
    assert held(newer, place.target().find(item.path))


def test_a_certificate_has_a_place_of_its_own(place: Any, world: StatusWorld) -> None:
    der = world.issuing.certificate_der
    item = Item("ca/issuing.cer", 0, hashlib.sha256(der).hexdigest(), "application/pkix-cert", 3600)
    list_, content = crl(world)
    target = place.target()
    for one, octets in ((item, der), (list_, content)):
        assert target.takes(one.path)
        target.put(one, FakeFile(octets), None)
    assert (place.get(item.path), place.get(list_.path)) == (der, content)


def test_what_somebody_else_wrote_is_seen_and_not_written_over_unseen(place: Any, world: StatusWorld) -> None:
    target = place.target()
    item, content = crl(world)
    target.put(item, FakeFile(content), None)
    seen = target.find(item.path)
    newer, other = crl(world)
    place.overwrite(item.path, other if isinstance(place, Directory) else b"somebody else's")
    assert not held(item, target.find(item.path))
    with pytest.raises(NotReady):
        target.put(newer, FakeFile(other), seen)


def test_a_place_that_is_away_or_refuses_is_not_ready(place: Any, world: StatusWorld) -> None:
    item, content = crl(world)
    target = place.away()
    with pytest.raises(NotReady):
        target.find(item.path)
    with pytest.raises(NotReady):
        target.put(item, FakeFile(content), None)


def test_a_wrong_secret_is_told_in_words(place: Any, directory: Path) -> None:
    if isinstance(place, Directory):
        (directory / "password").write_text("wrong")
        with pytest.raises(NotReady, match="does not accept us"):
            place.target().find("crl/issuing.crl")
        (directory / "password").unlink()
    else:
        (directory / "credentials").write_text("access_key_id = only half")
        with pytest.raises(NotReady, match="two lines"):
            place.target().find("crl/issuing.crl")
        (directory / "credentials").unlink()
    with pytest.raises(NotReady, match="cannot be read"):
        place.target().find("crl/issuing.crl")


def test_objects_say_how_long_and_what_they_are(directory: Path, world: StatusWorld) -> None:
    storage = Storage(directory)
    item, content = crl(world)
    storage.target().put(item, FakeFile(content), None)
    told = storage.client.head_object(Bucket=storage.bucket, Key=f"bank/{item.path}")
    assert told["ContentType"] == "application/pkix-crl"
    assert told["CacheControl"] == "public, max-age=300, no-transform, must-revalidate"
    storage.stop()


class Hostile:
    """A server that answers as told, and counts."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                if self.answer:
                    connection.sendall(self.answer)

    def stop(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"junk",
        b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n<half",
        b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_a_storage_that_fails_in_whatever_way_is_not_ready(
    directory: Path, world: StatusWorld, answer: bytes | None
) -> None:
    hostile = Hostile(answer)
    (directory / "credentials").write_text("access_key_id = t\nsecret_access_key = t\n")
    target = S3Target(
        "cloud", endpoint_url=hostile.url, bucket="pki", prefix="", region="r", credentials=directory / "credentials"
    )
    item, content = crl(world)
    with pytest.raises(NotReady):
        target.put(item, FakeFile(content), None)
    target.close()
    hostile.stop()
