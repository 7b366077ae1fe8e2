"""ca/signer.py, operations.py, signer_client.py: what is not asked for by the book is refused (THREATS 8)."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from ca import operations as ops
from ca.domain import errors
from ca.handlers import Handlers
from ca.signer import Handler, create_app, status_of
from ca.signer_client import SignerClient
from tests.fakes.bank import MARIA, Bank

ALL = ops.all_operations()


class Refusals:
    def __init__(self) -> None:
        self.seen: list[tuple[ops.Operation, errors.PKIError]] = []
        self.malformed: list[tuple[str, str]] = []

    def __call__(self, operation: ops.Operation, error: errors.PKIError) -> None:
        self.seen.append((operation, error))

    def note(self, kind: type[ops.Operation], error: errors.PKIError) -> None:
        self.malformed.append((kind.path, str(error)))


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


def app_where(refusals: Refusals, act: Handler) -> Flask:
    """A signer all of whose operations do the same."""
    return create_app(dict.fromkeys(ALL.values(), act), refusals, refusals.note)


def refuse(error: Exception) -> Handler:
    def act(_: Any) -> dict[str, Any]:
        raise error

    return act


def post(app: Flask, path: str, body: Any) -> TestResponse:
    return app.test_client().post(f"/v1/{path}", json=body)


def test_an_operation_without_a_handler_stops_the_start(refusals: Refusals) -> None:
    with pytest.raises(LookupError, match="SignIn"):
        create_app({}, refusals, refusals.note)


def test_one_route_an_operation_and_no_other(refusals: Refusals) -> None:
    app = app_where(refusals, lambda _: {})
    rules = {rule.rule: rule.methods for rule in app.url_map.iter_rules()}
    assert rules == {f"/v1/{path}": {"POST", "OPTIONS"} for path in ALL}


def test_what_was_asked_is_answered(refusals: Refusals) -> None:
    response = post(app_where(refusals, lambda op: {"asked": op.path}), "health", {})
    assert (response.status_code, response.json) == (200, {"asked": "health"})


@pytest.mark.parametrize("path", ["sign", "certificates/sign-bytes", "", "../health", "health/"])
def test_an_unknown_operation_is_not_there(refusals: Refusals, path: str) -> None:
    assert post(app_where(refusals, lambda _: {}), path, {}).status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_operations_are_posted(refusals: Refusals, method: str) -> None:
    client = app_where(refusals, lambda _: {}).test_client()
    assert getattr(client, method)("/v1/health").status_code == 405


@pytest.mark.parametrize("path", sorted(ALL))
def test_no_operation_takes_a_field_more(refusals: Refusals, path: str) -> None:
    response = post(app_where(refusals, lambda _: {}), path, {"approved": True})
    assert (response.status_code, response.json and response.json["error"]) == (422, "invalid-request")


@pytest.mark.parametrize("path", sorted(path for path, kind in ALL.items() if kind.model_fields))
def test_no_operation_does_without_its_fields(refusals: Refusals, path: str) -> None:
    assert post(app_where(refusals, lambda _: {}), path, {}).status_code == 422


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("certificates/hold", {"session": 1, "serial": "a1"}),
        ("certificates/hold", {"session": "s" * 101, "serial": "a1"}),
        ("certificates/hold", {"session": "s", "serial": "a" * 65}),
        ("certificates/hold", {"session": "s", "serial": "a\x00"}),
        ("certificates/hold", {"session": "\ud800", "serial": "a1"}),
        ("certificates/hold", [{"session": "s", "serial": "a1"}]),
        ("certificates/hold", "text"),
        ("applications/reject", {"session": "s", "application": "a", "reason": "x" * 301}),
        ("applications/submit", {"session": "s", "customer": "c", "profile": "p", "host_names": ["h"] * 21}),
        ("officers/change", {"session": "s", "officer": "o", "state": ["active"], "reason": "x"}),
        ("enrolment/enrol", {"reference": "1", "code": "c", "request": "not base64!"}),
        ("enrolment/enrol", {"reference": "1", "code": "c", "request": 7}),
        ("applications/approve", {"session": "s", "application": "a", "digest": "", "assertion": {"id": ""}}),
    ],
)
def test_what_is_malformed_reaches_no_handler_and_is_noted(refusals: Refusals, path: str, body: Any) -> None:
    response = post(app_where(refusals, refuse(AssertionError())), path, body)
    assert response.status_code == 422
    assert refusals.seen == []
    assert [asked for asked, _ in refusals.malformed] == [path]


@pytest.mark.parametrize("name", ["\ud800", "a\x00b", "x" * 5000, "a b"], ids=["surrogate", "nul", "long", "blank"])
def test_a_field_of_the_callers_naming_is_not_repeated(refusals: Refusals, name: str) -> None:
    post(app_where(refusals, lambda _: {}), "health", {name: 1})
    ((path, said),) = refusals.malformed
    assert path == "health"
    assert said.partition(":")[0] in {"", "?", "x" * 40}


def test_what_is_no_json_is_a_bad_request(refusals: Refusals) -> None:
    app = app_where(refusals, refuse(AssertionError()))
    assert app.test_client().post("/v1/health", data=b"{").status_code == 400


def test_what_is_nested_without_end_is_refused_and_noted(refusals: Refusals) -> None:
    app = app_where(refusals, refuse(AssertionError()))

    answer = app.test_client().post("/v1/health", data=b"[" * 100_000)

    assert (answer.status_code, answer.json["error"] if answer.json else "") == (422, "invalid-request")
    assert refusals.malformed == [("health", "the message is nested too deeply")]


def test_a_body_of_megabytes_is_not_read(refusals: Refusals) -> None:
    app = app_where(refusals, refuse(AssertionError()))
    assert app.test_client().post("/v1/health", data=b" " * (256 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize(
    ("state", "reason"), [("superuser", "unknown state"), ("ACTIVE", "wrong case")], ids=["unknown", "case"]
)
def test_unknown_values_are_refused_by_the_signer_itself(state: str, reason: str) -> None:
    bank = Bank()
    handlers = Handlers(bank.use_cases)
    app = create_app(handlers.table(), handlers.refused, handlers.malformed)
    body = {"session": bank.session(MARIA), "officer": "o", "state": state, "reason": reason}
    assert post(app, "officers/change", body).status_code == 422
    revoke = {"session": bank.session(MARIA), "serial": "a1", "reason": "becauseISaySo"}
    assert post(app, "certificates/revoke", revoke).status_code == 422
    assert bank.event_names[-1] == "operation.refused"


KINDS = {
    errors.NotFound: 404,
    errors.NotAllowed: 403,
    errors.NotAuthenticated: 401,
    errors.InvalidRequest: 422,
    errors.ProfileViolation: 422,
    errors.InvalidTransition: 409,
    errors.KeyStoreUnavailable: 503,
    errors.NotReady: 503,
    errors.SigningRefused: 403,
    errors.Tampered: 409,
    errors.LintFailed: 500,
    errors.PKIError: 500,
}


@pytest.mark.parametrize(("kind", "status"), KINDS.items(), ids=[kind.__name__ for kind in KINDS])
def test_each_error_has_its_status_and_is_recorded(
    refusals: Refusals, kind: type[errors.PKIError], status: int
) -> None:
    response = post(app_where(refusals, refuse(kind("a sentence"))), "health", {})
    assert (response.status_code, response.json) == (status, {"error": kind.code, "message": "a sentence"})
    assert [type(error) for _, error in refusals.seen] == [kind]


def test_every_error_of_ours_is_in_the_table() -> None:
    ours = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PKIError)}
    # For those who ask these two are a ProfileViolation.
    assert ours - {errors.KeyOnAnotherDevice, errors.KeyNotBornOnDevice} == set(KINDS)
    assert status_of(errors.KeyOnAnotherDevice("a sentence")) == 422
    assert status_of(errors.PKIError("unforeseen")) == 500


def test_a_defect_is_a_number_without_detail(refusals: Refusals, caplog: pytest.LogCaptureFixture) -> None:
    app = app_where(refusals, refuse(ZeroDivisionError("the PIN is 1234")))
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with caplog.at_level(logging.ERROR):
        response = post(app, "health", {})
    assert response.status_code == 500
    assert response.json is not None
    assert response.json["error"] == "internal"
    assert "PIN" not in response.text
    assert response.json["message"].rsplit(" ", 1)[1] in caplog.text


# The client


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
        """Nothing to say."""


class _UnixServer(WSGIServer):
    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "signer", 0
        self.setup_environ()

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        return self.socket.accept()[0], ("unix", 0)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Any], SignerClient]]:
    servers: list[_UnixServer] = []

    def start(app: Any) -> SignerClient:
        path = tmp_path / "signer.sock"
        server = _UnixServer(str(path), _Quiet)  # type: ignore[arg-type]  # a path is this family's address
        server.set_app(app)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return SignerClient(path, timeout=60)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_client_asks_and_gets_the_answer(serve: Callable[[Any], SignerClient], refusals: Refusals) -> None:
    client = serve(app_where(refusals, lambda op: {"serial": op.serial}))
    assert client.call(ops.ConfirmationChallenge(serial="a1")) == {"serial": "a1"}


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_the_client_raises_what_the_signer_raised(
    serve: Callable[[Any], SignerClient], refusals: Refusals, kind: type[errors.PKIError]
) -> None:
    client = serve(app_where(refusals, refuse(kind("a sentence"))))
    with pytest.raises(errors.PKIError, match="a sentence") as error:
        client.call(ops.Health())
    assert type(error.value) is kind


def test_the_client_says_when_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(errors.NotReady, match="does not answer"):
        SignerClient(tmp_path / "nobody.sock").call(ops.Health())


@pytest.mark.parametrize("body", [b"[]", b'"ok"', b"<html>", b""], ids=str)
def test_the_client_is_not_taken_in_by_something_else(serve: Callable[[Any], SignerClient], body: bytes) -> None:
    def something_else(environ: Any, start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    with pytest.raises(errors.NotReady):
        serve(something_else).call(ops.Health())


def test_an_error_without_words_is_still_an_error(serve: Callable[[Any], SignerClient]) -> None:
    def speechless(environ: Any, start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("418 I'm a teapot", [("Content-Length", "2")])
        return [b"{}"]

    with pytest.raises(errors.PKIError, match="the signer failed"):
        serve(speechless).call(ops.Health())


def test_bytes_travel_as_base64() -> None:
    operation = ops.Confirm(serial="a1", nonce=b"\x00\xff", signature=b"")
    assert operation.payload() == {"serial": "a1", "nonce": "AP8=", "signature": "", "predecessor_signature": None}
    assert ops.Confirm.model_validate(operation.payload()) == operation
    assert ops.decode_base64("AP8=") == b"\x00\xff"
