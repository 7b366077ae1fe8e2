from pathlib import Path

import pytest

from ushield.choosing import pick
from ushield.errors import NoDevice, NotPrepared, ProviderUnknown, SeveralDevices
from ushield.providers import Drivers, Found, Plugged, Provider, look_at
from ushield.token import PinState


def plugged(label: str, serial: str, password: PinState = PinState.SET, *, initialized: bool = True) -> Plugged:
    return Plugged(label, serial, "Model", "Maker", initialized, password)


def found(*tokens: Plugged) -> Found:
    return Found(Provider("maker", Path("/usr/lib/maker.so"), "Maker"), "", tokens, None)


ONE, TWO = plugged("Mine", "0A1B"), plugged("Other", "77FF")


def test_the_only_u_shield_needs_no_name() -> None:
    assert pick([found(ONE), found()], None)[1] == ONE


def test_between_two_u_shields_there_is_no_guess() -> None:
    with pytest.raises(SeveralDevices, match=r"Mine.*Other"):
        pick([found(ONE, TWO)], None)


@pytest.mark.parametrize("name", ["Other", "77FF", "77ff", "77 ff"])
def test_a_u_shield_is_named_by_label_or_serial_number(name: str) -> None:
    assert pick([found(ONE, TWO)], name)[1] == TWO


def test_one_u_shield_seen_through_two_drivers_is_one() -> None:
    assert pick([found(ONE), found(ONE)], None)[1] == ONE


def test_an_empty_slot_is_no_u_shield() -> None:
    with pytest.raises(NoDevice):
        pick([found(plugged("", "", PinState.NOT_SET, initialized=False))], None)


def test_a_u_shield_without_a_password_goes_back_to_the_branch() -> None:
    with pytest.raises(NotPrepared):
        pick([found(plugged("New", "01", PinState.NOT_SET))], None)


def test_a_provider_that_is_not_there_is_said_to_be_so() -> None:
    with pytest.raises(ProviderUnknown):
        Drivers(()).resolve("/nowhere/module.so")
    with pytest.raises(ProviderUnknown):
        Drivers(()).resolve("no-such-vendor")


def test_a_file_that_is_no_pkcs11_module_is_listed_with_the_reason(tmp_path: Path) -> None:
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"not a module")

    (result,) = look_at([Provider("broken", broken, "Broken")])

    assert result.trouble
    assert result.tokens == ()
