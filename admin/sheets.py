"""Tables for spreadsheet programs, in which no cell is a formula (THREATS 44): CSV (RFC 4180) and XLSX."""

import csv
import io
from collections.abc import Iterable, Sequence

import xlsxwriter
from flask import Response

from ca.domain.errors import InvalidRequest

Row = Sequence[str | int]
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MOST_ROWS, _LONGEST_CELL = 1_048_575, 32_767
"""What the format holds, its head aside."""
_PLAIN = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}

KINDS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Endings with their media types."""


def attached(name: str, kind: str, head: Sequence[str], rows: Iterable[Row]) -> Response:
    """A table to keep. Whole before it leaves: what fails is a page then, and not half a sheet."""
    content = sheet(head, rows) if kind == "csv" else workbook(head, rows)
    response = Response(content, mimetype=KINDS[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response


def sheet(head: Sequence[str], rows: Iterable[Row]) -> str:
    """The whole text; its first character tells a spreadsheet program that it is UTF-8."""
    sink = io.StringIO()
    writer = csv.writer(sink, quoting=csv.QUOTE_ALL)
    writer.writerow(head)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return "\ufeff" + sink.getvalue()


def _harmless(cell: str | int) -> str:
    """A text that a program would calculate begins with an apostrophe, which such programs take for "this is text"."""
    text = str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def workbook(head: Sequence[str], rows: Iterable[Row]) -> bytes:
    """One sheet of texts and numbers; a cell's kind says that there is nothing to calculate.

    Raises InvalidRequest for too many rows.
    """
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, _PLAIN)
    page = book.add_worksheet()
    bold = book.add_format({"bold": True})
    for column, heading in enumerate(head):
        page.write_string(0, column, heading, bold)
    for number, row in enumerate(rows, start=1):
        if number > _MOST_ROWS:
            raise InvalidRequest(f"a workbook holds {_MOST_ROWS} rows; choose fewer days, or CSV")
        for column, cell in enumerate(row):
            if isinstance(cell, int):
                page.write_number(number, column, cell)
            else:
                page.write_string(number, column, cell[:_LONGEST_CELL])
    page.freeze_panes(1, 0)
    book.close()
    return sink.getvalue()
