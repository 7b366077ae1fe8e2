"""What proposed changes of officers and their recovery codes must do in every database."""

from dataclasses import replace

import pytest

from ca.domain.bindings import BindingState
from ca.domain.errors import InvalidTransition
from ca.domain.proposals import ProposalState
from ca.domain.recovery import RecoveryCodes
from ca.ports import UnitOfWork
from tests.builders import NOW, SEAL, a_binding, an_officer_change


class OfficerChangesContract:
    @pytest.mark.parametrize("reinstates", [False, True])
    def test_a_change_is_kept_with_its_seal_and_never_goes_back(
        self, unit_of_work: UnitOfWork, reinstates: bool
    ) -> None:
        change = an_officer_change(reinstates=reinstates)
        decided = replace(change, version=2, state=ProposalState.REJECTED, decided_by="P-8", decision_reason="not now")
        with unit_of_work() as work:
            assert work.officer_changes.find(change.id) is None
            work.officer_changes.save(change, b"seal")
            assert work.officer_changes.find(change.id) == (change, b"seal")
            work.officer_changes.save(decided, b"another")
            assert work.officer_changes.find(change.id) == (decided, b"another")
            with pytest.raises(InvalidTransition, match="just decided"):
                work.officer_changes.save(change, b"seal")


class BindingsContract:
    def test_a_binding_is_kept_with_its_seal_found_while_in_force_and_never_goes_back(
        self, unit_of_work: UnitOfWork
    ) -> None:
        binding = a_binding()
        bound = binding.become(BindingState.BOUND, by="P-8")
        ended = bound.become(BindingState.ENDED, by="P-1", reason="lost")
        with unit_of_work() as work:
            assert work.bindings.find(binding.id) is None
            for each, in_force in ((binding, False), (bound, True), (ended, False)):
                work.bindings.save(each, SEAL)
                assert work.bindings.find(binding.id) == (each, SEAL)
                assert list(work.bindings.list_bound(binding.serial)) == ([(each, SEAL)] if in_force else [])
            assert not work.bindings.list_bound(0xA2)
            with pytest.raises(InvalidTransition, match="just decided"):
                work.bindings.save(bound, SEAL)


class RecoveryCodesContract:
    def test_recovery_codes_are_kept_with_their_seal_and_never_come_back(self, unit_of_work: UnitOfWork) -> None:
        made = RecoveryCodes("officer-1", 1, (b"a" * 32, b"b" * 32), NOW)
        used = made.use(b"a" * 32, NOW)
        empty = replace(used.use(b"b" * 32, NOW).miss(NOW), misses=3)
        with unit_of_work() as work:
            assert work.recovery_codes.find("officer-1") is None
            for codes in (made, used, empty):
                work.recovery_codes.save(codes, SEAL)
                assert work.recovery_codes.find("officer-1") == (codes, SEAL)
            with pytest.raises(InvalidTransition, match="just used"):
                work.recovery_codes.save(made, SEAL)
            assert work.recovery_codes.find("officer-2") is None
