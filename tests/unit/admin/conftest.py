"""The console over an SQLite file and a signer played by a fake."""

import re
from functools import cache

import pytest

from ca.adapters.db.rows import db
from tests.fakes.console import console, fill
from tests.fakes.console_signer import FakeSigner


@pytest.fixture(scope="session")
def one_console(tmp_path_factory):
    """One app for all tests: it keeps nothing, and the database cannot be written through it."""
    database = tmp_path_factory.mktemp("console") / "console.sqlite3"
    signer = FakeSigner()
    fill(database, signer)
    app = console(database, signer)
    yield app, signer.cases
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def signer(one_console):
    app, cases = one_console
    signer = FakeSigner(cases=dict(cases))
    app.extensions["vermilion_signer"] = signer
    return signer


@pytest.fixture
def app(one_console, signer):
    return one_console[0]


FORMS_COOKIE = "vermilion_console"


class Visitor:
    """A browser at the console: keeps cookies, sends the CSRF token that the page gave it."""

    base = "https://localhost:8443"

    def __init__(self, app, signer):
        self.app = app
        self.signer = signer
        self.client = app.test_client()

    def sign_in(self, name):
        self.client.set_cookie("vermilion_officer", self.signer.session_of(name), path="/admin", secure=True)
        return self

    def get(self, path, **options):
        return self.client.get(path, base_url=self.base, buffered=True, **options)

    def text(self, path):
        return self.get(path).get_data(as_text=True)

    def token(self):
        return re.search(r'name="csrf_token" value="([^"]+)"', self.text("/admin/sign-in"))[1]

    def bare_post(self, path, form=None, **options):
        """Without the CSRF token."""
        return self.client.post(path, data=form or {}, base_url=self.base, buffered=True, **options)

    def post(self, path, form=None, **options):
        if self.client.get_cookie(FORMS_COOKIE, path="/admin") is None:
            cookie, token = a_form(self.app)
            self.client.set_cookie(FORMS_COOKIE, cookie, path="/admin", secure=True)
        else:
            token = self.token()
        return self.bare_post(path, {"csrf_token": token, **(form or {})}, **options)


@cache
def a_form(app):
    """A cookie and the CSRF token that goes with it: any browser's that has opened one page."""
    visitor = Visitor(app, None)
    token = visitor.token()
    return visitor.client.get_cookie(FORMS_COOKIE, path="/admin").value, token


@pytest.fixture
def visitor(app, signer):
    return Visitor(app, signer)


@pytest.fixture
def at(app, signer):
    """A browser where an officer is signed in."""
    return lambda name: Visitor(app, signer).sign_in(name)
