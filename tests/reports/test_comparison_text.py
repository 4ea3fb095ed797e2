"""The summary of a comparison for a terminal."""

import pytest

from contract.escaping import visible
from reports.compare.comparison import compare
from reports.compare.parts import Run
from reports.formats.comparison_text import MAX_CHANGES, comparison_summary, last_line
from reports.text.fitting import columns
from tests.reports import builder, comparisons, loads
from tests.reports.builder import Json
from tests.reports.comparisons import compared, slower, verdicts


def test_what_got_better_and_worse() -> None:
    found = compared(
        verdicts(ERR_01="passed", ERR_02="failed", ERR_03="passed"),
        verdicts(ERR_01="failed", ERR_02="passed", ERR_03="passed"),
    )
    assert (
        comparison_summary(found)
        == """\
✗ a  Not conformant, ws://127.0.0.1:8765/v1/socket, 2026-11-23 02:05:00 UTC
✗ b  Not conformant, ws://127.0.0.1:8765/v1/socket, 2026-11-23 02:05:00 UTC

Worse (1)
⬇ ERR-01 MUST  passed → failed
    b, case-err-01: no error arrived within 5 s

Better (1)
⬆ ERR-02 MUST  failed → passed
    a, case-err-02: no error arrived within 5 s

⬇ b is worse than a: 1 worse, 1 better.
"""
    )


def test_two_load_tests() -> None:
    lossy = loads.LEDGER | {"lost": 4}
    text = comparison_summary(compared(slower(1.0), slower(3.0, delivery=lossy)))
    assert "⬇ p99(post_to_own)  4.20 ms → 12.6 ms (×3.00)\n" in text
    assert "⬇ lost  0 → 4\n" in text
    assert text.endswith("⬇ b is worse than a: 4 worse.\n")


def test_only_what_differs_of_several() -> None:
    found = compared(
        verdicts(ERR_01="passed", ERR_02="passed"),
        verdicts(ERR_01="failed", ERR_02="passed"),
        verdicts(ERR_02="passed"),
    )
    text = comparison_summary(found)
    assert "          a  b  c\n  ERR-01  ✓  ✗  –\n\nOnly differences are listed. ✗ failed, ✓ passed\n" in text
    assert text.endswith("≡ 2 of 3 are conformant; they differ in 1 of 2 requirements.\n")


def test_a_matrix_without_room_for_names_has_numbers() -> None:
    documents = [verdicts(ERR_01="failed" if number == 7 else "passed") for number in range(1, 9)]
    runs = [Run(f"implementation {number}", one) for number, one in enumerate(documents, 1)]
    text = comparison_summary(compare(runs, comparisons.TOOL))
    assert "✗ 7  implementation 7  Not conformant" in text
    assert "          1  2  3  4  5  6  7  8\n  ERR-01  ✓  ✓  ✓  ✓  ✓  ✓  ✗  ✓\n" in text


def test_several_load_tests_have_their_figures() -> None:
    silent = loads.full(metrics={}, errors=builder.errors({"no answer": 2}))
    text = comparison_summary(compared(slower(1.0), slower(3.0), silent))
    assert "    b  p50 4.07 ms  p95 8.99 ms  p99 12.6 ms  max 30.1 ms\n    c  nothing measured\n" in text
    assert "    errors: 0 | 0 | 2\n" in text


def test_a_long_list_is_cut() -> None:
    names = [f"ERR-{number}" for number in range(100)]
    found = compared(
        *(builder.results([builder.requirement(name, verdict) for name in names]) for verdict in ("passed", "failed"))
    )
    text = comparison_summary(found)
    assert text.count("⬇ ERR-") == MAX_CHANGES
    assert f"and {100 - MAX_CHANGES} more\n" in text


def test_the_verdict_alone() -> None:
    found = compared(builder.results(), builder.results())
    assert last_line(found) == "= b is no worse than a: no verdict changed.\n"


@pytest.mark.parametrize(
    "documents",
    [
        [builder.failing_results(), builder.results([])],
        [builder.results([]), builder.failing_results(), builder.baselined_results()],
        [loads.full(), loads.aborted()],
        [loads.full(), loads.aborted(), loads.capacity()],
    ],
)
@pytest.mark.parametrize("text", [builder.HOSTILE, "x" * 100_000])
def test_nothing_in_a_document_acts_on_the_terminal(documents: list[Json], text: str) -> None:
    hostile = [builder.hostile(document, text) for document in documents]
    runs = [Run(f"{number}{text}", document) for number, document in enumerate(hostile)]
    summary = comparison_summary(compare(runs, comparisons.TOOL), width=80)
    assert [line for line in summary.splitlines() if line != visible(line)] == []
    assert max(columns(line) for line in summary.splitlines()) < 1000
    assert len(summary) < 100_000


def test_colour_is_an_extra() -> None:
    found = compared(verdicts(ERR_01="passed"), verdicts(ERR_01="failed"))
    coloured = comparison_summary(found, colour=True)
    assert "\x1b[31;1m⬇\x1b[0m" in coloured
    assert "\x1b" not in comparison_summary(found)
