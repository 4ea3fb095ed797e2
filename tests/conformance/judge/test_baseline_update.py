"""`--write-baseline` into a file that is there: what the run decides is brought up to date, and all else stays."""

from pathlib import Path

import pytest

from conformance.judge.baseline import TO_DO, for_selection, load_baseline
from conformance.judge.baseline_update import Former, former, updated_baseline
from conformance.judge.outcomes import unfinished
from conformance.judge.verdicts import Rules, ScenarioVerdict, charge_failures
from conformance.language.deed import Charge
from conformance.play.context import Failure
from contract.findings import phrase
from tests.bundled import bundled, load_requirements

REQUIREMENTS = load_requirements()
SCENARIOS = bundled()
SELECTED = [one for one in SCENARIOS if "SEND-02" in one.verifies]
TODAY = "2026-06-01"
HEAD = """\
# Agreed with the gateway's team.
format: wsproof.baseline/1
entries:
"""
OTHERS = """\
  # Heartbeats come late; they know.
  - requirement: HB-01
    reason: |
      A proxy holds them up.
    link: https://example.com/17   # an issue
    expires: 2026-12-31
"""
SEND = """\
  # Texts.
  - requirement: SEND-02   # trimmed
    reason: The gateway trims texts.
    expires: {expires}
"""
STALE = """\
  # Gone at last.
  - scenario: send-text-unchanged/emoji
    reason: it lost them
"""


def played(*failed: str) -> list[ScenarioVerdict]:
    """What a run of SEND-02's scenarios gives: those that are named fail for it."""
    found = []
    for one in SELECTED:
        failure = Failure(Charge(("SEND-02",)), "1", "alice", phrase("cut-off"), None, None)
        outcome = unfinished(one, "finished", "")
        found.append(charge_failures(outcome, [failure] if one.id in failed else [], REQUIREMENTS))
    return found


def before(path: Path, text: str) -> Former:
    path.write_text(text, encoding="utf-8")
    entries = load_baseline(path, REQUIREMENTS, SCENARIOS)
    return former(path, for_selection(entries, SCENARIOS, SELECTED, REQUIREMENTS))


def updated(found: Former, *failed: str) -> str:
    return updated_baseline(found, Rules(today=TODAY), REQUIREMENTS, played(*failed))


FAILED = "send-text-unchanged/leading-spaces"


def test_what_still_fails_and_what_is_not_decided_stays_as_it_stands(tmp_path: Path) -> None:
    text = HEAD + SEND.format(expires="2026-12-31") + OTHERS
    assert updated(before(tmp_path / "b.yaml", text), FAILED) == text


def test_what_passes_goes_with_its_comment(tmp_path: Path) -> None:
    found = before(tmp_path / "b.yaml", HEAD + OTHERS + STALE + SEND.format(expires="2026-12-31"))
    assert updated(found, FAILED) == HEAD + OTHERS + SEND.format(expires="2026-12-31")


def test_what_is_new_comes_last(tmp_path: Path) -> None:
    text = updated(before(tmp_path / "b.yaml", HEAD + OTHERS.rstrip("\n")), FAILED)
    assert text == HEAD + OTHERS + f"  - requirement: SEND-02\n    reason: '{TO_DO}'\n"


def test_what_has_expired_and_fails_keeps_its_reason_and_asks_for_another_date(tmp_path: Path) -> None:
    text = updated(before(tmp_path / "b.yaml", HEAD + SEND.format(expires="2026-05-31") + OTHERS), FAILED)
    renewed = "'TODO: expired on 2026-05-31, and still fails. The gateway trims texts.'"
    assert text == HEAD + f"  # Texts.\n  - requirement: SEND-02\n    reason: {renewed}\n" + OTHERS


@pytest.mark.parametrize(
    "text",
    [
        "format: wsproof.baseline/1\nentries: [{requirement: HB-01, reason: late}]\n",
        "entries:\n- requirement: HB-01\n  reason: late\nformat: wsproof.baseline/1\n",
        "format: wsproof.baseline/1\nentries: []\n",
    ],
)
def test_a_file_of_another_form_is_written_anew(text: str, tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(updated(before(path, text), FAILED), encoding="utf-8")
    entries = load_baseline(path, REQUIREMENTS, SCENARIOS)
    late = [("HB-01", "late")] if "HB-01" in text else []
    assert [(one.requirement, one.reason) for one in entries] == [*late, ("SEND-02", TO_DO)]


def test_a_dash_may_stand_alone(tmp_path: Path) -> None:
    text = "format: wsproof.baseline/1\nentries:\n  -\n    requirement: HB-01\n    reason: late\n"
    assert updated(before(tmp_path / "b.yaml", text)) == text


def test_entries_of_another_file_join(tmp_path: Path) -> None:
    other = before(tmp_path / "other.yaml", HEAD + OTHERS)
    own = before(tmp_path / "b.yaml", HEAD + SEND.format(expires="2026-12-31"))
    both = former(tmp_path / "b.yaml", own.entries, (*other.entries, *own.entries))
    path = tmp_path / "new.yaml"
    path.write_text(updated(both, FAILED), encoding="utf-8")
    entries = load_baseline(path, REQUIREMENTS, SCENARIOS)
    assert [(one.name, one.expires) for one in entries] == [("SEND-02", "2026-12-31"), ("HB-01", "2026-12-31")]


def test_without_a_file() -> None:
    assert updated(Former()) == "format: wsproof.baseline/1\nentries: []\n"
