"""gunicorn settings of the edge: `gunicorn -c python:edge.gunicorn_settings`.

The command line gives what differs: `--bind`, `--certfile`, `--keyfile`, `--ca-certs` and the app.
"""

import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edge.tls import Contexts

worker_class = "edge.turns.FairWorker"
workers = 1
threads = 64
"""Each connection that says something holds one until it is answered or out of time (edge/tls.py), and one source
only some of them (edge/turns.py)."""
worker_connections = 1000
keepalive = 5
timeout = 60
graceful_timeout = 10
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190
forwarded_allow_ips = ""
"""Nobody in front of us may say who is calling: by default gunicorn believes whoever connects from 127.0.0.1."""
forwarder_headers = ""
header_map = "drop"
control_socket_disable = True
umask = 0o077
accesslog = "-"
access_log_format = "%(t)s %(h)s %(m)s %(U)s %(s)s %(B)s %(M)sms"
"""No query (one-time links), no referrer, no user (%(u)s would be the reference number), no header."""
proc_name = "vermilion-edge"


_DEFER_SECONDS = 10


class Listener(Protocol):
    """One of gunicorn's listening sockets."""

    sock: socket.socket


class Arbiter(Protocol):
    """What of gunicorn's master the hook needs."""

    LISTENERS: list[Listener]


def hide_what_was_sent(record: logging.LogRecord) -> bool:
    """gunicorn logs the line it could not read, which may be a broken Authorization header; failures of TLS stay."""
    message = record.getMessage()
    start, separator, reason = message.partition(": ")
    if start.startswith("Invalid request from ") and separator and not reason.startswith("[SSL"):
        record.msg, record.args = start, ()
    return True


def when_ready(server: Arbiter) -> None:
    """Let the kernel keep connections on which nothing was said yet: each would hold a thread for five seconds."""
    logging.getLogger("gunicorn.error").addFilter(hide_what_was_sent)
    for listener in server.LISTENERS:
        if listener.sock.family != socket.AF_UNIX:
            listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, _DEFER_SECONDS)


class Configuration(Protocol):
    """What of gunicorn's configuration the hook needs."""

    certfile: str
    keyfile: str
    ca_certs: str


_contexts = Contexts()


def ssl_context(conf: Configuration, _default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Called by gunicorn for each connection."""
    return _contexts.make(Path(conf.certfile), Path(conf.keyfile), Path(conf.ca_certs))
