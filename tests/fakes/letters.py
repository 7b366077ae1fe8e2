"""The sealed letter that a page of the console carries as a link, read as a PDF reader does."""

import base64
import re


def letter_in(page: str) -> bytes:
    """The PDF."""
    ((sheet,)) = re.findall(r'href="data:application/pdf;base64,([^"]+)"', page)
    return base64.b64decode(sheet)


def code_in(pdf: bytes) -> str:
    """The one code that is drawn in it."""
    ((code,)) = re.findall(rb"\(([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})\) Tj", pdf)
    return code.decode("ascii")
