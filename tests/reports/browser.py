"""A real Chromium, driven by Playwright, that opens pages from files and tells what they did."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = Path(axe_core_python.__file__).parent / "axe.min.js"
DESK, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)

needed = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of the machine; Playwright brings none of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Opened:
    """A page that stands open: what it asked for, and what it complained of."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.goto(address)

    def violations(self) -> list[tuple[str, list[str]]]:
        """What axe-core objects to: the rule, and where."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [(one["id"], [str(node["html"])[:200] for node in one["nodes"]]) for one in found["violations"]]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth"))


@contextmanager
def opened(
    browser: Browser, file: Path, *, dark: bool = False, size: ViewportSize = DESK, fragment: str = ""
) -> Iterator[Opened]:
    """A page in a fresh context."""
    context = browser.new_context(color_scheme="dark" if dark else "light", viewport=size)
    try:
        yield Opened(context.new_page(), file.as_uri() + fragment)
    finally:
        context.close()
