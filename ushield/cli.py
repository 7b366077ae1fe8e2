"""The commands of `ushield`. Errors become one sentence with a code and an exit status; `--json` serves programs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ushield import __version__, browser_cli, opening, softhsm, unlock_cli
from ushield.asking import Typist, has_terminal
from ushield.codes import reference_number
from ushield.commands import EXIT_STATUSES, Asked, command, device, drivers, last_try_option, password_file_option
from ushield.delete import delete, find, require_ended, require_unused
from ushield.download import Download, Downloaded, Progress
from ushield.enrolment import Bank
from ushield.inventory import Entry, entries, own_texts, prove
from ushield.keys import algorithm_of
from ushield.pending import APPLICATION, Shelf, state_directory
from ushield.renew import Renewal, SameKeyRenewal
from ushield.screen import (
    NoSteps,
    StepsOnScreen,
    certificate_json,
    grouped,
    plain,
    say_json,
    subject_of,
    when,
)
from ushield.token import Token


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_STATUSES)
@click.version_option(__version__, prog_name="ushield")
def main() -> None:
    """Your certificate on your U-Shield: download it, look at it, test it.

    Passwords are typed here and stay in this computer: no server ever gets them.
    """


@command(main, "providers")
def providers_command(asked: Asked) -> None:
    """List the drivers (PKCS#11 modules, CSP) on this computer and the U-Shields plugged in."""
    found = drivers().look(asked.choice.provider)
    if asked.as_json:
        say_json(
            {
                "providers": [
                    {
                        "name": one.provider.name,
                        "title": one.provider.title,
                        "path": str(one.provider.path),
                        "description": one.description,
                        "trouble": one.trouble,
                        "tokens": [
                            {
                                "label": token.label,
                                "serial": token.serial,
                                "model": token.model,
                                "manufacturer": token.manufacturer,
                                "initialized": token.initialized,
                                "password": token.password.name.lower().replace("_", "-"),
                            }
                            for token in one.tokens
                        ],
                    }
                    for one in found
                ]
            }
        )
        return
    if not found:
        asked.console.print("No driver for a U-Shield was found. Install the one that came with your U-Shield.")
    for one in found:
        asked.console.print(f"[bold]{plain(one.provider.name)}[/bold]  {plain(str(one.provider.path))}")
        if one.trouble:
            asked.console.print(f"  cannot be used: {plain(one.trouble)}")
            continue
        plugged = [token for token in one.tokens if token.initialized]
        if not plugged:
            asked.console.print("  works; no U-Shield plugged in")
            continue
        table = Table("U-Shield", "Serial", "Model", "Password", box=None, pad_edge=False, padding=(0, 3, 0, 2))
        for token in plugged:
            table.add_row(plain(token.label), plain(token.serial), plain(token.model), token.password.value)
        asked.console.print(table)


@command(main, "init", create_token_dir=True)
@click.option("--label", required=True, help="What the U-Shield is to be called.")
@click.option(
    "--so-pin-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The administrator password: read from here, or made and kept here. Without it, made up and forgotten.",
)
def init_command(asked: Asked, label: str, so_pin_file: Path | None) -> None:
    """For the bank and demonstrations: make a SoftHSM token a U-Shield with the factory password 12345678."""
    serial = softhsm.prepare(drivers().resolve(asked.choice.provider or "softhsm"), label, so_pin_file)
    label = label.strip()
    if asked.as_json:
        say_json({"label": label, "serial": serial})
        return
    asked.console.print(
        f"U-Shield {plain(label)} is ready, serial number {serial}. Its password is 12345678 and must be changed."
    )


@command(main, "download")
@click.option("--server", required=True, metavar="URL", help="The bank's address, https://…")
@click.option("--reference", required=True, metavar="NUMBER", help="The reference number from your branch.")
@click.option("--ca-file", metavar="FILE", help="The bank's root certificate (PEM), trusted beside the computer's own.")
@click.option(
    "--code-file", metavar="FILE", help="Take the authorization code from the first line of FILE (- likewise)."
)
@password_file_option
@last_try_option
@click.pass_context
def download_command(
    context: click.Context,
    asked: Asked,
    *,
    server: str,
    reference: str,
    ca_file: str | None,
    code_file: str | None,
    password_file: str | None,
    last_try: bool,
) -> None:
    """Download my Certificate into the U-Shield.

    Asks for the authorization code and for the certificate password (twice). Interrupted at any point, the same
    command again goes on where it stopped.
    """
    number = reference_number(reference)
    bank = Bank(server, ca_file)
    progress: Progress = context.obj or (NoSteps() if asked.as_json else StepsOnScreen(asked.console))
    with device(asked) as token:
        download = Download(
            token, bank, Shelf(token, state_directory()), Typist(code_file, password_file), progress, last_try
        )
        _say_downloaded(asked, token, download(number))


@command(main, "renew")
@click.option("--server", required=True, metavar="URL", help="The bank's address, https://…")
@click.option(
    "--serial", default="", metavar="HEX", help="Which certificate, when there are several; else the youngest."
)
@click.option("--ca-file", metavar="FILE", help="The bank's root certificate (PEM), trusted beside the computer's own.")
@click.option("--same-key", is_flag=True, help="Keep the key, where the bank allows that; else a new one is made.")
@password_file_option
@last_try_option
@click.pass_context
def renew_command(
    context: click.Context,
    asked: Asked,
    *,
    server: str,
    serial: str,
    ca_file: str | None,
    same_key: bool,
    password_file: str | None,
    last_try: bool,
) -> None:
    """Renew my Certificate: a new key beside the old one, which ends once the new one is proved.

    Interrupted at any point, the same command again goes on where it stopped.
    """
    bank = Bank(server, ca_file)
    progress: Progress = context.obj or (NoSteps() if asked.as_json else StepsOnScreen(asked.console))
    with device(asked) as token:
        shelf, typist = Shelf(token, state_directory()), Typist(password_file=password_file)
        renewal = (SameKeyRenewal if same_key else Renewal)(token, bank, shelf, typist, progress, last_try)
        _say_downloaded(asked, token, renewal("".join(serial.split()).casefold().lstrip("0")))


def _say_downloaded(asked: Asked, token: Token, done: Downloaded) -> None:
    certificate = done.certificate
    if asked.as_json:
        device = {"label": token.label, "serial": token.serial}
        key = {"algorithm": algorithm_of(certificate.public_key())}
        say_json({"status": done.status, "device": device, "key": key, **certificate_json(certificate)})
        return
    asked.console.print()
    asked.console.print(
        f"Your certificate is {plain(done.status)}, on the U-Shield {plain(token.label)} ({plain(token.serial)})."
    )
    asked.console.print(f"  Name         {plain(subject_of(certificate))}")
    asked.console.print(f"  Serial       {grouped(f'{certificate.serial_number:x}')}", highlight=False)
    asked.console.print(f"  Valid until  {when(certificate)}", highlight=False)


@command(main, "show")
@password_file_option
@last_try_option
def show_command(asked: Asked, *, password_file: str | None, last_try: bool) -> None:
    """Show the certificates and keys on the U-Shield.

    Keys are only visible with the password: type it, or press Return to see the certificates alone.
    """
    with device(asked) as token:
        password = _password_or_none(password_file, as_json=asked.as_json)
        if password:
            opening.open_once(token, password, last_try=last_try)
        found = entries(token.certificates(), token.keys())
        unfinished = sorted(token.notes(APPLICATION))
        if asked.as_json:
            say_json(
                {
                    "device": {"label": token.label, "serial": token.serial, "model": token.model},
                    "opened": bool(password),
                    "entries": [_entry_json(entry) for entry in found],
                    "unfinished": unfinished,
                }
            )
            return
        asked.console.print(
            f"U-Shield [bold]{plain(token.label)}[/bold]  serial {plain(token.serial)}", highlight=False
        )
        if not found:
            asked.console.print("There is no certificate on it yet. Download it with `ushield download`.")
        for entry in found:
            _print_entry(asked.console, entry, opened=bool(password))
        for reference in unfinished:
            asked.console.print(
                f"The download for reference number {plain(reference)} is unfinished: run the same command again."
            )


@command(main, "test")
@click.option("--serial", metavar="HEX", help="Which certificate, when there are several; else the youngest.")
@password_file_option
@last_try_option
def test_command(asked: Asked, *, serial: str | None, password_file: str | None, last_try: bool) -> None:
    """Sign random bytes with the key on the U-Shield and check them with the certificate."""
    with device(asked) as token:
        opening.open_once(token, Typist(password_file=password_file).present_password(), last_try=last_try)
        proved = prove(token, serial)
    if asked.as_json:
        say_json({"result": "good", **certificate_json(proved)})
        return
    asked.console.print(
        f"Your U-Shield works: it signed a test message, and the certificate {grouped(f'{proved.serial_number:x}')} "
        f"of {plain(subject_of(proved))} confirms the signature. Valid until {when(proved)}.",
        highlight=False,
    )


@command(main, "password")
@password_file_option
@click.option("--new-password-file", metavar="FILE", help="Take the new password from the first line of FILE.")
@last_try_option
def password_command(asked: Asked, *, password_file: str | None, new_password_file: str | None, last_try: bool) -> None:
    """Change the password of the U-Shield."""
    typist = Typist(password_file=password_file, new_password_file=new_password_file)
    with device(asked) as token:
        old = typist.present_password()
        opening.open_once(token, old, last_try=last_try)
        opening.replace_password(token, old, Typist(password_file=new_password_file).new_password(), own_texts(token))
    if asked.as_json:
        say_json({"result": "changed"})
        return
    asked.console.print("The password is changed. The old one does not open the U-Shield any more.")


def _password_or_none(password_file: str | None, *, as_json: bool) -> str | None:
    if password_file:
        return Typist(password_file=password_file).present_password()
    if as_json or not has_terminal():
        return None
    return Typist().password_or_nothing() or None


def _entry_json(entry: Entry) -> dict[str, Any]:
    key = entry.key
    return {
        "id": entry.id.hex(),
        "certificate": None if entry.certificate is None else certificate_json(entry.certificate),
        "key": None
        if key is None
        else {
            "algorithm": algorithm_of(key.public_key),
            "label": key.label,
            "local": key.local,
            "sensitive": key.sensitive,
            "always_sensitive": key.always_sensitive,
            "extractable": key.extractable,
            "never_extractable": key.never_extractable,
        },
        "certificate_matches_key": entry.matches,
    }


def _print_entry(console: Console, entry: Entry, *, opened: bool) -> None:
    console.print()
    if entry.certificate is None:
        console.print(f"  A key pair without a certificate, identifier {entry.id.hex()}", highlight=False)
    else:
        console.print(f"  Name         {plain(subject_of(entry.certificate))}")
        console.print(f"  Serial       {grouped(f'{entry.certificate.serial_number:x}')}", highlight=False)
        console.print(f"  Valid until  {when(entry.certificate)}", highlight=False)
    if entry.key is None:
        console.print(
            "  Key          none beside the certificate" if opened else "  Key          not shown without the password"
        )
        return
    key = entry.key
    born = "made on the U-Shield" if key.local else "NOT made on the U-Shield"
    kept = "can never leave it" if key.never_extractable and key.always_sensitive else "CAN LEAVE IT"
    console.print(f"  Key          {algorithm_of(key.public_key) or 'unknown kind'}, {born}, {kept}", highlight=False)
    if entry.matches is not None:
        console.print(f"  Together     the certificate {'is' if entry.matches else 'is NOT'} for this key")


@command(main, "delete")
@click.option("--serial", required=True, metavar="HEX", help="The certificate's, or a left-over key pair's identifier.")
@click.option("--although-valid", is_flag=True, help="Delete it even if its end has not come.")
@password_file_option
@last_try_option
def delete_command(
    asked: Asked, *, serial: str, although_valid: bool, password_file: str | None, last_try: bool
) -> None:
    """Delete a certificate that has ended from the U-Shield, with its key pair. There is no way back.

    What was encrypted for the certificate cannot be read any more. Deleting does not cancel a certificate.
    """
    with device(asked) as token:
        opening.open_once(token, Typist(password_file=password_file).present_password(), last_try=last_try)
        going = find(token, serial)
        require_unused(token, Shelf(token, state_directory()), going)
        if not although_valid:
            require_ended(going, datetime.now(UTC))
        delete(token, going)
    if asked.as_json:
        say_json({"result": "deleted", "deleted": [_entry_json(entry) for entry in going]})
        return
    asked.console.print("It is deleted, with its key pair. The rest of the U-Shield is as before.")


for _further in browser_cli.COMMANDS:
    main.add_command(_further)
unlock_cli.add_to(main)
