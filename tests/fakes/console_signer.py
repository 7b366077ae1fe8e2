"""A signer for the console's tests: it really checks passkeys and keeps the rest in memory."""

# ruff: noqa: N802 - methods are named after the operations they answer

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ca import case_operations as case_ops
from ca import operations as ops
from ca import unlock_operations as unlock_ops
from ca.adapters.db import rows
from ca.adapters.webauthn import WebAuthnAuthenticators
from ca.certificate_operations import ExamineCertificate, ForeseeRevocation, ShowRevocation, UndoHold
from ca.domain.applications import Application, ApplicationState
from ca.domain.decisions import Act, Assertion, Decision
from ca.domain.errors import InvalidTransition, NotAllowed, NotAuthenticated, NotFound
from ca.domain.officers import Credential
from ca.domain.policy import Policy, PolicyVersion
from ca.domain.profile_versions import ProfileVersion
from ca.domain.tool_cases import ToolCase
from ca.dossier_operations import ShowDossier, VerifyLog
from ca.policy_operations import PolicyInForce
from ca.portal_operations import HandDeviceToCompany, HandOutLetter
from tests.fakes import console_stock
from tests.fakes.case_answers import CaseAnswers, outlook
from tests.fakes.console_authority import CASE, NOW, VERSION, AuthorityAnswers
from tests.fakes.console_policy import IN_FORCE, POLICY_VERSIONS, PolicyAnswers
from tests.fakes.officer_answers import OfficerAnswers, b64
from tests.fakes.revocation_answers import RevocationAnswers

ORIGINS = ("https://localhost:8443", "http://localhost:8081")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def person(officer_id: str, name: str, branch: str, *roles: str) -> dict[str, Any]:
    """An officer as the signer tells of one."""
    return {"id": officer_id, "person": f"E-{officer_id}", "name": name, "branch": branch, "roles": list(roles)}


OFFICERS = {
    "maker": person("maker", "Maria Lin", "Pudong", "ra-operator"),
    "approver": person("approver", "Pavel Chen", "Pudong", "ra-approver"),
    "both": person("both", "Bo Wang", "Pudong", "ra-operator", "ra-approver"),
    "supervisor": person("supervisor", "Su Hua", "Pudong", "ra-supervisor"),
    "elsewhere": person("elsewhere", "Elsa Xu", "Xuhui", "ra-operator", "ra-approver", "ra-supervisor"),
    "hotline": person("hotline", "Hao Tan", "Hotline", "hotline"),
    "admin": person("admin", "Ada Zhou", "Head office", "ca-administrator"),
    "second-admin": person("second-admin", "Ben Qiu", "Head office", "ca-administrator"),
    "security": person("security", "Sara Fu", "Head office", "security-officer"),
    "auditor": person("auditor", "Otto Gu", "Head office", "auditor"),
}


_LOOKS = (
    *(ops.WhoAmI, ops.NoteLook, ops.Health, PolicyInForce, ExamineCertificate, ForeseeRevocation, ShowRevocation),
    *(case_ops.ShowCase, case_ops.ShowBatch, case_ops.PreviewApplication),
)


@dataclass
class FakeSigner(OfficerAnswers, AuthorityAnswers, PolicyAnswers, CaseAnswers, RevocationAnswers):
    """Answers as the signer does. What was asked is in `asked`; `refuse` makes a kind of operation fail."""

    origins: tuple[str, ...] = ORIGINS
    database: Path | None = None
    asked: list[ops.Operation] = field(default_factory=list)
    refuse: dict[str, Exception] = field(default_factory=dict)
    officers: dict[str, dict[str, Any]] = field(default_factory=lambda: dict(OFFICERS))
    sessions: dict[str, str] = field(default_factory=dict)
    passkeys: dict[bytes, tuple[str, Credential]] = field(default_factory=dict)
    challenges: set[bytes] = field(default_factory=set)
    cases: dict[str, Application] = field(default_factory=dict)
    invitations: dict[str, dict[str, Any]] = field(default_factory=dict)
    releases: dict[str, ToolCase] = field(default_factory=lambda: {CASE.id: CASE})
    versions: dict[str, ProfileVersion] = field(default_factory=lambda: {VERSION.id: VERSION})
    policies: dict[str, PolicyVersion] = field(default_factory=lambda: {one.id: one for one in POLICY_VERSIONS})
    in_force: Policy = IN_FORCE
    findings: list[str] = field(default_factory=list)
    flaw: str = ""
    request_flaw: str = ""
    ended_by_two: dict[str, Any] | None = None
    by_two: bool = False

    def call(self, operation: ops.Operation) -> dict[str, Any]:
        self.asked.append(operation)
        if operation.path in self.refuse:
            raise self.refuse[operation.path]
        if type(operation) in console_stock.CANNED:
            return console_stock.answer(operation, self._who(operation), self.database)
        answer: dict[str, Any] = getattr(self, "_" + type(operation).__name__)(operation)
        return answer

    def session_of(self, name: str) -> str:
        token = f"token-of-{name}"
        self.sessions[token] = name
        return token

    def commands(self) -> list[ops.Operation]:
        """What was asked apart from who is there, how a case looks, and that somebody looked."""
        return [asked for asked in self.asked if not isinstance(asked, _LOOKS)]

    def _who(self, operation: Any) -> dict[str, Any]:
        name = self.sessions.get(operation.session)
        if name is None:
            raise NotAuthenticated("your session is over; sign in again")
        return self.officers[name]

    def _check(self, message: ops.AssertionMessage, challenge: bytes) -> str:
        assertion = Assertion(message.credential_id, message.client_data, message.authenticator_data, message.signature)
        if message.credential_id not in self.passkeys:
            raise NotAuthenticated("this passkey did not sign you in; try again")
        name, credential = self.passkeys[message.credential_id]
        authenticators = WebAuthnAuthenticators("localhost", self.origins)
        authenticators.verify_assertion(assertion, challenge=challenge, public_key=credential.public_key)
        return name

    def _challenge(self) -> bytes:
        value = os.urandom(32)
        self.challenges.add(value)
        return value

    def _Health(self, _operation: ops.Health) -> dict[str, Any]:
        return {"hsm": "ok", "database": "ok", "clock": "ok"}

    def _SignInChallenge(self, _operation: ops.SignInChallenge) -> dict[str, Any]:
        return {"challenge": b64(self._challenge())}

    def _SignIn(self, operation: ops.SignIn) -> dict[str, Any]:
        if operation.challenge not in self.challenges:
            raise NotAuthenticated("this passkey did not sign you in; try again")
        self.challenges.discard(operation.challenge)
        name = self._check(operation.assertion, operation.challenge)
        token = secrets.token_urlsafe(32)
        self.sessions[token] = name
        return {"token": token, "officer": self.officers[name]}

    def _SignOut(self, operation: ops.SignOut) -> dict[str, Any]:
        self.sessions.pop(operation.session, None)
        return {}

    def _WhoAmI(self, operation: ops.WhoAmI) -> dict[str, Any]:
        return {"officer": self._who(operation)}

    def _OpenInvitation(self, operation: ops.OpenInvitation) -> dict[str, Any]:
        found = self.invitations.get(operation.invitation)
        if found is None or found["code"] != operation.code:
            raise NotFound("there is no such invitation")
        if found["state"] != "open":
            raise InvalidTransition("this invitation was used already or is out of date; ask for a new one")
        shown = {name: found[name] for name in ("person", "name", "branch", "roles")}
        return {**shown, "challenge": b64(self._challenge())}

    def _RedeemInvitation(self, operation: ops.RedeemInvitation) -> dict[str, Any]:
        self._OpenInvitation(ops.OpenInvitation(invitation=operation.invitation, code=operation.code))
        authenticators = WebAuthnAuthenticators("localhost", self.origins)
        credential = authenticators.verify_registration(
            operation.registration, challenge=operation.challenge, label=operation.label
        )
        found = self.invitations[operation.invitation]
        found["state"] = "redeemed"
        self.passkeys[credential.id] = (found["officer"], credential)
        return {"officer": found["officer"]}

    def _ProposeInvitation(self, operation: ops.ProposeInvitation) -> dict[str, Any]:
        self._who(operation)
        return {"invitation": "proposed-1", "half": "7K3M-9QWX-2FH3"}

    def _ShowInvitation(self, operation: ops.ShowInvitation) -> dict[str, Any]:
        self._who(operation)
        found = self.invitations[operation.invitation]
        fields = {name: found[name] for name in ("person", "name", "branch", "roles", "proposed_by", "expires_at")}
        return {"fields": fields, "state": found["state"], "challenge": b64(b"i" * 32)}

    def _PrepareDevice(self, operation: unlock_ops.PrepareDevice) -> dict[str, Any]:
        self._who(operation)
        return {"answer": f"answer-for-{operation.token_serial}"}

    def _OpenUnlock(self, operation: unlock_ops.OpenUnlock) -> dict[str, Any]:
        self._who(operation)
        return {"reference": "1000000005", "half": "7K3M9K", "expires_at": "2026-03-04T12:00:00Z"}

    def _ShowUnlock(self, operation: unlock_ops.ShowUnlock) -> dict[str, Any]:
        self._who(operation)
        case = {
            "reference": operation.reference,
            "device_serial": "US-1",
            "customer": "customer-1",
            "branch": "pudong",
            "reason": "ID card seen",
            "maker_person": "E1001",
            "opened_at": "2026-03-01T12:00:00Z",
            "expires_at": "2026-03-04T12:00:00Z",
        }
        return {
            "case": case, "digest": b64(b"d" * 32), "state": "proposed", "challenge": b64(b"u" * 32),
            "may_approve": True,
        }  # fmt: skip

    def _ApproveUnlock(self, operation: unlock_ops.ApproveUnlock) -> dict[str, Any]:
        self._who(operation)
        return {"reference": operation.reference, "half": "WX2FHE", "expires_at": "2026-03-04T12:00:00Z"}

    def _RejectUnlock(self, operation: unlock_ops.RejectUnlock) -> dict[str, Any]:
        self._who(operation)
        return {"state": "rejected"}

    def _ShowDossier(self, operation: ShowDossier) -> dict[str, Any]:
        self._who(operation)
        return {"files": {"application.json": b64(b"{}"), "manifest.json": b64(operation.serial.encode())}}

    def _VerifyLog(self, operation: VerifyLog) -> dict[str, Any]:
        self._who(operation)
        return {"number": min(operation.number + 2000, 5000), "hash": b64(b"h" * 32), "ends_at": 5000, "checkpoints": 1}

    def _ApproveInvitation(self, operation: ops.ApproveInvitation) -> dict[str, Any]:
        self._who(operation)
        return {"invitation": operation.invitation, "half": "one-time-code"}

    def _ChangeOfficer(self, operation: ops.ChangeOfficer) -> dict[str, Any]:
        self._who(operation)
        return {"officer": operation.officer}

    def _NoteLook(self, operation: ops.NoteLook) -> dict[str, Any]:
        self._who(operation)
        return {}

    def _RegisterCustomer(self, operation: ops.RegisterCustomer) -> dict[str, Any]:
        self._who(operation)
        return {"customer": "customer-1"}

    def _RegisterDevice(self, operation: ops.RegisterDevice) -> dict[str, Any]:
        self._who(operation)
        return {"device": operation.serial}

    def _SubmitApplication(self, operation: case_ops.SubmitApplication) -> dict[str, Any]:
        self._who(operation)
        return {"application": "submitted-1"}

    def _decision(self, application: Application, officer: dict[str, Any]) -> Decision:
        digest = application.case.digest()
        return Decision(Act.APPROVE_APPLICATION, application.id, digest, officer["id"], officer["person"])

    def _case(self, operation: Any) -> tuple[Application, dict[str, Any]]:
        officer = self._who(operation)
        application = self.cases.get(operation.application)
        if application is None or (application.case.branch != officer["branch"] and "auditor" not in officer["roles"]):
            raise NotFound("there is no such application at your branch")
        return application, officer

    def _ShowCase(self, operation: case_ops.ShowCase) -> dict[str, Any]:
        application, officer = self._case(operation)
        return {
            "case": application.case.fields(),
            "digest": b64(application.case.digest()),
            "state": application.state.value,
            "reason": application.reason,
            "challenge": b64(self._decision(application, officer).challenge()),
            "profile_current": True,
            "may_approve": True,
            "outlook": outlook("unusual" in application.id),
        }

    def _ApproveApplication(self, operation: case_ops.ApproveApplication) -> dict[str, Any]:
        application, officer = self._case(operation)
        application.require_other_person(officer["person"])
        if operation.digest != application.case.digest():
            raise InvalidTransition("the case was changed since it was shown; read it again")
        if self._check(operation.assertion, self._decision(application, officer).challenge()) != officer["id"]:
            raise NotAuthenticated("this passkey is not yours")
        return self._become(application, ApplicationState.APPROVED)

    def _RejectApplication(self, operation: case_ops.RejectApplication) -> dict[str, Any]:
        application, officer = self._case(operation)
        application.require_other_person(officer["person"])
        return self._become(application, ApplicationState.REJECTED, operation.reason)

    def _WithdrawApplication(self, operation: case_ops.WithdrawApplication) -> dict[str, Any]:
        application, officer = self._case(operation)
        if officer["person"] != application.case.maker_person:
            raise NotAllowed("only who entered an application can withdraw it")
        return self._become(application, ApplicationState.WITHDRAWN, operation.reason)

    def _HandDeviceToCompany(self, operation: HandDeviceToCompany) -> dict[str, Any]:
        self._who(operation)
        return {"device": operation.serial}

    def _HandOutLetter(self, operation: HandOutLetter) -> dict[str, Any]:
        return {"number": operation.number, "code": "7KQM-3F9X-2TBB", "expires_at": "2026-12-07T07:04:05Z"}

    def _HandOutCodes(self, operation: ops.HandOutCodes) -> dict[str, Any]:
        application, _officer = self._case(operation)
        self._become(application, ApplicationState.CODES_ISSUED)
        by_message = operation.by == "message"
        code = {} if by_message else {"authorization_code": "7KQM-3F9X-2TBB"}
        return code | {
            "reference_number": "4711081521",
            "expires_at": "2026-11-30T07:04:05Z",
            "sent_to": ["z•••@example.com"] if by_message else [],
        }

    def _change(self, operation: Any, status: str) -> dict[str, Any]:
        self._who(operation)
        return {"serial": operation.serial, "status": status}

    def _Hold(self, operation: ops.Hold) -> dict[str, Any]:
        return self._change(operation, "on-hold")

    def _ExamineCertificate(self, operation: ExamineCertificate) -> dict[str, Any]:
        self._who(operation)
        told = {"act": "approve-application", "officer": "approver", "person": "E-approver", "digest": "d0" * 32}
        told |= {"at": "2026-11-22T07:04:05Z", "passkey": "c1", "wrong": self.flaw}
        return {
            "findings": list(self.findings),
            "approvals": [told],
            "ended_by_two": self.ended_by_two,
            "request_wrong": self.request_flaw,
        }

    def _UndoHold(self, operation: UndoHold) -> dict[str, Any]:
        return self._change(operation, "active")

    def _Release(self, operation: ops.Release) -> dict[str, Any]:
        return self._change(operation, "active")

    def _Revoke(self, operation: ops.Revoke) -> dict[str, Any]:
        return self._change(operation, "on-hold" if self.by_two else "revoked")

    def _become(self, application: Application, state: ApplicationState, reason: str = "") -> dict[str, Any]:
        self.cases[application.id] = application.become(state, at=NOW, reason=reason)
        if self.database is not None:
            # No pool: the connection ends with its session.
            with Session(create_engine(f"sqlite:///{self.database}", poolclass=NullPool)) as session:
                query = select(rows.ApplicationRow).where(rows.ApplicationRow.id == application.id)
                row = session.scalars(query).one()
                row.state, row.reason = state.value, reason
                session.commit()
        return {"state": state.value}
