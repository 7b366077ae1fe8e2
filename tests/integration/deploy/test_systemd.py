"""deploy/systemd: units that systemd understands, each process in what it needs and no more."""

import configparser
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ca.domain.errors import PKIError
from ca.operations import Health
from ca.signer_client import SignerClient
from tests.integration.system.running import REPOSITORY, environment, pki, wait_for

UNITS = REPOSITORY / "deploy" / "systemd"
STATE = "/var/lib/vermilion"
PROCESSES = ("signer", "console", "customer", "edge", "status", "jobs", "prober")
MOST_EXPOSED = 20
"""Of 100, by `systemd-analyze security`; a service without any hardening has 96."""
SETTINGS = """\
public_url = "http://pki.bank.example"
enrolment_url = "https://enrol.bank.example"
origins = ["https://console.bank.example"]
[listening]
https_port = 8443
http_port = 8080
"""


class _Repeatable(dict[str, Any]):
    """Keys may come again; their values are joined."""

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, list) and key in self:
            value = [*self[key], *value]
        super().__setitem__(key, value)


def service(name: str) -> dict[str, list[str]]:
    parser = configparser.RawConfigParser(strict=False, dict_type=_Repeatable, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their capitals
    parser.read_string((UNITS / f"vermilion-{name}.service").read_text("utf-8"))
    return {key: value.split("\n") for key, value in parser["Service"].items()}


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Path]:
    """The units as on a machine where the program is here."""
    for unit in UNITS.iterdir():
        if unit.suffix in {".service", ".target"}:
            text = unit.read_text("utf-8").replace("/opt/vermilion", str(REPOSITORY))
            (tmp_path / unit.name).write_text(text, "utf-8")
    return tmp_path


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.systemd
def test_systemd_understands_every_unit(installed: Path) -> None:
    done = run("systemd-analyze", "verify", "--man=no", *sorted(installed.iterdir()))

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.systemd
@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_is_shut_in(installed: Path, process: str) -> None:
    unit = installed / f"vermilion-{process}.service"

    done = run("systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={MOST_EXPOSED}", unit)

    assert done.returncode == 0, done.stdout


def test_there_is_a_unit_for_each_process_and_one_for_all() -> None:
    target = (UNITS / "vermilion.target").read_text("utf-8")

    assert {unit.stem for unit in UNITS.glob("*.service")} == {f"vermilion-{process}" for process in PROCESSES}
    assert [process for process in PROCESSES if f"vermilion-{process}.service" not in target] == []


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_is_restarted_unless_a_person_must_act(process: str) -> None:
    unit = service(process)

    assert unit["ExecStart"] == [f"/opt/vermilion/pki --state {STATE} serve {process}"]
    assert (unit["Restart"], unit["RestartPreventExitStatus"]) == (["on-failure"], ["4"])


def test_each_process_is_a_user_of_its_own() -> None:
    assert [service(process)["User"] for process in PROCESSES] == [[f"vermilion-{each}"] for each in PROCESSES]


def may_see(process: str, place: str) -> bool:
    unit, path = service(process), f"{STATE}/{place}"
    if f"{STATE}:ro" in unit.get("TemporaryFileSystem", []):
        return path in unit.get("BindReadOnlyPaths", [])
    return f"-{path}" not in unit.get("InaccessiblePaths", [])


@pytest.mark.parametrize(
    ("place", "seen_by"),
    [
        ("hsm", {"signer"}),
        ("journal", {"signer"}),
        ("journal-mirror", {"signer"}),
        ("crl-copies", {"signer"}),
        ("secrets", {"console"}),
        ("tls", {"edge"}),
        ("database.sqlite3", {"signer", "console", "status", "prober"}),
        ("publication", {"signer", "console", "status"}),
        ("trust", {"signer", "console", "customer", "edge", "status"}),
    ],
)
def test_a_place_is_seen_by_those_who_need_it(place: str, seen_by: set[str]) -> None:
    assert {process for process in PROCESSES if may_see(process, place)} == seen_by


def test_only_the_signer_writes_records() -> None:
    writable = {process: service(process).get("ReadWritePaths", []) for process in PROCESSES}

    assert {process: paths for process, paths in writable.items() if paths} == {
        "signer": [STATE],
        "console": [f"{STATE}/secrets"],
        "status": [f"{STATE}/kept-answers", f"{STATE}/standings"],
    }
    assert all(service(process)["ProtectSystem"] == ["strict"] for process in PROCESSES)


def test_only_edge_status_and_prober_have_a_network() -> None:
    assert {process for process in PROCESSES if "PrivateNetwork" not in service(process)} == {
        "edge",
        "prober",
        "status",
    }
    assert service("status")["IPAddressAllow"] == ["localhost"]


def test_every_user_and_group_is_made_and_every_directory_has_one() -> None:
    sysusers = (UNITS / "vermilion.sysusers.conf").read_text("utf-8")
    made = {line.split()[1] for line in sysusers.splitlines() if line.startswith(("u ", "g "))} | {"root"}
    lines = [line.split() for line in (UNITS / "vermilion.tmpfiles.conf").read_text("utf-8").splitlines()]

    assert {name for line in lines if line and line[0] == "d" for name in line[3:5]} <= made
    for process in PROCESSES:
        unit = service(process)
        assert {*unit["User"], *unit["Group"], *unit.get("SupplementaryGroups", [])} <= made
        assert f"/run/vermilion/{process}" in {line[1] for line in lines if line and line[0] == "d"}


@pytest.mark.softhsm
@pytest.mark.socket
@pytest.mark.parametrize(("mode", "socket_mode"), [(0o750, 0o777), (0o700, 0o777), (0o755, 0o700)])
def test_who_may_enter_the_directory_of_a_socket_may_connect(
    short_directory: Path, mode: int, socket_mode: int
) -> None:
    state = short_directory / f"bank{mode:o}"
    state.mkdir(mode=0o700)
    (state / "settings.toml").write_text(SETTINGS)
    assert pki(state, "ceremony", "run", "config/ceremonies/demo.toml").status == 0
    (state / "run").mkdir()
    (state / "run").chmod(mode)
    command = [sys.executable, "-m", "ca", "--state", str(state), "serve", "signer"]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as signer:
        try:
            wait_for("a healthy signer", lambda: is_healthy(state))
            made = (state / "run" / "signer.sock").stat().st_mode
        finally:
            signer.terminate()

    assert made & 0o777 == socket_mode
    assert not (state / "secrets").exists()  # the console's own


def is_healthy(state: Path) -> bool:
    try:
        return set(SignerClient(state / "run" / "signer.sock").call(Health()).values()) == {"ok"}
    except PKIError:
        return False


def test_public_files_can_be_read_whatever_the_umask(tmp_path: Path) -> None:
    from ca.adapters.files import write_atomically

    before = os.umask(0o077)
    try:
        write_atomically(tmp_path / "chain.pem", b"public")
        write_atomically(tmp_path / "key", b"secret", mode=0o600)
    finally:
        os.umask(before)

    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("chain.pem", "key")] == [0o644, 0o600]
