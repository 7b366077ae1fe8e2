"""Where secrets come from: typed at the terminal without echo, or the first line of a file. Never an argument or a
variable, which other programs of the computer can see.
"""

import getpass
import sys
from dataclasses import dataclass
from pathlib import Path

from ushield.codes import require_code
from ushield.errors import Interrupted, NoTerminal, NothingTyped, PasswordsDiffer, SecretUnreadable


@dataclass(frozen=True)
class Typist:
    """Asks the person at the terminal, or reads the files that were named."""

    code_file: str | None = None
    password_file: str | None = None
    new_password_file: str | None = None

    def authorization_code(self) -> str:
        given = _first_line(self.code_file) if self.code_file else _typed("Authorization code: ", "--code-file")
        return require_code(given)

    def unlock_code(self) -> str:
        given = _first_line(self.code_file) if self.code_file else _typed("Unlock code: ", "--code-file")
        return require_code(given)

    def present_password(self) -> str:
        if self.password_file:
            return _first_line(self.password_file)
        typed = self.password_or_nothing()
        if not typed:
            # A card would count it as a wrong try.
            raise NothingTyped("No password was typed. Nothing was tried. Run the command again and type it.")
        return typed

    def password_or_nothing(self) -> str:
        """What is typed; empty when only Return was pressed."""
        return _typed("Password of the U-Shield: ", "--password-file")

    def new_password(self) -> str:
        file = self.new_password_file or self.password_file
        if file:
            return _first_line(file)
        first = _typed("Choose the certificate password (6 to 8 letters and digits): ", "--password-file")
        if first != _typed("The same password again: ", "--password-file"):
            raise PasswordsDiffer("The two passwords are not the same. Nothing was changed. Run the command again.")
        return first


def has_terminal() -> bool:
    return sys.stdin.isatty()


def _typed(prompt: str, instead: str) -> str:
    # Without a terminal getpass would read from stdin and show what is typed.
    if not has_terminal():
        raise NoTerminal(
            f"There is no terminal to type in. Nothing was done. Use {instead}, or start it in a terminal."
        )
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise Interrupted("The input ended. Nothing is lost: run the same command again to go on.") from None
    except UnicodeDecodeError:
        raise SecretUnreadable(
            "What was typed is not text in this terminal's encoding. Nothing was done. Type letters and digits."
        ) from None


def _first_line(file: str) -> str:
    """The first line of a file; `-` is the next line of standard input, /dev/fd/N a file descriptor."""
    try:
        if file == "-":
            line = sys.stdin.readline()
        else:
            with Path(file).open(encoding="utf-8") as opened:
                line = opened.readline()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise SecretUnreadable(f"{file} could not be read: {why}. Nothing was done. Name another file.") from None
    secret = line.rstrip("\r\n")
    if not secret:
        raise SecretUnreadable(f"The first line of {file} is empty. Nothing was done. Put the secret there.")
    return secret
