"""What counts as better and worse between runs, and the document that says so."""

from typing import Any

import pytest
from hypothesis import given

from contract import findings
from reports.compare.comparison import MAX_RUNS, ComparisonError, Run, compare
from reports.formats.comparison_text import comparison_summary
from reports.text.language import speaking
from tests.reports import builder, comparisons, loads
from tests.reports.builder import Json
from tests.reports.comparisons import changed, compared, slower, verdicts

MIRRORED = {"worse": "better", "better": "worse", "new": "gone", "gone": "new", "unclear": "unclear"}
"""Where a change stands when the runs change places."""


@pytest.mark.parametrize(
    ("was", "now", "where", "verdict"),
    [
        ("passed", "failed", "worse", "worse"),
        ("passed", "inconclusive", "worse", "worse"),
        ("passed", "untested", "worse", "worse"),
        ("passed", "error", "worse", "worse"),
        ("failed", "passed", "better", "better"),
        ("untested", "passed", "better", "better"),
        ("failed", "inconclusive", "unclear", "worse"),
        ("untested", "failed", "unclear", "worse"),
        ("untested", "inconclusive", None, "same"),
        ("failed", "failed", None, "same"),
    ],
)
def test_a_requirement_that_changed(was: str, now: str, where: str | None, verdict: str) -> None:
    found = compared(verdicts(ERR_01=was), verdicts(ERR_01=now))
    assert changed(found) == ({where: ["ERR-01"]} if where else {})
    assert found["verdict"] == verdict


@pytest.mark.parametrize(
    ("level", "strict", "weighs"), [("MUST", False, True), ("SHOULD", False, False), ("SHOULD", True, True)]
)
def test_what_is_only_recommended_weighs_in_a_strict_run(level: str, strict: bool, weighs: bool) -> None:
    sides = [verdicts(strict, level, ERR_01=verdict) for verdict in ("passed", "failed")]
    found = compared(*sides)
    assert changed(found) == {"worse": ["ERR-01" if weighs else "(ERR-01)"]}
    assert found["verdict"] == ("worse" if weighs else "same")


def test_what_one_contract_alone_knows_does_not_weigh() -> None:
    found = compared(verdicts(ERR_01="passed", ERR_02="passed"), verdicts(ERR_01="passed", SEND_01="failed"))
    assert changed(found) == {"new": ["(SEND-01)"], "gone": ["(ERR-02)"]}
    assert found["verdict"] == "same"


def test_each_clause_stands_by_itself() -> None:
    mixed = builder.failing_results()["requirements"][0]
    whole = [{**clause, "verdict": "passed"} for clause in mixed["clauses"]]
    found = compared(builder.results([mixed | {"clauses": whole}]), builder.results([mixed]))
    (change,) = found["changes"]["worse"]
    assert (change["name"], change["level"], change["weighs"]) == ("ERR-01", "SHOULD", False)


def test_a_change_says_where_it_failed() -> None:
    found = compared(verdicts(ERR_01="passed"), verdicts(ERR_01="failed"), pages=True)
    (change,) = found["changes"]["worse"]
    assert change["before"]["link"] == "0/page.html#ERR-01"
    assert change["after"] == {
        "verdict": "failed",
        "expected": False,
        "reason": None,
        "scenario": "case-err-01",
        "code": "note-none",
        "params": {"event": "error"},
        "message": "no error arrived within 5 s",
        "link": "1/page.html#scenario-case-err-01",
    }


def test_a_baseline_excuses_nothing() -> None:
    found = compared(verdicts(ERR_01="passed", ERR_02="failed"), builder.baselined_results())
    assert changed(found) == {"worse": ["ERR-01"]}
    assert found["changes"]["worse"][0]["after"]["expected"]


def test_the_matrix_of_several() -> None:
    found = compared(
        verdicts(ERR_01="passed", ERR_02="failed"),
        verdicts(ERR_01="passed"),
        verdicts(ERR_01="untested", SEND_01="passed"),
        pages=True,
    )
    assert (found["verdict"], found["changes"]) == (None, None)
    table = {row["id"]: [cell and cell["verdict"] for cell in row["cells"]] for row in found["requirements"]}
    assert table == {
        "ERR-01": ["passed", "passed", "untested"],
        "ERR-02": ["failed", None, None],
        "SEND-01": [None, None, "passed"],
    }
    links = [cell["link"] for row in found["requirements"] for cell in row["cells"] if cell]
    assert links == [
        "0/page.html#ERR-01",
        "1/page.html#ERR-01",
        "2/page.html#ERR-01",
        "0/page.html#scenario-case-err-02",
        "2/page.html#SEND-01",
    ]


def test_settings_that_differ() -> None:
    found = compared(loads.full(), loads.full(settings=loads.SETTINGS | {"users": 10, "seed": 1}))
    assert found["settings"] == [{"name": "users", "values": [400, 10]}]


@pytest.mark.parametrize(
    ("factor", "tolerance", "where"),
    [(1.05, 0.1, None), (3.0, 0.1, "worse"), (0.2, 0.1, "better"), (3.0, 5.0, None), (1.3, 0.0, "worse")],
)
def test_percentiles_beyond_the_tolerance(factor: float, tolerance: float, where: str | None) -> None:
    found = compared(slower(1.0), slower(factor), tolerance=tolerance)
    listed = {name for name, changes in found["changes"].items() if changes}
    assert listed == ({where} if where else set())
    assert found["verdict"] == (where or "same")


def test_a_percentile_of_few_measurements_is_not_judged() -> None:
    few, slow = (loads.full(metrics={"connect": loads.metric(median, 0.3, 20)}) for median in (5.0, 50.0))
    assert changed(compared(few, slow)) == {"worse": ["p50(connect)"]}


def test_less_than_a_millisecond_is_nobodys_concern() -> None:
    quick, slow = (loads.full(metrics={"ack": loads.metric(median, 0.01, 4000)}) for median in (0.1, 0.9))
    assert changed(compared(quick, slow)) == {}


def test_what_went_wrong_under_load() -> None:
    found = compared(loads.full(), loads.faulty())
    assert found["verdict"] == "worse"
    names = changed(found)["worse"]
    assert {"errors", "lost", "duplicated", "reordered", "misdelivered", "lost == 0"} <= set(names)
    assert "p99(post_to_own)" in names
    assert found["runs"][1]["notes"] == [
        {"kind": "warnings", "detail": "SEND-03"},
        {"kind": "generator", "detail": loads.faulty()["generator"]["reason"]},
        {"kind": "workers", "detail": "worker 2"},
    ]


def _judged(**given: str) -> Json:
    """A load test with these verdicts, such as ``SEND_01="failed"``."""
    names = {name.replace("_", "-"): verdict for name, verdict in given.items()}
    return loads.full(
        requirements=[
            builder.broken(name) if verdict == "failed" else builder.judged(name, verdict)
            for name, verdict in names.items()
        ]
    )


@pytest.mark.parametrize(
    ("was", "now", "where"),
    [
        ("passed", "failed", "worse"),
        ("passed", "inconclusive", "worse"),
        ("failed", "passed", "better"),
        ("failed", "untested", "unclear"),
        ("untested", "failed", "unclear"),
    ],
)
def test_a_requirement_that_load_judges(was: str, now: str, where: str) -> None:
    found = compared(_judged(SEND_01=was), _judged(SEND_01=now))
    assert changed(found) == {where: ["SEND-01"]}
    assert found["verdict"] == ("better" if where == "better" else "worse")
    (row,) = found["requirements"]
    assert [cell["verdict"] for cell in row["cells"]] == [was, now]


@pytest.mark.parametrize(("was", "now", "where"), [("passed", "untested", "gone"), ("untested", "passed", "new")])
def test_what_a_load_test_did_not_bring_about_is_no_gap(was: str, now: str, where: str) -> None:
    found = compared(_judged(SEND_01=was), _judged(SEND_01=now))
    assert (changed(found), found["verdict"]) == ({where: ["(SEND-01)"]}, "same")


def test_what_was_seen_of_a_requirement_under_load_is_told() -> None:
    found = compared(_judged(SEND_01="passed"), _judged(SEND_01="failed"), pages=True)
    after = found["changes"]["worse"][0]["after"]
    assert (after["message"], after["failed"], after["applied"], after["of"]) == (
        "it never arrived",
        7,
        24_000,
        "delivery",
    )
    assert after["link"] == "1/page.html#SEND-01"
    assert "b: 7 of 24,000 deliveries (0.03 %): it never arrived\n" in comparison_summary(found)


def test_a_recommendation_that_load_breaks_does_not_weigh() -> None:
    holds, broken = builder.judged("SEND-03", level="SHOULD"), builder.broken("SEND-03", "SHOULD")
    first, second = loads.full(requirements=[holds]), loads.full(requirements=[broken])
    assert changed(compared(first, second)) == {"worse": ["(SEND-03)"]}
    strict = loads.full(requirements=[broken], settings=loads.SETTINGS | {"strict": True})
    assert changed(compared(first, strict)) == {"worse": ["SEND-03"]}


def test_a_run_that_judged_nothing_makes_no_requirement_better_or_worse() -> None:
    measured = loads.measured(thresholds=loads.full()["thresholds"])
    for found in (compared(loads.full(), measured), compared(measured, loads.full())):
        assert found["verdict"] == "same"
        assert not found["changes"]["worse"] + found["changes"]["better"] + found["changes"]["unclear"]


@pytest.mark.parametrize(
    ("was", "now", "where"),
    [(True, False, "worse"), (False, True, "better"), (True, None, "unclear"), (None, False, "unclear")],
)
def test_a_threshold_that_the_generator_was_too_late_for(was: bool | None, now: bool | None, where: str) -> None:
    sides = [loads.full(thresholds=[builder.THRESHOLD | {"passed": passed}]) for passed in (was, now)]
    assert list(changed(compared(*sides))) == [where]


def test_that_the_generator_was_late_is_a_note() -> None:
    found = compared(loads.full(), loads.late())
    assert found["runs"][1]["notes"] == [{"kind": "timeline", "detail": "6.0 s"}]
    assert "The load generator was late: 6.0 s" in comparison_summary(found)


def test_lost_workers_are_told_in_the_language_that_is_spoken() -> None:
    name = findings.phrase("load-worker", worker=2)
    lost = loads.worker(str(name), "lost", texts={"name": name.json})
    found = compared(loads.full(), loads.full(generator=loads.HEALTH | {"workers": [lost]}))
    with speaking("ja"):
        assert "ワーカーを喪失しました: ワーカー 2\n" in comparison_summary(findings.translated(found))


def test_a_step_that_is_not_reached_any_more_weighs() -> None:
    without = {name: loads.metric(*figures) for name, figures in loads.STEPS.items() if name != "join"}
    assert changed(compared(loads.full(), loads.full(metrics=without))) == {"gone": ["join"]}
    others = loads.SETTINGS | {"journeys": {"listener": 1}}
    assert changed(compared(loads.full(), loads.full(metrics=without, settings=others))) == {"gone": ["(join)"]}


@pytest.mark.parametrize(("knee", "where"), [(1050, None), (700, "worse"), (2000, "better"), (None, "worse")])
def test_capacity(knee: int | None, where: str | None) -> None:
    curve = loads.capacity()["capacity"]
    found = compared(loads.capacity(), loads.capacity(capacity=curve | {"knee": knee}))
    assert changed(found) == ({where: ["users"]} if where else {})


def test_a_run_that_measured_nothing_is_worse() -> None:
    reasons = {"passed": False, "reasons": ["nothing was measured"]}
    failed = loads.full(verdict="incomplete", reason="nothing was measured", outcome=reasons)
    found = compared(loads.full(), failed)
    assert changed(found) == {"worse": ["run"]}
    assert found["changes"]["worse"][0]["after"]["reason"] == "nothing was measured"


def test_the_most_frequent_errors_are_counted_by_message() -> None:
    found = compared(loads.full(errors=builder.errors({f"error {n}": n + 1 for n in range(100)})), loads.full())
    rows = {row["name"]: row["values"] for row in found["counts"]}
    assert rows["errors"] == [5050, 0]
    assert rows["error 99"] == [100, 0]
    assert "error 0" not in rows


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([], "expected 2 to 20 documents to compare, found 0"),
        ([("a", builder.results())], "expected 2 to 20 documents to compare, found 1"),
        ([(str(n), builder.results()) for n in range(MAX_RUNS + 1)], "found 21"),
        ([("a", builder.results()), ("a", builder.results())], "two runs are named a"),
        (
            [("a", builder.results()), ("b", builder.load())],
            "a is a conformance run and b a load run: compare runs of the same kind",
        ),
    ],
)
def test_what_cannot_be_compared(runs: list[tuple[str, Json]], message: str) -> None:
    with pytest.raises(ComparisonError) as error:
        compare([Run(name, document) for name, document in runs], comparisons.TOOL)
    assert message in str(error.value)


@given(comparisons.results() | comparisons.load_tests())
def test_nothing_differs_from_itself(document: Json) -> None:
    found = compared(document, document)
    assert (changed(found), found["verdict"], found["settings"]) == ({}, "same", [])


def _mirrored(first: Json, second: Json) -> None:
    there, back = compared(first, second), compared(second, first)
    for name, mirror in MIRRORED.items():
        turned = sorted(_sides(change, "after", "before") for change in there["changes"][name])
        assert sorted(_sides(change, "before", "after") for change in back["changes"][mirror]) == turned
    assert {there["verdict"], back["verdict"]} in ({"same"}, {"better", "worse"}, {"worse"})


def _sides(change: Json, first: str, second: str) -> tuple[Any, ...]:
    sides = ((change[side] or {}).items() for side in (first, second))
    return change["name"], change.get("level", ""), change["weighs"], *(repr(sorted(side)) for side in sides)


@given(comparisons.results(), comparisons.results())
def test_conformance_the_other_way_round_is_the_mirror_image(first: Json, second: Json) -> None:
    _mirrored(first, second)


@pytest.mark.slow
@given(comparisons.load_tests(), comparisons.load_tests())
def test_load_the_other_way_round_is_the_mirror_image(first: Json, second: Json) -> None:
    _mirrored(first, second)
