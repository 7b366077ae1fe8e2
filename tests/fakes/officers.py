"""What `FakeWork` keeps of officers' access besides their records."""

from ca.domain.bindings import BindingState, CertificateBinding
from ca.domain.errors import InvalidTransition
from ca.domain.officer_changes import OfficerChange
from ca.domain.recovery import RecoveryCodes


class FakeOfficerChanges:
    def __init__(self, kept: dict[str, tuple[OfficerChange, bytes]]) -> None:
        self._kept = kept

    def find(self, change_id: str) -> tuple[OfficerChange, bytes] | None:
        return self._kept.get(change_id)

    def save(self, change: OfficerChange, seal: bytes) -> None:
        if change.id in self._kept and self._kept[change.id][0].version >= change.version:
            raise InvalidTransition("this change was just decided by somebody else; look again")
        self._kept[change.id] = (change, seal)


class FakeBindings:
    def __init__(self, kept: dict[str, tuple[CertificateBinding, bytes]]) -> None:
        self._kept = kept

    def find(self, binding_id: str) -> tuple[CertificateBinding, bytes] | None:
        return self._kept.get(binding_id)

    def list_bound(self, serial: int) -> list[tuple[CertificateBinding, bytes]]:
        return [
            (each, seal)
            for each, seal in self._kept.values()
            if each.serial == serial and each.state is BindingState.BOUND
        ]

    def save(self, binding: CertificateBinding, seal: bytes) -> None:
        if binding.id in self._kept and self._kept[binding.id][0].version >= binding.version:
            raise InvalidTransition("this binding was just decided by somebody else; look again")
        self._kept[binding.id] = (binding, seal)


class FakeRecoveryCodeSets:
    def __init__(self, kept: dict[str, tuple[RecoveryCodes, bytes]]) -> None:
        self._kept = kept

    def find(self, officer: str) -> tuple[RecoveryCodes, bytes] | None:
        return self._kept.get(officer)

    def save(self, codes: RecoveryCodes, seal: bytes) -> None:
        if codes.officer in self._kept and self._kept[codes.officer][0].version >= codes.version:
            raise InvalidTransition("these recovery codes were just used or made anew; look again")
        self._kept[codes.officer] = (codes, seal)
