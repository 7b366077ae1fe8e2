"""The table: rows under the machine they were measured on. Plain text where nobody watches."""

from collections.abc import Sequence

from rich.box import ASCII, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.figures import Row, Verdict

_STYLES = {Verdict.MET: "green", Verdict.SHOWN: "", Verdict.MISSED: "bold red", Verdict.UNMEASURED: "bold yellow"}
_PLAIN_WIDTH = 160


def table_of(rows: Sequence[Row], *, plain: bool) -> Table:
    """One line a row, in the order they come."""
    table = Table(box=ASCII if plain else SIMPLE_HEAD, title_justify="left")
    for heading in ("row", "figure", "target", "verdict", "remark"):
        table.add_column(heading, no_wrap=heading == "verdict", overflow="fold")
    for row in rows:
        figure = row.figure.written(row.unit) if row.figure else "-"
        target = str(row.target) if row.target else "-"
        verdict = Text(row.verdict.value, style=_STYLES[row.verdict])
        table.add_row(Text(row.name), Text(figure), Text(target), verdict, Text(row.note))
    return table


def console() -> Console:
    """Standard output, wide enough that a file keeps each row on a line where it can."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH)
