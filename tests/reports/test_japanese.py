"""A report in Japanese has no English words but names, and what an endpoint or an author wrote.

The documents are those of all other tests, in which everything that others wrote, and every name, is a mark; so what is
left of English is ours.
"""

import html
import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from contract.findings import phrase, texts
from reports.formats.render import DATA, FORMATS, render
from tests.reports import builder, loads
from tests.reports.builder import Json
from tests.reports.comparisons import compared, slower, verdicts
from tests.reports.documents import CHECKS, LOADS

MARK = "◆"
OURS = (
    "format",
    "started",
    "verdict",
    "level",
    "direction",
    "kind",
    "state",
    "link",
    "expires",
    "of",
    "unit",
    "code",
    "origin",
)
"""Members that hold words of the formats, which a report says in its language."""
KEPT = ("settings", "summary")
NAMES = frozenset(
    (
        *("wsproof", "MUST", "SHOULD", "MAY", "UTC", "ID", "JSON", "HTTP", "TCP", "TLS", "CPU", "RFC", "API", "URL"),
        *("WebSocket", "ping", "pong", "ms", "max", "pN", "chatter", "listener", "churner"),
        *("lost", "errors", "ERR", "RATE_LIMITED", "RATE", "LIMITED", "post_to_own", "post_to_receive", "close"),
    )
)
"""Names, among them those of journeys and of what thresholds limit, which stand in a Japanese text as they are."""
WORD = re.compile(r"(?<!%)\b[A-Za-z_]{2,}", re.ASCII)
PLAYED: Json = {
    "jobs": 16, "time_scale": 2.0, "rounds": 3, "embedded": True, "profile": None, "set": [], "scenarios": None,
    "selection": [], "deselection": [], "require_complete": True, "allow_undecided": False, "baseline": None,
    "fuzz": {"examples": 20, "seed": 7}, "heartbeat_interval_s": 1, "heartbeat_timeout_s": 2,
}  # fmt: skip


def told() -> Json:
    """A check that says something in every member that has a phrase."""
    kinds = ("handshake", "message", "binary", "ping", "pong", "frame", "close", "end", "timeout", "note")
    events = [builder.event(number, "in", kind, data=MARK) for number, kind in enumerate(kinds)]
    open_now = phrase("still-open")
    step = phrase("step", parts=["3", MARK, phrase("verb-expect-nothing")])
    found = {"step": str(step), "expected": str(open_now), "received": str(open_now)}
    shown = texts(step=step, expected=open_now, received=open_now)
    failures = [
        builder.failure("ERR-01", **open_now.json, message=str(open_now), **found, **shown),
        builder.failure("ERR-01", check=MARK, **open_now.json, message=str(open_now), **found, **shown),
    ]
    origins = [builder.requirement(f"ERR-0{number}", origin=one) for number, one in enumerate(("derived", "seed §4"))]
    broken = builder.requirement("ERR-09", "failed", origin="example §2", scenarios=["s"])
    scenario = builder.scenario("s", "failed", failures=failures, unconfirmed=failures, transcript=events)
    return builder.results([*origins, broken], [scenario], settings=PLAYED, hints=[builder.HINT | open_now.json])


def marked(value: Any, member: str = "") -> Any:
    """A copy of a document in which every string that is not ours is a mark."""
    if member in KEPT:
        return value
    if isinstance(value, dict):
        free = member in ("metrics", "closes", "journeys")
        return {(MARK if free else name): marked(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [marked(inner, member if member == "settings" else "") for inner in value]
    return value if not isinstance(value, str) or member in OURS else MARK


DOCUMENTS = {
    **{
        name: marked(document)
        for name, document in (CHECKS | LOADS).items()
        if not set(name.split()) & {"hostile", "acting", "long"}
    },
    "told": marked(told()),
    "comparison": compared(*map(marked, (verdicts(A="passed", B="failed"), verdicts(A="failed", B="passed")))),
    "comparison of loads": compared(*map(marked, (slower(1.0), loads.faulty()))),
    "comparison of several": compared(*(marked(verdicts(A=one)) for one in ("passed", "failed", "untested"))),
}


def shown(format_name: str, text: str) -> Iterator[str]:
    """What people read of a report."""
    if format_name == "html":
        text = re.sub(r"<(style|script).*?</\1>|<code>.*?</code>", " ", text, flags=re.DOTALL)
        yield from map(
            html.unescape, re.findall(r'(?:title|aria-label|alt|placeholder|data-all|data-some)="([^"]*)"', text)
        )
        yield html.unescape(re.sub(r"<[^>]*>", "\n", text))
    elif format_name == "junit":
        for element in ET.fromstring(text).iter():
            yield from (element.text or "", element.get("message", ""))
    elif format_name == "ctrf":
        for test in json.loads(text)["results"]["tests"]:
            yield from (test.get("message", ""), test.get("trace", ""), *test.get("stdout", ()))
    else:
        yield text


@pytest.mark.parametrize("format_name", [name for name in FORMATS if name not in DATA and not name.startswith("badge")])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_english_is_left(name: str, format_name: str) -> None:
    document = DOCUMENTS[name]
    if document["format"].startswith("wsproof.comparison/") and FORMATS[format_name].comparison is None:
        return
    for text in shown(format_name, render(format_name, document, "ja")):
        lines = (re.split("wsproof check|https://", line)[0] for line in text.splitlines())
        left = {word for line in lines for word in WORD.findall(line)}
        assert left - NAMES == set(), text[:2000]
