"""The demo's settings file: written at first start, changed when other ports are asked for."""

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass

from ca.adapters.files import write_atomically
from ca.domain.errors import NotReady
from config.settings import Settings, State, load_settings

HTTPS_PORT, HTTP_PORT = 8443, 8080


@dataclass(frozen=True)
class Ports:
    """What the command line asked for; None: as in the state directory, or the default."""

    https: int | None = None
    http: int | None = None
    console: int | None = None


def settle(state: State, ports: Ports, say: Callable[[str], None]) -> Settings:
    """The settings, made or changed to what is asked for. Raises NotReady when the rest of the state does not fit."""
    if not state.settings_file.exists():
        state.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if state.database_file.exists() or (state / "hsm").exists():
            raise NotReady(f"{state.settings_file} is missing though the rest is there; restore it from your backup")
        wanted = _ports(ports.https or HTTPS_PORT, ports.http or HTTP_PORT, ports.console)
        _write_settings(state, wanted)
        say(f"New demo in {state.directory}")
        return load_settings(state)
    settings = load_settings(state)
    if not settings.demo:
        return settings
    now = settings.listening
    before = (now.https_port, now.http_port, now.console_port)
    wanted = _ports(ports.https or before[0], ports.http or before[1], ports.console or before[2])
    if wanted != before:
        if wanted[1] != now.http_port:
            say(f"Certificates issued before point to port {now.http_port} for OCSP and CRL; new ones to {wanted[1]}")
        _change_ports(state, settings, before, wanted)
    return load_settings(state)


def _change_ports(state: State, settings: Settings, before: tuple[int, int, int], wanted: tuple[int, int, int]) -> None:
    """Only the lines that name the ports change: what else a person wrote there stays."""
    text = state.settings_file.read_text("utf-8")
    for name, port in zip(("https_port", "http_port", "console_port"), wanted, strict=True):
        text = re.sub(rf"^{name} *=.*$", f"{name} = {port}", text, flags=re.MULTILINE)
    for url, old, new in (("http://127.0.0.1", before[1], wanted[1]), ("https://localhost", before[0], wanted[0])):
        text = re.sub(rf'^(\w+_url *= *)"{url}:{old}"', rf'\g<1>"{url}:{new}"', text, flags=re.MULTILINE)
    # Earlier origins stay: what was approved with a passkey there must be provable for as long as it may be renewed.
    origins = list(dict.fromkeys([*_origins(wanted), *settings.origins]))
    text = re.sub(r"^origins *=.*$", f"origins = {json.dumps(origins)}", text, flags=re.MULTILINE)
    write_atomically(state.settings_file, text.encode())


def _origins(ports: tuple[int, int, int]) -> list[str]:
    https, _, console = ports
    return [f"https://localhost:{https}", f"http://localhost:{console}"]


def _ports(https: int, http: int, console: int | None) -> tuple[int, int, int]:
    chosen = console or (http + 1 if http + 1 != https else http + 2)
    if len({https, http, chosen}) < 3:
        raise NotReady("--https-port, --http-port and --console-port must differ")
    return https, http, chosen


def _write_settings(state: State, ports: tuple[int, int, int]) -> None:
    https, http, console = ports
    text = f"""\
# Settings of this state directory (config/settings.py says what each means). No secret belongs here.
demo = true
public_url = "http://127.0.0.1:{http}"
enrolment_url = "https://localhost:{https}"
relying_party = "localhost"
origins = {json.dumps(_origins(ports))}
organization = "Demo Bank"

[listening]
https_port = {https}
http_port = {http}
console_port = {console}
"""
    tomllib.loads(text)
    write_atomically(state.settings_file, text.encode())
