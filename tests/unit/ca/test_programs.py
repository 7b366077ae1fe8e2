"""The signs of life of the doors, wherever they listen."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ca.programs import other_programs
from config.settings import Listening, Settings, State
from tests.fakes.software_ca import SoftwareCA

pytestmark = pytest.mark.socket


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Quiet."""


@contextmanager
def served(host: str, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A healthy program on a port of this address."""
    with HTTPServer((host, 0), _Healthy) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def is_healthy(directory: Path, name: str, host: str, port: int) -> bool:
    settings = Settings(
        public_url="http://pki.example",
        enrolment_url="https://localhost",
        origins=("https://localhost",),
        listening=Listening(host=host, https_port=port, http_port=port),
    )
    return next(one for one in other_programs(State(directory), settings) if one.name == name).is_healthy()


@pytest.mark.parametrize(("listens", "says"), [("127.0.0.2", "127.0.0.2"), ("127.0.0.1", "0.0.0.0")])  # noqa: S104
def test_status_is_asked_where_it_listens(tmp_path: Path, listens: str, says: str) -> None:
    with served(listens) as port:
        assert is_healthy(tmp_path, "status", says, port)


def test_the_edge_is_asked_where_it_listens_by_the_name_in_its_certificate(tmp_path: Path) -> None:
    authority = SoftwareCA()
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "chain.pem").write_bytes(authority.chain_pem)
    server, key = authority.holder("localhost").write(tmp_path, "server")
    server.write_bytes(server.read_bytes() + authority.issuing.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server, key)

    with served("127.0.0.2", context) as port:
        assert is_healthy(tmp_path, "edge", "127.0.0.2", port)
