"""The commands around a forgotten password: `unblock` for the customer, `prepare` for the bank's stock."""

import sys
from pathlib import Path

import click

from ushield import bank_file
from ushield.asking import Typist
from ushield.bank_file import BankFile
from ushield.codes import reference_number
from ushield.commands import Asked, command, device, password_file_option
from ushield.enrolment import Bank
from ushield.errors import NoBankFile, SecretUnreadable
from ushield.screen import certificate_json, plain, say_json
from ushield.unlock import Envelope, Unlock, challenge, prepare


def add_to(group: click.Group) -> None:
    """Both, with the options that every command has."""

    @command(group, "unblock")
    @click.option("--reference", required=True, metavar="NUMBER", help="The reference number of the unlock.")
    @click.option("--code-file", metavar="FILE", help="Take the unlock code from the first line of FILE (- likewise).")
    @password_file_option
    def unblock_command(asked: Asked, *, reference: str, code_file: str | None, password_file: str | None) -> None:
        """Set a new password when the old one is forgotten or locked. Your certificate stays.

        Two officers of the bank must agree first: call your branch or the hotline. Asks for the unlock code and for
        the new certificate password (twice). Cut off at any point, the same command again finishes it.
        """
        number, bank = reference_number(reference), _bank()
        server = Bank(bank.origin, root_pem=bank.root_pem)
        with device(asked) as token:
            typist = Typist(code_file=code_file, password_file=password_file)
            certificate = Unlock(token, bank, server, typist)(number)
            if asked.as_json:
                named = {"label": token.label, "serial": token.serial}
                say_json({"result": "unlocked", "device": named, **certificate_json(certificate)})
                return
            asked.console.print(
                f"The U-Shield {plain(token.label)} has its new password. Your certificate is as before."
            )

    @command(group, "prepare")
    @click.option(
        "--so-pin-file",
        required=True,
        type=click.Path(path_type=Path, dir_okay=False),
        help="The SO password that the U-Shield has now, on the first line.",
    )
    def prepare_command(asked: Asked, so_pin_file: Path) -> None:
        """For the bank: give a U-Shield of the stock the bank's SO password, so that it can be unlocked one day.

        Prints what to carry to the console's page of this U-Shield, and waits for the answer on standard input.
        """
        bank, envelope = _bank(), Envelope()
        present = _first_line(so_pin_file)
        with device(asked) as token:
            click.echo(challenge(token, envelope))
            sys.stdout.flush()
            prepare(token, bank, envelope, sys.stdin.readline().strip(), present=present)
            if asked.as_json:
                say_json({"result": "prepared", "device": {"label": token.label, "serial": token.serial}})
                return
            asked.console.print(f"The U-Shield {plain(token.label)} is prepared. Its password is 12345678.")


def _bank() -> BankFile:
    bank = bank_file.built_in()
    if bank is None:
        raise NoBankFile(
            "This tool was not built by a bank, so it cannot tell the bank's answer from another's. Nothing was done. "
            "Download it from your bank's page."
        )
    return bank


def _first_line(file: Path) -> str:
    try:
        first, *_ = file.read_text("ascii").splitlines()
    except (OSError, ValueError):
        raise SecretUnreadable(f"{file} could not be read. Nothing was done. Name another file.") from None
    return first.strip()
