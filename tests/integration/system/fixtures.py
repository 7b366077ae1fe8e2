"""The running demo that the tests of the whole share. A plugin, because two folders of tests use the same one."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.system.running import REPOSITORY, Demo, stopping, wait_for

CopyOfDemo = Callable[[], Demo]


@pytest.fixture(scope="session")
def short_directory() -> Iterator[Path]:
    """Unix sockets want short paths; pytest's own are long."""
    directory = Path(tempfile.mkdtemp(prefix="vm"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def stopped_demo(short_directory: Path) -> Demo:
    """Set up from nothing, then stopped by Ctrl-C. Never started itself: it is what the others are copies of."""
    demo = Demo(short_directory / "0")
    with stopping(demo):
        demo.start()
        wait_for("the first checkpoint of the audit log", lambda: has_checkpoint(demo))
        assert demo.stop() == 0, demo.output
    return demo


def has_checkpoint(demo: Demo) -> bool:
    """In both places. The doors open before the first round of jobs has come to it."""
    lines = demo.state / "journal" / "checkpoints.jsonl"
    return demo.rows("SELECT count(*) FROM audit_checkpoints") != [(0,)] and lines.exists() and bool(lines.read_bytes())


@pytest.fixture(scope="session")
def demo(stopped_demo: Demo, short_directory: Path) -> Iterator[Demo]:
    """The one that runs for all tests that break nothing."""
    with stopping(stopped_demo.copy(short_directory / "1")) as running:
        yield running.start()


@pytest.fixture(scope="session")
def renewing_demo(stopped_demo: Demo, short_directory: Path) -> Iterator[Demo]:
    """Certificates of the others hold for years; this one's own profile has the window of renewal open at once, and
    allows to keep the key."""
    place = Path(tempfile.mkdtemp(dir=short_directory))
    shutil.copytree(REPOSITORY / "config" / "profiles", place / "profiles")
    profile = place / "profiles" / "personal-signing.toml"
    long = profile.read_text("utf-8")
    profile.write_text(long.replace('"1826d"', '"60d"').replace("same_key = false", "same_key = true"), "utf-8")
    demo = stopped_demo.copy(place / "s")
    settings = demo.state / "settings.toml"
    own = f'profiles = "{place / "profiles"}"\nhotline = "95588"\n'
    settings.write_text(own + settings.read_text("utf-8"), "utf-8")
    with stopping(demo) as running:
        yield running.start()


@pytest.fixture
def copy_of_demo(stopped_demo: Demo, short_directory: Path) -> Iterator[CopyOfDemo]:
    """Stopped demos to break, as many as a test wants."""
    made: list[Demo] = []

    def copy() -> Demo:
        made.append(stopped_demo.copy(Path(tempfile.mkdtemp(dir=short_directory)) / "s"))
        return made[-1]

    yield copy
    for one in made:
        with stopping(one):
            pass
        shutil.rmtree(one.state.parent, ignore_errors=True)


@pytest.fixture(scope="module")
def victim(stopped_demo: Demo, short_directory: Path) -> Iterator[Demo]:
    """A running one of its own for the tests of one module, which may break it."""
    with stopping(stopped_demo.copy(Path(tempfile.mkdtemp(dir=short_directory)) / "v")) as running:
        yield running.start()
