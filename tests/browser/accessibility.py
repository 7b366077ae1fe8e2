"""axe looks at a page as it is now (WCAG 2.2 level AA). What machines find is the smaller part of it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


def require_accessible(page: Page) -> None:
    """Fail with what is wrong and where."""
    found = Axe().run(page, options=_OPTIONS)
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
