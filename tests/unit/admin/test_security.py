"""Headers, cookies, limits, isolation of branches, hostile text (THREATS 38 to 50; T-16, T-18, T-21)."""

import re

import pytest
from flask.sessions import URLSafeTimedSerializer
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from admin.edge import TrustTheEdge
from ca.adapters.db.rows import db
from ca.domain.errors import NotAuthenticated, PKIError
from tests.fakes.console import ACTIVE, ELSEWHERE, console, fill
from tests.fakes.console_signer import HOSTILE, NOW, OFFICERS

PAGES = [
    "/admin/", "/admin/applications/", "/admin/applications/details/?id=application-hostile", "/admin/certificates/",
    "/admin/customers/", "/admin/customers/details/?id=customer-2", "/admin/customers/customer-2/apply",
    "/admin/cases/application-hostile", "/admin/customers/?search=%3Cscript%3Ealert(1)%3C/script%3E",
]  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/admin/sign-in", "/admin/", "/admin/static/console.js", "/admin/nothing", "/elsewhere", "/admin/health"]
)
def test_every_answer_carries_the_strict_headers(visitor, path):
    headers = visitor.get(path).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_pages_are_never_stored(at):
    assert at("approver").get("/admin/").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("demo", [True, False])
def test_https_is_promised_where_no_port_of_the_host_speaks_http(tmp_path, signer, demo):
    database = tmp_path / "console.sqlite3"
    fill(database, signer)
    app = console(database, signer, demo=demo)

    headers = app.test_client().get("/admin/sign-in", base_url="https://localhost:8443").headers

    assert headers.get("Strict-Transport-Security") == (None if demo else "max-age=31536000")
    with app.app_context():
        db.engine.dispose()


def test_plain_http_promises_no_https(visitor):
    response = visitor.client.get("/admin/sign-in", base_url="http://localhost:8081")

    assert "Strict-Transport-Security" not in response.headers


@pytest.mark.parametrize("path", [*PAGES, "/admin/sign-in", "/admin/invitation/x", "/admin/audit/details/?id=1"])
@pytest.mark.parametrize("officer", ["both", "auditor", "security"])
def test_no_page_has_inline_script_or_style(at, path, officer):
    page = at(officer).text(path)

    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"<style|\sstyle=", page)
    assert not re.search(r"<[^>]*\son[a-z]+=", re.sub(r'"[^"]*"', "", page))
    assert "javascript:" not in page


@pytest.mark.parametrize("path", PAGES)
def test_a_hostile_name_stays_text(at, path):
    page = at("both").text(path)

    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_a_hostile_name_is_shown_as_it_is(at):
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in at("both").text("/admin/customers/")
    assert HOSTILE not in at("both").text("/admin/customers/")


@pytest.mark.parametrize(
    "path",
    [
        "/admin/applications/details/?id=application-xuhui",
        f"/admin/certificates/details/?id={ELSEWHERE}",
        "/admin/customers/details/?id=customer-3",
        "/admin/customers/customer-3/apply",
        "/admin/u-shields/details/?id=US-2026-000999",
        "/admin/cases/application-xuhui",
        f"/admin/certificates/{ELSEWHERE}/hold",
        f"/admin/certificates/{ELSEWHERE}/revoke",
    ],
)
def test_another_branch_does_not_exist(at, path):
    response = at("both").get(path)

    assert response.status_code == 404
    assert "Xu Only" not in response.get_data(as_text=True)


@pytest.mark.parametrize(
    "path",
    [
        "/admin/", "/admin/applications/", "/admin/certificates/", "/admin/customers/", "/admin/u-shields/",
        "/admin/customers/?search=Xu", "/admin/certificates/?search=Xu&state=active",
        "/admin/applications/?sort=3&desc=1",
        "/admin/customers/?flt0_0=Xuhui&flt1_branch_equals=Xuhui",
    ],
)  # fmt: skip
def test_lists_leave_other_branches_out(at, path):
    page = at("both").text(path)

    assert "Xu Only" not in page
    assert "US-2026-000999" not in page


def test_an_auditor_sees_every_branch(at):
    page = at("auditor").text("/admin/customers/")

    assert "Xu Only" in page
    assert "Zhang Wei" in page


def test_a_command_on_another_branch_never_reaches_the_signer(at, signer):
    at("both").post(f"/admin/certificates/{ELSEWHERE}/revoke", {"reason": "keyCompromise"})

    assert signer.commands() == []


def test_the_hotline_finds_certificates_of_every_branch(at):
    page = at("hotline").text("/admin/certificates/")

    assert "Xu Only" in page
    assert "Zhang Wei" in page


def test_wildcards_in_a_search_are_letters(at):
    assert "Zhang Wei" not in at("both").text("/admin/customers/?search=%25")
    assert "Zhang Wei" not in at("both").text("/admin/customers/?search=Zhang_Wei")


@pytest.mark.parametrize(
    "query",
    [
        "page=-1", "page=99999999999999999999999", "page=x", "sort=99", "sort=-5", "sort=x", "desc=7",
        "page_size=1000000",
        "search=%00", "search=%27%20OR%201=1--", "state=nothing", "flt0_0=x", "flt=&flt9999_zz=1",
    ],
)  # fmt: skip
def test_odd_queries_do_not_break_a_list(at, query):
    assert at("both").get(f"/admin/customers/?{query}").status_code == 200


@pytest.mark.parametrize("identity", ["", "%00", "-1", "x" * 5000, "1%20OR%201=1", "99999999999999999999"])
@pytest.mark.parametrize("room", ["audit", "crls", "officers", "certificates", "jobs"])
def test_odd_identities_are_not_found(at, room, identity):
    assert at("auditor").get(f"/admin/{room}/details/?id={identity}").status_code in (302, 404)


@pytest.mark.parametrize("form", ["AAA:A" * 7 + "A" * 3, "0x" + ACTIVE, ACTIVE.upper(), "00" + ACTIVE])
def test_a_serial_is_found_however_it_is_written(at, form):
    if ":" in form:
        form = ":".join(ACTIVE[i : i + 2] for i in range(0, 30, 2)) + ACTIVE[30:]

    assert at("both").get(f"/admin/certificates/details/?id={form}").status_code == 200


def test_the_session_cookie_is_out_of_reach(at, signer):
    response = at("approver").post("/admin/sign-out")

    cookie = next(value for value in response.headers.getlist("Set-Cookie") if value.startswith("vermilion_officer="))
    assert "HttpOnly" in cookie
    assert "Secure" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/admin" in cookie
    assert "token-of-approver" not in signer.sessions


def test_a_role_taken_away_is_gone_at_the_next_click(at, signer):
    visitor = at("approver")
    assert visitor.get("/admin/cases/application-1").status_code == 200

    signer.officers["approver"] = OFFICERS["approver"] | {"roles": ["hotline"]}

    assert visitor.get("/admin/cases/application-1").status_code == 403


def test_a_session_that_is_over_leads_to_the_sign_in_page(at, signer):
    visitor = at("approver")
    signer.sessions.clear()

    response = visitor.get("/admin/certificates/?state=active")

    assert response.headers["Location"] == "/admin/sign-in?next=/admin/certificates/?state%3Dactive"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/admin//evil", "/admin/\\evil", "/portal"]
)
def test_signing_in_never_leads_elsewhere(app, target):
    from admin.gate import safe_next

    with app.test_request_context("/admin/sign-in", base_url="https://localhost:8443"):
        assert safe_next(target) == "/admin/"


def test_signing_in_leads_back_to_where_one_was(app):
    from admin.gate import safe_next

    with app.test_request_context("/admin/sign-in", base_url="https://localhost:8443"):
        assert safe_next("/admin/cases/1") == "/admin/cases/1"


def test_a_foreign_host_name_is_refused(visitor):
    assert visitor.client.get("/admin/sign-in", base_url="https://evil.example").status_code == 400


def test_a_body_that_is_too_large_is_refused(at):
    assert at("maker").post("/admin/customers/register", {"name": "x" * 70_000}).status_code in (400, 413)


def test_the_console_cannot_write_the_database(app):
    with app.app_context(), pytest.raises((SQLAlchemyError, PKIError)):
        db.session.execute(text("UPDATE officers SET roles = 'security-officer'"))


@pytest.mark.parametrize("address", ["", "203.0.113.9"])
def test_forwarded_headers_count_on_the_unix_socket_only(address):
    seen = {}
    edge = TrustTheEdge(lambda environ, _start: seen.update(environ) or [])

    edge(
        {
            "REMOTE_ADDR": address, "wsgi.url_scheme": "http", "HTTP_X_FORWARDED_PROTO": "https",
            "HTTP_X_FORWARDED_FOR": "6.6.6.6, 192.0.2.7", "HTTP_X_FORWARDED_HOST": "evil.example",
        },
        None,
    )  # fmt: skip

    assert seen["wsgi.url_scheme"] == ("http" if address else "https")
    assert seen["REMOTE_ADDR"] == (address or "192.0.2.7")
    assert not [name for name in seen if "FORWARDED" in name]


def test_secrets_stay_off_the_pages(at):
    page = at("auditor").text("/admin/officers/details/?id=maker") + at("auditor").text(
        "/admin/invitations/details/?id=invitation-1"
    )

    assert "Seal" not in page
    assert "Code mac" not in page


def test_the_session_token_stands_on_no_page(at):
    assert "token-of-approver" not in at("approver").text("/admin/cases/application-1")


def test_a_refused_session_says_so_on_a_command(at, signer):
    visitor = at("approver")
    signer.refuse["who-am-i"] = NotAuthenticated("your session is over; sign in again")

    response = visitor.post("/admin/sign-out")

    assert response.status_code == 401
    assert "Your session is over; sign in again." in response.get_data(as_text=True)


def test_the_home_page_names_what_failed_and_counts_the_rest(at):
    page = at("approver").text("/admin/")

    assert "sweep: the HSM does not come back" in page
    assert "1 of 2 jobs went well" in page


def test_ages_are_told_from_the_clock_that_was_given(at):
    assert NOW.year == 2026
    assert "14 min old" in at("approver").text("/admin/")


class _EarlierSigner(URLSafeTimedSerializer.default_signer):
    def get_timestamp(self):
        return super().get_timestamp() - 24 * 3600


def _csrf_token(app, visitor, *, signer=_EarlierSigner):
    visitor.get("/admin/sign-in")
    with visitor.client.session_transaction("/admin/sign-in", base_url=visitor.base) as session:
        secret = session["csrf_token"]
    return URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token", signer=signer).dumps(secret)


def test_a_form_may_stay_open_for_long(app, at, signer):
    visitor = at("approver")
    form = {"csrf_token": _csrf_token(app, visitor), "reason": "wrong document"}

    assert visitor.bare_post("/admin/cases/application-1/reject", form).status_code == 303


def test_a_token_of_another_session_is_refused_in_a_sentence(app, at, visitor):
    token = _csrf_token(app, visitor)

    refused = at("approver").bare_post("/admin/cases/application-1/reject", {"csrf_token": token, "reason": "r"})

    assert refused.status_code == 400
    assert "reload the page" in refused.get_data(as_text=True)
    assert "CSRF" not in refused.get_data(as_text=True)
