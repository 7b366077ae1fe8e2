"""Applications, evidence and codes: rows to values and back."""

import json
from datetime import timedelta

from ca.adapters.db.case_rows import FormerCaseRow
from ca.adapters.db.mapping.common import Values, known
from ca.adapters.db.rows import ApplicationRow, CodePairRow, EvidenceRow
from ca.domain.applications import Application, ApplicationState, Case
from ca.domain.case_contents import FormerCase
from ca.domain.codes import CodePair, CodeState
from ca.domain.companies import Asked
from ca.domain.decisions import Act, Assertion, Decision, Evidence
from ca.domain.errors import Tampered
from ca.domain.times import instant


def to_application(row: ApplicationRow) -> Application:
    where = f"application {row.id}"
    case = _case(row.case_json, where)
    if case.application != row.id:
        raise Tampered(f"{where} holds the case of another application: somebody changed the record")
    return Application(
        case=case,
        state=known(ApplicationState, row.state, where),
        reason=row.reason,
        updated_at=row.updated_at,
    )


def to_former(row: FormerCaseRow) -> FormerCase:
    where = f"version {row.version} of application {row.application}"
    case = _case(row.case_json, where)
    if (case.application, case.version) != (row.application, row.version):
        raise Tampered(f"{where} holds another case: somebody changed the record")
    return FormerCase(case, row.reason, row.returned_by, row.returned_at)


def former_values(former: FormerCase, seal: bytes) -> Values:
    return {
        "application": former.case.application,
        "version": former.case.version,
        "case_json": former.case.sealed_fields().decode(),
        "seal": seal,
        "reason": former.reason,
        "returned_by": former.returned_by,
        "returned_at": former.returned_at,
    }


def _case(text: str, where: str) -> Case:
    try:
        fields = json.loads(text)
        fields["subject"] = _pairs(fields["subject"])
        fields["alternative_names"] = _pairs(fields["alternative_names"])
        fields["validity"] = timedelta(seconds=fields.pop("validity_seconds"))
        fields["submitted_at"] = instant(fields["submitted_at"])
        fields["addresses"] = tuple(fields.get("addresses", ()))
        if "asked" in fields:
            fields["asked"] = Asked(**fields["asked"])
        return Case(**fields)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise Tampered(f"the case of {where} cannot be read: somebody changed the record") from error


def _pairs(values: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in values)


def application_values(application: Application, seal: bytes) -> Values:
    case = application.case
    return {
        "profile": case.profile,
        "customer": case.customer,
        "customer_number": case.customer_number,
        "customer_name": case.customer_name,
        "document_number": case.document_number,
        "device_serial": case.device_serial,
        "branch": case.branch,
        "maker_person": case.maker_person,
        "maker_name": case.maker_name,
        "submitted_at": case.submitted_at,
        "batch": case.batch,
        "case_json": case.sealed_fields().decode(),
        "seal": seal,
        **state_values(application),
    }


def state_values(application: Application) -> Values:
    return {
        "state": application.state.value,
        "reason": application.reason,
        "updated_at": application.updated_at,
    }


def to_evidence(row: EvidenceRow) -> Evidence:
    decision = Decision(
        act=known(Act, row.act, f"evidence {row.id}"),
        subject=row.subject,
        subject_digest=row.subject_digest,
        officer=row.officer,
        person=row.person,
    )
    assertion = Assertion(row.credential_id, row.client_data, row.authenticator_data, row.signature)
    return Evidence(decision, assertion, row.public_key, row.at)


def evidence_values(application_id: str, evidence: Evidence) -> Values:
    return {
        "application": application_id,
        "act": evidence.decision.act.value,
        "subject": evidence.decision.subject,
        "subject_digest": evidence.decision.subject_digest,
        "officer": evidence.decision.officer,
        "person": evidence.decision.person,
        "credential_id": evidence.assertion.credential_id,
        "client_data": evidence.assertion.client_data,
        "authenticator_data": evidence.assertion.authenticator_data,
        "signature": evidence.assertion.signature,
        "public_key": evidence.public_key,
        "at": evidence.at,
    }


def to_code_pair(row: CodePairRow) -> CodePair:
    return CodePair(
        reference=row.reference,
        application=row.application,
        code_mac=row.code_mac,
        state=known(CodeState, row.state, f"the codes with reference number {row.reference}"),
        expires_at=row.expires_at,
        attempts_left=row.attempts_left,
        request=row.request,
    )


def code_pair_values(pair: CodePair) -> Values:
    return {
        "application": pair.application,
        "code_mac": pair.code_mac,
        "state": pair.state.value,
        "expires_at": pair.expires_at,
        "attempts_left": pair.attempts_left,
        "request": pair.request,
    }
