"""Reads a ceremony's script: TOML, reviewed like code; unknown keys are refused."""

import hashlib
import tomllib
from pathlib import Path

from ca.domain.ceremony import Act, Script, Step
from ca.domain.errors import InvalidRequest, NotReady

_STEP_KEYS = {"role", "words", "act"}


def load_script(path: Path) -> Script:
    """Raises NotReady when the file cannot be read, InvalidRequest naming the step that is wrong."""
    try:
        content = path.read_bytes()
        values = tomllib.loads(content.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise NotReady(f"the ceremony script {path} cannot be read: {error}") from error
    if set(values) != {"title", "roles", "steps"}:
        raise InvalidRequest(f"{path}: a script has title, roles and steps, and nothing else")
    steps = tuple(_step(number, step) for number, step in enumerate(values["steps"], start=1))
    return Script(str(values["title"]), dict(values["roles"]), steps, hashlib.sha256(content).hexdigest())


def _step(number: int, step: dict[str, object]) -> Step:
    try:
        act = Act(str(step["act"]))
        role, words = str(step["role"]), str(step["words"])
    except (KeyError, ValueError) as error:
        raise InvalidRequest(f"step {number}: {error} is missing or not known") from error
    parameters = {key: str(value) for key, value in step.items() if key not in _STEP_KEYS}
    return Step(number, role, words, act, parameters)
