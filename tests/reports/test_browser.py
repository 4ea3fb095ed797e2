"""The pages in a real browser: their own script runs, and nothing else does."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from reports.formats import html
from tests.reports import builder, loads
from tests.reports.browser import needed, opened
from tests.reports.builder import Json
from tests.reports.comparisons import compared, verdicts
from tests.reports.page import Page

ACTING = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\"><svg onload=alert(1)>"

pytestmark = needed


def _opened(browser: Browser, page: str, folder: Path) -> Page:
    """The page as it stands after its scripts have run."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    with opened(browser, file) as one:
        return Page(one.page.content())


@pytest.mark.parametrize(
    ("function", "document", "running"),
    [
        (html.compliance, builder.failing_results(), '<form id="filter"'),
        (html.load, loads.aborted(capacity=loads.capacity()["capacity"]), '<p class="readout"'),
        (html.comparison, compared(loads.full(), loads.aborted()), '<p class="readout"'),
    ],
)
def test_the_policy_lets_the_pages_own_script_run(
    browser: Browser, function: Callable[[Json], str], document: Json, running: str, tmp_path: Path
) -> None:
    page = function(document)
    assert "hidden" in page[page.index(running) :].partition(">")[0]
    opened = _opened(browser, page, tmp_path).source
    assert "hidden" not in opened[opened.index(running) :].partition(">")[0]


def _worse_than(document: Json) -> Callable[[Json], str]:
    return lambda worse: html.comparison(compared(builder.hostile(document, ACTING), worse))


@pytest.mark.parametrize(
    ("function", "document"),
    [
        (html.compliance, builder.failing_results()),
        (html.load, loads.aborted(capacity=loads.capacity()["capacity"])),
        (_worse_than(verdicts(ERR_01="passed")), verdicts(ERR_01="failed")),
        (_worse_than(loads.full()), loads.aborted()),
    ],
)
def test_no_string_of_an_endpoint_acts(
    browser: Browser, function: Callable[[Json], str], document: Json, tmp_path: Path
) -> None:
    page = _opened(browser, function(builder.hostile(document, ACTING)), tmp_path)
    title = page.part("<title>", "</title>")
    assert title.startswith(("<title>Not conformant", "<title>Failed", "<title>Worse"))
    assert not [tag for tag, attributes in page.elements if tag == "img" or "onload" in attributes]
