"""The machine as far as it bears on figures: its processors, and how busy others keep them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

TRUSTED_SHARE = 0.05
"""So much of the machine may others take before a remark is due."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the table says on top."""

    cores: int
    model: str
    load: float

    def __str__(self) -> str:
        return f"{self.cores} cores, {self.model}, load {self.load:.2f} at the start"

    @property
    def is_busy(self) -> bool:
        """Whether others had work for a good part of a core when the bench began."""
        return self.load > 0.25 * self.cores


def this_machine() -> Machine:
    """Read from /proc."""
    model = model_in(Path("/proc/cpuinfo").read_text("utf-8", "replace"))
    return Machine(len(os.sched_getaffinity(0)), model, os.getloadavg()[0])


def model_in(cpuinfo: str) -> str:
    """The processor's name, if /proc/cpuinfo has one."""
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found.group(1).strip() if found else "unnamed processor"


def busy_ticks_in(stat: str) -> int:
    """What all processors did but wait, from the first line of /proc/stat; guests are counted in user already."""
    user, nice, system, idle, iowait, irq, softirq, steal = (int(word) for word in stat.split("\n", 1)[0].split()[1:9])
    del idle, iowait
    return user + nice + system + irq + softirq + steal


def busy_seconds() -> float:
    """Processor seconds this machine has spent on anything since it started."""
    return busy_ticks_in(Path("/proc/stat").read_text("ascii")) / os.sysconf("SC_CLK_TCK")
