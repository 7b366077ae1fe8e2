"""`./bench/run status`, `portal` and `console`: the experiments one after another, then the table."""

import shutil
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import click

from bench.experiment import FULL, QUICK, Bench, Experiment, Plan, chosen, run_experiment
from bench.experiments.cached import CACHED
from bench.experiments.console import CONSOLE_POSTGRES, CONSOLE_SQLITE
from bench.experiments.crl import CRL
from bench.experiments.flat import FLAT
from bench.experiments.front import FRONT
from bench.experiments.nonce import NONCE_HSM, NONCE_MEMORY
from bench.experiments.other_host import OTHER_HOST
from bench.experiments.portal import PORTAL
from bench.experiments.revocation import COST, SEEN
from bench.figures import Row, exit_status
from bench.machine import Machine, this_machine
from bench.processes import ROOT
from bench.product import TEMPLATE
from bench.table import console as terminal
from bench.table import table_of

EXPERIMENTS = [CACHED, FRONT, NONCE_MEMORY, NONCE_HSM, FLAT, CRL, COST, SEEN, OTHER_HOST]


@click.group()
def cli() -> None:
    """Measure Vermilion beside its peers on this machine."""


@cli.command()
@click.option("--quick", is_flag=True, help="Short runs and smaller sets: does it work, not how fast it is.")
@click.option("--only", multiple=True, metavar="ROW", help="Only rows with these words; may be repeated.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / "var" / "bench",
    help="Where peers are installed (default: var/bench).",
)
def status(*, quick: bool, only: tuple[str, ...], cache: Path) -> None:
    """OCSP and CRLs. Exit status 1 when a target is missed or could not be tried."""
    try:
        experiments = chosen(EXPERIMENTS, only)
    except LookupError as error:
        raise click.UsageError(str(error)) from error
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped like by Ctrl-C: nothing stays behind
    machine = this_machine()
    rows = _rows(experiments, QUICK if quick else FULL, cache)
    _show(machine, rows, quick=quick)
    sys.exit(exit_status(rows))


@cli.command()
@click.option("--quick", is_flag=True, help="Fewer customers: does it work, not how fast it is.")
def portal(*, quick: bool) -> None:
    """Customers who all download at once. Exit status 1 when one was lost or waited longer than the tool does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    machine = this_machine()
    rows = _rows([PORTAL], QUICK if quick else FULL, ROOT / "var" / "bench")
    _show(machine, rows, quick=quick, what="Portal")
    sys.exit(exit_status(rows))


@cli.command()
@click.option("--quick", is_flag=True, help="Fewer customers: does it work, not how fast it is.")
@click.option(
    "--only", multiple=True, metavar="ROW", help="Only rows with these words, as in `status`: sqlite, postgresql."
)
@click.option(
    "--customers", type=click.IntRange(min=10_000), help="So many instead of a million, with ten events for each."
)
def console(*, quick: bool, only: tuple[str, ...], customers: int | None) -> None:
    """Every list, search and page of the console. Exit status 1 when one takes longer than 150 ms (p95)."""
    try:
        experiments = chosen([CONSOLE_SQLITE, CONSOLE_POSTGRES], only)
    except LookupError as error:
        raise click.UsageError(str(error)) from error
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    machine = this_machine()
    plan = QUICK if quick else FULL
    rows = _rows(experiments, replace(plan, customers=customers or plan.customers), ROOT / "var" / "bench")
    _show(machine, rows, quick=quick or plan.customers != (customers or plan.customers), what="Console")
    sys.exit(exit_status(rows))


def _rows(experiments: list[Experiment], plan: Plan, cache: Path) -> list[Row]:
    cache.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="vmb") as directory:
        bench = Bench(plan, Path(directory), cache, _say)
        for experiment in experiments:
            _say(f"Measuring {experiment.name}")
            rows += run_experiment(experiment, bench)
            _clear(bench.directory)
    return rows


def _clear(directory: Path) -> None:
    """Away with all but the demo that the next ones are copied from: a million certificates are a gigabyte."""
    for path in directory.iterdir():
        if path.is_dir() and path.name != TEMPLATE:
            shutil.rmtree(path, ignore_errors=True)


def _say(words: str) -> None:
    click.echo(words, err=True)


def _show(machine: Machine, rows: list[Row], *, quick: bool, what: str = "Status") -> None:
    out = terminal()
    out.print(f"{what}, measured on {machine}")
    if quick:
        out.print("Short runs or smaller sets than the promise is about: these figures decide nothing.")
    if machine.is_busy:
        out.print("Others were busy on this machine: do not trust these figures.")
    out.print(table_of(rows, plain=not out.is_terminal))


if __name__ == "__main__":
    cli(prog_name="./bench/run")
