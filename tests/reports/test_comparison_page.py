"""The comparison's page: lists, the matrix and its links, distributions over each other."""

import re

import pytest

from reports.compare.comparison import compare
from reports.compare.parts import Run
from reports.formats import html
from reports.text.language import speaking
from tests.reports import builder, comparisons, loads
from tests.reports.builder import Json
from tests.reports.comparisons import VERDICTS, compared, slower, verdicts
from tests.reports.page import Page


def _page(*documents: Json, pages: bool = False) -> Page:
    return Page(html.comparison(compared(*documents, pages=pages)))


def test_the_first_screen_says_which_is_worse() -> None:
    page = _page(verdicts(ERR_01="passed", ERR_02="failed"), verdicts(ERR_01="failed", ERR_02="passed"))
    assert "<title>Worse · a · b · comparison</title>" in page.source
    assert "b is worse than a: 1 worse, 1 better." in page.text
    assert 'href="#list-worse">1 worse</a>' in page.source
    for symbol, title in (("⬇", "Worse"), ("⬆", "Better")):
        assert f'aria-hidden="true">{symbol}</span> {title}' in page.source


def test_a_change_with_what_was_wrong() -> None:
    page = _page(verdicts(ERR_01="passed"), verdicts(ERR_01="failed"), pages=True)
    part = page.part('<ul class="plain changes">', "</section>")
    words = Page(part).text
    assert "ERR-01 MUST ✓ passed → then ✗ failed" in words
    assert "The server does what ERR-01 says with error ." in words
    assert "b · case-err-01 : no error arrived within 5 s" in words
    assert 'href="0/page.html#ERR-01"' in part
    assert 'href="1/page.html#scenario-case-err-01"' in part


def test_where_nothing_differs_that_is_said() -> None:
    text = _page(builder.results(), builder.results()).text
    assert "b is no worse than a: no verdict changed." in text
    assert "Worse 0" in text
    assert "Different settings" not in text


def test_the_matrix() -> None:
    page = _page(verdicts(ERR_01="passed", SEND_01="passed"), verdicts(ERR_01="failed", SEND_01="passed"), verdicts())
    rows = re.findall(r'<tr class="(differs|alike)"><th scope="row"><bdi class="mono">(.*?)</bdi>', page.source)
    assert rows == [("differs", "ERR-01"), ("differs", "SEND-01")]
    cells = Page(f"<table><tr>{page.part('>ERR-01</bdi>', '</tr>').partition('</th>')[2]}</tr></table>").text
    assert cells == "✓ passed ✗ failed – not in the document"
    assert '<th scope="rowgroup" colspan="4">' in page.source


def test_every_cell_leads_to_its_case() -> None:
    document = builder.failing_results()
    page = Page(html.comparison(compared(document, document, document, pages=True)))
    own = Page(html.compliance(document))
    links = [link.partition("#") for link in page.links if link.startswith("1/")]
    anchors = {anchor for _, _, anchor in links if anchor}
    assert {file for file, _, _ in links} == {"1/page.html"}
    assert {"ERR-03", "ERR-04", "ERR-05", "SEND-01", "scenario-err-code", "scenario-err-silent"} == anchors
    assert anchors <= set(own.ids)


def test_hostile_ids_are_found_as_well() -> None:
    document = builder.hostile(builder.failing_results())
    runs = [Run(name, document, "p.html") for name in "ab"]
    page = Page(html.comparison(compare(runs, comparisons.TOOL)))
    own = Page(html.compliance(document))
    anchors = {link.partition("#")[2] for link in page.links if link.startswith("p.html#")}
    assert anchors
    assert anchors <= set(own.ids)


def test_every_figure_leads_to_its_part_of_the_load_page() -> None:
    page = _page(loads.full(), loads.faulty(), pages=True)
    anchors = {link.partition("#")[2] for link in page.links if link.startswith("1/page.html#")}
    assert {"latency", "errors", "delivery", "thresholds"} <= anchors
    assert anchors <= set(Page(html.load(loads.faulty())).ids)


def test_distributions_over_each_other() -> None:
    page = _page(slower(1.0), slower(3.0), slower(2.0))
    part = page.part('id="step-post_to_own"', "</figure>")
    assert len(re.findall(r'<path class="line line-m\d"', part)) == 3
    assert re.search(r"<title>99 % were no slower than: a [0-9.]+ ms, b [0-9.]+ ms, c [0-9.]+ ms</title>", part)
    assert "Run Count Mean p50 p90 p95 p99 p99.9 Max a 400" in page.text


def test_percentiles_side_by_side() -> None:
    page = _page(slower(1.0), slower(3.0), slower(0.3))
    part = Page(page.part('<table class="grid numbers glance">', "</div>")).text
    assert "post_to_own p50 1.36 ms 4.07 ms ⬇ ×3.00 worse 0.41 ms p95 3.00 ms 8.99 ms ⬇" in part
    assert "p99 4.20 ms 12.6 ms ⬇ ×3.00 worse 1.26 ms ⬆ −70 % better" in part
    assert "ping_period" not in part


def test_a_run_that_did_not_measure_a_step_is_in_the_table_only() -> None:
    text = _page(loads.full(), loads.full(metrics={})).text
    assert "b 0 – – – – – – –" in text


def test_counts_that_should_be_nothing_are_marked() -> None:
    text = _page(loads.full(), loads.faulty()).text
    assert "lost 0 ✗ 41" in text
    assert "error: no answer within 5 s 0 ✗ 12" in text


def test_settings_that_differ_are_said_on_the_first_screen() -> None:
    text = _page(loads.full(), loads.full(settings=loads.SETTINGS | {"users": 10})).text
    assert "1 setting differs" in text
    assert "Virtual users 400 10" in text


def test_a_generator_that_was_the_limit_is_said_beside_its_run() -> None:
    text = _page(loads.full(), loads.faulty()).text
    assert "The load generator was at its limits; the latencies include its own delays: worker 1 used 99 %" in text


def test_in_japanese() -> None:
    with speaking("ja"):
        page = _page(verdicts(ERR_01="passed", ERR_02="failed"), verdicts(ERR_01="failed", ERR_02="passed"))
        load = _page(slower(1.0), slower(3.0), slower(2.0))
    assert '<html lang="ja">' in page.source
    assert "b は a より悪化しています: 悪化 1 件、改善 1 件。" in page.text
    assert "サーバーは ERR-01 のとおりに error を返す。" in page.text
    assert "負荷試験 3 件のうち 3 件が適合しています。" in load.text
    assert "⬇ ×3.00 悪化" in load.text


@pytest.mark.slow
def test_ten_thousand_requirements_are_a_page_of_moderate_size() -> None:
    names = [f"ERR-{number}" for number in range(10_000)]
    good, bad = (builder.results([builder.requirement(name, verdict) for name in names]) for verdict in VERDICTS[:2])
    bad["requirements"][:5_000] = good["requirements"][:5_000]
    page = _page(good, bad)
    assert len(page.source.encode()) < 5_000_000
    assert "b is worse than a: 5,000 worse." in page.text
    assert "4,500 more are in comparison.json only." in page.text
    assert "4,000 more are in comparison.json only." in page.text
    assert '<bdi class="mono">ERR-9999</bdi>' in page.source


def test_twenty_implementations_are_a_page_of_moderate_size() -> None:
    document = builder.results([builder.requirement(f"ERR-{number}") for number in range(1000)], [])
    runs = [Run(f"run {number}", document, f"{number}/report.html") for number in range(20)]
    assert len(html.comparison(compare(runs, comparisons.TOOL)).encode()) < 5_000_000


@pytest.mark.slow
def test_hundreds_of_steps_are_a_page_of_moderate_size() -> None:
    metric = loads.metric(1.5, 0.5, 10**9)
    metric["histogram"] = [[number / 7, number * 10] for number in range(1, 201)]
    document = loads.full(metrics={f"metric {number}": metric for number in range(300)})
    page = _page(*[document] * 20)
    assert len(page.source.encode()) < 5_000_000
    assert "276 more are in comparison.json only." in page.text
