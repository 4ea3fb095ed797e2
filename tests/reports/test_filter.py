"""The filter of the compliance page, and of a load page's requirements, as somebody at a keyboard uses it."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from reports.formats import html
from tests.reports import builder, loads
from tests.reports.browser import needed, opened

pytestmark = [needed, pytest.mark.slow]

REQUIREMENTS, SCENARIOS = "article.requirement", "article.scenario"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("page") / "report.html"
    place.write_text(html.compliance(builder.failing_results()), encoding="utf-8")
    return place


def shown(page: Page, what: str) -> list[str]:
    """The ids of what can be seen."""
    return [str(one.get_attribute("id")) for one in page.locator(f"{what}:not([hidden])").all() if one.is_visible()]


def told(page: Page, text: str) -> None:
    """Wait until the page says so."""
    page.locator("output", has_text=text).wait_for()


@pytest.mark.parametrize(
    ("fragment", "requirements", "scenarios"),
    [
        ("level=MUST&verdict=failed", ["ERR-02"], ["scenario-err-silent"]),
        ("verdict=inconclusive", ["ERR-03"], ["scenario-err-skipped"]),
        ("group=SEND", ["SEND-01"], ["scenario-send"]),
        ("verdict=%21passed&text=err-04", ["ERR-04"], []),
        ("text=no+such+thing", [], []),
    ],
)
def test_the_address_holds_the_filter(
    browser: Browser, file: Path, fragment: str, requirements: list[str], scenarios: list[str]
) -> None:
    with opened(browser, file, fragment=f"#filter:{fragment}") as one:
        assert shown(one.page, REQUIREMENTS) == requirements
        assert shown(one.page, SCENARIOS) == scenarios
        assert one.page.locator("output").inner_text() == f"{len(requirements) + len(scenarios)} of 11 shown"


def test_what_is_chosen_goes_into_the_address_and_comes_back(browser: Browser, file: Path) -> None:
    with opened(browser, file) as one:
        one.page.locator("select[name=verdict]").focus()
        one.page.keyboard.type("inconclusive")
        told(one.page, "2 of 11 shown")
        assert one.page.url.endswith("#filter:verdict=inconclusive")
        one.page.locator("input[name=text]").fill("err-03")
        told(one.page, "1 of 11 shown")
        one.page.reload()
        assert shown(one.page, REQUIREMENTS) == ["ERR-03"]
        assert one.page.locator("input[name=text]").input_value() == "err-03"
        one.page.locator("button[type=reset]").press("Enter")
        told(one.page, "all 11 shown")
        assert "#" not in one.page.url


def test_what_was_not_selected_is_no_gap(browser: Browser, tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.write_text(html.compliance(builder.troubled_results()), encoding="utf-8")
    with opened(browser, place, fragment="#filter:verdict=%21passed") as one:
        assert shown(one.page, REQUIREMENTS) == ["ERR-05"]
        one.page.locator("select[name=verdict]").select_option("unselected")
        one.page.locator("#ERR-06").wait_for()
        assert shown(one.page, REQUIREMENTS) == ["ERR-06", "SEND-01"]


def test_a_number_of_the_overview_leads_to_what_it_counts(browser: Browser, file: Path) -> None:
    with opened(browser, file) as one:
        one.page.locator(".counts a[href='#filter:level=SHOULD&verdict=failed']").press("Enter")
        assert shown(one.page, REQUIREMENTS) == ["ERR-01"]
        one.page.go_back()
        one.page.goto(f"{file.as_uri()}#filter:group=SEND")
        assert shown(one.page, REQUIREMENTS) == ["SEND-01"]


def test_a_link_leads_to_what_the_filter_hides_and_opens_it(browser: Browser, file: Path) -> None:
    with opened(browser, file, fragment="#filter:group=SEND") as one:
        assert shown(one.page, SCENARIOS) == ["scenario-send"]
        one.page.goto(f"{file.as_uri()}#ERR-01")
        assert shown(one.page, REQUIREMENTS) == ["ERR-01", "SEND-01"]
        one.page.goto(f"{file.as_uri()}#scenario-err-broken")
        assert shown(one.page, SCENARIOS) == ["scenario-send", "scenario-err-broken"]
        assert one.page.locator("#scenario-err-broken details.transcript").get_attribute("open") is not None
        one.page.wait_for_function("document.getElementById('scenario-err-broken').getBoundingClientRect().top < 700")
        assert one.page.locator("select[name=group]").input_value() == "SEND"
        assert one.complaints == []


@pytest.mark.parametrize("fragment", ["#filter:level=NONE&verdict=x&group=y", "#filter:", "#nowhere", "#%E0%A4%A"])
def test_an_address_that_means_nothing_hides_nothing(browser: Browser, file: Path, fragment: str) -> None:
    with opened(browser, file, fragment=fragment) as one:
        assert len(shown(one.page, REQUIREMENTS)) == 6
        assert one.complaints == []


def test_a_page_of_ten_thousand_scenarios_opens_and_is_filtered(browser: Browser, tmp_path: Path) -> None:
    failures = [builder.failure("ERR-01")]
    entries = [builder.scenario(f"s{n}") for n in range(10_000)]
    entries.append(builder.scenario("bad", "failed", failures=failures))
    place = tmp_path / "report.html"
    place.write_text(html.compliance(builder.results(scenarios=entries)), encoding="utf-8")
    with opened(browser, place, fragment="#scenario-s9999") as one:
        told(one.page, "all 10002 shown")
        one.page.wait_for_function("document.getElementById('scenario-s9999').getBoundingClientRect().top < 900")
        one.page.locator("select[name=verdict]").select_option("failed")
        told(one.page, "1 of 10002 shown")
        assert shown(one.page, SCENARIOS) == ["scenario-bad"]
        assert one.page.locator("#scenario-bad svg").is_visible()
        assert one.overflow() <= 0
        assert one.complaints == []


@pytest.mark.parametrize(
    ("fragment", "requirements"),
    [
        ("level=MUST&verdict=failed", ["SEND-01"]),
        ("level=SHOULD", ["SEND-03"]),
        ("verdict=%21passed", ["HB-02", "SEND-01", "SEND-03", "ERR-09"]),
        ("text=not+joined", ["SEND-01"]),
    ],
)
def test_the_requirements_of_a_load_test(
    browser: Browser, tmp_path: Path, fragment: str, requirements: list[str]
) -> None:
    page = tmp_path / "load.html"
    page.write_text(html.load(loads.faulty()), encoding="utf-8")
    with opened(browser, page, fragment=f"#filter:{fragment}") as one:
        assert shown(one.page, REQUIREMENTS) == requirements
        one.page.locator("a[href='#HB-02']").first.click()
        assert "HB-02" in shown(one.page, REQUIREMENTS)
