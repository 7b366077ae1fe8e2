"""Which use case answers which operation of applications and of customers at the counter. No rule lives here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ca import case_operations as ops
from ca import operations as counter
from ca.domain.applications import Application
from ca.domain.batches import BatchLine
from ca.domain.case_contents import Change, FormerCase
from ca.domain.times import timestamp
from ca.operations import Operation, encode_base64
from ca.signer import Handler
from ca.usecases.apply import Entry, SubmitApplication
from ca.usecases.approve import DecideOnApplication
from ca.usecases.batches import DecideOnBatch, SubmitBatch
from ca.usecases.customers import CorrectCustomer, RegisterCustomer
from ca.usecases.outlook import Outlook


@dataclass(frozen=True)
class Casework:
    """The use cases of applications and of those who apply."""

    submit: SubmitApplication
    decide: DecideOnApplication
    submit_batch: SubmitBatch
    decide_on_batch: DecideOnBatch
    register: RegisterCustomer
    correct: CorrectCustomer

    def table(self) -> dict[type[Operation], Handler]:
        """Every operation with what answers it."""
        decide = self.decide
        return {
            counter.RegisterCustomer: self._register,
            counter.CorrectCustomer: self._correct_register,
            ops.SubmitApplication: lambda op: {
                "application": self.submit(op.session, customer=op.customer, entry=_entry(op)).id
            },
            ops.PreviewApplication: self._preview,
            ops.CorrectApplication: lambda op: _state(
                self.submit.correct(op.session, op.application, entry=_entry(op))
            ),
            ops.ShowCase: self._show,
            ops.ApproveApplication: self._approve,
            ops.ReturnApplication: lambda op: _state(decide.send_back(op.session, op.application, reason=op.reason)),
            ops.RejectApplication: lambda op: _state(decide.reject(op.session, op.application, reason=op.reason)),
            ops.WithdrawApplication: lambda op: _state(decide.withdraw(op.session, op.application, reason=op.reason)),
            ops.SubmitBatch: self._submit_batch,
            ops.ShowBatch: self._show_batch,
            ops.ApproveBatch: self._approve_batch,
        }

    def _register(self, op: counter.RegisterCustomer) -> dict[str, Any]:
        fields = {"kind": op.kind, "number": op.number, "name": op.name, "document_number": op.document_number}
        customer = self.register(op.session, **fields, email=op.email, phone=op.phone, company=op.company)
        return {"customer": customer.id}

    def _correct_register(self, op: counter.CorrectCustomer) -> dict[str, Any]:
        fields = {"name": op.name, "document_number": op.document_number, "email": op.email, "phone": op.phone}
        return {"customer": self.correct(op.session, op.customer, **fields).id}

    def _preview(self, op: ops.PreviewApplication) -> dict[str, Any]:
        seen = self.submit.preview(op.session, customer=op.customer, entry=_entry(op), application_id=op.application)
        return {"case": seen.case.fields(), "digest": encode_base64(seen.case.digest()), "outlook": _outlook(seen)}

    def _correct(self, op: ops.CorrectApplication) -> dict[str, Any]:
        return _state(self.submit.correct(op.session, op.application, entry=_entry(op)))

    def _show(self, op: ops.ShowCase) -> dict[str, Any]:
        view = self.decide.show(op.session, op.application)
        case = view.application.case
        return {
            "case": case.fields(),
            "digest": encode_base64(case.digest()),
            "state": view.application.state.value,
            "reason": view.application.reason,
            "challenge": encode_base64(view.challenge),
            "profile_current": view.profile_is_current,
            "may_approve": view.may_approve,
            "outlook": _outlook(view.outlook),
        }

    def _approve(self, op: ops.ApproveApplication) -> dict[str, Any]:
        assertion = op.assertion.to_assertion()
        return _state(self.decide.approve(op.session, op.application, case_digest=op.digest, assertion=assertion))

    def _submit_batch(self, op: ops.SubmitBatch) -> dict[str, Any]:
        lines = [BatchLine(**line.model_dump()) for line in op.lines]
        entered = self.submit_batch(op.session, company=op.company, profile=op.profile, lines=lines, apply=op.apply)
        problems = [{"line": problem.line, "sentence": problem.sentence} for problem in entered.problems]
        return {"batch": entered.batch.id if entered.batch and op.apply else None, "problems": problems}

    def _show_batch(self, op: ops.ShowBatch) -> dict[str, Any]:
        view = self.decide_on_batch.show(op.session, op.batch)
        return {
            "batch": view.batch.fields(),
            "digest": encode_base64(view.batch.digest()),
            "challenge": encode_base64(view.challenge),
            "may_approve": view.may_approve,
            "cases": [
                {"case": one.case.fields(), "state": one.state.value, "outlook": _outlook(seen)}
                for one, seen in view.seen
            ],
        }

    def _approve_batch(self, op: ops.ApproveBatch) -> dict[str, Any]:
        assertion = op.assertion.to_assertion()
        approved = self.decide_on_batch.approve(op.session, op.batch, batch_digest=op.digest, assertion=assertion)
        return {"approved": [one.id for one in approved]}


def _entry(op: ops.SubmitApplication | ops.CorrectApplication) -> Entry:
    return Entry(op.profile, op.device_serial, op.host_names)


def _state(application: Application) -> dict[str, Any]:
    return {"application": application.id, "state": application.state.value}


def _outlook(seen: Outlook) -> dict[str, Any]:
    """contents: [[field, text]]; previous: {serial, status, changes} or null; former: [{version, reason, …}];
    changes and corrected: [{field, was, now}]."""
    previous = seen.previous
    return {
        "contents": [list(pair) for pair in seen.contents],
        "warnings": list(seen.warnings),
        "previous": previous
        and {"serial": previous.serial, "status": previous.status.value, "changes": _changes(previous.changes)},
        "former": [_former(one) for one in seen.former],
        "corrected": _changes(seen.corrected),
    }


def _changes(found: Iterable[Change]) -> list[dict[str, str]]:
    return [{"field": one.field, "was": one.was, "now": one.now} for one in found]


def _former(former: FormerCase) -> dict[str, Any]:
    at = timestamp(former.returned_at)
    return {"version": former.case.version, "reason": former.reason, "by": former.returned_by, "at": at}
