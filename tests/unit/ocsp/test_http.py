"""ocsp/http.py: methods, paths, limits and caching."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ca.domain.bundle import BundleKind
from ca.domain.errors import NotReady
from ca.domain.ocsp import ErrorStatus, Question, error_response
from ocsp.files import Publication
from ocsp.history import History
from ocsp.http import MustAskError, StatusApp, http_date
from ocsp.kept import KeptAnswer
from ocsp.responder import Reply, Wanted
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ocsp_requests import build, cert_id
from tests.fakes.status_world import DAY, StatusWorld


def _telling_request() -> bytes:
    """One whose base64 has everything that gets lost on the way: `+`, `//` and padding."""
    requests = (build(cert_id(serial)) for serial in range(0xFFFF_F000_0000, 0xFFFF_FFFF_FFFF, 0x0F_0F0F))
    texts = ((request, base64.b64encode(request).decode()) for request in requests)
    return next(request for request, text in texts if "+" in text and "//" in text and text.endswith("="))


REQUEST = _telling_request()
SECONDS = int(NOON.timestamp())
FRESH = Reply(b"answer", fresh=KeptAnswer(b"answer", SECONDS, SECONDS + 3600))
TAG = FRESH.etag
PLAIN = Reply(b"answer")


class FakeResponder:
    """Answers what it is told to; `seen` is what it was asked."""

    def __init__(self) -> None:
        self.answer: Reply | Wanted | Exception = FRESH
        self.seen: list[bytes] = []

    def reply(self, blob: bytes) -> Reply | Wanted:
        self.seen.append(blob)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class FakeStatuses:
    def __init__(self) -> None:
        self.unreadable = False

    def find(self, key: bytes) -> None:
        assert len(key) == 20
        if self.unreadable:
            raise NotReady("the map cannot be read")


@dataclass
class Answer:
    status: str
    headers: dict[str, str]
    body: bytes


class NoSigner:
    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert path == "status/history"
        return {"unproven": [], "asked": body}


class Site:
    def __init__(self, directory: Path) -> None:
        self.responder = FakeResponder()
        self.statuses = FakeStatuses()
        self.clock = FakeClock()
        self.directory = directory
        self.app = StatusApp(
            responder=self.responder,  # type: ignore[arg-type]  # a fake
            publication=Publication(directory),
            statuses=self.statuses,  # type: ignore[arg-type]  # a fake
            history=History(NoSigner(), self.clock.now),
            now=self.clock.now,
        )

    def __call__(self, method: str, path: str, body: bytes = b"", **environ: str) -> Answer:
        path, _, query = path.partition("?")
        asked = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
        status, headers, content = self.app.respond(asked | environ, body)
        assert len({name for name, _ in headers}) == len(headers)
        return Answer(status, dict(headers), content)

    def get(self, path: str, **environ: str) -> Answer:
        return self("GET", path, b"", **environ)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    for name in ("crl", "ca"):
        (tmp_path / name).mkdir()
    return Site(tmp_path)


@pytest.mark.parametrize("path", ["/ocsp", "/ocsp/"])
def test_a_request_is_posted_and_its_answer_not_stored(site: Site, path: str) -> None:
    answer = site("POST", path, REQUEST)
    assert site.responder.seen == [REQUEST]
    assert (answer.status, answer.body) == ("200 OK", b"answer")
    assert answer.headers == {
        "Content-Type": "application/ocsp-response",
        "Cache-Control": "no-store",
    }


def test_what_must_be_signed_first_is_answered_the_second_time(site: Site) -> None:
    wanted = Wanted(Question.parse([cert_id(1)]), "issuing")
    site.responder.answer = wanted
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": f"/ocsp/{TEXT}"}

    with pytest.raises(MustAskError) as asked:
        site.app.respond(environ)
    _, headers, body = site.app.respond(environ, reply=FRESH)

    assert asked.value.wanted is wanted
    assert body == b"answer"
    assert dict(headers)["ETag"] == TAG


TEXT = base64.b64encode(REQUEST).decode()


@pytest.mark.parametrize(
    "path",
    [
        f"/ocsp/{TEXT}",
        f"/ocsp//{TEXT}",
        f"/ocsp/{TEXT.rstrip('=')}",
        f"/ocsp/{TEXT.replace('+', ' ')}",
        f"/ocsp/{base64.urlsafe_b64encode(REQUEST).decode()}",
        f"/ocsp/{quote(TEXT, safe='')}",
    ],
)
def test_a_request_in_the_path_is_read_however_it_is_written(site: Site, path: str) -> None:
    site.get(path)
    assert site.responder.seen == [REQUEST]


@pytest.mark.parametrize("padding", range(3))
def test_a_slash_put_behind_it_is_ignored_and_one_of_its_own_kept(site: Site, padding: int) -> None:
    blob = b"0" * 9 + b"\xff" * (3 - padding)
    text = base64.b64encode(blob).decode().rstrip("=")
    site.get(f"/ocsp/{text}")
    assert site.responder.seen == [blob]
    if padding == 0:
        site.get(f"/ocsp/{text}/")
        assert site.responder.seen[1] == blob


@pytest.mark.parametrize("path", ["/ocsp/!!!", "/ocsp/M===M", "/ocsp/M", "/ocsp/\xff\xfe", "/ocsp/../../etc/passwd"])
def test_a_path_that_is_no_base64_is_a_malformed_request(site: Site, path: str) -> None:
    answer = site.get(path)
    assert (answer.status, answer.body) == ("200 OK", error_response(ErrorStatus.MALFORMED_REQUEST))
    assert answer.headers["Cache-Control"] == "no-store"
    assert site.responder.seen == []


def test_a_path_over_4_kib_is_too_long(site: Site) -> None:
    assert site.get("/ocsp/" + "A" * 4096).status.startswith("414")


def test_an_answer_to_get_may_be_kept_for_a_minute(site: Site) -> None:
    answer = site.get("/ocsp/MA")
    assert answer.headers["Cache-Control"] == "max-age=60, public, no-transform, must-revalidate"
    assert answer.headers["Expires"] == "Mon, 23 Nov 2026 13:00:00 GMT"
    assert answer.headers["Last-Modified"] == "Mon, 23 Nov 2026 12:00:00 GMT"
    assert answer.headers["ETag"] == TAG


@pytest.mark.parametrize(("left", "age"), [(30, 29), (1, 0), (0, 0), (-5, 0)])
def test_near_its_end_an_answer_is_kept_for_less_than_what_is_left(site: Site, left: int, age: int) -> None:
    site.clock.tick(timedelta(seconds=3600 - left))
    assert site.get("/ocsp/MA").headers["Cache-Control"].startswith(f"max-age={age},")


def test_an_answer_that_is_not_for_keeping_is_not_stored(site: Site) -> None:
    site.responder.answer = PLAIN
    answer = site.get("/ocsp/MA")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


@pytest.mark.parametrize("tag", [TAG, f"W/{TAG}", f'"other", {TAG}', "*"])
def test_who_has_the_answer_already_gets_304(site: Site, tag: str) -> None:
    answer = site.get("/ocsp/MA", HTTP_IF_NONE_MATCH=tag)
    assert (answer.status, answer.body) == ("304 Not Modified", b"")
    assert answer.headers["ETag"] == TAG
    assert "Content-Type" not in answer.headers


def test_who_has_another_answer_gets_this_one(site: Site) -> None:
    date = http_date(NOON)
    assert site.get("/ocsp/MA", HTTP_IF_NONE_MATCH='"other"', HTTP_IF_MODIFIED_SINCE=date).status == "200 OK"
    assert site.get("/ocsp/MA", HTTP_IF_MODIFIED_SINCE=http_date(NOON + DAY)).status == "200 OK"
    assert site.get("/ocsp/MA", HTTP_IF_MODIFIED_SINCE=date).status.startswith("304")


def test_try_later_says_when(site: Site) -> None:
    site.responder.answer = Reply(b"later", error=ErrorStatus.TRY_LATER)
    assert site("POST", "/ocsp", REQUEST).headers["Retry-After"] == "5"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/ocsp", "POST, GET, HEAD"),
        ("POST", "/ocsp/MA", "GET, HEAD"),
        ("DELETE", "/crl/issuing.crl", "GET, HEAD"),
    ],
)
def test_other_methods_are_not_allowed(site: Site, method: str, path: str, allowed: str) -> None:
    answer = site(method, path)
    assert answer.status.startswith("405")
    assert answer.headers["Allow"] == allowed


def test_what_nobody_foresaw_is_an_internal_error_and_not_an_exception(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.responder.answer = RuntimeError("a bug")
    answer = site("POST", "/ocsp", REQUEST)
    assert (answer.status, answer.body) == ("200 OK", error_response(ErrorStatus.INTERNAL_ERROR))
    assert "a bug" in caplog.text


def test_elsewhere_it_is_a_500(site: Site) -> None:
    site.directory.joinpath("crl/issuing.crl").write_bytes(StatusWorld().published())
    site.clock._now = datetime(2026, 11, 23)  # noqa: DTZ001 - naive, which nothing here can work with
    assert site.get("/crl/issuing.crl").status.startswith("500")


def test_a_crl_is_served_with_its_own_times(site: Site) -> None:
    crl = StatusWorld().published()
    site.directory.joinpath("crl/issuing.crl").write_bytes(crl)
    site.clock.tick(timedelta(hours=1))

    answer = site.get("/crl/issuing.crl")

    assert (answer.status, answer.body) == ("200 OK", crl)
    assert answer.headers["Content-Type"] == "application/pkix-crl"
    assert answer.headers["Last-Modified"] == http_date(NOON)
    assert answer.headers["Expires"] == http_date(NOON + DAY)
    assert answer.headers["Cache-Control"] == "public, max-age=300, no-transform, must-revalidate"
    assert site.get("/crl/issuing.crl", HTTP_IF_NONE_MATCH=answer.headers["ETag"]).status.startswith("304")
    assert site.get("/crl/issuing.crl", HTTP_IF_MODIFIED_SINCE=http_date(NOON)).status.startswith("304")
    assert site("HEAD", "/crl/issuing.crl") == answer


@pytest.mark.parametrize(("left", "age"), [(120, 120), (0, 0), (-10, 0)])
def test_a_crl_is_never_kept_beyond_its_end(site: Site, left: int, age: int) -> None:
    site.directory.joinpath("crl/issuing.crl").write_bytes(StatusWorld().published())
    site.clock.tick(DAY - timedelta(seconds=left))
    assert f"max-age={age}," in site.get("/crl/issuing.crl").headers["Cache-Control"]


@pytest.mark.parametrize(("kind", "age"), [(BundleKind.FULL, 300), (BundleKind.PATCH, 60)])
def test_bundles_are_served_and_a_patch_is_kept_for_a_minute(site: Site, kind: BundleKind, age: int) -> None:
    world = StatusWorld()
    world.publish_bundle("issuing")
    content = world.publisher.bundles["issuing", kind]
    site.directory.joinpath("bundle").mkdir()
    site.directory.joinpath(f"bundle/issuing.{kind}").write_bytes(content)

    answer = site.get(f"/bundle/issuing.{kind}")

    assert (answer.status, answer.body) == ("200 OK", content)
    assert answer.headers["Cache-Control"] == f"public, max-age={age}, no-transform, must-revalidate"
    assert site.get(f"/bundle/issuing.{kind}", HTTP_IF_NONE_MATCH=answer.headers["ETag"]).status.startswith("304")


def test_a_ca_certificate_is_served(site: Site) -> None:
    site.directory.joinpath("ca/issuing.cer").write_bytes(b"certificate")
    answer = site.get("/ca/issuing.cer")
    assert (answer.body, answer.headers["Content-Type"]) == (b"certificate", "application/pkix-cert")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize("path", ["/", "/crl/", "/crl/missing.crl", "/crl/../crl/x.crl", "//ocsp", "/ocspx", "/admin"])
def test_there_is_nothing_else(site: Site, path: str) -> None:
    assert site.get(path).status.startswith("404")


@pytest.fixture
def healthy(site: Site) -> Site:
    world = StatusWorld()
    site.directory.joinpath("crl/issuing.crl").write_bytes(world.published())
    site.directory.joinpath("ca/issuing.cer").write_bytes(world.issuing.certificate_der)
    return site


def test_health_is_ok_with_readable_standings_a_certificate_and_a_current_crl(healthy: Site) -> None:
    healthy.clock.tick(timedelta(seconds=90))
    answer = healthy.get("/health")
    assert answer.status == "200 OK"
    assert json.loads(answer.body) == {
        "status": "ok",
        "standings": True,
        "issuers": ["issuing"],
        "crls": {"issuing": {"age_seconds": 90, "current": True}},
    }


@pytest.mark.parametrize(("name", "status"), [("issuing-delta", 200), ("issuing-p12", 200), ("root", 503)])
def test_health_knows_whose_a_crl_is(healthy: Site, name: str, status: int) -> None:
    crl = healthy.directory.joinpath("crl/issuing.crl").read_bytes()
    healthy.directory.joinpath(f"crl/{name}.crl").write_bytes(crl)

    assert healthy.get("/health").status.startswith(str(status))


def test_health_fails_without_standings_and_with_an_old_crl(healthy: Site) -> None:
    healthy.statuses.unreadable = True
    assert json.loads(healthy.get("/health").body)["standings"] is False
    healthy.statuses.unreadable = False
    healthy.clock.tick(DAY)
    assert healthy.get("/health").status.startswith("503")


@pytest.mark.parametrize("lost", ["crl/issuing.crl", "ca/issuing.cer"])
def test_health_fails_when_a_published_file_is_lost(healthy: Site, lost: str) -> None:
    healthy.directory.joinpath(lost).unlink()

    assert healthy.get("/health").status.startswith("503")


def test_health_fails_when_an_issuer_has_no_crl_or_its_certificate_is_none(healthy: Site) -> None:
    healthy.directory.joinpath("ca/root.cer").write_bytes(StatusWorld().root.certificate_der)
    assert healthy.get("/health").status.startswith("503")

    healthy.directory.joinpath("ca/root.cer").unlink()
    healthy.directory.joinpath("ca/issuing.cer").write_bytes(b"no certificate")
    assert healthy.get("/health").status.startswith("503")


def test_dates_are_in_english_and_utc() -> None:
    assert http_date(datetime(2026, 1, 4, 3, 2, 1, tzinfo=UTC)) == "Sun, 04 Jan 2026 03:02:01 GMT"
