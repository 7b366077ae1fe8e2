"""Which use case answers which operation on the CA itself. No rule lives here."""

from dataclasses import dataclass
from typing import Any

from ca import authority_operations as ops
from ca.operations import Operation
from ca.signer import Handler
from ca.usecases.jobs import RunJobNow


@dataclass(frozen=True)
class Authority:
    """The use cases of CA administrators."""

    run_now: RunJobNow

    def table(self) -> dict[type[Operation], Handler]:
        """Every operation with what answers it."""
        return {ops.RunJobNow: self._run_now}

    def _run_now(self, op: ops.RunJobNow) -> dict[str, Any]:
        run = self.run_now(op.session, op.name)
        return {"ok": run.ok, "result": run.result}
