"""A process that signs with a key in the HSM and does nothing else: `python -m bench.signing_process STATE SECONDS KEY`
(`responder`: OCSP; `issuing`). What it reaches is the most that what is signed when it is asked for could reach.

The product's own wiring opens the HSM; each signature may be verified too, as the product does before it leaves.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ca.domain.errors import PKIError
from ca.domain.keys import PublicKey
from ca.ports import KeyId
from ca.signer_wiring import build_signer
from ca.usecases.answer_ocsp import responder_key
from ca.wiring import ISSUING
from config.settings import State, load_settings

_AT_ONCE = 32
_MESSAGE_OCTETS = 300
"""As long as what is signed of an answer."""


def signatures_a_second(directory: Path, seconds: float, which: str) -> dict[str, float]:
    """By as many threads as there are cores. Raises PKIError."""
    state = State(directory)
    signer = build_signer(state, load_settings(state))
    key_store = signer.answer_ocsp.key_store
    key = responder_key(ISSUING) if which == "responder" else KeyId(signer.enrol.drafter.issuer.key_id)
    public = PublicKey.from_spki(key_store.public_key(key))
    messages = [os.urandom(_MESSAGE_OCTETS) for _ in range(_AT_ONCE)]

    def sign() -> None:
        key_store.sign_each(key, messages)

    def sign_and_verify() -> None:
        for message, signature in zip(messages, key_store.sign_each(key, messages), strict=True):
            public.verify(signature, message)

    return {"signed": _rate(sign, seconds), "verified": _rate(sign_and_verify, seconds)}


def _rate(batch: Callable[[], None], seconds: float) -> float:
    done, until = [0], time.monotonic() + seconds

    def work() -> None:
        while time.monotonic() < until:
            batch()
            done.append(_AT_ONCE)

    threads = [threading.Thread(target=work) for _ in range(os.cpu_count() or 1)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.monotonic() - began)


def main() -> None:
    """The outermost frame."""
    directory, seconds, which = sys.argv[1:]
    try:
        told = signatures_a_second(Path(directory), float(seconds), which)
    except PKIError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)  # threads of the HSM's sessions wait for nobody
    sys.stdout.write(f"{json.dumps(told)}\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
