"""Starting, failing to start, stopping: one sentence for the person at the terminal, and nothing left behind."""

import os
import re
import shutil
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.ports import free_ports
from tests.integration.system.fixtures import CopyOfDemo
from tests.integration.system.running import Demo, Ran, processes_of, stopping, wait_for

pytestmark = [pytest.mark.softhsm, pytest.mark.socket]


def require_one_sentence(ran: Ran, words: str) -> None:
    assert ran.status == 1, ran
    (sentence,) = ran.err.splitlines()
    assert sentence.startswith("error: "), ran
    assert re.search(words, sentence), ran
    assert "Traceback" not in ran.text, ran


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def token_object(demo: Demo) -> Path:
    (found,) = (demo.state / "hsm" / "issuing" / "tokens").glob("*/token.object")
    return found


def change_settings(demo: Demo, old: str, new: str) -> None:
    file = demo.state / "settings.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def give_a_wrong_pin(demo: Demo) -> None:
    pin = demo.state / "hsm" / "issuing" / "pin"
    pin.chmod(0o600)
    pin.write_text("0" * 32 + "\n")
    pin.chmod(0o400)


def delete_the_pin(demo: Demo) -> None:
    (demo.state / "hsm" / "issuing" / "pin").unlink()


def let_others_read_the_pin(demo: Demo) -> None:
    (demo.state / "hsm" / "issuing" / "pin").chmod(0o444)


def damage_the_database(demo: Demo) -> None:
    demo.database.write_bytes(b"not a database at all, but long enough to be read as one" * 100)


def cut_the_database(demo: Demo) -> None:
    content = demo.database.read_bytes()
    demo.database.write_bytes(content[: len(content) // 3])


def delete_the_database(demo: Demo) -> None:
    demo.database.unlink()


def spoil_the_settings(demo: Demo) -> None:
    (demo.state / "settings.toml").write_text("demo = maybe\n")


def put_an_unknown_key_into_the_settings(demo: Demo) -> None:
    change_settings(demo, "demo = true", "demo = true\npin = '1234'")


def delete_the_settings(demo: Demo) -> None:
    (demo.state / "settings.toml").unlink()


def delete_the_hsm(demo: Demo) -> None:
    shutil.rmtree(demo.state / "hsm")


def delete_a_trust_file(demo: Demo) -> None:
    (demo.state / "trust" / "issuing.cer").unlink()


def swap_the_trust_files(demo: Demo) -> None:
    (demo.state / "trust" / "issuing.cer").write_bytes((demo.state / "trust" / "root.cer").read_bytes())


def spoil_the_token(demo: Demo) -> None:
    token_object(demo).write_bytes(b"rubbish" * 40)


def empty_the_token_directory(demo: Demo) -> None:
    shutil.rmtree(token_object(demo).parent)


def name_a_module_that_is_not_there(demo: Demo) -> None:
    with (demo.state / "settings.toml").open("a") as file:
        file.write('\n[hsm]\nmodule = "/nowhere/libsofthsm2.so"\n')


def say_that_it_is_no_demo(demo: Demo) -> None:
    change_settings(demo, "demo = true", "demo = false")


def make_the_schema_newer(demo: Demo) -> None:
    with closing(sqlite3.connect(demo.database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (delete_the_pin, "PIN file .* is missing"),
        pytest.param(let_others_read_the_pin, "can be read by others", marks=pytest.mark.campaign),
        pytest.param(damage_the_database, "database", marks=pytest.mark.campaign),
        pytest.param(cut_the_database, "database", marks=pytest.mark.campaign),
        (delete_the_database, "database.* is missing"),
        (make_the_schema_newer, "newer version"),
        pytest.param(spoil_the_settings, "settings.toml cannot be read", marks=pytest.mark.campaign),
        pytest.param(put_an_unknown_key_into_the_settings, "settings.toml: pin", marks=pytest.mark.campaign),
        (delete_the_settings, "settings.toml is missing"),
        pytest.param(delete_the_hsm, "HSM|token", marks=pytest.mark.campaign),
        pytest.param(delete_a_trust_file, "trust", marks=pytest.mark.campaign),
        pytest.param(swap_the_trust_files, "trust directory", marks=pytest.mark.campaign),
        (spoil_the_token, "token|HSM"),
        pytest.param(empty_the_token_directory, "token", marks=pytest.mark.campaign),
        (name_a_module_that_is_not_there, "/nowhere/libsofthsm2.so"),
        (say_that_it_is_no_demo, "not a demo"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_damaged_state_is_said_in_one_sentence(
    copy_of_demo: CopyOfDemo, damage: Callable[[Demo], None], words: str
) -> None:
    demo = copy_of_demo()
    damage(demo)

    ran = demo.start_in_vain()

    require_one_sentence(ran, words)
    assert processes_of(demo.state) == {}


def test_a_wrong_pin_is_tried_once_and_changes_nothing(copy_of_demo: CopyOfDemo) -> None:
    demo = copy_of_demo()
    ((events,),) = demo.rows("SELECT count(*) FROM audit_events")
    give_a_wrong_pin(demo)

    ran = demo.start_in_vain()

    require_one_sentence(ran, "refuses the PIN .* it was tried once")
    assert (demo.state / "log" / "signer.log").read_text().count("refuses the PIN") == 1
    assert demo.rows("SELECT count(*) FROM audit_events") == [(events,)]


@pytest.mark.parametrize("which", ["--https-port", "--http-port", "--console-port"])
def test_a_port_in_use_is_named_with_its_option(copy_of_demo: CopyOfDemo, which: str) -> None:
    demo = copy_of_demo()
    port = {"--https-port": demo.https, "--http-port": demo.http, "--console-port": demo.console}[which]
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", port))
        occupied.listen()

        ran = demo.start_in_vain()

    require_one_sentence(ran, f"port {port} .* in use .*{which}")


def test_ports_that_are_the_same_are_refused(copy_of_demo: CopyOfDemo) -> None:
    demo = copy_of_demo()
    demo.http = demo.https

    require_one_sentence(demo.start_in_vain(), "must differ")


def test_a_second_start_on_the_same_state_is_refused(demo: Demo) -> None:
    https, http, console = free_ports()
    second = Demo(demo.state, https, http, console)

    ran = second.start_in_vain()

    require_one_sentence(ran, "already in use by process [0-9]+")
    assert demo.pki("reconcile").status == 0


def test_a_path_too_long_for_sockets_is_refused_before_anything_is_made(short_directory: Path) -> None:
    demo = Demo(short_directory / ("x" * 100))

    ran = demo.start_in_vain()

    require_one_sentence(ran, "too long")
    assert [one.name for one in demo.state.iterdir()] == []


def test_a_file_where_the_state_should_be_is_refused(short_directory: Path) -> None:
    (short_directory / "file").write_text("")

    require_one_sentence(Demo(short_directory / "file").start_in_vain(), "cannot be")


def test_ctrl_c_leaves_no_process_and_no_listener(copy_of_demo: CopyOfDemo) -> None:
    demo = copy_of_demo().start()
    assert listens(demo.https)
    assert len(processes_of(demo.state)) >= 7

    code = demo.stop(signal.SIGINT)

    assert code == 0, demo.output
    assert demo.output.rstrip().endswith("Stopped.")
    assert "Traceback" not in demo.output
    assert processes_of(demo.state) == {}
    assert [listens(port) for port in (demo.https, demo.http, demo.console)] == [False, False, False]


@pytest.mark.campaign
def test_a_supervisor_killed_outright_takes_its_processes_with_it(copy_of_demo: CopyOfDemo) -> None:
    demo = copy_of_demo().start()

    demo.stop(signal.SIGKILL)

    wait_for("its processes to end", lambda: processes_of(demo.state) == {})
    demo.start()
    assert demo.pki("audit", "verify").status == 0


@pytest.fixture(scope="module")
def moved(stopped_demo: Demo, short_directory: Path) -> Iterator[Demo]:
    """Restored elsewhere beside its original, with a setting of the operator's own, on other ports."""
    with stopping(stopped_demo.copy(short_directory / "moved")) as demo:
        with (demo.state / "settings.toml").open("a") as file:
            file.write("\n# mine\n[times]\ncrl_life = 7200\n")
        yield demo.start()


def test_a_copied_state_never_uses_the_tokens_of_its_original(moved: Demo, stopped_demo: Demo) -> None:
    configured = (moved.state / "hsm" / "issuing" / "softhsm2.conf").read_text()

    assert f"{moved.state}/hsm/issuing/tokens" in configured
    assert token_object(stopped_demo).stat().st_mtime < token_object(moved).stat().st_mtime


def test_other_ports_keep_what_else_the_settings_say(moved: Demo) -> None:
    text = (moved.state / "settings.toml").read_text()

    assert "# mine\n[times]\ncrl_life = 7200" in text
    assert f"https_port = {moved.https}" in text


def test_officers_go_on_after_a_change_of_ports(moved: Demo) -> None:
    assert len(moved.codes("machine")) == 1


DEMO_COMMANDS = (("codes",), ("links",), ("letter", "1"), ("hold", "1"), ("revoke", "1"))


@pytest.mark.parametrize("command", DEMO_COMMANDS, ids=" ".join)
def test_demo_commands_are_refused_outside_a_demo(copy_of_demo: CopyOfDemo, command: tuple[str, ...]) -> None:
    demo = copy_of_demo()
    say_that_it_is_no_demo(demo)

    require_one_sentence(demo.pki("demo", *command), "not a demo")


def test_a_command_without_a_running_signer_says_so(stopped_demo: Demo) -> None:
    require_one_sentence(stopped_demo.pki("demo", "codes"), "signer")


def interrupt_first_start(directory: Path, line: str, number: signal.Signals) -> None:
    """Begin from nothing, send the signal when that line shows, then start again: it must come up whole."""
    demo = Demo(directory)
    with stopping(demo):
        demo.launch()
        demo.wait_for_line(line)
        assert demo.process is not None
        if number is signal.SIGKILL:
            os.killpg(demo.process.pid, number)
        code = demo.stop(number)
        if number is signal.SIGINT:
            assert code in {0, 130}, demo.output
            assert "Traceback" not in demo.output
            assert processes_of(demo.state) == {}

        demo.start()

        assert demo.pki("audit", "verify").status == 0
        assert len(demo.codes("machine")) == 1


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (" 7/", signal.SIGKILL),
        pytest.param("Registering the demo officers", signal.SIGINT, marks=pytest.mark.campaign),
    ],
    ids=["killed in the ceremony", "Ctrl-C while officers register"],
)
def test_an_interrupted_first_start_is_simply_started_again(
    short_directory: Path, line: str, number: signal.Signals
) -> None:
    interrupt_first_start(short_directory / f"i{number.value}", line, number)


@pytest.mark.campaign
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize(
    "line",
    [
        *("New demo", "Key ceremony", *(f" {step}/" for step in range(1, 16)), "Transcript", "Starting the signer"),
        *("Registering the demo officers", "TLS certificate issued", "Starting console", "Vermilion is up"),
    ],
)
def test_a_first_start_may_be_interrupted_anywhere(short_directory: Path, line: str, number: signal.Signals) -> None:
    name = re.sub(r"\W", "", line)[:10]
    interrupt_first_start(short_directory / f"{name}{number.value}", line, number)
