"""The whole `wsproof load` against hostile endpoints: it ends, says why, keeps small, and lets nothing act."""

import re
from pathlib import Path

import pytest

from tests.bundled import load_profile
from tests.conformance.servers import raw_server
from tests.hostile.checking import QUICK, run
from tests.hostile.modes import MODES
from tests.hostile.strings import ACTING, STRINGS, leaked
from tests.hostile.test_endpoints import MEGABYTES
from tests.slow import slow_but

PLAYED = (
    *("never-answers", "endless-headers", "endless-refusal", "flood", "many-values", "huge-frame", "endless-fragments"),
    *("nested-arrays", "long-number", "pings", "never-closes", "resets-after-ack", "in-messages", "in-close-reasons"),
)
TOKENS = [*(str(user.token) for user in load_profile().users.values()), "load-1", "load-2", "load-3"]


@pytest.mark.parametrize("mode", slow_but(["nested-arrays"], PLAYED))
def test_a_load_test_ends_and_says_what_it_saw(mode: str, tmp_path: Path) -> None:
    with raw_server({**MODES, **STRINGS}[mode]) as url:
        played = run(tmp_path, "load", url, "--users", "3", "--time", "2s", "--set", "reconnect.base=100ms", *QUICK)
    assert re.search("Traceback|Warning:|internal error in wsproof", played.terminal) is None
    assert played.megabytes < MEGABYTES
    assert played.code == 1, played.terminal
    document = played.document
    assert document["verdict"] in ("non-conformant", "incomplete")
    assert document["complete"]
    assert document["outcome"]["reasons"]
    for name, text in played.outputs().items():
        assert ACTING.search(text) is None, name
        assert [found for token in TOKENS for found in leaked(token, text)] == [], name
