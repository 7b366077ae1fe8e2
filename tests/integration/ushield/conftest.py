"""A small bank on loopback, and a computer with a U-Shield that is a SoftHSM token."""

import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.fakes.enrolment import Bank, Ca, Computer, Server, handler_for, name


@pytest.fixture(scope="session")
def ca() -> Ca:
    return Ca()


@pytest.fixture(scope="session")
def server_files(ca: Ca, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bank")
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = ca.issue(
        name("localhost"), key.public_key(), (x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
    )
    (directory / "server.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    (directory / "root.pem").write_bytes(ca.certificate.public_bytes(Encoding.PEM))
    return directory


@pytest.fixture
def bank(ca: Ca, server_files: Path) -> Iterator[Bank]:
    bank = Bank(ca)
    server = Server(("127.0.0.1", 0), handler_for(bank))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_files / "server.pem")
    # The handshake happens in the handler's thread: one that fails must not stop the others.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    bank.address = f"https://localhost:{server.server_port}"
    bank.ca_file = str(server_files / "root.pem")
    yield bank
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def computer(tmp_path: Path, bank: Bank) -> Computer:
    computer = Computer(tmp_path, bank)
    made = computer.ushield("init", "--label", "U-Shield", "--json")
    assert made.status == 0, made
    bank.device_serial = made.json["serial"]
    return computer
