"""What proposed changes of officers must do in every database."""

from dataclasses import replace

import pytest

from ca.domain.errors import InvalidTransition
from ca.domain.officer_changes import OfficerChangeState
from ca.ports import UnitOfWork
from tests.builders import an_officer_change


class OfficerChangesContract:
    def test_a_change_is_kept_with_its_seal_and_never_goes_back(self, unit_of_work: UnitOfWork) -> None:
        change = an_officer_change()
        decided = replace(
            change, version=2, state=OfficerChangeState.REJECTED, decided_by="P-8", decision_reason="not now"
        )
        with unit_of_work() as work:
            assert work.officer_changes.find(change.id) is None
            work.officer_changes.save(change, b"seal")
            assert work.officer_changes.find(change.id) == (change, b"seal")
            work.officer_changes.save(decided, b"another")
            assert work.officer_changes.find(change.id) == (decided, b"another")
            with pytest.raises(InvalidTransition, match="just decided"):
                work.officer_changes.save(change, b"seal")
