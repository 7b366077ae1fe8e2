"""What every command of `./pki` shares: sentences for a person at a terminal, and the state directory it works on."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
from rich.console import Console

from ca.domain.errors import PKIError
from ca.signer_client import SignerClient
from config.settings import Settings, State, load_settings

_P = ParamSpec("_P")
_R = TypeVar("_R")
console = Console(highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """A line for the person at the terminal, shown at once."""
    click.echo(line)
    sys.stdout.flush()


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except PKIError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


def speaking(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """A command whose refusals come out as one sentence."""

    @wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with _sentences():
            return command(*args, **kwargs)

    return run


class Context:
    """The state directory a command works on; settings are read when first needed."""

    def __init__(self, directory: Path) -> None:
        self.state = State(directory)

    @property
    def settings(self) -> Settings:
        return load_settings(self.state)

    @property
    def client(self) -> SignerClient:
        return SignerClient(self.state.socket("signer"))
