"""The openssl program: its OCSP responder, and its CRLs from an index file."""

import os
import resource
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.experiment import Unmeasured
from bench.load import Subject
from bench.ocsp import require_good, write_request
from bench.peers.authority import SERIAL, Authority
from bench.processes import Server, find_program, run

_CRL_SECONDS = 300.0
_PORT = 8080
_AS_WE_ARE = ("--preserve-credentials", "--")
_CONFIG = """
[ca]
default_ca = peer
[peer]
database = {directory}/index.txt
certificate = {directory}/ca.pem
private_key = {directory}/ca.key
crlnumber = {directory}/crlnumber
default_md = sha256
default_crl_days = 1
unique_subject = no
"""
_REASONS = {
    1: "keyCompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
}


@contextmanager
def responding(directory: Path) -> Iterator[Subject]:
    """`openssl ocsp` with two processes: signs each answer, and closes each connection.

    It listens on every interface and cannot be told otherwise, so it gets a network of its own with loopback only.
    """
    openssl, unshare = find_program("openssl", "openssl"), find_program("unshare", "util-linux")
    authority = Authority.made_in(directory)
    serve = [openssl, "ocsp", "-port", str(_PORT), "-multi", "2", "-ndays", "1"]
    serve += ["-index", "index.txt", "-CA", "ca.pem", "-rsigner", "responder.pem", "-rkey", "responder.key"]
    argv = [unshare, "--user", "--map-root-user", "--net", "sh", "-c", f"ip link set lo up && exec {' '.join(serve)}"]
    log = directory / "openssl.log"
    # It leads a process group of its own making, which the leader of a session may not.
    with Server(argv, ready=lambda said: "ACCEPT" in said, log=log, cwd=directory, new_session=False) as server:
        within = (find_program("nsenter", "util-linux"), f"--target={server.pid}", "--user", "--net", *_AS_WE_ARE)
        url, answer = f"http://127.0.0.1:{_PORT}/", directory / "answer"
        ask = [*within, openssl, "ocsp", "-url", url, "-issuer", "ca.pem", "-CAfile", "ca.pem"]
        run([*ask, "-serial", SERIAL, "-no_nonce", "-respout", answer], timeout=10.0, cwd=directory)
        size = require_good(answer.read_bytes(), SERIAL)
        requests = write_request(directory / "request", authority.request)
        yield Subject("openssl ocsp", url, server.pid, size, "post.lua", requests, within)


def write_index(path: Path, entries: Iterable[tuple[str, int, int]]) -> int:
    """An index file with the same revocations: serial number in hex, time, reason. How many there are."""
    count = 0
    with path.open("w", encoding="ascii") as index:
        for serial, at, reason in entries:
            since = f"{datetime.fromtimestamp(at, UTC):%y%m%d%H%M%SZ}"
            why = f",{_REASONS[reason]}" if reason in _REASONS else ""
            digits = serial.upper() if len(serial) % 2 == 0 else f"0{serial.upper()}"
            index.write(f"R\t351231235959Z\t{since}{why}\t{digits}\tunknown\t/CN=Bench {serial[1:9]}\n")
            count += 1
    return count


def crl_seconds(authority: Authority) -> tuple[float, float]:
    """`openssl ca -gencrl` on the directory's index: seconds, and MiB at its largest."""
    directory = authority.directory
    (directory / "crlnumber").write_text("01\n", "ascii")
    config = directory / "openssl.cnf"
    config.write_text(_CONFIG.format(directory=directory), "ascii")
    argv = [find_program("openssl", "openssl"), "ca", "-config", str(config), "-gencrl", "-out", str(directory / "crl")]
    with (directory / "gencrl.log").open("wb") as log:
        began = time.monotonic()
        process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        status, used = _wait(process)
        took = time.monotonic() - began
    if status != 0:
        raise Unmeasured(f"openssl ca -gencrl: {(directory / 'gencrl.log').read_text('utf-8', 'replace')[-200:]}")
    return took, used.ru_maxrss / 1024


def _wait(process: "subprocess.Popen[bytes]") -> tuple[int, resource.struct_rusage]:
    deadline = time.monotonic() + _CRL_SECONDS
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, used
        if time.monotonic() > deadline:
            process.kill()
            raise Unmeasured("openssl ca -gencrl did not end")
        time.sleep(0.005)
