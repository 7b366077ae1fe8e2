"""A branch's day with its U-Shields, in a real browser and through the signer's real use cases: received, sent,
counted, destroyed, and nothing of it by one officer alone."""

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import require_accessible
from tests.browser.chromium import chromium, new_tab
from tests.browser.computer import picture
from tests.browser.served_console import served
from tests.fakes.console import fill
from tests.fakes.console_signer import FakeSigner

pytestmark = [pytest.mark.browser, pytest.mark.socket]

PAGES = (
    "stock/",
    "stock/receive",
    "stock/send",
    "stock/destroy",
    "stock/count",
    "stock/alarms",
    "stock/alarms?state=settled",
    "stock/factory-passwords",
    "stock/consignments/consignment-1",
    "stock/consignments/consignment-2",
    "stock/balances/balance-1",
    "stock/u-shields/US-2026-000123/return",
    "u-shields/details/?id=US-2026-000123",
    "u-shields/details/?id=US-2026-000202",
    "unlock-cases/",
)


class Branch:
    """One browser, in which one officer after the other signs in."""

    def __init__(self, tab, address, signer):
        self.tab, self.address, self.signer = tab, address, signer

    def at(self, name, path):
        cookie = {"name": "vermilion_officer", "value": self.signer.session_of(name), "secure": True}
        self.tab.context.add_cookies([{**cookie, "domain": "localhost", "path": "/admin"}])
        self.tab.goto(f"{self.address}/admin/{path}")
        return self.tab

    def held(self, where):
        return self.tab.locator("tr", has_text=where).locator("strong")


@pytest.fixture
def branch(tmp_path):
    signer = FakeSigner(database=tmp_path / "console.sqlite3")
    fill(signer.database, signer)
    with served(signer) as address, chromium() as browser:
        yield Branch(new_tab(browser), address, signer)


def test_a_delivery_is_received_sent_counted_and_some_of_it_destroyed_by_two_officers(branch):
    tab = branch.at("maker", "stock/receive")
    tab.get_by_label("Model").fill("U-Shield 3")
    tab.get_by_label("Serial numbers").fill("US-9001\nUS-2026-000999\nUS-9001\n")
    tab.get_by_role("button", name="Check and receive all").click()
    expect(tab.get_by_role("alert")).to_contain_text("Nothing was received: 2 rows do not stand.")
    expect(tab.get_by_text("registered at another branch: an alarm was raised")).to_be_visible()
    picture(tab, "console-stock-1-wrong-rows")
    tab.get_by_label("Serial numbers").fill("US-9001\nUS-9002\nUS-9003\n")
    tab.get_by_role("button", name="Check and receive all").click()
    expect(branch.held("vault")).to_have_text("4")
    expect(tab.get_by_text("5 alarms are open.")).to_be_visible()
    picture(tab, "console-stock-2-received")

    tab.get_by_role("link", name="Send to a branch…").click()
    tab.get_by_label("Serial numbers").fill("US-9001\nUS-9002")
    tab.get_by_label("To the stock of branch").fill("Pudong")
    tab.get_by_label("Reason").fill("for the counter")
    tab.get_by_role("button", name="Send them").click()
    expect(tab.get_by_text("You sent it: a supervisor, another person, must confirm it.")).to_be_visible()
    page = tab.url.removeprefix(f"{branch.address}/admin/")
    branch.at("supervisor", page).get_by_role("button", name="Confirm that all arrived").click()
    expect(tab.locator(".head .badge")).to_have_text("confirmed")
    picture(tab, "console-stock-3-arrived")

    tab = branch.at("maker", "stock/count")
    for label, number in (("In the vault", "1"), ("In the branch's stock", "3"), ("With officers", "1")):
        tab.get_by_label(label).fill(number)
    tab.get_by_label("Returned, waiting for destruction").fill("0")
    tab.get_by_role("button", name="This is what I counted").click()
    expect(tab.get_by_text("The count is not what is expected.")).to_be_visible()
    page = tab.url.removeprefix(f"{branch.address}/admin/")
    branch.at("supervisor", page).get_by_role("button", name="Confirm this balance").click()
    picture(tab, "console-stock-4-balance")
    tab.goto(f"{branch.address}/admin/stock/alarms")
    expect(tab.get_by_text("vault -1").first).to_be_visible()

    tab = branch.at("maker", "stock/destroy")
    tab.get_by_label("Serial numbers").fill("US-9003")
    tab.get_by_label("Reason").fill("its case is broken")
    picture(tab, "console-stock-5-destroy")
    tab.get_by_role("button", name="Set them aside for destruction").click()
    page = tab.url.removeprefix(f"{branch.address}/admin/")
    branch.at("supervisor", page).get_by_role("button", name="Confirm that all were destroyed").click()
    tab.get_by_role("link", name="US-9003").click()
    expect(tab.locator(".standing").first).to_contain_text("destroyed")
    picture(tab, "console-stock-6-ledger")


@pytest.mark.campaign
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_every_page_of_the_stock_is_accessible_and_none_scrolls_sideways(branch, width, scheme):
    branch.tab.set_viewport_size({"width": width, "height": 800})
    branch.tab.emulate_media(color_scheme=scheme)

    wide = []
    for path in PAGES:
        tab = branch.at("supervisor", path)
        require_accessible(tab)
        picture(tab, f"stock-{width}-" + path.replace("/", "-").replace("?", "-"))
        wide += [path] * (tab.evaluate("document.documentElement.scrollWidth") > width)

    assert wide == []
