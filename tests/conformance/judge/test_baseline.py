"""Baseline files: reading, mistakes, and what a selection leaves undecided."""

from pathlib import Path

import pytest

from conformance.judge.baseline import BaselineEntry, baseline_text, for_selection, load_baseline
from contract.errors import ContractError
from tests.bundled import bundled, load_requirements

REQUIREMENTS = load_requirements()
SCENARIOS = bundled()
HEAD = "format: wsproof.baseline/1\nentries:\n"


def loaded(tmp_path: Path, entries: str) -> tuple[BaselineEntry, ...]:
    path = tmp_path / "baseline.yaml"
    path.write_text(HEAD + entries, encoding="utf-8")
    return load_baseline(path, REQUIREMENTS, SCENARIOS)


def test_entries(tmp_path: Path) -> None:
    text = """\
  - requirement: SEND-02
    reason: " it trims "
    link: https://example.com/17
    expires: 2099-12-31
  - {scenario: send-text-unchanged, reason: known}
  - {scenario: send-text-unchanged/leading-spaces, reason: known}
"""
    assert loaded(tmp_path, text) == (
        BaselineEntry("SEND-02", None, "it trims", "https://example.com/17", "2099-12-31", 3),
        BaselineEntry(None, "send-text-unchanged", "known", line=7),
        BaselineEntry(None, "send-text-unchanged/leading-spaces", "known", line=8),
    )


@pytest.mark.parametrize(
    ("entries", "place", "message"),
    [
        ("  - requirement: SEND-2\n    reason: x\n", "3:5", "unknown requirement 'SEND-2'; did you mean SEND-02"),
        ("  - reason: x\n    scenario: send-txt-unchanged\n", "4:5", "did you mean send-text-unchanged"),
        ("  - {requirement: SEND-02, reason: x}\n  - {requirement: SEND-02, reason: y}\n", "4:6", "listed twice"),
        ("  - requirement: SEND-02\n", "3:5", "expected the member 'reason'"),
        ("  - requirement: SEND-02\n    reason: ' '\n", "4:5", "entries[0].reason"),
        ("  - reason: x\n", "3:5", "expected exactly one of the members 'requirement', 'scenario'"),
        ("  - {requirement: A, scenario: b, reason: x}\n", "3:5", "expected exactly one of the members"),
        ("  - requirement: SEND-02\n    reason: x\n    expires: 2026-02-30\n", "5:5", "expected a date such as"),
        ("  - requirement: SEND-02\n    reason: x\n    expires: soon\n", "5:5", "entries[0].expires"),
        ("  - requirement: SEND-02\n    reason: x\n    link: javascript:1\n", "5:5", "entries[0].link"),
        ("  - [\n", "4:1", "invalid YAML"),
        ("  SEND-02: x\n", "2:1", "entries: expected a list; got a mapping"),
    ],
)
def test_a_mistake_has_its_place(tmp_path: Path, entries: str, place: str, message: str) -> None:
    with pytest.raises(ContractError) as caught:
        loaded(tmp_path, entries)
    assert str(caught.value).startswith(f"{tmp_path / 'baseline.yaml'}:{place}: ")
    assert message in str(caught.value)


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    entries = (
        BaselineEntry("SEND-02", None, 'it\'s: "trimmed"\n日本語', "https://example.com/17", "2099-12-31"),
        BaselineEntry(None, "send-text-unchanged", "no"),
    )
    path = tmp_path / "written.yaml"
    path.write_text(baseline_text(entries), encoding="utf-8")
    read = load_baseline(path, REQUIREMENTS, SCENARIOS)
    assert [(one.name, one.reason, one.link, one.expires) for one in read] == [
        (one.name, one.reason, one.link, one.expires) for one in entries
    ]


def test_a_part_of_the_suite_cannot_show_that_an_entry_is_stale() -> None:
    entries = [
        BaselineEntry("SEND-02", None, "judged in every scenario"),
        BaselineEntry("JOIN-07", None, "judged in its own"),
        BaselineEntry(None, "send-text-unchanged", "a family"),
    ]
    assert all(one.whole for one in for_selection(entries, SCENARIOS, SCENARIOS, REQUIREMENTS))
    joins = [one for one in SCENARIOS if one.group == "JOIN"]
    part = [*joins, next(one for one in SCENARIOS if one.id.startswith("send-text-unchanged/"))]
    assert [one.whole for one in for_selection(entries, SCENARIOS, part, REQUIREMENTS)] == [False, True, False]
