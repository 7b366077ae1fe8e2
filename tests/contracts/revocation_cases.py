"""What revocations that a second officer decides must do in every database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.errors import InvalidTransition
from ca.domain.revocation_cases import RevocationCaseState
from ca.ports import UnitOfWork
from tests.builders import NOW, a_revocation_case


class RevocationCasesContract:
    def test_a_revocation_is_kept_with_its_seal_and_never_goes_back(self, unit_of_work: UnitOfWork) -> None:
        case = a_revocation_case()
        decided = replace(
            case, version=2, state=RevocationCaseState.REJECTED, decided_by="P-8", decision_reason="it was a mistake"
        )
        with unit_of_work() as work:
            assert work.revocation_cases.find(case.id) is None
            work.revocation_cases.save(case, b"seal")
            assert work.revocation_cases.find(case.id) == (case, b"seal")
            work.revocation_cases.save(decided, b"another")
            assert work.revocation_cases.find(case.id) == (decided, b"another")
            with pytest.raises(InvalidTransition, match="just decided"):
                work.revocation_cases.save(case, b"seal")

    def test_a_certificates_revocations_come_youngest_first(self, unit_of_work: UnitOfWork) -> None:
        case = a_revocation_case(invalid_since=None)
        younger = a_revocation_case(id="case-2", proposed_at=NOW + timedelta(seconds=1))
        with unit_of_work() as work:
            for one in (younger, case, a_revocation_case(id="case-3", serial=0xBEEF)):
                work.revocation_cases.save(one, b"seal")
            assert work.revocation_cases.list_of(case.serial) == [(younger, b"seal"), (case, b"seal")]
            assert work.revocation_cases.list_of(0xDEAD) == []
