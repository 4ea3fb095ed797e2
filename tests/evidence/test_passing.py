"""Passed means tested, and a run that decided next to nothing is no success."""

import re
from pathlib import Path

import pytest

from tests.evidence.servers import check, reference
from tests.hostile.checking import Checked

WITHOUT_ALICE = """
users:
  bob: {token: bob-token, id: user-002, name: Hanako Suzuki}
"""

OF_POSTS = ("SEND-02", "SEND-03", "SEND-04", "SEND-05", "SEND-06", "SEND-07", "SEND-08", "JOIN-02")

SENTENCE = r"MUST requirements that the selected scenarios verify (was|were) decided"


def test_what_was_not_looked_at_has_not_passed(tmp_path: Path) -> None:
    """Where nothing is posted, nothing is known of posts."""
    with reference() as url:
        run = check(url, tmp_path, "--select", "CONN-02")
    verdicts = {one["id"]: one["verdict"] for one in run.document["requirements"]}
    assert {name: verdicts[name] for name in OF_POSTS} == dict.fromkeys(OF_POSTS, "untested")
    assert verdicts["CONN-02"] == "passed"
    assert run.code == 0, run.terminal


@pytest.mark.slow
def test_complete_is_what_was_selected(tmp_path: Path) -> None:
    with reference() as url:
        run = check(url, tmp_path, "--select", "CONN-02", "--require-complete")
    assert run.document["outcome"]["passed"]
    assert run.code == 0, run.terminal


def without_alice(folder: Path, *options: str) -> Checked:
    """Check the reference server with a profile that lacks the user whom nearly every scenario needs."""
    profile = folder / "wsproof.yaml"
    profile.write_text(WITHOUT_ALICE, encoding="utf-8")
    with reference() as url:
        return check(url, folder, "--profile", str(profile), *options)


@pytest.mark.slow
def test_deciding_next_to_nothing_is_no_success(tmp_path: Path) -> None:
    run = without_alice(tmp_path)
    assert run.failed() == set()
    assert run.code == 1, run.terminal
    assert any(re.search(SENTENCE, one) for one in run.document["outcome"]["reasons"])
    assert re.search(SENTENCE, " ".join(run.terminal.split()))


@pytest.mark.slow
def test_unless_it_is_allowed(tmp_path: Path) -> None:
    run = without_alice(tmp_path, "--allow-undecided")
    assert run.code == 0, run.terminal
