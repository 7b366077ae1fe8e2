"""The TLS side, judged by curl and openssl: what is offered, and whose client certificate is believed."""

import re
import subprocess

import pytest

from tests.integration.http.conftest import PATIENCE, Doors, wait_for

pytestmark = [pytest.mark.curl, pytest.mark.openssl]


def s_client(doors: Doors, *options: str) -> str:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{doors.port}", "-CAfile", doors.directory / "root.pem"]
    done = subprocess.run([*command, *options], input=b"Q\n", capture_output=True, check=False, timeout=PATIENCE)
    return (done.stdout + done.stderr).decode()


def with_certificate(doors: Doors, name: str) -> tuple[str, ...]:
    return ("--cert", str(doors.directory / f"{name}.pem"), "--key", str(doors.directory / f"{name}.key"))


def test_a_client_needs_no_certificate(doors: Doors) -> None:
    assert doors.status("/health") == 200


def test_a_client_may_show_a_certificate_of_ours(doors: Doors) -> None:
    assert doors.status("/health", *with_certificate(doors, "client")) == 200


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("name", ["foreign", "expired", "not-for-clients"])
def test_another_certificate_ends_the_connection(doors: Doors, name: str, version: str) -> None:
    done = doors.curl("/health", f"--tlsv{version}", "--tls-max", version, *with_certificate(doors, name))

    assert done.returncode != 0
    assert done.stdout == b""


@pytest.mark.parametrize(("version", "protocol"), [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
def test_modern_tls_with_authenticated_encryption_is_offered(doors: Doors, version: str, protocol: str) -> None:
    seen = s_client(doors, version)

    assert "Verify return code: 0 (ok)" in seen
    assert re.search(rf"New, {protocol}, Cipher is \S*(GCM|CHACHA20)", seen)


@pytest.mark.parametrize(
    "options",
    [
        ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"),
        ("-tls1", "-cipher", "ALL:@SECLEVEL=0"),
        ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"),
        ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA"),
    ],
)
def test_older_tls_is_refused(doors: Doors, options: tuple[str, ...]) -> None:
    assert "Cipher is (NONE)" in s_client(doors, *options)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_no_session_is_resumed_so_that_each_connection_proves_anew(doors: Doors, version: str) -> None:
    seen = s_client(doors, version, "-reconnect")

    assert "New, TLS" in seen
    assert "Reused" not in seen


def test_a_failed_handshake_leaves_one_line_in_the_log_and_no_trace(doors: Doors) -> None:
    doors.curl("/health", *with_certificate(doors, "foreign"))
    s_client(doors, "-tls1_1")
    subprocess.run(
        ["curl", "--silent", "--max-time", "5", f"http://127.0.0.1:{doors.port}/"], capture_output=True, check=False
    )

    wait_for(lambda: "Invalid request from ip=127.0.0.1" in doors.log("edge"))
    assert "Traceback" not in doors.log("edge")


def test_the_server_certificate_can_be_renewed_without_a_restart(doors: Doors) -> None:
    before = s_client(doors)
    server = doors.authority.holder("localhost")
    # The certificate first: until the key follows, the pair does not fit and the old one stays in use.
    (doors.directory / "server.pem").write_bytes(server.pem + doors.authority.issuing.pem)
    between = s_client(doors)
    (doors.directory / "server.key").write_bytes(server.key_pem)

    after = s_client(doors)

    assert "Verify return code: 0 (ok)" in after
    assert first_certificate(before) == first_certificate(between) != first_certificate(after)


def first_certificate(text: str) -> str:
    return text[text.index("-----BEGIN") : text.index("-----END")]
