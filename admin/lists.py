"""Lists of people and of U-Shields that officers bring from a spreadsheet program (CSV, RFC 4180)."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from ca.case_operations import BatchLineMessage
from ca.domain.batches import MOST
from ca.domain.errors import InvalidRequest

_COLUMNS = {
    "number": ("number", "customer number", "客户号"),
    "name": ("name", "姓名"),
    "document_number": ("document number", "document", "证件号", "证件号码"),
    "email": ("email", "e-mail", "邮箱"),
    "phone": ("phone", "电话", "手机"),
    "device_serial": ("u-shield", "device serial", "u盾", "u盾序列号"),
}
_NEEDED = ("number", "name", "document_number")
_FIELD_OF = {heading: field for field, headings in _COLUMNS.items() for heading in headings}


def decode(raw: bytes) -> str:
    """UTF-8, or what spreadsheet programs write in China. Raises InvalidRequest."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidRequest(_("the file is not text in UTF-8 or GB 18030; save it as CSV"))


def parse_lines(text: str) -> list[BatchLineMessage]:
    """The people in their order. Raises InvalidRequest, naming the line of the file."""
    try:
        return [BatchLineMessage(**fields) for fields in _fields(text.replace("\x00", ""))]
    except csv.Error as error:
        raise InvalidRequest(_("the list cannot be read as CSV: %(why)s", why=error)) from error


def _fields(text: str) -> Iterator[dict[str, str]]:
    rows = csv.reader(io.StringIO(text.strip()), delimiter=_delimiter(text), strict=True)
    head = [_FIELD_OF.get(" ".join(cell.lower().split()), "") for cell in next(rows, [])]
    missing = [_COLUMNS[name][0] for name in _NEEDED if name not in head]
    if missing:
        raise InvalidRequest(_("the first line must name the columns; missing: %(names)s", names=", ".join(missing)))
    for place, cells in enumerate((row for row in rows if any(cell.strip() for cell in row)), 1):
        if place > MOST:
            raise InvalidRequest(_("a list has at most %(most)s people; make several of it", most=MOST))
        if len(cells) != len(head) or any(len(cell) > _LONGEST for cell in cells):
            raise InvalidRequest(_("line %(line)s does not have the columns of the first line", line=place))
        yield {name: cell.strip().removeprefix("'") for name, cell in zip(head, cells, strict=True) if name}


_LONGEST = 64
_HEADS = {"serial", "serial number", "u-shield", "序列号"}
_LONGEST_SERIAL = 100


def _delimiter(text: str) -> str:
    first = text.strip().partition("\n")[0]
    return max((",", ";", "\t"), key=first.count)


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
