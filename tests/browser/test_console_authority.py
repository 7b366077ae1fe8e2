"""The pages of the CA itself in a real browser: a profile changed by two, a job run, and all of it readable by axe."""

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import expect

from ca.domain.proposals import ProposalState
from ca.domain.tool_cases import ToolState
from tests.browser.accessibility import require_accessible
from tests.browser.computer import picture
from tests.browser.test_console import WHOLE, address, signer, tab  # noqa: F401  fixtures
from tests.fakes.console_authority import CASE, PACKAGE, VERSION
from tests.fakes.console_policy import POLICY_VERSION

pytestmark = [pytest.mark.browser, pytest.mark.socket]

ROOMS = (
    "",
    "authority/",
    "crls/",
    "crls/details/?id=issuing-1841",
    "jobs/",
    "jobs/details/?id=sweep",
    "settings/",
    "software/",
    "software/case-1",
    "profiles/",
    "profiles/machine",
    "profiles/root-ca",
    "profiles/tls-server/propose",
    "profile-versions/version-1",
    "policy/propose",
    "policy-versions/policy-2",
)


@pytest.fixture
def administrator(tab, address, signer):  # noqa: F811
    """The second CA administrator, signed in with a passkey."""
    signer.invitations["invitation-4"] = {
        "person": "E-second-admin", "name": "Ben Qiu", "branch": "Head office", "roles": ["ca-administrator"],
        "code": WHOLE, "state": "open", "officer": "second-admin",
    }  # fmt: skip
    tab.goto(f"{address}/admin/invitation/invitation-4#{WHOLE}")
    tab.get_by_role("button", name="Make my passkey").click()
    tab.get_by_role("button", name="Sign in with your passkey").click()
    expect(tab.get_by_role("heading", name="Work", exact=True)).to_be_visible()
    return tab


def test_a_second_administrator_approves_a_version_with_the_passkey(administrator, signer):  # noqa: F811
    administrator.get_by_role("link", name="machine").click()
    expect(administrator.locator(".compare")).to_contain_text("397d")
    administrator.get_by_role("button", name="Approve and seal with passkey").click()

    expect(administrator.locator(".head")).to_contain_text("approved")
    assert signer.versions[VERSION.id].state is ProposalState.APPROVED


def test_a_version_is_proposed_from_the_text_of_the_last_one(administrator, address, signer):  # noqa: F811
    administrator.goto(f"{address}/admin/profiles/tls-server")
    administrator.get_by_role("link", name="Propose a new version…").click()
    text = administrator.get_by_label("The profile")
    text.fill(text.input_value().replace('"397d"', '"199d"'))
    administrator.get_by_label("Reason").fill("the forum asks for it")
    administrator.get_by_role("button", name="Propose this version").click()

    expect(administrator.locator(".compare")).to_contain_text("199d")
    assert signer.versions["version-2"].maker_person == "E-second-admin"


def test_the_policy_is_proposed_by_one_and_approved_by_another_with_the_passkey(administrator, address, signer):  # noqa: F811
    administrator.goto(f"{address}/admin/settings/")
    picture(administrator, "policy")
    administrator.get_by_role("link", name="A new version waits for approval.").click()
    expect(administrator.locator(".compare")).to_contain_text("10 min")
    picture(administrator, "policy-version")
    administrator.get_by_role("button", name="Approve and seal with passkey").click()
    expect(administrator.locator(".head")).to_contain_text("approved")
    assert signer.policies[POLICY_VERSION.id].state is ProposalState.APPROVED

    administrator.goto(f"{address}/admin/settings/")
    administrator.get_by_role("link", name="Propose other numbers…").click()
    picture(administrator, "policy-propose")
    administrator.get_by_label("A hold lasts at most").fill("14d")
    administrator.get_by_label("Reason").fill("holds that nobody looks after")
    administrator.get_by_role("button", name="Propose this version").click()
    expect(administrator.locator(".compare")).to_contain_text("14 days")
    assert signer.policies["policy-3"].maker_person == "E-second-admin"


def test_a_job_is_run_from_its_page(administrator, address, signer):  # noqa: F811
    administrator.goto(f"{address}/admin/jobs/details/?id=sweep")
    administrator.get_by_role("button", name="Run it now").click()
    expect(administrator.get_by_role("heading", level=1)).to_have_text("sweep")
    assert "jobs/run-now" in [asked.path for asked in signer.asked]


@pytest.mark.campaign
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_every_page_is_accessible_and_none_scrolls_sideways(administrator, address, signer, width, scheme):  # noqa: F811
    with closing(sqlite3.connect(signer.database)) as connection, connection:
        connection.execute("UPDATE job_runs SET result = ?", ["w" * 200])
    administrator.set_viewport_size({"width": width, "height": 800})
    administrator.emulate_media(color_scheme=scheme)

    wide = []
    for path in ROOMS:
        administrator.goto(f"{address}/admin/{path}")
        require_accessible(administrator)
        wide += [path] * (administrator.evaluate("document.documentElement.scrollWidth") > width)
        picture(administrator, f"{width}-{scheme}-{path.replace('/', '_') or 'work'}")

    assert wide == []


def test_a_release_of_the_tool_is_approved_with_the_passkey_and_a_package_compared(administrator, address, signer):  # noqa: F811
    administrator.goto(f"{address}/admin/software/")
    administrator.get_by_label("Package").set_input_files(
        {"name": "ushield.pyz", "mimeType": "application/zip", "buffer": PACKAGE}
    )
    administrator.get_by_role("button", name="Compare it").click()
    expect(administrator.get_by_text("ushield.pyz as packed from what is installed")).to_be_visible()
    picture(administrator, "software-compared")

    administrator.get_by_role("link", name="Its release waits for approval.").click()
    administrator.get_by_role("button", name="Approve and seal with passkey").click()

    expect(administrator.locator(".head")).to_contain_text("approved")
    assert signer.releases[CASE.id].state is ToolState.APPROVED
