"""`./pki receipt` and `./pki receipts`: when relying parties could see changes of status."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.table import Table

from ca.adapters.clock import SystemClock
from ca.domain.receipts import Receipt, latencies
from ca.domain.serials import parse_serial, serial_text
from ca.domain.times import Millis, millis_text
from ca.metrics import DAY, tell_latencies
from ca.terminal import Context, console, say, speaking

if TYPE_CHECKING:
    from ca.adapters.db.unit_of_work import SqlUnitOfWork


@click.command()
@click.argument("serial")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a change.")
@click.pass_obj
@speaking
def receipt(context: Context, serial: str, *, as_json: bool) -> None:
    """Where each change of a certificate's status was seen, and after how many milliseconds."""
    with _records(context) as records, records.look() as work:
        found = work.receipts.about(parse_serial(serial))
    if as_json:
        for one in found:
            click.echo(json.dumps(as_dict(one)))
        return
    if not found:
        say("No change of its status has a receipt.")
    for one in found:
        overtaken = "; overtaken by the next change" if one.overtaken else ""
        table = Table("channel", "seen after", "not yet after", "promised", "", title_justify="left")
        table.title = f"{one.became.value} at {millis_text(one.changed_at)}{overtaken}"
        for each in one.sightings:
            table.add_row(
                each.channel,
                _after(one, each.seen_at),
                _after(one, each.not_before),
                f"{each.promised} ms",
                each.verdict(one.changed_at).value,
            )
        console.print(table)


@click.command()
@click.option("--days", default=1, show_default=True, type=click.IntRange(1, 366))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a channel.")
@click.option("--prometheus", is_flag=True, help="As text for Prometheus (node_exporter's textfile collector).")
@click.pass_obj
@speaking
def receipts(context: Context, days: int, *, as_json: bool, prometheus: bool) -> None:
    """How long changes of status took to be seen: p50, p95 and longest of each channel, beside what is promised."""
    if prometheus:
        with _records(context) as records:
            click.echo(tell_latencies(records, days), nl=False)
        return
    with _records(context) as records, records.look() as work:
        rows = latencies(work.receipts.since(Millis(SystemClock().milliseconds() - days * DAY)))
    if as_json:
        for row in rows:
            click.echo(json.dumps(asdict(row)))
        return
    table = Table("channel", "promised", "seen", "p50", "p95", "longest", "late", "waiting")
    for row in rows:
        spans = (row.promised, row.p50, row.p95, row.longest)
        promised, *measured = ("–" if span is None else f"{span} ms" for span in spans)
        table.add_row(row.channel, promised, str(row.count), *measured, str(row.late), str(row.waiting))
    console.print(table)


def as_dict(one: Receipt) -> dict[str, object]:
    """A receipt as JSON: instants in milliseconds since the epoch."""
    channels = [asdict(each) | {"verdict": each.verdict(one.changed_at).value} for each in one.sightings]
    return {
        "serial": serial_text(one.serial),
        "became": one.became.value,
        "changed_at": one.changed_at,
        "overtaken": one.overtaken,
        "channels": channels,
    }


def _after(one: Receipt, at: Millis | None) -> str:
    return "–" if at is None else f"{at - one.changed_at} ms"


@contextmanager
def _records(context: Context) -> Iterator["SqlUnitOfWork"]:
    from ca.adapters.db.unit_of_work import SqlUnitOfWork
    from ca.wiring import open_to_read

    engine = open_to_read(context.state, context.settings)
    try:
        yield SqlUnitOfWork(engine)
    finally:
        engine.dispose()
