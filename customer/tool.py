"""Download Software Tool: what the signed release names, and nothing that is not octet for octet what it names (T-42).

The release is verified, and the file hashed, each time one is served: whoever changes a file on the disk is found out
before a customer is.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, Response, render_template
from werkzeug.exceptions import NotFound, ServiceUnavailable

from ca.domain.errors import InvalidRequest
from ca.domain.jws import verified
from ca.domain.tool_releases import KIND, ToolRelease
from customer.services import services

views = Blueprint("tool", __name__, url_prefix="/tool")

_MANIFEST, _HASHES = "release.jws", "SHA256SUMS"
_AWAY = "The tool is not offered at this moment: what lies here is not what the bank signed. Try again in a minute."
_TYPES = {".pyz": "application/zip", ".zip": "application/zip"}


@dataclass(frozen=True, slots=True)
class _Shown:
    """A file on the page."""

    name: str
    sha256: str
    kib: int


@views.get("/")
def page() -> str:
    """What to install, in which order."""
    try:
        release = _release()[0]
    except ServiceUnavailable:
        release = None
    files = (
        [] if release is None else [_Shown(name, of.sha256, of.length // 1024) for name, of in release.files.items()]
    )
    return render_template(
        "customer/tool.html",
        organization=services().organization,
        server=services().enrolment_url,
        release=release,
        files={file.name: file for file in files},
    )


@views.get("/<name>")
def download(name: str) -> Response:
    """A file that the release names, the release itself, or its hashes as `sha256sum -c` reads them."""
    release, manifest = _release()
    if name == _MANIFEST:
        return _sent(name, manifest.encode("ascii"), "application/jose")
    if name == _HASHES:
        lines = "".join(f"{of.sha256}  {file}\n" for file, of in sorted(release.files.items()))
        return _sent(name, lines.encode("ascii"), "text/plain")
    # The name is looked up and never joined to a path before it is known (T-41).
    wanted = release.files.get(name)
    if wanted is None:
        raise NotFound
    try:
        content = (services().tool.directory / name).read_bytes()
    except OSError as error:
        raise ServiceUnavailable(_AWAY) from error
    if not wanted.is_of(content):
        raise ServiceUnavailable(_AWAY)
    return _sent(name, content, _TYPES.get(name[name.rfind(".") :], "application/octet-stream"))


def _release() -> tuple[ToolRelease, str]:
    """What is offered now, with its signed form. Raises ServiceUnavailable unless it is the bank's and not over."""
    try:
        manifest = (services().tool.directory / _MANIFEST).read_text("ascii")
        key = services().tool.release_key_path.read_bytes()
        release = ToolRelease.parse(verified(KIND, manifest, key))
    except (OSError, ValueError, InvalidRequest) as error:
        raise ServiceUnavailable(_AWAY) from error
    if datetime.now(UTC) > release.expires_at:
        raise ServiceUnavailable(_AWAY)
    return release, manifest


def _sent(name: str, content: bytes, kind: str) -> Response:
    response = Response(content, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-cache"
    return response
