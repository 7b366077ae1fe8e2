"""Which U-Shield was chosen last on this computer: the one that the window offers first the next time."""

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

_FILE = "chosen.json"


@dataclass(frozen=True)
class Habit:
    """A convenience: whatever goes wrong with it, the customer chooses as if there were none."""

    directory: Path

    def place_of(self, serials: list[str]) -> int:
        """Which of these is offered first."""
        try:
            last = json.loads((self.directory / _FILE).read_text("utf-8"))["serial"]
        except (OSError, ValueError, TypeError, KeyError):
            return 0
        return serials.index(last) if last in serials else 0

    def keep(self, serial: str) -> None:
        """Remember this one."""
        with contextlib.suppress(OSError):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.directory / _FILE).write_text(json.dumps({"serial": serial}), "utf-8")
