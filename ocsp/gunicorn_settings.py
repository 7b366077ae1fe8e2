"""gunicorn settings of status: `gunicorn -c python:ocsp.gunicorn_settings`. The command line gives `--bind`."""

import socket
import sys
from typing import Protocol

worker_class = "ocsp.worker.StatusWorker"
timeout = 30
"""A worker whose event loop stood still for so long is replaced."""
graceful_timeout = 5
reuse_port = True
"""Each worker listens for itself and the kernel spreads connections over them: of one socket that all share, whoever
wakes first takes nearly all."""
control_socket_disable = True
"""By default gunicorn opens a control socket in the home directory, one name for all processes."""
accesslog = None
proc_name = "vermilion-status"

_CONFIGURATION_ERROR = 4


class Configuration(Protocol):
    """What of gunicorn's configuration the hook needs."""

    address: list[tuple[str, int]]


class Arbiter(Protocol):
    """What of gunicorn's master the hook needs."""

    cfg: Configuration


def on_starting(server: Arbiter) -> None:
    """A second one at the same address would be let in, and get half of the first one's connections."""
    for host, port in server.cfg.address:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                sys.stderr.write(f"error: {host}:{port} cannot be listened at: {error.strerror}\n")
                sys.exit(_CONFIGURATION_ERROR)
