"""Download my Certificate in the browser: the real extension, the real tool and a SoftHSM token, against the bank.

Set SCREENSHOTS to a directory to keep a picture of each page.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.computer import Computer, picture
from tests.browser.screen import screen
from tests.integration.system.running import Demo

pytestmark = [pytest.mark.browser, pytest.mark.socket, pytest.mark.softhsm, pytest.mark.window]

PASSWORD = "Branch26"
TITLE = "U-Shield"


@pytest.fixture
def computer(demo: Demo, tmp_path: Path) -> Iterator[Computer]:
    with screen() as shown:
        yield Computer(tmp_path, demo, shown)


def _ready(computer: Computer, browser: BrowserContext, reference: str = "") -> Page:
    """The page, once everything on the computer is found; with the number of a receipt, as its QR code opens it."""
    page = browser.new_page()
    page.goto(f"{computer.demo.url}/download#{reference}")
    expect(page.locator("#check-password")).to_have_class("good")
    return page


def _press(page: Page, reference: str) -> None:
    page.get_by_role("textbox", name="Reference number").fill(reference)
    page.get_by_role("button", name="Download my Certificate").click()


def _holds(directory: Path, secret: str) -> list[Path]:
    """Files below a directory in which these characters stand."""
    files = (path for path in directory.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in files if secret.encode() in path.read_bytes()]


@contextmanager
def _watching(*secrets: str) -> Iterator[set[str]]:
    """Programs whose arguments or environment hold one of these meanwhile; not the one that types for the customer."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
                    if any(secret.encode() in told for secret in secrets) and not told.startswith(b"xdotool"):
                        seen.add(told.decode("utf-8", "replace")[:200])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def test_a_certificate_is_downloaded_by_page_extension_and_tool(computer: Computer, demo: Demo) -> None:
    serial = computer.new_ushield()
    computer.install()
    (codes,) = demo.codes("personal-signing", device_serial=serial)
    sent: list[str] = []
    failures: list[str] = []

    with computer.browser() as browser:
        browser.on("request", lambda request: sent.append(f"{request.url} {request.post_data}"))
        browser.on("console", lambda said: failures.append(said.text) if said.type == "error" else None)
        page = _ready(computer, browser, codes["reference_number"])
        expect(page.get_by_role("textbox", name="Reference number")).to_have_value(codes["reference_number"])
        expect(page.locator("#check-device")).to_contain_text(serial)
        for name in ("signature", "clock", "status"):
            expect(page.locator(f"#check-{name}")).to_have_class("good")
        expect(page.locator("#check-status")).to_contain_text("no certificate on the U-Shield yet")
        expect(page.locator("#check-issued")).to_contain_text("sign in")
        picture(page, "download-1-check")
        with _watching(PASSWORD, codes["authorization_code"]) as told_by_programs:
            _press(page, codes["reference_number"])
            computer.screen.answer(TITLE, codes["authorization_code"])
            computer.screen.answer(TITLE, PASSWORD, PASSWORD)
            expect(page.get_by_role("heading", name="Your certificate is on your U-Shield")).to_be_visible()
        picture(page, "download-2-done")
        told = computer.tool("check", "--token-dir", computer.tokens)
        assert (told["signature"]["state"], told["status"]["state"]) == ("newest", "good")
        checked = browser.new_page()
        checked.goto(f"{demo.url}/check")
        expect(checked.locator("#check-status")).to_contain_text("your certificate holds")
        picture(checked, "download-4-check")

        assert page.locator("#done-status").text_content() == "active"
        name = codes["subject"].split("common_name=")[1].split(",")[0]
        assert f"CN={name}," in (page.locator("#done-subject").text_content() or "")
    assert failures == []
    assert any(codes["reference_number"] in one for one in sent)
    # What was typed in the tool's window is in no request of the browser, no list of processes and no file of the bank.
    assert told_by_programs == set()
    for secret in (PASSWORD, codes["authorization_code"]):
        assert not [one for one in sent if secret in one]
        assert _holds(demo.state, secret) == []


def test_pulled_out_and_the_page_closed_the_download_goes_on(computer: Computer, demo: Demo) -> None:
    serial = computer.new_ushield()
    computer.install()
    (codes,) = demo.codes("personal-signing", device_serial=serial)
    tokens, away = computer.tokens / "tokens", computer.tokens / "away"

    with computer.browser() as browser:
        page = _ready(computer, browser)
        _press(page, codes["reference_number"])
        computer.screen.answer(TITLE, codes["authorization_code"])
        computer.screen.wait(TITLE)
        tokens.rename(away)
        computer.screen.answer(TITLE, PASSWORD, PASSWORD)
        expect(page.locator("#failed")).to_contain_text("Nothing is lost")
        picture(page, "download-3-pulled-out")
        away.rename(tokens)
        page.close()

        page = _ready(computer, browser)
        _press(page, codes["reference_number"])
        computer.screen.answer(TITLE, codes["authorization_code"])
        # The factory password is still there or the new one was set before it was pulled out: the tool finds out.
        computer.screen.answer(TITLE, PASSWORD, PASSWORD)
        expect(page.locator("#done-status")).to_have_text("active")


def test_a_slip_of_the_finger_is_said_in_the_window_and_costs_no_attempt(computer: Computer, demo: Demo) -> None:
    serial = computer.new_ushield()
    computer.install()
    (codes,) = demo.codes("personal-signing", device_serial=serial)

    with computer.browser() as browser:
        page = _ready(computer, browser)
        _press(page, "12345")
        expect(page.locator("#reference-say")).to_contain_text("10 digits")
        reference, code = codes["reference_number"], codes["authorization_code"]
        _press(page, f"{reference[:-1]}{(int(reference[-1]) + 1) % 10}")
        expect(page.locator("#reference-say")).to_contain_text("the last proves the others")
        _press(page, reference)
        computer.screen.try_out(TITLE, "7K3M")
        computer.screen.try_out(TITLE, f"{code[:-1]}{'0' if code[-1] != '0' else '1'}")
        computer.screen.answer(TITLE, codes["authorization_code"])
        for wrong in (("12345678", "12345678"), ("Branch26", "Branch27"), ("abc12", "abc12"), ("a b c d", "a b c d")):
            computer.screen.try_out(TITLE, *wrong)
        computer.screen.answer(TITLE, PASSWORD, PASSWORD)
        expect(page.locator("#done-status")).to_have_text("active")


ASK = """() => new Promise((resolve) => {
    const answers = [];
    window.addEventListener("message", (event) => { if (event.data?.ushield === "answer") answers.push(event.data); });
    for (const type of ["present", "hello"]) window.postMessage({ushield: "ask", type}, "*");
    setTimeout(() => resolve({answers, reaches: Boolean(globalThis.chrome?.runtime?.connect)}), 2000);
})"""
EVIL = ("https://evil.example/", "http://localhost/", "https://localhost.evil.example/")


def test_other_pages_reach_neither_extension_nor_tool(computer: Computer, demo: Demo) -> None:
    computer.new_ushield()
    computer.install()

    with computer.browser() as browser:
        for address in EVIL:
            browser.route(f"{address}**", lambda route: route.fulfill(body="<p>", content_type="text/html"))
        framed = f"{demo.url}/framed"
        frame = f"<iframe src='{demo.url}/download'></iframe>"
        browser.route(framed, lambda route: route.fulfill(body=frame, content_type="text/html"))
        page = browser.new_page()
        for address in EVIL:
            page.goto(address)
            assert page.evaluate(ASK) == {"answers": [], "reaches": False}, address
        # A frame of the bank's own origin is no page of the bank's: only the top one is.
        page.goto(framed)
        child = page.frames[1]
        assert child.evaluate(ASK)["answers"] == []


def test_altered_replayed_and_borrowed_jobs_are_refused_with_a_code(computer: Computer, demo: Demo) -> None:
    computer.new_ushield()
    computer.install()

    with computer.browser() as browser:
        page = _ready(computer, browser)
        codes = page.evaluate(
            """async () => {
                const run = (job) => new Promise((resolve) => {
                    const listen = (event) => {
                        if (!["done", "failed"].includes(event.data?.type)) return;
                        window.removeEventListener("message", listen);
                        resolve(event.data.code ?? event.data.type);
                    };
                    window.addEventListener("message", listen);
                    window.postMessage({ushield: "ask", type: "run", job}, location.origin);
                });
                const order = await fetch("/bridge/jobs", {method: "POST",
                    headers: {"Content-Type": "application/json"}, body: JSON.stringify({operation: "check"})});
                const {job} = await order.json();
                const [head, body, signature] = job.split(".");
                const claims = JSON.parse(atob(body.replace(/-/g, "+").replace(/_/g, "/")));
                const other = btoa(JSON.stringify({...claims, op: "password"})).replace(/=/g, "");
                const jobs = [[head, other, signature].join("."), "junk", job, job];
                const told = [];
                for (const one of jobs) told.push(await run(one));
                return told;
            }"""
        )

    assert codes == ["D-70", "D-70", "done", "D-73"]
