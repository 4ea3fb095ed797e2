"""What did not come, once, and came when it was waited for again, is neither a failure nor passed over in silence."""

from pathlib import Path

import pytest

from tests.evidence.edge import edge_before
from tests.evidence.servers import check, reference
from tests.evidence.situations import OnlyOnce

pytestmark = pytest.mark.slow

INTERNAL_ERROR = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("answer", [b"", INTERNAL_ERROR], ids=["a-reset", "a-refusal"])
def test_what_was_seen_once_is_undecided(answer: bytes, tmp_path: Path) -> None:
    with reference() as url, edge_before(url, OnlyOnce(answer, 300)) as outside:
        run = check(outside, tmp_path)
    assert run.failed() == set()
    (scenario,) = [one for one in run.document["scenarios"] if one.get("unconfirmed")]
    assert scenario["verdict"] == "inconclusive"
    verdicts = {one["id"]: (one["verdict"], one["reason"]) for one in run.document["requirements"]}
    for name in {one["requirement"] for one in scenario["unconfirmed"]}:
        verdict, reason = verdicts[name]
        assert verdict == "inconclusive"
        assert scenario["id"] in reason
        assert "seen once" in reason
