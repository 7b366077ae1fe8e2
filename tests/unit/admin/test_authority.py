"""The room of the CA itself: its certificates and keys, who signs for it, its lists and where they went."""

from datetime import timedelta

import pytest
from cryptography import x509
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from ca.adapters.db import rows
from ca.adapters.db.rows import db
from ca.authority_operations import RunJobNow
from ca.domain.errors import InvalidTransition
from ca.operations import Health
from tests.fakes.console import console, fill
from tests.fakes.console_signer import FakeSigner


@pytest.fixture
def page(at):
    return at("admin").text("/admin/authority/")


def test_each_ca_is_told_by_its_certificate_and_key(app, page):
    with app.app_context():
        (issuing,) = db.session.scalars(select(rows.IssuerRow).where(rows.IssuerRow.name == "issuing"))
        certificate = x509.load_der_x509_certificate(issuing.certificate_der)
    assert f'title="{certificate.serial_number:x}"' in page
    assert f'title="{b"issuing-1".hex()}"' in page
    assert "CN=Demo Bank issuing" in page
    assert "http://localhost:8080/crl/issuing.crl" in page


def test_the_chain_says_who_signed_whom(page):
    assert "itself: it is the root" in page
    assert "<dd>root</dd>" in page


def test_a_helper_that_was_not_renewed_in_time_is_late(page):
    before, _bundle, after = page.partition("Bundle signer")
    assert "late" in after.split("</tr>")[0]
    assert "late" not in before.split("OCSP responder")[1]


def test_the_signer_is_asked_how_it_is(at, signer):
    at("auditor").get("/admin/authority/")
    assert Health() in signer.asked


def test_an_hsm_that_is_away_is_told(at, signer):
    signer.call = _with_health(signer.call, {"hsm": "the HSM did not answer", "database": "ok", "clock": "ok"})
    page = at("security").text("/admin/authority/")
    assert "the HSM did not answer" in page
    assert page.count("well</span>") == 2


def _with_health(call, health):
    return lambda operation: health if isinstance(operation, Health) else call(operation)


@pytest.mark.parametrize(("days", "word"), [(-1, "expired"), (10, "ends soon"), (366, "active")])
def test_a_ca_that_ends_is_told_a_year_ahead(tmp_path, days, word):
    signer = FakeSigner()
    database = tmp_path / "console.sqlite3"
    fill(database, signer)
    engine = create_engine(f"sqlite:///{database}")
    with Session(engine) as session:
        der = session.scalars(select(rows.IssuerRow.certificate_der)).first()
    engine.dispose()
    end = x509.load_der_x509_certificate(der).not_valid_after_utc
    app = console(database, signer, now=lambda: end - timedelta(days=days))
    client = app.test_client()
    client.set_cookie("vermilion_officer", signer.session_of("admin"), path="/admin", secure=True)
    page = client.get("/admin/authority/", base_url="https://localhost:8443").get_data(as_text=True)
    assert f"{word}</span></h2>" in page
    with app.app_context():
        db.engine.dispose()


def test_a_crl_says_where_it_was_published_and_when(at):
    page = at("auditor").text("/admin/crls/details/?id=issuing-1841")
    assert "<strong>directory</strong>" in page
    assert "<strong>mirror</strong>" in page
    assert "46 min" in page


def test_a_job_is_run_at_once_and_its_page_follows(at, signer):
    response = at("admin").post("/admin/jobs/sweep/run")
    assert (response.status_code, response.headers["Location"]) == (303, "/admin/jobs/details/?id=sweep")
    assert signer.commands() == [RunJobNow(session="token-of-admin", name="sweep")]


def test_who_runs_a_job_already_is_told(at, signer):
    signer.refuse["jobs/run-now"] = InvalidTransition("E4001 runs sweep just now; look at its result in a moment")
    response = at("admin").post("/admin/jobs/sweep/run")
    assert response.status_code == 409
    assert "E4001 runs sweep just now" in response.get_data(as_text=True)


def test_only_who_may_run_a_job_is_offered_the_button(at):
    assert "Run it now" in at("admin").text("/admin/jobs/details/?id=sweep")
    assert "Run it now" not in at("auditor").text("/admin/jobs/details/?id=sweep")


def test_settings_are_shown_with_where_they_come_from(at):
    page = at("auditor").text("/admin/settings/")
    for word in ("crl_<wbr>life", "86400", "environment", "unlock case"):
        assert word in page
    assert "<input" not in page.split("<main")[1]
