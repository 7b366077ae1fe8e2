"""django-ca's OCSP responder on gunicorn, in an environment of its own: its licence is not for ours.

With its cache, answers are made beforehand and kept in the process's memory, the fastest store Django has; without,
each is signed when it is asked for, which is also the only way it answers a nonce.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509

from bench.experiment import Bench, Unmeasured
from bench.load import Subject
from bench.ocsp import NONCE_OCTETS, Asking, Issuer, require_good, write_request
from bench.processes import Server, find_program, free_ports, listens, run

PACKAGES = ("django-ca==3.2.0", "gunicorn==27.0.1")
_INSTALL_SECONDS = 300.0
_COMMAND_SECONDS = 60.0
_SETTINGS = """
import os
from datetime import timedelta
from pathlib import Path
here = Path(__file__).parent
SECRET_KEY = "bench"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "peer_urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django_ca"]
MIDDLEWARE = []
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": here / "db.sqlite3"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
_FILES = "django.core.files.storage.FileSystemStorage"
STORAGES = {"default": {"BACKEND": _FILES}, "django-ca": {"BACKEND": _FILES, "OPTIONS": {"location": here / "files"}}}
CA_DEFAULT_HOSTNAME = "localhost"
CA_USE_CELERY = False
if os.environ.get("PEER_CACHED"):
    CA_OCSP_RESPONSE_CACHE_EXPIRES = timedelta(days=1)
"""
_URLS = """
from django.urls import include, path
urlpatterns = [path("", include("django_ca.urls"))]
"""
_WSGI = """
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""
# Names the certificate, its CA, and makes the answers that its periodic task would make.
_PREPARE = """
import django, os
django.setup()
from django_ca.models import Certificate
certificate = Certificate.objects.exclude(profile="ocsp").get()
if os.environ.get("PEER_CACHED"):
    certificate.generate_ocsp_response()
print(certificate.serial, certificate.ca.serial)
print(certificate.ca.pub.pem)
"""


@contextmanager
def serving(bench: Bench, directory: Path, *, cached: bool) -> Iterator[Subject]:
    """Asked by POST; without its cache, with a nonce in each request."""
    python = _python(bench)
    more = {"DJANGO_SETTINGS_MODULE": "peer_settings", "PYTHONPATH": str(directory)}
    more |= {"PEER_CACHED": "1"} if cached else {}
    serial, ca_serial, ca = _prepare(python, directory, more)
    issuer = Issuer.of(ca)
    path = f"/ocsp/{ca_serial}/cert/"
    (port,) = free_ports(1)
    argv: list[object] = [python, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", 2]
    argv += ["--worker-class", "gthread", "--threads", 8, "--log-level", "error", "peer_wsgi:application"]
    ready = directory / "gunicorn.log"
    with Server(argv, ready=lambda _said: listens(port), log=ready, cwd=directory, more=more) as server:
        request = issuer.request(serial, nonce=None if cached else bytes(NONCE_OCTETS))
        asking = Asking(port, path)
        size = require_good(asking.post(request), serial)
        asking.close()
        requests = write_request(directory / "request", request)
        script = "post.lua" if cached else "nonce.lua"
        yield Subject("django-ca", f"http://127.0.0.1:{port}{path}", server.pid, size, script, requests)


def _python(bench: Bench) -> Path:
    """The interpreter of its environment, which is made once."""
    place = bench.cache / "django-ca"
    python, stamp = place / "bin" / "python", place / "stamp"
    wanted = "\n".join(PACKAGES)
    if not (stamp.exists() and stamp.read_text("ascii") == wanted):
        bench.say(f"Installing {PACKAGES[0]} into an environment of its own (once)")
        run([sys.executable, "-m", "venv", "--clear", place], timeout=_INSTALL_SECONDS)
        install = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", "install", *PACKAGES]
        run(install, timeout=_INSTALL_SECONDS)
        stamp.write_text(wanted, "ascii")
    return python


def _prepare(python: Path, directory: Path, more: dict[str, str]) -> tuple[int, str, x509.Certificate]:
    for name, text in (("peer_settings", _SETTINGS), ("peer_urls", _URLS), ("peer_wsgi", _WSGI), ("prepare", _PREPARE)):
        (directory / f"{name}.py").write_text(text, "utf-8")
    key, request = directory / "subject.key", directory / "subject.csr"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run(
        [find_program("openssl", "openssl"), "req", *curve, "-keyout", key, "-out", request, "-subj", "/CN=peer"],
        timeout=_COMMAND_SECONDS,
    )
    # Its own command fails to make a root while the cache is on: the root has no answer to make beforehand.
    uncached = {name: value for name, value in more.items() if name != "PEER_CACHED"}
    for command in (
        ("migrate", "--verbosity=0"),
        ("init_ca", "--key-type=EC", "peer", "CN=peer CA"),
        ("sign_cert", f"--csr={request}", "--subject=CN=peer", "--output-format=none"),
    ):
        run([python, "-m", "django", *command], timeout=_COMMAND_SECONDS, cwd=directory, **uncached)
    told = run([python, "prepare.py"], timeout=_COMMAND_SECONDS, cwd=directory, **more)
    line, _, pem = told.partition("\n")
    serial, _, ca_serial = line.partition(" ")
    try:
        return int(serial, 16), ca_serial.strip(), x509.load_pem_x509_certificate(pem.strip().encode("ascii"))
    except ValueError as error:
        raise Unmeasured(f"django-ca said {line[:80]!r}") from error
