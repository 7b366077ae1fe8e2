"""CSV (RFC 4180): tables in which no cell is a formula (THREATS 44), and lists that officers bring."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from ca.domain.errors import InvalidRequest

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_HEADS = {"serial", "serial number", "u-shield", "序列号"}
_LONGEST_SERIAL = 100


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


@dataclass(frozen=True, slots=True)
class ListedSerial:
    """A serial number with its line in what was pasted or in the file (from 1)."""

    row: int
    serial: str


def read_list(text: str) -> list[ListedSerial]:
    """The first column, without empty lines and without a heading. Raises InvalidRequest for what is no CSV."""
    reader = csv.reader(io.StringIO(text))
    try:
        cells = [(reader.line_num, line[0].strip()[:_LONGEST_SERIAL]) for line in reader if line]
    except csv.Error as error:
        raise InvalidRequest(_("this list cannot be read as CSV; save it again as CSV with UTF-8")) from error
    if cells and cells[0][1].casefold() in _HEADS:
        cells = cells[1:]
    return [ListedSerial(row, serial) for row, serial in cells if serial]
