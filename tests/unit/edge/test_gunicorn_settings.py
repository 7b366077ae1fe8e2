"""The settings are read by gunicorn as they are meant."""

import logging
import socket
import ssl
from pathlib import Path
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from edge import gunicorn_behind, gunicorn_settings
from tests.fakes.software_ca import SoftwareCA

MODULES = [gunicorn_settings, gunicorn_behind]


def config_of(module: object) -> Config:
    config = Config()
    for name, value in vars(module).items():
        if name in config.settings:
            config.set(name, value)
    return config


@pytest.mark.parametrize("module", MODULES)
def test_nobody_over_tcp_may_say_who_calls_or_where_the_app_is(module: object) -> None:
    config = config_of(module)

    assert (config.forwarded_allow_ips, config.forwarder_headers, config.header_map) == ([], [], "drop")


@pytest.mark.parametrize("module", MODULES)
def test_no_socket_is_open_to_other_users_and_none_is_in_the_home_directory(module: object) -> None:
    config = config_of(module)

    assert config.umask == 0o077
    assert config.control_socket_disable


def test_the_access_log_has_no_query_no_user_and_no_header() -> None:
    assert not [
        atom for atom in ("(q)s", "(r)s", "(u)s", "(f)s", "(a)s", "}i") if atom in gunicorn_settings.access_log_format
    ]


@pytest.mark.parametrize(
    ("message", "logged"),
    [
        ("Invalid request from ip=192.0.2.1: Authorization Basic abc", "Invalid request from ip=192.0.2.1"),
        (
            "Invalid request from ip=192.0.2.1: [SSL] wrong version",
            "Invalid request from ip=192.0.2.1: [SSL] wrong version",
        ),
        ("Booting worker with pid: 5", "Booting worker with pid: 5"),
    ],
)
def test_what_could_not_be_read_is_not_logged(message: str, logged: str) -> None:
    record = logging.LogRecord("gunicorn.error", logging.WARNING, "", 0, message, (), None)

    assert gunicorn_settings.hide_what_was_sent(record)
    assert record.getMessage() == logged


def test_the_kernel_keeps_connections_that_say_nothing() -> None:
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        gunicorn_settings.when_ready(SimpleNamespace(LISTENERS=[SimpleNamespace(sock=tcp), SimpleNamespace(sock=unix)]))

        assert tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT) > 0


def test_the_hook_gives_a_context_that_asks_for_a_client_certificate_but_needs_none(tmp_path: Path) -> None:
    authority = SoftwareCA()
    certificate, key = authority.holder("localhost").write(tmp_path, "server")
    (tmp_path / "chain.pem").write_bytes(authority.chain_pem)
    conf = SimpleNamespace(certfile=str(certificate), keyfile=str(key), ca_certs=str(tmp_path / "chain.pem"))

    context = gunicorn_settings.ssl_context(conf, ssl.create_default_context)

    assert context.verify_mode is ssl.CERT_OPTIONAL
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
