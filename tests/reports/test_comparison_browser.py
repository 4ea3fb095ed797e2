"""The comparison's page in a real browser: what can be done with it, and where its cells lead."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize

from reports.compare.comparison import compare
from reports.compare.parts import Run
from reports.formats import html
from tests.reports import builder, comparisons, loads
from tests.reports.browser import DESK, PHONE, needed, opened
from tests.reports.comparisons import compared, verdicts

pytestmark = [needed, pytest.mark.slow]

GOOD = verdicts(ERR_01="passed", ERR_02="passed", SEND_01="passed")
BAD = verdicts(ERR_01="failed", ERR_02="passed", SEND_01="passed")


@pytest.fixture
def comparison(tmp_path: Path) -> Path:
    """A comparison beside the reports of its runs."""
    runs = []
    for name, document in {"good": GOOD, "bad": BAD}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.html").write_text(html.compliance(document), encoding="utf-8")
        runs.append(Run(name, document, f"{name}/report.html"))
    file = tmp_path / "comparison.html"
    file.write_text(html.comparison(compare(runs, comparisons.TOOL)), encoding="utf-8")
    return file


def test_a_cell_leads_to_its_case(browser: Browser, comparison: Path) -> None:
    with opened(browser, comparison) as one:
        one.page.get_by_role("row", name="ERR-01").get_by_role("link", name="failed").click()
        assert one.page.url == (comparison.parent / "bad" / "report.html").as_uri() + "#scenario-case-err-01"
        assert "What case-err-01 does" in one.page.locator("#scenario-case-err-01").inner_text()
        assert one.page.locator("#scenario-case-err-01").is_visible()
        one.page.go_back()
        one.page.get_by_role("row", name="ERR-02").get_by_role("link", name="passed").first.click()
        assert one.page.url.endswith("good/report.html#ERR-02")
        assert one.page.locator("#ERR-02").is_visible()
        assert one.complaints == []


def test_only_what_differs_by_keyboard(browser: Browser, comparison: Path) -> None:
    with opened(browser, comparison) as one:
        row = one.page.get_by_role("row", name="SEND-01")
        assert row.is_visible()
        one.page.get_by_label("Show differences only").focus()
        one.page.keyboard.press("Space")
        assert not row.is_visible()
        assert one.page.get_by_role("row", name="ERR-01").is_visible()
        one.page.keyboard.press("Space")
        assert row.is_visible()


def test_words_stay_for_a_screen_reader_where_a_phone_shows_symbols(browser: Browser, comparison: Path) -> None:
    for size in (DESK, PHONE):
        with opened(browser, comparison, size=size) as one:
            assert one.page.get_by_role("row", name="ERR-01").get_by_role("link", name="failed").is_visible()


def test_distributions_are_read_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(html.comparison(compared(loads.full(), loads.faulty())), encoding="utf-8")
    with opened(browser, file) as one:
        one.page.locator(".cursor input").first.focus()
        one.page.keyboard.press("End")
        assert one.page.locator(".readout").first.inner_text().startswith("the slowest: a ")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_long_and_hostile_names_keep_within_the_window(browser: Browser, size: ViewportSize, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    for text in ("x" * 5000, builder.HOSTILE):
        runs = [Run(f"{name}{text}", builder.hostile(one, text)) for name, one in {"a": GOOD, "b": BAD}.items()]
        file.write_text(html.comparison(compare(runs, comparisons.TOOL)), encoding="utf-8")
        with opened(browser, file, size=size) as one:
            assert one.overflow() <= 0
            assert one.violations() == []
            assert one.complaints == []
