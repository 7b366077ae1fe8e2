"""A process that publishes one CRL and says what it took: `python -m bench.crl_process STATE JOB [again]`.

With `again` it is the second one of the process that counts: a signer that runs has verified the last CRLs before.

The product's own wiring builds the signer, of which nothing is used but the job that publishes. The only module here
that calls the product in its own process.
"""

import json
import os
import sys
import time
from pathlib import Path

from bench.processes import resident_in
from bench.state import make_crl_due
from ca.domain.errors import PKIError
from ca.signer_wiring import build_signer
from config.settings import State, load_settings


def publish(directory: Path, job: str, *, again: bool) -> dict[str, float | str]:
    """Run the job. Raises PKIError."""
    state = State(directory)
    run_job = build_signer(state, load_settings(state)).run_job
    if again:
        run_job(job, "bench")
        make_crl_due(directory)
    idle = resident_in(_status()).total
    # The high-water mark of the start does not count (proc(5), clear_refs).
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    began = time.monotonic()
    run = run_job(job, "bench")
    seconds = time.monotonic() - began
    if run is None or not run.ok:
        raise PKIError(run.result if run else f"the job {job!r} is not due")
    return {"seconds": seconds, "idle_mib": idle, "peak_mib": peak_in(_status()), "result": run.result}


def _status() -> str:
    return Path("/proc/self/status").read_text("ascii")


def peak_in(status: str) -> float:
    """The most memory there was since it was last reset, in MiB, from /proc/PID/status."""
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def main() -> None:
    """The outermost frame."""
    directory, job, *again = sys.argv[1:]
    try:
        told = publish(Path(directory), job, again=bool(again))
    except PKIError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)  # threads of the HSM's sessions wait for nobody
    sys.stdout.write(f"{json.dumps(told)}\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
