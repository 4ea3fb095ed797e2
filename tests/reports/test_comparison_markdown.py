"""The comparison in Markdown: what it says, and that nothing of a document acts in it."""

import re

import pytest

from reports.compare.comparison import compare
from reports.compare.parts import Run
from reports.formats.comparison_markdown import MAX_CHANGES, comparison_markdown
from tests.reports import builder, comparisons, loads
from tests.reports.builder import Json
from tests.reports.comparisons import compared, slower, verdicts
from tests.reports.test_markdown import acting

ACTING = "`|<b>@you #1 [x](https://example.com) **b** www.example.com 0123456789abcdef :smile: $x$ \n- \x1b[31m"
OURS = re.compile(r"^(#+ |  - |- (. )?)|\*\*")


def test_what_got_better_and_worse() -> None:
    found = compared(verdicts(ERR_01="passed", ERR_02="failed"), verdicts(ERR_01="failed", ERR_02="passed"))
    assert (
        comparison_markdown(found)
        == """\
### ⬇ b is worse than a: 1 worse, 1 better.

- **a**: ✗ Not conformant · `ws://127.0.0.1:8765/v1/socket` · 2026-11-23 02:05:00 UTC
- **b**: ✗ Not conformant · `ws://127.0.0.1:8765/v1/socket` · 2026-11-23 02:05:00 UTC

#### Worse (1)

- ⬇ **ERR-01** MUST passed → failed: The server does what ERR-01 says with `error`.
  - b `case-err-01`: `no error arrived within 5 s`

#### Better (1)

- ⬆ **ERR-02** MUST failed → passed: The server does what ERR-02 says with `error`.
  - a `case-err-02`: `no error arrived within 5 s`
"""
    )


def test_the_matrix_has_what_differs() -> None:
    found = compared(verdicts(ERR_01="passed"), verdicts(ERR_01="failed"), verdicts(SEND_01="passed"))
    text = comparison_markdown(found)
    assert "| Requirement | a | b | c |\n| --- | --- | --- | --- |\n| `ERR-01` | ✓ passed | ✗ failed | – |\n" in text


def test_several_load_tests() -> None:
    text = comparison_markdown(compared(slower(1.0), slower(3.0), slower(4.0, errors=builder.errors({"no answer": 3}))))
    assert "| `post_to_own` | p99 | `4.20 ms` | `12.6 ms` ⬇ ×3.00 | `16.8 ms` ⬇ ×4.00 |\n" in text
    assert "- ⬇ `p99(post_to_own)` `4.20 ms` → `12.6 ms` (×3.00)" in comparison_markdown(
        compared(slower(1.0), slower(3.0))
    )
    assert "| errors | 0 | 0 | 3 |\n" in text


def test_a_long_list_is_cut() -> None:
    names = [f"ERR-{number}" for number in range(100)]
    found = compared(
        *(builder.results([builder.requirement(name, verdict) for name in names]) for verdict in ("passed", "failed"))
    )
    text = comparison_markdown(found)
    assert text.count("- ⬇ ") == MAX_CHANGES
    assert f"… and {100 - MAX_CHANGES} more" in text


@pytest.mark.parametrize(
    "documents",
    [
        [verdicts(ERR_01="passed"), verdicts(ERR_01="failed")],
        [builder.failing_results(), builder.results([]), builder.baselined_results()],
        [loads.full(), loads.aborted()],
        [loads.full(), loads.aborted(), loads.capacity()],
    ],
)
@pytest.mark.parametrize("text", [ACTING, builder.HOSTILE, "x" * 100_000])
def test_nothing_of_a_document_acts(documents: list[Json], text: str) -> None:
    runs = [Run(f"{number}{text}", builder.hostile(one, text)) for number, one in enumerate(documents)]
    made = comparison_markdown(compare(runs, comparisons.TOOL))
    assert len(made.encode()) < 200_000
    for line in made.splitlines():
        table = line.startswith("| ")
        ours = line.strip("| ").replace(" | ", " ") if table else OURS.sub("", line)
        assert acting(re.sub(r"\d\d:\d\d:\d\d UTC", "", ours)) == [], line
