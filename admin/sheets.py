"""Tables for spreadsheet programs: CSV (RFC 4180) in which no cell is a formula (THREATS 44)."""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def sheet(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The whole text; its first character tells a spreadsheet program that it is UTF-8."""
    sink = io.StringIO()
    writer = csv.writer(sink, quoting=csv.QUOTE_ALL)
    writer.writerow(head)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return "\ufeff" + sink.getvalue()


def _harmless(cell: str) -> str:
    """A text that a program would calculate begins with an apostrophe, which such programs take for "this is text"."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
