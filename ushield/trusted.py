"""Whether a module may be loaded when a page started the tool: only when nobody but the customer and those who
administer the computer can have put it there or can change it (THREATS 25). POSIX; Windows has no mode bits to ask.
"""

import os
import stat
import sys
from pathlib import Path

# Whoever is in them is an administrator: Debian's /usr/local belongs to staff, macOS's to admin (whose staff is all).
_ADMINISTRATORS = {"wheel", "admin"} if sys.platform == "darwin" else {"root", "wheel", "staff"}


def objection(module: Path) -> str | None:
    """Why others than the customer and administrators could have made this module what it is; None when they cannot."""
    if sys.platform == "win32":
        return None
    real = module.resolve()
    # The way to a symbolic link counts as much as the way to what it points to.
    for place in dict.fromkeys((real, *real.parents, *module.absolute().parents)):
        try:
            found = place.stat()
        except OSError:
            return f"{place} cannot be looked at"
        if found.st_uid not in {0, os.geteuid()}:
            return f"{place} belongs to another user"
        if place != real and found.st_mode & stat.S_ISVTX:
            continue  # others may add to such a directory (/tmp), but not replace what is not theirs
        if found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and not _administers(found.st_gid)):
            return f"others can write to {place}"
    return None


def _administers(group: int) -> bool:
    import grp  # not on Windows

    try:
        return grp.getgrgid(group).gr_name in _ADMINISTRATORS
    except KeyError:
        return False
