"""The reports in a real browser: they can be read on a telephone and in the dark, and by those who cannot see bars."""

import os
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.browser.accessibility import require_accessible
from tests.browser.test_console import address, signer, tab  # noqa: F401 - fixtures
from tests.fakes.console import a_certificate
from tests.fakes.console_signer import NOW

pytestmark = [pytest.mark.browser, pytest.mark.socket]

PATHS = (
    "reports/",
    "reports/branches",
    "reports/reconciliation",
    "reports/dual-control",
    "reports/codes",
    "reports/activity",
    "reports/access",
    "expiring/?days=90",
    "latency/?days=30",
)


@pytest.fixture
def busy(signer):  # noqa: F811 - the fixture
    """Four weeks in which the branches issued certificates."""
    engine = create_engine(f"sqlite:///{signer.database}")
    with Session(engine) as session:
        for number in range(90):
            issued = NOW - timedelta(days=(number * number) % 28, hours=1)
            branch = ("Pudong", "Xuhui", "Minhang")[number % 3]
            session.add(a_certificate(f"9{number:031x}", "Zhang Wei", branch, "active", issued_at=issued))
        session.commit()
    engine.dispose()
    return signer


@pytest.mark.campaign
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_every_report_is_accessible_and_none_scrolls_sideways(tab, address, busy, width, scheme):  # noqa: F811
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme=scheme)
    session = {"name": "vermilion_officer", "value": busy.session_of("auditor"), "domain": "localhost"}
    tab.context.add_cookies([{**session, "path": "/admin", "secure": True, "sameSite": "Strict"}])

    wide = []
    for path in PATHS:
        tab.goto(f"{address}/admin/{path}")
        expect(tab.get_by_role("heading", level=1)).to_be_visible()
        require_accessible(tab)
        wide += [path] * (tab.evaluate("document.documentElement.scrollWidth") > width)
        if directory := os.environ.get("SCREENSHOTS"):
            name = path.split("?")[0].strip("/").replace("/", "-")
            tab.screenshot(path=f"{directory}/{name}-{width}-{scheme}.png", full_page=True)

    assert wide == []
    tab.goto(f"{address}/admin/reports/branches")
    expect(tab.get_by_role("img", name="Issued: ")).to_be_visible()
