"""A day at a branch on the running system: two officers with passkeys, a customer's U-Shield, and a revocation.

Nothing is faked: the console, the signer with SoftHSM, the customer's tool and openssl as the relying party. Set
SCREENSHOTS to a directory to keep a picture of each page.
"""

import os
import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import chromium, new_tab
from tests.fakes.letters import code_in, letter_in
from tests.integration.system.running import Demo, pki, run

pytestmark = [pytest.mark.browser, pytest.mark.socket, pytest.mark.softhsm, pytest.mark.openssl]

PASSWORD = "Branch26"


@pytest.fixture
def officers(demo: Demo):
    """Two officers at two computers, each with a passkey from a one-time link, both signed in."""
    links = [line.split(": ", 1)[1] for line in pki(demo.state, "demo", "links").out.strip().splitlines()]
    with chromium() as browser:
        yield [_sign_in(new_tab(browser, viewport={"width": 1280, "height": 900}), link) for link in links]


def _sign_in(tab: Page, link: str) -> Page:
    tab.goto(link)
    tab.get_by_role("button", name="Make my passkey").click()
    tab.get_by_role("button", name="Sign in with your passkey").click()
    expect(tab.get_by_role("heading", name="Work", exact=True)).to_be_visible()
    return tab


def _picture(tab: Page, name: str) -> None:
    if directory := os.environ.get("SCREENSHOTS"):
        tab.screenshot(path=str(Path(directory) / f"{name}.png"), full_page=True)


def _ushield(place: Path, *arguments: object) -> str:
    ran = run(sys.executable, "-m", "ushield", *arguments, "--token-dir", place / "u-shield")
    assert ran.status == 0, ran.text
    return ran.out


def _apply(tab: Page, console: str, serial: str) -> str:
    """Register customer and U-Shield, submit; the address of the application."""
    tab.goto(f"{console}/admin/u-shields/register")
    tab.get_by_label("Serial number").fill(serial)
    tab.get_by_label("Model").fill("U-Shield 3")
    tab.locator("main form button").click()
    # Going elsewhere before the answer is here could take the form back.
    expect(tab.locator(".standing")).to_be_visible()
    tab.goto(f"{console}/admin/customers/register")
    tab.get_by_label("Name", exact=True).fill("张伟")
    tab.get_by_label("Document number").fill(f"31011519900101{serial[:4]}")
    tab.get_by_label("Customer number").fill(f"B{serial[:9]}")
    _picture(tab, "01-register-customer")
    tab.locator("main form button").click()
    tab.locator("main a[href$='/apply']").click()
    tab.get_by_label("Profile").select_option("personal-signing")
    tab.get_by_label("U-Shield").fill(serial)
    _picture(tab, "02-apply")
    tab.get_by_role("button", name="See the certificate first").click()
    expect(tab.get_by_text("CN=张伟")).to_be_visible()
    _picture(tab, "02-preview")
    tab.get_by_role("button", name="Submit for approval").click()
    expect(tab.locator(".standing")).to_contain_text("submitted")
    _picture(tab, "03-submitted")
    return tab.url


def _send_back_and_correct(maker: Page, checker: Page, case: str) -> None:
    checker.get_by_text("Return or reject…").click()
    checker.get_by_label("Reason").fill("the document number is another one")
    checker.get_by_role("button", name="Return it for correction").click()
    expect(checker.locator(".standing")).to_contain_text("returned")
    maker.goto(case)
    maker.get_by_role("link", name="Correct this application").click()
    maker.get_by_role("link", name="Correct the register").click()
    maker.get_by_label("Document number").fill("310101199001015555")
    maker.get_by_role("button", name="Correct it").click()
    expect(maker.locator("main")).to_contain_text("310101199001015555")
    maker.goto(f"{case}/correct")
    maker.get_by_role("button", name="See the certificate first").click()
    expect(maker.get_by_role("heading", name="Corrected since it came back")).to_be_visible()
    maker.get_by_role("button", name="Submit the corrected case").click()
    expect(maker.locator(".standing")).to_contain_text("submitted")
    checker.goto(case)
    expect(checker.get_by_text("Version 1 came back")).to_be_visible()
    expect(checker.locator("main")).to_contain_text("310101199001015555")
    _picture(checker, "05-case-corrected")


def _revoked_for_relying_parties(demo: Demo, place: Path) -> str:
    chain = (demo.state / "trust" / "chain.pem").read_text()
    (place / "issuing.pem").write_text(chain.split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n")
    return run(
        *("openssl", "ocsp", "-issuer", place / "issuing.pem", "-cert", place / "customer.pem"),
        *("-CAfile", demo.root_pem, "-url", f"{demo.status_url}/ocsp"),
    ).text


def test_a_certificate_is_applied_for_approved_downloaded_and_revoked_at_a_branch(demo, officers, tmp_path):
    maker, checker = officers
    console = f"http://localhost:{demo.console}"
    made = _ushield(tmp_path, "init", "--label", "Branch day", "--json")
    serial = re.search(r'"serial": *"([^"]+)"', made)[1]

    application = _apply(maker, console, serial).partition("id=")[2]
    case = f"{console}/admin/cases/{application}"
    maker.goto(case)
    expect(maker.get_by_role("button", name="Approve and seal with passkey")).to_have_count(0)
    checker.goto(f"{console}/admin/")
    _picture(checker, "04-work")
    checker.goto(case)
    _picture(checker, "05-case")
    _send_back_and_correct(maker, checker, case)
    checker.get_by_role("button", name="Approve and seal with passkey").click()
    expect(checker.locator(".standing")).to_contain_text("approved")
    _picture(checker, "06-approved")

    maker.goto(f"{console}/admin/applications/details/?id={application}")
    _picture(maker, "07-application")
    maker.get_by_role("button", name="Hand out the two codes").click()
    # Each locator waits for the letter; what the page before said is not looked at.
    reference = maker.locator("[data-code=reference]").inner_text().replace(" ", "")
    code = code_in(letter_in(maker.content()))
    _picture(maker, "08-codes")
    assert re.fullmatch(r"\d{10}", reference)
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", code)

    (tmp_path / "secrets").write_text(f"{code}\n")
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    downloaded = _ushield(
        tmp_path,
        *("download", "--server", demo.url, "--reference", reference, "--ca-file", demo.root_pem),
        *("--code-file", tmp_path / "secrets", "--password-file", tmp_path / "password", "--json"),
    )
    pem = re.search(r'"certificate": *"([^"]+)"', downloaded)[1].replace("\\n", "\n")
    (tmp_path / "customer.pem").write_text(pem)
    assert "customer.pem: good" in _revoked_for_relying_parties(demo, tmp_path)

    maker.goto(f"{console}/admin/certificates/")
    _picture(maker, "09-certificates")
    text = run("openssl", "x509", "-in", tmp_path / "customer.pem", "-noout", "-serial").out
    number = text.strip().partition("=")[2].lower().lstrip("0")
    maker.goto(f"{console}/admin/certificates/details/?id={number}")
    _picture(maker, "10-certificate")
    maker.goto(f"{console}/admin/certificates/{number}/revoke")
    maker.get_by_label("Reason").select_option("keyCompromise")
    _picture(maker, "11-revoke")
    maker.get_by_role("button", name="Revoke for good").click()
    expect(maker.locator(".standing")).to_contain_text("revoked")
    _picture(maker, "12-revoked")

    said = _revoked_for_relying_parties(demo, tmp_path)
    assert "customer.pem: revoked" in said
    assert "keyCompromise" in said


def _register(tab: Page, console: str, room: str, **fields: str) -> None:
    tab.goto(f"{console}/admin/{room}/register")
    for label, text in fields.items():
        field = tab.get_by_label(label.replace("_", " "), exact=True)
        if label == "Kind":
            field.select_option(text)
        else:
            field.fill(text)
    tab.locator("main form button").click()
    expect(tab.locator("main h1")).to_be_visible()


def test_a_companys_people_are_entered_from_a_list_and_approved_by_one_signature(demo, officers):
    maker, checker = officers
    console = f"http://localhost:{demo.console}"
    for serial in ("US-LIST-1", "US-LIST-2"):
        _register(maker, console, "u-shields", Serial_number=serial, Model="U-Shield 3")
    _register(
        maker,
        console,
        "customers",
        Kind="company",
        Name="Acme 有限公司",
        Document_number="91310000",
        Customer_number="C77",
    )
    maker.get_by_role("link", name="Apply for many").click()
    people = "number,name,document number,u-shield\nC77-1,王芳,D1,US-LIST-1\nC77-2,李雷,D2,"
    maker.get_by_label("Or the lines themselves").fill(f"{people}US-NONE")
    maker.get_by_role("button", name="Read and check the list").click()
    expect(maker.get_by_text("1 of 2 lines have a problem.")).to_be_visible()
    _picture(maker, "13-batch-problem")
    maker.get_by_label("Or the lines themselves").fill(f"{people}US-LIST-2")
    maker.get_by_role("button", name="Read and check the list").click()
    _picture(maker, "14-batch-checked")
    maker.get_by_role("button", name="Enter 2 applications").click()
    expect(maker.get_by_text("another officer must decide")).to_be_visible()
    _picture(maker, "15-batch-entered")

    checker.goto(f"{console}/admin/")
    checker.get_by_text("batch, 2 waiting").click()
    checker.get_by_role("button", name="Approve 2 and seal with passkey").click()
    expect(checker.get_by_text("2 of 2").nth(1)).to_be_visible()
    _picture(checker, "16-batch-approved")

    maker.goto(maker.url)
    maker.get_by_role("link", name="李雷").click()
    expect(maker.locator(".head")).to_contain_text("approved")
