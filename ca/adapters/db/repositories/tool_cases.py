"""Cases about the tool in the database."""

import json
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.common import Values, known
from ca.adapters.db.repositories.statements import find_row, list_rows, save_newer
from ca.adapters.db.tool_rows import ToolCaseRow
from ca.domain.errors import Tampered
from ca.domain.tool_cases import ToolCase, ToolState


class SqlToolCases:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, case_id: str) -> tuple[ToolCase, bytes] | None:
        row = find_row(self._session, select(ToolCaseRow).where(ToolCaseRow.id == case_id))
        return (_case(row), row.seal) if row else None

    def list(self, most: int) -> Sequence[tuple[ToolCase, bytes]]:
        newest = select(ToolCaseRow).order_by(ToolCaseRow.proposed_at.desc(), ToolCaseRow.id).limit(most)
        return [(_case(row), row.seal) for row in list_rows(self._session, newest)]

    def save(self, case: ToolCase, seal: bytes) -> None:
        values: Values = {
            "revision": case.revision,
            "program": case.program,
            "tool_version": case.tool_version,
            "files": json.dumps(case.files),
            "reason": case.reason,
            "maker_person": case.maker_person,
            "proposed_at": case.proposed_at,
            "state": case.state.value,
            "decided_by": case.decided_by,
            "decided_at": case.decided_at,
            "seal": seal,
        }
        refusal = "this release was just decided on by somebody else; look again"
        save_newer(self._session, ToolCaseRow, {"id": case.id}, values, counter="revision", refusal=refusal)


def _case(row: ToolCaseRow) -> ToolCase:
    try:
        files = tuple((str(name), str(sha256), int(length)) for name, sha256, length in json.loads(row.files))
    except (ValueError, TypeError) as error:
        raise Tampered(f"the release {row.id} names files that cannot be read: somebody changed the record") from error
    return ToolCase(
        id=row.id,
        revision=row.revision,
        program=row.program,
        tool_version=row.tool_version,
        files=files,
        reason=row.reason,
        maker_person=row.maker_person,
        proposed_at=row.proposed_at,
        state=known(ToolState, row.state, f"release {row.id} of the tool"),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )
