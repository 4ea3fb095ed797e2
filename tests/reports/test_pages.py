"""Every page in a real browser: for everybody, on any screen, and alone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize

from reports.formats import html
from reports.shared.documents import Document
from reports.text.language import LANGUAGES, speaking
from tests.reports import builder, loads
from tests.reports.browser import DESK, PHONE, needed, opened
from tests.reports.comparisons import compared, verdicts

pytestmark = [needed, pytest.mark.slow]

ACTING = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\"><svg onload=alert(1)>"
LONG = "x" * 100_000
TURNED = "\u202eevil\u2066\u200f אבג مرحبا \u0000\u001b[31m\u0007\r\n"

PAGES: dict[str, tuple[Callable[[Document], str], Document]] = {
    "passed": (html.compliance, builder.results()),
    "failed": (html.compliance, builder.failing_results()),
    "baseline": (html.compliance, builder.baselined_results()),
    "troubled": (html.compliance, builder.troubled_results()),
    "load": (html.load, loads.full()),
    "load-failed": (html.load, loads.faulty()),
    "load-capacity": (html.load, loads.capacity()),
    "load-late": (html.load, loads.late()),
    "load-measured": (html.load, loads.measured()),
    "comparison": (html.comparison, compared(verdicts(ERR_01="passed"), verdicts(ERR_01="failed"))),
    "matrix": (html.comparison, compared(verdicts(ERR_01="passed"), verdicts(ERR_01="failed"), verdicts())),
    "comparison-load": (html.comparison, compared(loads.full(), loads.faulty())),
}


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page's file, in English."""
    function, document = PAGES[request.param]
    file = tmp_path_factory.mktemp("page") / f"{request.param}.html"
    file.write_text(function(document), encoding="utf-8")
    return file


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nobody_is_shut_out(browser: Browser, page: Path, dark: bool) -> None:
    with opened(browser, page, dark=dark) as one:
        assert one.violations() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_names_its_language(browser: Browser, language: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    with speaking(language):
        file.write_text(html.compliance(builder.failing_results()), encoding="utf-8")
    with opened(browser, file) as one:
        assert one.page.evaluate("document.documentElement.lang") == language
        assert one.violations() == []


def test_a_page_asks_nobody_for_anything(browser: Browser, page: Path) -> None:
    with opened(browser, page) as one:
        one.page.wait_for_load_state("networkidle")
        assert one.requests == [page.as_uri()]
        assert one.complaints == []


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_page_keeps_within_its_window(browser: Browser, page: Path, size: ViewportSize) -> None:
    with opened(browser, page, size=size) as one:
        assert one.overflow() <= 0


def test_the_keyboard_gets_past_the_head(browser: Browser, page: Path) -> None:
    with opened(browser, page) as one:
        one.page.keyboard.press("Tab")
        assert one.page.evaluate("document.activeElement.classList.contains('skip')")
        one.page.keyboard.press("Enter")
        one.page.wait_for_url(f"{page.as_uri()}#main")
        one.page.keyboard.press("Tab")
        # Whatever has the focus shows it, and lies inside what was asked for.
        assert one.page.evaluate("document.querySelector('main').contains(document.activeElement)")
        assert one.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_a_page_can_be_printed(browser: Browser, page: Path) -> None:
    with opened(browser, page) as one:
        data = one.page.pdf(format="A4")
        assert data.startswith(b"%PDF-")
        one.page.emulate_media(media="print", color_scheme="light")
        assert one.page.evaluate("getComputedStyle(document.body).backgroundColor") in (
            "rgb(255, 255, 255)",
            "rgba(0, 0, 0, 0)",
        )
        assert one.overflow() <= 0


def test_the_values_of_a_chart_are_read_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(html.load(loads.full()), encoding="utf-8")
    with opened(browser, file) as one:
        readout = one.page.locator(".readout").first
        before = readout.inner_text()
        one.page.locator(".cursor input").first.focus()
        one.page.keyboard.press("End")
        last = readout.inner_text()
        one.page.keyboard.press("Home")
        assert len({before, last, readout.inner_text()}) == 3
        assert one.page.locator(".cursor input").first.get_attribute("aria-valuetext") == readout.inner_text()


@pytest.mark.parametrize("text", [ACTING, LONG, TURNED], ids=["acting", "long", "turned"])
@pytest.mark.parametrize("name", ["failed", "load-failed"])
def test_no_string_of_an_endpoint_does_anything(browser: Browser, name: str, text: str, tmp_path: Path) -> None:
    function, document = PAGES[name]
    file = tmp_path / "page.html"
    file.write_text(function(builder.hostile(document, text)), encoding="utf-8")
    for size in (DESK, PHONE):
        with opened(browser, file, size=size) as one:
            assert one.page.title().startswith("Not conformant")
            assert one.requests == [file.as_uri()]
            assert one.complaints == []
            assert one.overflow() <= 0
            assert one.page.locator("img").count() == 0
