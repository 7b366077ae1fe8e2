"""Applications with their evidence, and the pairs of codes, in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.case_rows import FormerCaseRow
from ca.adapters.db.mapping.applications import (
    application_values,
    code_pair_values,
    evidence_values,
    former_values,
    state_values,
    to_application,
    to_code_pair,
    to_evidence,
    to_former,
)
from ca.adapters.db.repositories.statements import change_row, find_row, insert_row, list_rows, put_row
from ca.adapters.db.rows import ApplicationRow, CodePairRow, EvidenceRow
from ca.domain.applications import Application
from ca.domain.case_contents import FormerCase
from ca.domain.codes import CodePair, CodeState
from ca.domain.decisions import Evidence
from ca.domain.errors import NotFound


class SqlApplications:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, application_id: str) -> tuple[Application, bytes]:
        row = find_row(self._session, select(ApplicationRow).where(ApplicationRow.id == application_id), lock=True)
        if row is None:
            raise NotFound(f"there is no application {application_id}")
        return to_application(row), row.seal

    def save(self, application: Application, seal: bytes) -> None:
        put_row(
            self._session,
            ApplicationRow,
            {"id": application.id},
            application_values(application, seal),
            refusal=f"application {application.id} was just made by somebody else",
        )

    def set_state(self, application: Application) -> None:
        if not change_row(self._session, ApplicationRow, {"id": application.id}, state_values(application)):
            raise NotFound(f"there is no application {application.id}")

    def list_by_device(self, device_serial: str) -> Sequence[Application]:
        wanted = select(ApplicationRow).where(ApplicationRow.device_serial == device_serial).order_by(ApplicationRow.id)
        return [to_application(row) for row in list_rows(self._session, wanted)]

    def list_by_customer(self, customer: str) -> Sequence[Application]:
        newest = ApplicationRow.submitted_at.desc(), ApplicationRow.id
        wanted = select(ApplicationRow).where(ApplicationRow.customer == customer).order_by(*newest)
        return [to_application(row) for row in list_rows(self._session, wanted)]

    def add_former(self, former: FormerCase, seal: bytes) -> None:
        insert_row(self._session, FormerCaseRow, former_values(former, seal))

    def list_former(self, application_id: str) -> Sequence[tuple[FormerCase, bytes]]:
        wanted = (
            select(FormerCaseRow).where(FormerCaseRow.application == application_id).order_by(FormerCaseRow.version)
        )
        rows = list_rows(self._session, wanted.order_by(FormerCaseRow.version))
        return [(to_former(row), row.seal) for row in rows]

    def add_evidence(self, application_id: str, evidence: Evidence) -> None:
        insert_row(self._session, EvidenceRow, evidence_values(application_id, evidence))

    def list_evidence(self, application_id: str) -> Sequence[Evidence]:
        wanted = select(EvidenceRow).where(EvidenceRow.application == application_id).order_by(EvidenceRow.id)
        return [to_evidence(row) for row in list_rows(self._session, wanted)]


class SqlCodes:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, reference: str) -> CodePair | None:
        row = find_row(self._session, select(CodePairRow).where(CodePairRow.reference == reference), lock=True)
        return to_code_pair(row) if row else None

    def find_for_application(self, application_id: str) -> CodePair | None:
        newest_first = (
            select(CodePairRow).where(CodePairRow.application == application_id).order_by(CodePairRow.id.desc())
        )
        row = find_row(self._session, newest_first, lock=True)
        return to_code_pair(row) if row else None

    def save(self, pair: CodePair) -> None:
        put_row(
            self._session,
            CodePairRow,
            {"reference": pair.reference},
            code_pair_values(pair),
            refusal="this reference number was just given to another application",
        )

    def list_open_expired(self, now: datetime) -> Sequence[CodePair]:
        wanted = (
            select(CodePairRow)
            .where(CodePairRow.state == CodeState.OPEN.value, CodePairRow.expires_at < now)
            .order_by(CodePairRow.id)
        )
        return [to_code_pair(row) for row in list_rows(self._session, wanted)]
