"""The tool as the browser starts it, with somebody who pulls the U-Shield out as one of its steps begins.

Usage: pulling_host.py STEP TOKENS AWAY ARGUMENTS…
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ushield import host, operations
from ushield.download import Step
from ushield.pending import state_directory

_STEP, _TOKENS, _AWAY = Step[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3])


class PluggedOut(operations.StepsOnPage):
    @contextmanager
    def doing(self, step: Step) -> Iterator[None]:
        with super().doing(step):
            if step is _STEP:
                _TOKENS.rename(_AWAY)
            yield


operations.StepsOnPage = PluggedOut  # type: ignore[misc]
host.main(sys.argv[4:], state_directory())
