"""The whole `wsproof check` against hostile endpoints: it ends, says why, keeps small, and lets nothing act."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.bundled import load_profile
from tests.conformance.servers import raw_server
from tests.hostile.checking import Checked, check
from tests.hostile.modes import MODES
from tests.hostile.strings import ACTING, STRINGS, leaked
from tests.slow import slow_but

MEGABYTES = 300
"""What a check may take at its peak."""

DOCUMENT_BYTES = 12_000_000
"""What results and report may take each."""

CONNECTING = ("--select", "CONN", "--select", "AUTH", "--jobs", "8")

FLOODED = ("--select", "conn-accepted-and-acknowledged", "--select", "conn-sessions-in-turn", "--select", "AUTH-01")

WHOLE = {"never-answers", "flood", "nested-arrays"}
"""Modes that meet the whole suite; for the others a part shows as much."""

OPTIONS = {
    **dict.fromkeys(("junk", "empty-messages", "many-values", "endless-fragments", "empty-fragments"), FLOODED),
    **dict.fromkeys(("pings", "pongs"), FLOODED),
    "deflate-bomb": ("--select", "WIRE-09", "--select", "CONN-01"),
    "never-closes": ("--select", "CLOSE-01", "--select", "CONN"),
    "in-messages": ("--select", "CONN", "--select", "ERR-04", "--select", "send-text-unchanged"),
}

CONVICTED = {
    "never-answers": "CONN-01",
    "byte-a-second": "CONN-01",
    "endless-headers": "CONN-01",
    "endless-header-line": "CONN-01",
    "endless-refusal": "CONN-01",
    "wrong-accept-key": "CONN-07",
    "redirect-loop": "CONN-01",
    "html": "CONN-01",
    "quiet-after-101": "CONN-02",
    "junk": "ENV-01",
    "empty-messages": "ENV-01",
    "many-values": "ENV-01",
    "nested-arrays": "ENV-01",
    "long-number": "ENV-01",
    "deflate-bomb": "SEND-01",
    "never-closes": "CLOSE-01",
    "resets": "CONN-01",
    "in-refusals": "CONN-01",
    "in-messages": "ENV-01",
}
"""What a mode is convicted of at least; the others show in whatever waits for something."""

TOKENS = [str(user.token) for user in load_profile().users.values()]


def assert_sound(run: Checked) -> None:
    """What holds for every run, whatever the endpoint did."""
    assert re.search("Traceback|Warning:", run.terminal) is None
    assert run.megabytes < MEGABYTES
    assert run.code == 1, run.terminal
    document = run.document
    assert document["verdict"] == "non-conformant"
    assert document["complete"]
    assert [one["id"] for one in document["scenarios"] if one["verdict"] == "error"] == []
    assert all(one["reason"] for one in document["requirements"] if one["verdict"] in ("failed", "inconclusive"))
    ET.fromstring((run.folder / "junit.xml").read_text(encoding="utf-8"))
    for name, text in run.outputs().items():
        assert ACTING.search(text) is None, name
        assert len(text) < DOCUMENT_BYTES, name
        assert [found for token in TOKENS for found in leaked(token, text)] == [], name


@pytest.mark.parametrize("mode", slow_but(["endless-refusal", "junk", "in-close-reasons"], [*MODES, *STRINGS]))
def test_a_check_ends_with_a_verdict(mode: str, tmp_path: Path) -> None:
    options = () if mode in WHOLE else OPTIONS.get(mode, CONNECTING)
    with raw_server({**MODES, **STRINGS}[mode]) as url:
        run = check(url, tmp_path, *options)
    assert_sound(run)
    if mode in CONVICTED:
        assert CONVICTED[mode] in run.failed()
    assert not re.search(r"<script>alert|<img src=x|\]\]><system-out", (run.folder / "report.html").read_text())


@pytest.mark.slow
def test_what_never_comes_is_not_waited_for_again(tmp_path: Path) -> None:
    """And the reason is said."""
    with raw_server(MODES["quiet-after-101"]) as url:
        run = check(url, tmp_path, "--jobs", "8")
    given_up = [one for one in run.document["scenarios"] if (one["reason"] or "").startswith("not waited for")]
    assert len(given_up) > len(run.document["scenarios"]) / 2
    assert {one["reason"] for one in given_up} == {"not waited for: it had already failed to arrive in 3 scenarios"}


@pytest.mark.slow
def test_where_everybody_is_refused_a_refusal_shows_nothing(tmp_path: Path) -> None:
    """While a page in answer to a plain GET is wrong whoever asks."""
    with raw_server(MODES["html"]) as url:
        run = check(url, tmp_path, "--jobs", "8")
    verdicts = {one["id"]: one["verdict"] for one in run.document["requirements"]}
    assert {verdicts[name] for name in ("AUTH-01", "AUTH-02", "AUTH-03")} == {"inconclusive"}
    assert (verdicts["CONN-01"], verdicts["CONN-08"]) == ("failed", "failed")
