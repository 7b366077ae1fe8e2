"""`./pki receipt` and `./pki receipts`: when relying parties could see changes of status."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

import click
from rich.table import Table

from ca.adapters.clock import SystemClock
from ca.adapters.db.unit_of_work import SqlUnitOfWork, SqlWork
from ca.domain.receipts import Latency, Receipt, latencies
from ca.domain.serials import parse_serial, serial_text
from ca.domain.times import Millis, millis_text
from ca.terminal import Context, console, say, speaking

_DAY = 24 * 3600 * 1000


@click.command()
@click.argument("serial")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a change.")
@click.pass_obj
@speaking
def receipt(context: Context, serial: str, *, as_json: bool) -> None:
    """Where each change of a certificate's status was seen, and after how many milliseconds."""
    with _look(context) as work:
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
    now = SystemClock().milliseconds()
    with _look(context) as work:
        rows = latencies(work.receipts.since(Millis(now - days * _DAY)))
        oldest = work.receipts.waiting(soon=True, since=Millis(0), after=(Millis(0), 0), limit=1)
    if prometheus:
        click.echo(prometheus_text(rows, days, now - oldest[0].changed_at if oldest else 0), nl=False)
        return
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


def prometheus_text(rows: Sequence[Latency], days: int, oldest: int) -> str:
    """Gauges over the window, in seconds; `oldest` in milliseconds (Prometheus exposition format 0.0.4)."""
    window = f'window="{days}d"'
    lines = ["# TYPE vermilion_revocation_visible_seconds gauge"]
    for row in rows:
        for name, value in (("0.5", row.p50), ("0.95", row.p95), ("1", row.longest)):
            if value is not None:
                labels = f'channel="{row.channel}",quantile="{name}",{window}'
                lines.append(f"vermilion_revocation_visible_seconds{{{labels}}} {value / 1000}")
    gauges: dict[str, list[tuple[str, float]]] = {
        "promised_seconds": [(row.channel, row.promised / 1000) for row in rows],
        "seen": [(row.channel, row.count) for row in rows],
        "late": [(row.channel, row.late) for row in rows],
        "waiting": [(row.channel, row.waiting) for row in rows],
    }
    for name, values in gauges.items():
        lines.append(f"# TYPE vermilion_revocation_{name} gauge")
        lines += [f'vermilion_revocation_{name}{{channel="{channel}",{window}}} {value}' for channel, value in values]
    lines += ["# TYPE vermilion_revocation_oldest_waiting_seconds gauge"]
    lines += [f"vermilion_revocation_oldest_waiting_seconds {oldest / 1000}"]
    return "\n".join(lines) + "\n"


def _after(one: Receipt, at: Millis | None) -> str:
    return "–" if at is None else f"{at - one.changed_at} ms"


@contextmanager
def _look(context: Context) -> Iterator[SqlWork]:
    from ca.wiring import open_to_read

    engine = open_to_read(context.state, context.settings)
    try:
        with SqlUnitOfWork(engine).look() as work:
            yield work
    finally:
        engine.dispose()
