import pkcs11
import pytest
from pkcs11 import TokenFlag

from ushield.errors import DeviceFull, DeviceLocked, DeviceTrouble, NotPrepared, TakenOut, UShieldError, WrongPassword
from ushield.token import PinState, pin_state, talking


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (pkcs11.DeviceRemoved, TakenOut),
        (pkcs11.TokenNotPresent, TakenOut),
        (pkcs11.SessionHandleInvalid, TakenOut),
        (pkcs11.PinIncorrect, WrongPassword),
        (pkcs11.PinLocked, DeviceLocked),
        (pkcs11.UserPinNotInitialized, NotPrepared),
        (pkcs11.DeviceMemory, DeviceFull),
        (pkcs11.GeneralError, DeviceTrouble),
    ],
)
def test_what_the_driver_raises_becomes_a_sentence(raised: type[pkcs11.PKCS11Error], said: type[UShieldError]) -> None:
    with pytest.raises(said), talking("the certificate was being written"):
        raise raised


def test_a_u_shield_taken_out_is_told_as_such() -> None:
    with pytest.raises(TakenOut) as caught, talking("the certificate was being written"):
        raise pkcs11.DeviceRemoved

    assert str(caught.value) == (
        "The U-Shield was taken out while the certificate was being written. Nothing is lost. "
        "Plug it in and run the same command again. (D-31)"
    )


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        (TokenFlag(0), PinState.NOT_SET),
        (TokenFlag.USER_PIN_INITIALIZED, PinState.SET),
        (TokenFlag.USER_PIN_INITIALIZED | TokenFlag.USER_PIN_COUNT_LOW, PinState.LOW),
        (
            TokenFlag.USER_PIN_INITIALIZED | TokenFlag.USER_PIN_COUNT_LOW | TokenFlag.USER_PIN_FINAL_TRY,
            PinState.FINAL,
        ),
        (
            TokenFlag.USER_PIN_INITIALIZED | TokenFlag.USER_PIN_FINAL_TRY | TokenFlag.USER_PIN_LOCKED,
            PinState.LOCKED,
        ),
        (TokenFlag.USER_PIN_INITIALIZED | TokenFlag.USER_PIN_TO_BE_CHANGED, PinState.TO_BE_CHANGED),
    ],
)
def test_the_state_of_the_password_is_the_worst_that_the_u_shield_tells(flags: TokenFlag, state: PinState) -> None:
    assert pin_state(flags) is state
