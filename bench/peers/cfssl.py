"""cfssl's `ocspserve`: answers signed beforehand, from a file (Go; Debian package golang-cfssl)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.load import Subject
from bench.ocsp import Asking, require_good, write_request
from bench.peers.authority import SERIAL, Authority
from bench.processes import Server, find_program, free_ports, listens


@contextmanager
def serving(directory: Path) -> Iterator[Subject]:
    """Asked by POST."""
    program = find_program("cfssl", "golang-cfssl")
    authority = Authority.made_in(directory)
    (port,) = free_ports(1)
    responses = authority.responses_file()
    argv = [program, "ocspserve", "-address", "127.0.0.1", "-port", port, "-responses", responses, "-loglevel", 5]
    with Server(argv, ready=lambda _said: listens(port), log=directory / "cfssl.log") as server:
        asking = Asking(port, "/")
        size = require_good(asking.post(authority.request), SERIAL)
        asking.close()
        requests = write_request(directory / "request", authority.request)
        yield Subject("cfssl", f"http://127.0.0.1:{port}/", server.pid, size, "post.lua", requests)
