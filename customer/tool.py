"""Download Software Tool: the tool and the extension as this bank packed them, with their hashes."""

from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, render_template, send_from_directory
from werkzeug.exceptions import NotFound

from customer.services import services

views = Blueprint("tool", __name__, url_prefix="/tool")

_HASHES = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Offered:
    """A file to be downloaded."""

    name: str
    sha256: str
    kib: int


def offered() -> list[Offered]:
    """What is there, as its list of hashes says."""
    directory = services().tool_directory
    try:
        lines = (directory / _HASHES).read_text("ascii").splitlines()
        pairs = [line.split("  ", 1) for line in lines]
        return [Offered(name, sha256, _kib(directory / name)) for sha256, name in pairs]
    except (OSError, ValueError):
        return []


def _kib(path: Path) -> int:
    return max(1, path.stat().st_size // 1024)


@views.get("/")
def page() -> str:
    """What to install, in which order."""
    return render_template(
        "customer/tool.html",
        organization=services().organization,
        server=services().enrolment_url,
        files={file.name: file for file in offered()},
    )


@views.get("/<name>")
def download(name: str) -> Response:
    """One of the files that are listed, and nothing else that may lie there (T-41)."""
    if name not in {_HASHES, *(file.name for file in offered())}:
        raise NotFound
    response = send_from_directory(services().tool_directory, name, as_attachment=True, etag=True)
    response.headers["Cache-Control"] = "no-cache"
    return response
