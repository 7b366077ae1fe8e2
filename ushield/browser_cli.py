"""The commands between tool and browser: `install` for the customer, `host` for the browser itself."""

import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from ushield import __version__, bank_file, host, release, softhsm
from ushield.commands import token_dir_option
from ushield.enrolment import Bank
from ushield.environment import look_around
from ushield.errors import NoBankFile, NotPackaged
from ushield.install import BROWSERS, Installer
from ushield.pending import state_directory
from ushield.providers import Drivers
from ushield.screen import one_sentence_for_errors, plain, say_json
from ushield.words import Words


@click.command("install")
@click.option("--browser", "browsers", multiple=True, type=click.Choice(BROWSERS), help="Only this one; repeatable.")
@click.option(
    "--profile",
    type=click.Path(path_type=Path, file_okay=False),
    help="A Chromium profile folder elsewhere than usual, in place of --browser.",
)
@token_dir_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def install_command(browsers: tuple[str, ...], profile: Path | None, token_dir: Path | None, *, as_json: bool) -> None:
    """Let the bank's pages start this tool: tells the browsers of this computer where it is.

    The browser needs the bank's extension, too; the page Download Software Tool has both.
    """
    with one_sentence_for_errors(as_json=as_json):
        bank = bank_file.built_in()
        if bank is None:
            raise NoBankFile(
                "This tool was not built by a bank, so no page can start it. Nothing was installed. Download it from "
                "your bank's page."
            )
        environment = {} if token_dir is None else {"SOFTHSM2_CONF": str(softhsm.config_of(token_dir))}
        installer = Installer(bank, Path.home(), state_directory(), environment)
        if profile is not None:
            written = [installer.into(profile / "NativeMessagingHosts")]
        else:
            written = [installer(browser) for browser in browsers or BROWSERS]
        if as_json:
            say_json({"bank": bank.origin, "extension": bank.extension, "written": [str(file) for file in written]})
            return
        click.echo(f"The pages of {plain(bank.name)} ({plain(bank.origin)}) can start this tool now, in:")
        for file in written:
            click.echo(f"  {file}")


@click.command("host", hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def host_command(arguments: tuple[str, ...]) -> None:
    """For browsers: speak native messaging over standard input and output."""
    with one_sentence_for_errors(as_json=False):
        host.main(arguments, state_directory())


@click.command("update")
@click.option("--check", is_flag=True, help="Only say whether there is a newer one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def update_command(*, check: bool, as_json: bool) -> None:
    """Fetch the newest tool from the bank, verify it, and put it in place of this one."""
    with one_sentence_for_errors(as_json=as_json):
        bank, place = bank_file.built_in(), release.running()
        if bank is None or place is None:
            raise NotPackaged("This tool is no package of a bank, so it cannot replace itself. Download it instead.")
        server = Bank(bank.origin, root_pem=bank.root_pem)
        offered = release.newest(server, bank, now=int(time.time()))
        release.Seen(state_directory()).require_not_older(offered, __version__)
        is_newest = sha256(place.read_bytes()).hexdigest() == offered.sha256
        if not (check or is_newest):
            release.replace_tool(place, offered, lambda length: server.offered(release.TOOL, length))
        done = "newest" if is_newest else "newer" if check else "updated"
        if as_json:
            say_json({"result": done, "version": offered.version, "number": offered.number})
            return
        click.echo(_DONE[done].format(version=offered.version))


@click.command("check")
@token_dir_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def check_command(token_dir: Path | None, *, as_json: bool) -> None:
    """Check this computer: is the tool the bank's, are drivers and U-Shields found, does the status service answer."""
    with one_sentence_for_errors(as_json=as_json):
        bank = bank_file.built_in()
        if bank is None:
            raise NoBankFile(
                "This tool was not built by a bank. Nothing was checked. Download it from your bank's page."
            )
        if token_dir is not None:
            softhsm.use_token_dir(token_dir, create=False)
        found = look_around(bank, Drivers(bank.providers), Words())
        if as_json:
            say_json(found)
            return
        for line in _lines(found):
            click.echo(line.rstrip())


def _lines(found: dict[str, Any]) -> Iterator[str]:
    signature, status = found["signature"], found["status"]
    yield f"U-Shield tool    {found['tool']}, {_SIGNATURES[signature['state']]} {signature['sentence']}"
    for driver in found["providers"]:
        yield f"Driver           {plain(driver['name'])}{'' if driver['works'] else ': does not work'}"
    for token in found["devices"]:
        yield f"U-Shield         {plain(token['label'])}, serial {plain(token['serial'])}, password {token['password']}"
    if not found["devices"]:
        yield "U-Shield         none is plugged in, or its driver is not installed"
    yield f"Status service   {_STATUSES[status['state']]} {status['sentence']}"


_SIGNATURES = {
    "newest": "the newest that the bank signed",
    "other": "not the newest that the bank signed: run `ushield update`",
    "unpacked": "not signed by the bank: download it",
    "unchecked": "could not be checked:",
}
_STATUSES = {
    "good": "your certificate holds",
    "revoked": "your certificate is on hold or has ended: ask your branch",
    "unknown": "the bank does not know the certificate: call the hotline",
    "reached": "reached; there is no certificate on the U-Shield yet",
    "unreached": "not reached:",
}
_DONE = {
    "newest": "This is the newest tool, version {version}.",
    "newer": "There is another one, version {version}: run `update` without --check.",
    "updated": "The tool is version {version} now.",
}
COMMANDS = (install_command, update_command, check_command, host_command)
