"""What every command that uses a U-Shield has: its options, its errors, and the U-Shield itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ushield import bank_file, softhsm
from ushield.choosing import Choice, open_token
from ushield.providers import Drivers
from ushield.screen import one_sentence_for_errors
from ushield.token import Token

EXIT_STATUSES = """\b
Exit status: 0 done · 1 the tool itself failed · 2 wrongly asked · 3 the U-Shield or its driver
4 the password · 5 the bank refuses · 6 the bank cannot be reached, try later · 7 the test failed
130 interrupted: run the same command again"""


@dataclass(frozen=True)
class Asked:
    """The options that every command has."""

    choice: Choice
    as_json: bool
    console: Console


token_dir_option = click.option(
    "--token-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="SoftHSM only: the directory that holds the U-Shields.",
)


def command(
    group: click.Group, name: str, *, create_token_dir: bool = False
) -> Callable[[Callable[..., None]], click.Command]:
    """A command with the common options, whose first argument is `Asked`."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @wraps(function)
        def run(*, provider: str | None, token: str | None, token_dir: Path | None, as_json: bool, **rest: Any) -> None:
            with one_sentence_for_errors(as_json=as_json):
                if token_dir is not None:
                    softhsm.use_token_dir(token_dir, create=create_token_dir)
                    provider = provider or "softhsm"
                function(Asked(Choice(provider, token), as_json, Console(quiet=as_json, soft_wrap=True)), **rest)

        options = (
            click.option(
                "--provider", metavar="PATH|NAME", help="PKCS#11 module, by path or name (`ushield providers`)."
            ),
            click.option("--token", metavar="LABEL|SERIAL", help="Which U-Shield, when several are plugged in."),
            token_dir_option,
            click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else."),
        )
        for option in reversed(options):
            run = option(run)
        return group.command(name, epilog=EXIT_STATUSES)(run)

    return decorate


def drivers() -> Drivers:
    """Those that a terminal may load. Raises BankFileBroken."""
    return Drivers(bank_file.supported_providers())


@contextmanager
def device(asked: Asked) -> Iterator[Token]:
    token = open_token(asked.choice, drivers())
    try:
        yield token
    finally:
        token.close()


password_file_option = click.option(
    "--password-file", metavar="FILE", help="Take the password from the first line of FILE (- for standard input)."
)
last_try_option = click.option("--last-try", is_flag=True, help="Try the password although one try is left.")
