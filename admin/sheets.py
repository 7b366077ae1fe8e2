"""Tables for spreadsheet programs: CSV (RFC 4180) in which no cell is a formula (THREATS 44)."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """One line after the other; the first tells a spreadsheet program that it is UTF-8."""
    yield "\ufeff" + _line(head)
    for row in rows:
        yield _line(row)


def _line(cells: Sequence[str]) -> str:
    sink = io.StringIO()
    csv.writer(sink, quoting=csv.QUOTE_ALL).writerow([_harmless(cell) for cell in cells])
    return sink.getvalue()


def _harmless(cell: str) -> str:
    """A text that a program would calculate begins with an apostrophe, which such programs take for "this is text"."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
