"""Sealed letters: one A4 sheet with one secret, for a window envelope, made in memory and kept nowhere.

Folded in three at the marks, the code is inside and the addressee in the window (DIN 5008 form B, DIN 680). English and
Chinese stand below each other: whoever prints need not know what the customer reads.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby

import segno
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfgen.canvas import Canvas

# Of the reader, not of this file: a letter carries no font, and the code is in one that every reader has.
_CHINESE = "STSong-Light"
_LATIN, _BOLD, _CODE = "Helvetica", "Helvetica-Bold", "Courier-Bold"
_INK, _MUTED, _LINE, _SEAL = (HexColor(colour) for colour in ("#1b1d22", "#5b6472", "#dad6cc", "#b3312c"))
_HEIGHT = A4[1]
_LEFT, _RIGHT = 25 * mm, A4[0] - 20 * mm
_FOLDS = (105 * mm, 210 * mm)
_WINDOW = 45 * mm
"""All from the upper edge."""

Both = tuple[str, str]
"""A sentence in English and in Chinese."""

registerFont(UnicodeCIDFont(_CHINESE))


@dataclass(frozen=True, slots=True)
class SealedLetter:
    """What one says; `code` is the secret, as it is typed."""

    bank: str
    branch: str
    addressee: str
    title: Both
    code: str
    paragraphs: Sequence[Both]


def sealed_letter(letter: SealedLetter) -> bytes:
    """The PDF. Names are drawn as text, never read as markup."""
    written = BytesIO()
    # Not compressed: it is small, and what is in it can be looked for.
    canvas = Canvas(written, pagesize=A4, pageCompression=0, invariant=1)
    canvas.setTitle(letter.title[0])
    canvas.setAuthor(letter.bank)
    _head(canvas, letter)
    _code(canvas, letter.code)
    at = 166 * mm
    for english, chinese in letter.paragraphs:
        at = _text(canvas, english, at, 10) + 0.5 * mm
        at = _text(canvas, chinese, at, 10) + 3 * mm
    _text(canvas, "Page 1 of 1 · 第 1 页，共 1 页", 284 * mm, 8, colour=_MUTED)
    canvas.save()
    return written.getvalue()


def as_link(pdf: bytes) -> str:
    """The address of a link that carries the sheet itself: the server keeps nothing to fetch later (RFC 2397)."""
    return f"data:application/pdf;base64,{base64.b64encode(pdf).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class QRCode:
    """One for an SVG element of `side` units: the dark modules as a path, with the quiet zone of four around them."""

    side: int
    path: str


def qr_code(text: str) -> QRCode:
    """ISO/IEC 18004, error correction M."""
    modules = list(segno.make(text, error="m", micro=False).matrix_iter(border=4))
    dark = ((row, column) for row, line in enumerate(modules) for column, is_dark in enumerate(line) if is_dark)
    return QRCode(len(modules), "".join(f"M{column} {row}h1v1h-1z" for row, column in dark))


def _head(canvas: Canvas, letter: SealedLetter) -> None:
    _seal(canvas, _LEFT, 15 * mm)
    _text(canvas, letter.bank, 23 * mm, 14, left=_LEFT + 16 * mm)
    canvas.setStrokeColor(_MUTED)
    canvas.setLineWidth(0.3)
    for fold in _FOLDS:
        canvas.line(4 * mm, _HEIGHT - fold, 9 * mm, _HEIGHT - fold)
    at = _text(canvas, f"{letter.bank} · {letter.branch}", _WINDOW + 4 * mm, 7, colour=_MUTED, right=_LEFT + 80 * mm)
    at = _text(canvas, "Personal · 本人亲启", at + 4 * mm, 8, right=_LEFT + 80 * mm)
    _text(canvas, letter.addressee, at + 2 * mm, 12, right=_LEFT + 80 * mm)
    at = _text(canvas, letter.title[0], 118 * mm, 16, latin=_BOLD)
    _text(canvas, letter.title[1], at + 1 * mm, 14)


def _seal(canvas: Canvas, left: float, top: float) -> None:
    """The mark, on its grid of 32."""
    canvas.saveState()
    canvas.translate(left, _HEIGHT - top)
    canvas.scale(12 * mm / 32, -12 * mm / 32)
    canvas.setFillColor(_SEAL)
    canvas.roundRect(2, 2, 28, 28, 4, stroke=0, fill=1)
    canvas.setStrokeColor(HexColor("#ffffff"))
    canvas.setLineWidth(2.6)
    canvas.setLineJoin(1)
    canvas.setLineCap(2)
    canvas.lines([(8, 9, 16, 24), (16, 24, 24, 9), (16, 9, 16, 16)])
    canvas.restoreState()


def _code(canvas: Canvas, code: str) -> None:
    """Large, and once more for a scanner that types what it reads."""
    top, height = 133 * mm, 26 * mm
    canvas.setStrokeColor(_LINE)
    canvas.setLineWidth(0.8)
    canvas.roundRect(_LEFT, _HEIGHT - top - height, _RIGHT - _LEFT, height, 2 * mm)
    canvas.setFillColor(_INK)
    canvas.setFont(_CODE, 30)
    canvas.drawString(_LEFT + 8 * mm, _HEIGHT - top - height / 2 - 10, code)
    modules = [list(row) for row in segno.make(code, error="m", micro=False).matrix]
    step = 20 * mm / len(modules)
    left = _RIGHT - 24 * mm
    for row, line in enumerate(modules):
        for column, is_dark in enumerate(line):
            if is_dark:
                canvas.rect(
                    left + column * step, _HEIGHT - top - 3 * mm - (row + 1) * step, step, step, stroke=0, fill=1
                )


def _text(
    canvas: Canvas,
    text: str,
    at: float,
    size: float,
    *,
    left: float = _LEFT,
    right: float = _RIGHT,
    colour: HexColor = _INK,
    latin: str = _LATIN,
) -> float:
    """Broken into lines, the first with its base line at `at` from the upper edge; where a next one begins."""
    canvas.setFillColor(colour)
    for line in _lines(text, latin, size, right - left):
        place = left
        for font, run in _runs(line, latin):
            canvas.setFont(font, size)
            canvas.drawString(place, _HEIGHT - at, run)
            place += stringWidth(run, font, size)
        at += 1.35 * size
    return at


def _lines(text: str, latin: str, size: float, width: float) -> Iterator[str]:
    """At blanks; within a word where it is Chinese or alone too long."""

    def fits(line: str) -> bool:
        return bool(sum(stringWidth(run, font, size) for font, run in _runs(line, latin)) <= width)

    line = ""
    for word in text.split(" "):
        if line and _is_latin(word) and not fits(f"{line} {word}"):
            yield line
            line = ""
        for character in f" {word}" if line else word:
            if not fits(line + character):
                yield line
                line = ""
            line += character
    yield line


def _runs(line: str, latin: str) -> Iterator[tuple[str, str]]:
    """Each with its font: what the Latin one cannot show is left to the Chinese one."""
    for is_latin, characters in groupby(line, _is_latin):
        yield latin if is_latin else _CHINESE, "".join(characters)


def _is_latin(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
