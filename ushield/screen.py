"""What the customer sees: steps as they are really done, certificates, errors; or the same as JSON for programs.

Text from the bank's server or from a token is shown as plain text: no markup, no control characters.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rich.console import Console
from rich.markup import escape

from ushield.download import Step
from ushield.enrolment import Hints
from ushield.errors import Interrupted, UShieldError

_STEPS = list(Step)


class StepsOnScreen:
    """Numbered steps with their real duration; a spinner runs only while a step is under way."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def doing(self, step: Step) -> Iterator[None]:
        # The password is typed during this step, which a spinner would overwrite.
        if step is Step.OPEN:
            yield
            self._line(step, "✓", "")
            return
        started = time.monotonic()
        with self._console.status(f"{_number(step)} {step.value} …"):
            yield
        self._line(step, "✓", f"{time.monotonic() - started:.1f} s")

    def done_before(self, step: Step) -> None:
        self._line(step, "·", "done before")

    def waiting_for(self, hints: Hints) -> None:
        self._console.print(f"      waiting for you: {plain(hints.subject)}", highlight=False)

    def _line(self, step: Step, mark: str, note: str) -> None:
        self._console.print(f"{mark} {_number(step)} {step.value}  [dim]{note}[/dim]", highlight=False)


class NoSteps:
    """For `--json`: the result tells enough."""

    @contextmanager
    def doing(self, _step: Step) -> Iterator[None]:
        yield

    def done_before(self, _step: Step) -> None:
        return

    def waiting_for(self, _hints: Hints) -> None:
        return


def _number(step: Step) -> str:
    return f"{_STEPS.index(step) + 1:2}/{len(_STEPS)}"


def plain(text: str) -> str:
    """Text from elsewhere, unable to move the cursor or to pass for our own markup."""
    return escape("".join(c if c.isprintable() else "�" for c in text))


def grouped(serial: str) -> str:
    """A serial number in fours, as it is read aloud."""
    return " ".join(serial[start : start + 4] for start in range(0, len(serial), 4))


def subject_of(certificate: x509.Certificate) -> str:
    """The name as people read it."""
    return _readable(certificate.subject)


def _readable(name: x509.Name) -> str:
    # RFC 4514 has no short name for it, and a customer can read no object identifier.
    return name.rfc4514_string({x509.NameOID.SERIAL_NUMBER: "serialNumber"})


def when(certificate: x509.Certificate) -> str:
    return certificate.not_valid_after_utc.strftime("%d %b %Y, %H:%M (UTC)")


def certificate_json(certificate: x509.Certificate) -> dict[str, Any]:
    return {
        "subject": _readable(certificate.subject),
        "issuer": _readable(certificate.issuer),
        "serial": f"{certificate.serial_number:x}",
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "certificate": certificate.public_bytes(Encoding.PEM).decode("ascii"),
    }


def say_json(what: dict[str, Any]) -> None:
    click.echo(json.dumps(what, ensure_ascii=False))


def say_error(error: UShieldError, *, as_json: bool) -> None:
    if as_json:
        say_json({"error": error.code, "message": error.sentence})
        return
    Console(stderr=True).print(plain(str(error)), highlight=False, soft_wrap=True)


@contextmanager
def one_sentence_for_errors(*, as_json: bool) -> Iterator[None]:
    """The outermost frame of every command."""
    try:
        yield
    except UShieldError as error:
        say_error(error, as_json=as_json)
        sys.exit(error.exit_status)
    except (KeyboardInterrupt, click.Abort):
        say_error(Interrupted("Interrupted. Nothing is lost: run the same command again to go on."), as_json=as_json)
        sys.exit(Interrupted.exit_status)
    except click.ClickException:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost frame: a customer gets a sentence, never a stack trace
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        place = f"{Path(where.tb_frame.f_code.co_filename).stem}:{where.tb_lineno}" if where else "?"
        say_error(
            UShieldError(
                f"The tool met something it was not made for, at {place}. What is on the U-Shield is not lost. "
                "Run the same command again; if this stays, tell the hotline this code and place."
            ),
            as_json=as_json,
        )
        sys.exit(UShieldError.exit_status)
