"""The operator console: one Flask app, built from what it is given; it never writes the database.

Rows are read through an engine that cannot write; every command goes to the signer with the officer's session.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from flask import Flask, g
from flask_admin import Admin
from flask_admin.theme import Theme

from admin.edge import TrustTheEdge
from admin.errors import translate_errors
from admin.formats import register, utc_now
from admin.gate import guard
from admin.language import speak
from admin.security import secure
from admin.signer import Signer
from admin.views import (
    batches,
    bindings,
    cases,
    certificate_door,
    changes,
    dossiers,
    files,
    invitation,
    job_runs,
    my_access,
    officer_changes,
    people,
    policy,
    profiles,
    recovery,
    registration,
    reports,
    revocations,
    search,
    sessions,
    settings,
    sign_in,
    software,
    stock,
    unlocks,
)
from admin.views.authority import AuthorityView
from admin.views.expiring import ExpiringView
from admin.views.latency import LatencyView
from admin.views.rooms import VIEWS
from admin.views.work import WorkView
from ca.adapters.db.engine import read_only_settings, set_up
from ca.adapters.db.rows import db
from ca.throttle import Throttle

PROFILES = (
    "personal-signing",
    "corporate-operator",
    "machine",
    "tls-server",
    "officer",
    "company-administrator",
    "company-operator",
)
"""Those that branches apply for, in the order they are offered."""


def create_app(  # noqa: PLR0913 - everything it needs is given, by name
    *,
    signer: Signer,
    database_url: str,
    secret_key: bytes,
    relying_party: str,
    origins: tuple[str, ...],
    demo: bool,
    organization: str,
    enrolment_url: str,
    root_fingerprint: str,
    profiles: Sequence[str] = PROFILES,
    now: Callable[[], datetime] = utc_now,
    throttle: Throttle | None = None,
    certificates: bool = False,
) -> Flask:
    """The console, to be served under /admin/ by any WSGI server. `root_fingerprint` is in hexadecimal digits.

    `certificates`: officers may sign in with a TLS client certificate, too (docs/adr/0041).
    """
    app = Flask(__name__, static_url_path="/admin/static")
    app.url_map.redirect_defaults = False
    app.extensions |= {
        "vermilion_signer": signer,
        "vermilion_throttle": throttle or Throttle(),
        "vermilion_origins": origins,
        "vermilion_profiles": tuple(profiles),
        "vermilion_now": now,
        "vermilion_organization": organization,
        "vermilion_certificates": certificates,
        "vermilion_enrolment_url": enrolment_url.rstrip("/"),
    }
    secure(app, secret_key, origins, shares_host=demo)
    speak(app)
    translate_errors(app)
    guard(app)
    _open_database(app, database_url)
    _add_rooms(app, organization)
    register(app, now)
    fixed = {
        "organization": organization,
        "demo": demo,
        "relying_party": relying_party,
        "enrolment_url": enrolment_url.rstrip("/"),
        "root_fingerprint": root_fingerprint,
        "certificate_door": certificates,
    }

    @app.context_processor
    def _context() -> dict[str, Any]:
        return {**fixed, "officer": g.get("officer")}

    app.wsgi_app = TrustTheEdge(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way to wrap it
    return app


def _open_database(app: Flask, database_url: str) -> None:
    app.config.update(read_only_settings(database_url))
    db.init_app(app)
    with app.app_context():
        set_up(db.engine, read_only=True)


def _add_rooms(app: Flask, organization: str) -> None:
    theme = Theme(folder="bootstrap4", base_template="console/base.html")
    console = Admin(app, name=organization, url="/admin", index_view=WorkView(), theme=theme)
    rooms = {endpoint: view(rows, endpoint, path) for view, rows, endpoint, path in VIEWS}
    for room in rooms.values():
        console.add_view(room)
    app.extensions["vermilion_rooms"] = rooms
    console.add_view(AuthorityView())
    console.add_view(LatencyView())
    console.add_view(ExpiringView())
    console.add_view(reports.ReportsView())
    at_the_door = sign_in, certificate_door, invitation, recovery
    of_officers = my_access, people, officer_changes, bindings, sessions
    of_the_branch = registration, cases, batches, changes, revocations, files, unlocks, stock, search
    of_oversight = job_runs, profiles, policy, settings, software, reports, dossiers
    for subject in (*at_the_door, *of_officers, *of_the_branch, *of_oversight):
        app.register_blueprint(subject.views)
