"""How officers write numbers, and how rows have them."""

import re


def serials(typed: str) -> set[str]:
    """As the rows have them (hex, small letters, no zeros in front), of whatever spelling: hex or decimal, with colons
    and blanks, in any case."""
    plain = re.sub(r"[\s:]", "", typed).lower()
    found = set()
    if re.fullmatch(r"(0x)?[0-9a-f]{4,40}", plain):
        found.add(plain.removeprefix("0x").lstrip("0"))
    if re.fullmatch(r"[0-9]{4,49}", plain):
        found.add(f"{int(plain):x}")
    return found


def device_serials(typed: str) -> set[str]:
    """Of a U-Shield: engraved in capitals, told by its token in small letters."""
    return {typed, typed.upper(), typed.lower()}


def reference(typed: str) -> str:
    """A reference number, which letters print in groups."""
    return re.sub(r"[\s-]", "", typed)
