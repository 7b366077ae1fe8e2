"""What the console's fake signer answers of previews, corrections and batches."""

# ruff: noqa: N802 - methods are named after the operations they answer

from typing import Any

from ca import case_operations as case_ops
from ca import operations as ops
from ca.domain.applications import Application, ApplicationState
from ca.domain.batches import Batch
from ca.domain.decisions import Act, Decision
from ca.domain.errors import NotAuthenticated, NotFound
from tests.fakes.officer_answers import b64


def outlook(is_unusual: bool) -> dict[str, Any]:
    warnings = ["common_name: U+0430 CYRILLIC SMALL LETTER A"] if is_unusual else []
    fields = [["subject", "CN=Zhang Wei,O=Demo Bank,C=CN"], ["keyUsage", "digitalSignature, nonRepudiation"]]
    changed = [{"field": "common_name", "was": "Zhang Wen", "now": "Zhang Wei"}]
    previous = {"serial": "a" * 31, "status": "active", "changes": changed}
    return {"contents": fields, "warnings": warnings, "previous": previous, "former": [], "corrected": []}


class CaseAnswers:
    """A part of the fake signer, which has the rest."""

    cases: dict[str, Application]

    def _PreviewApplication(self, operation: case_ops.PreviewApplication) -> dict[str, Any]:
        self._who(operation)
        application = next(iter(self.cases.values()))
        fields = application.case.fields() | {"profile": operation.profile, "device_serial": operation.device_serial}
        return {"case": fields, "digest": b64(application.case.digest()), "outlook": outlook(False)}

    def _CorrectApplication(self, operation: case_ops.CorrectApplication) -> dict[str, Any]:
        application, _officer = self._case(operation)
        return self._become(application, ApplicationState.SUBMITTED)

    def _CorrectCustomer(self, operation: ops.CorrectCustomer) -> dict[str, Any]:
        self._who(operation)
        return {"customer": operation.customer}

    def _SubmitBatch(self, operation: case_ops.SubmitBatch) -> dict[str, Any]:
        self._who(operation)
        wrong = [place for place, line in enumerate(operation.lines, 1) if line.device_serial == "US-WRONG"]
        problems = [{"line": place, "sentence": "U-Shield US-WRONG is lost"} for place in wrong]
        return {"batch": "batch-1" if operation.apply and not problems else None, "problems": problems}

    def _ShowBatch(self, operation: case_ops.ShowBatch) -> dict[str, Any]:
        officer = self._who(operation)
        batch = self.batch
        if operation.batch != batch.id or (officer["branch"] != batch.branch and "auditor" not in officer["roles"]):
            raise NotFound("there is no such batch at your branch")
        found = [self.cases[identity] for identity, _digest in batch.cases]
        return {
            "batch": batch.fields(),
            "digest": b64(batch.digest()),
            "challenge": b64(self._batch_decision(officer).challenge()),
            "may_approve": officer["person"] != batch.maker_person,
            "cases": [
                {"case": one.case.fields(), "state": one.state.value, "outlook": outlook("unusual" in one.id)}
                for one in found
            ],
        }

    def _ApproveBatch(self, operation: case_ops.ApproveBatch) -> dict[str, Any]:
        officer = self._who(operation)
        self.batch.require_other_person(officer["person"])
        if self._check(operation.assertion, self._batch_decision(officer).challenge()) != officer["id"]:
            raise NotAuthenticated("this passkey is not yours")
        approved = [identity for identity, _digest in self.batch.cases]
        for identity in approved:
            self._become(self.cases[identity], ApplicationState.APPROVED)
        return {"approved": approved}

    def _ReturnApplication(self, operation: case_ops.ReturnApplication) -> dict[str, Any]:
        application, officer = self._case(operation)
        application.require_other_person(officer["person"])
        return self._become(application, ApplicationState.RETURNED, operation.reason)

    @property
    def batch(self) -> Batch:
        """The first two cases, as if they had been entered at once."""
        chosen = [self.cases[name] for name in ("application-1", "application-unusual")]
        case = chosen[0].case
        pairs = tuple((one.id, one.case.digest().hex()) for one in chosen)
        return Batch(
            "batch-1", "customer-4", "Acme 有限公司", case.profile, case.branch, case.maker_person, case.maker_name,
            case.submitted_at, pairs,
        )  # fmt: skip

    def _batch_decision(self, officer: dict[str, Any]) -> Decision:
        return Decision(Act.APPROVE_BATCH, self.batch.id, self.batch.digest(), officer["id"], officer["person"])
