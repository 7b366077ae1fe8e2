"""A customer presses a button on a page of ours, and their U-Shield tool gets its orders (docs/adr/0026).

Anybody may have a job signed: it says nothing that is secret and opens nothing, for the codes and passwords are asked
for by the tool. What it does is to keep every other page in the world from starting the tool.
"""

from dataclasses import dataclass
from typing import Any

from ca.domain.errors import InvalidRequest, NotFound, NotReady, SigningRefused
from ca.domain.jws import compact, signing_input
from ca.domain.keys import PublicKey
from ca.domain.sessions import Challenge
from ca.domain.tool_jobs import LIFE, STATED, ToolJob, ToolOperation
from ca.ports import Clock, KeyId, KeyStore, Random, UnitOfWork

TOOL_JOB_KEY = KeyId(b"tool-jobs-1")
_KIND = "vermilion-job"


def state(key_store: KeyStore, key: KeyId, kind: str, claims: dict[str, Any]) -> str:
    """A statement to the tool, signed and verified. Raises NotReady, KeyStoreUnavailable, SigningRefused."""
    try:
        spki = key_store.public_key(key)
    except NotFound as error:
        raise NotReady(f"the HSM has no key {key.decode()} for the tool: it is made in the key ceremony") from error
    signed = signing_input(kind, claims, spki)
    signature = key_store.sign(key, signed)
    # Verified before it leaves, as everything that is signed (DESIGN invariant 1).
    try:
        PublicKey.from_spki(spki).verify(signature, signed)
    except InvalidRequest as error:
        raise SigningRefused(f"the HSM's key {key.decode()} does not verify what it signed") from error
    return compact(signed, signature)


def purpose_of(operation: ToolOperation) -> str:
    """Of the challenge that a statement answers."""
    return f"statement:{operation.value}"


@dataclass(frozen=True)
class OrderToolJob:
    """Signed here, where the origin comes from the settings and from nobody who asks."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    key_store: KeyStore
    origin: str

    def __call__(
        self, operation: str, *, reference: str = "", serial: str = "", text: str = "", language: str = "en"
    ) -> str:
        """The job as a compact JWS. Raises InvalidRequest, NotReady, KeyStoreUnavailable, SigningRefused."""
        named = {"reference": reference, "serial": serial, "text": text, "language": language}
        job = ToolJob.order(operation, **named, origin=self.origin, now=self.clock.now(), nonce=self.random(32))
        if job.operation in STATED:
            with self.unit_of_work() as work:
                work.challenges.add(Challenge(purpose_of(job.operation), job.nonce, job.ordered_at + LIFE))
                work.commit()
        return state(self.key_store, TOOL_JOB_KEY, _KIND, job.claims())
