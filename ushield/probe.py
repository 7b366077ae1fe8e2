"""Look at one PKCS#11 module in a process of its own, and say in JSON what is in it.

A driver is foreign code: it may crash, hang, or print whatever it likes while it loads. This process exists so that
only it is hurt. Run by `ushield.providers` as `python -P -m ushield.probe MODULE [certificates]`.
"""

import json
import os
import sys
from base64 import b64encode
from typing import Any

import pkcs11
from pkcs11 import Attribute, ObjectClass

from ushield.token import pin_state


def look(module: str, *, with_certificates: bool) -> dict[str, Any]:
    """What the module says of itself and of the tokens plugged in, on request with their certificates."""
    library = pkcs11.lib(module)
    return {
        "description": library.library_description.strip(),
        "manufacturer": library.manufacturer_id.strip(),
        "tokens": [
            {
                "label": token.label,
                "serial": token.serial.decode("utf-8", "replace").strip(" \0"),
                "model": token.model.strip(),
                "manufacturer": token.manufacturer_id.strip(),
                "initialized": bool(token.flags & pkcs11.TokenFlag.TOKEN_INITIALIZED),
                "password": pin_state(token.flags).name,
                "certificates": _certificates(token) if with_certificates else [],
            }
            for slot in library.get_slots(token_present=True)
            if (token := _token(slot)) is not None
        ],
    }


def _token(slot: pkcs11.Slot) -> pkcs11.Token | None:
    try:
        return slot.get_token()
    except (pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised, pkcs11.DeviceRemoved, pkcs11.DeviceError):
        # A card that is no PKCS#11 token, or one that is being taken out.
        return None


def _certificates(token: pkcs11.Token) -> list[str]:
    """Those that can be read without the password: DER in base64."""
    try:
        with token.open() as session:
            found = session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.PRIVATE: False})
            return [b64encode(one[Attribute.VALUE]).decode("ascii") for one in found]
    except pkcs11.PKCS11Error:
        return []  # the check says what it can


def main() -> None:
    # What the module prints must not end up in our answer.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        found = look(sys.argv[1], with_certificates="certificates" in sys.argv[2:])
    except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
        found = {"error": str(error).strip() or "it reports a failure of its own"}
    answer.write(json.dumps(found))
    answer.close()
    # Some modules crash while they are unloaded; nothing of theirs is needed any more.
    os._exit(0)


if __name__ == "__main__":
    main()
