"""The terminal summaries."""

import re

import pytest

from reports.formats.load_text import load_summary
from reports.formats.text import MAX_BLOCKS, MAX_CLAUSES, MAX_FAILURES, summary
from reports.text.fitting import columns
from tests.reports import builder, loads
from tests.reports.builder import HINT, Json, failure, requirement, results, scenario

CLAUSES = (("JOIN-01", "MUST"), ("SEND-01", "MUST"))
SGR = re.compile("\x1b\\[[0-9;]*m")
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

DOCUMENTS = [
    results(),
    results([], []),
    builder.failing_results(complete=False),
    builder.baselined_results(),
    builder.hostile(builder.baselined_results()),
    builder.hostile(builder.failing_results()),
    builder.hostile(builder.failing_results(), "x" * 100_000),
    builder.troubled_results(),
    builder.hostile(builder.troubled_results()),
    builder.hostile(builder.troubled_results(), "x" * 100_000),
    builder.load(),
    builder.load(timeline=[], metrics={}, thresholds=[], delivery=None, generator=None),
    builder.hostile(builder.unreached_load() | {"errors": builder.errors({"e": 1})}),
    builder.hostile(builder.load(errors=builder.errors({"e": 1})), "x" * 100_000),
    loads.full(),
    loads.capacity(),
    builder.hostile(loads.aborted(capacity=loads.capacity()["capacity"])),
    builder.hostile(loads.aborted(capacity=loads.capacity()["capacity"]), "x" * 100_000),
]


def _render(document: Json, colour: bool = False, width: int = 80) -> str:
    function = summary if document["format"] == "wsproof.results/2" else load_summary
    return function(document, colour, width)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_nothing_acts_on_the_terminal(document: Json) -> None:
    plain = _render(document)
    assert not ACTING.search(plain)
    plain.encode()
    assert len(plain) < 30_000
    assert plain.endswith("\n")
    assert not plain.endswith("\n\n")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_colour_adds_nothing_but_colour(document: Json) -> None:
    coloured = _render(document, colour=True)
    assert SGR.sub("", coloured) == _render(document)
    assert coloured != _render(document)


def test_the_summary_of_a_failing_run() -> None:
    assert (
        summary(builder.failing_results(), width=80)
        == """\
wsproof 0.1.0  ws://127.0.0.1:8765/v1/socket
Chat WebSocket API 1.0.0, 2026-11-23 02:05:00 UTC, 3.2 s

  ERR   Errors                 ✗ 1 failed, ▲ 1 warning, ! 1 error, ? 1 inconclusive, ○ 1 untested
  SEND  Posting and receiving  ✓ 1 passed

✗ ERR-02 MUST  The server does what ERR-02 says with `error`.
    scenario  err-silent, 3 expect error, alice
    because   no error arrived within 5 s
    expected  error with code INVALID_JSON
    received  (nothing)

▲ ERR-01 SHOULD  The server does what ERR-01 says with `error`.
    scenario  err-code, 3 expect error, alice
    because   no error arrived within 5 s
    expected  error with code INVALID_JSON
    received  {"code": "BAD_JSON"}
    scenario  err-silent, over the whole transcript
    because   no error arrived within 5 s
    expected  error with code INVALID_JSON
    received  (nothing)

! error: error: no such fixture (ERR-05)
? inconclusive: inconclusive: no such fixture (ERR-03)
○ untested: untested: no such fixture (ERR-04)

▲ 1 recommendation does not hold (ERR-01).
✗ Not conformant: 1 MUST requirement fails (ERR-02).
"""
    )


def test_the_verdict_comes_last() -> None:
    for document in DOCUMENTS[:3]:
        assert summary(document, width=200).splitlines()[-1].startswith(("✓", "✗", "?"))
    assert "cut off" in summary(builder.failing_results(complete=False))


def test_paragraphs_keep_to_the_width() -> None:
    failures = [failure("ERR-01", message="言葉 " * 60, received="y" * 300)]
    document = results(scenarios=[scenario("wide", "failed", failures=failures)])
    assert max(map(columns, summary(document, width=60).splitlines())) <= 60


def test_what_was_received_empty_is_not_nothing() -> None:
    failures = [failure("ERR-01", received="", expected=None)]
    text = summary(results(scenarios=[scenario("s", "failed", failures=failures)]))
    assert "because   no error arrived within 5 s\n    received  (empty)" in text


def test_hundreds_of_failures_are_counted() -> None:
    failures = [failure("ERR-01", step=str(number)) for number in range(100)]
    failures += [failure(f"ERR-{number}", "SHOULD", message=str(number)) for number in range(100)]
    text = summary(results(scenarios=[scenario("s", "failed", failures=failures)]))
    assert text.count("ERR-01 MUST") == 1
    assert text.count("because ") == MAX_FAILURES + MAX_BLOCKS - 1
    assert "and 97 more failures, see the reports" in text
    assert "and failures of 71 more requirements, see the reports" in text


def test_what_breaks_two_requirements_is_told_once() -> None:
    charged = [failure(name, level, actor=actor) for name, level in CLAUSES for actor in ("alice", "peer")]
    text = summary(results(scenarios=[scenario(f"s{number}", "failed", failures=charged) for number in range(5)]))
    heading, _, rest = text.partition("    scenario  s0, 3 expect error, alice, peer\n    because   no error arrived")
    assert [line[:14] for line in heading.splitlines()[-2:]] == ["✗ JOIN-01 MUST", "✗ SEND-01 MUST"]
    assert (rest.count("scenario  "), "and 2 more failures, see the reports" in rest) == (2, True)


def test_of_hundreds_of_clauses_some_are_named() -> None:
    charged = [failure(f"ERR-{number}") for number in range(100)]
    text = summary(results(scenarios=[scenario("s", "failed", failures=charged)]))
    assert text.count("✗ ERR-") == MAX_CLAUSES
    assert "and 92 more requirements\n    scenario  s," in text


def test_a_statement_is_wrapped_and_not_cut() -> None:
    statement = " ".join(["word"] * 43)
    document = results(
        [requirement("ERR-01", "failed", statement=statement)],
        [scenario("s", "failed", failures=[failure("ERR-01")])],
    )
    text = summary(document, width=60)
    assert text.count("word") == 43
    assert "missing" not in text


def test_a_check_is_named_where_it_found_something() -> None:
    failures = [failure("ERR-01", step="transcript", check="twice")]
    assert "scenario  s, check twice, alice\n" in summary(
        results(scenarios=[scenario("s", "failed", failures=failures)])
    )


def test_a_suspected_mistake_in_the_set_up_stands_beside_the_verdict() -> None:
    lines = summary(results(hints=[HINT]), width=200).splitlines()
    assert lines[-2:] == [
        f"? Possible configuration mistake: {HINT['message']}",
        "✓ Conformant: the one MUST requirement holds.",
    ]


class TestBaseline:
    def test_every_entry_that_says_something(self) -> None:
        text = " ".join(summary(builder.baselined_results(), width=200).split())
        assert "◇ ERR-01 expected failure until 2099-12-31: why ERR-01 fails" in text
        assert "✗ err-fine stale: it passes; delete the baseline entry in line 7" in text
        assert "✗ ERR-02 expired: it was expected to fail until 2020-01-01, and still fails" in text
        assert "HB-01" not in text
        assert "◇ 1 expected failure" in text
        assert "✗ The run fails: a requirement fails: ERR-02; the baseline is stale: err-fine." in text

    def test_expected_failures_are_not_told_at_length(self) -> None:
        assert "err-listed" not in summary(builder.baselined_results())

    @pytest.mark.parametrize(
        ("document", "last"),
        [
            (results(), "✓ Conformant: the one MUST requirement holds."),
            (
                builder.baselined_results() | {"outcome": {"passed": True, "reasons": []}},
                "✓ The run passes: all failures are listed in the baseline.",
            ),
            (
                results([builder.requirement("ERR-01", "untested")])
                | {"outcome": {"passed": False, "reasons": ["not everything was verified"]}},
                "✗ The run fails: not everything was verified.",
            ),
        ],
    )
    def test_whether_the_run_passes_is_said_where_the_verdict_does_not(self, document: Json, last: str) -> None:
        assert summary(document).splitlines()[-1] == last
