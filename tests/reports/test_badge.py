"""Badges: what they say, that shields.io takes them, and that the SVG can be read by everybody."""

import json
import re
from xml.etree import ElementTree as ET

import pytest

from reports.formats.badge import shields, svg
from tests.reports import builder, loads
from tests.reports.builder import Json, requirement, results
from tests.reports.documents import DOCUMENTS

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "rect", "path", "g", "text"}

BREACHED = builder.THRESHOLD | {"passed": False}


def badge(document: Json) -> Json:
    found: Json = json.loads(shields(document))
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_shields_takes_it(name: str) -> None:
    found = badge(DOCUMENTS[name])
    assert found.pop("schemaVersion") == 1
    assert found.pop("isError", True) is True
    assert found.keys() == {"label", "message", "color"}
    assert all(isinstance(value, str) and value for value in found.values())
    assert found["color"] in {"brightgreen", "red", "yellow", "lightgrey"}
    assert len(found["message"]) < 80


@pytest.mark.parametrize(
    ("document", "message", "color"),
    [
        (results(), "conformant: 1 of 1 MUSTs hold", "brightgreen"),
        (results(strict=True), "conformant: 1 of 1 requirements hold", "brightgreen"),
        (builder.failing_results(), "not conformant: 1 requirement failed", "red"),
        (builder.failing_results(complete=False), "not conformant: 1 requirement failed (cut off)", "red"),
        (builder.baselined_results(), "not conformant: 2 requirements failed", "red"),
        (
            results([requirement("ERR-01"), requirement("ERR-02", "untested")]),
            "incomplete: 1 of 2 MUSTs verified",
            "yellow",
        ),
        (results(complete=False, verdict="incomplete"), "cut off: 1 of 1 MUSTs verified", "lightgrey"),
        (results([], []), "nothing was verified", "lightgrey"),
        (results(scenarios=[]), "nothing was verified", "lightgrey"),
        (builder.load(), "conformant: 2 of 2 MUSTs hold", "brightgreen"),
        (loads.measured(), "measured only: nothing was judged", "lightgrey"),
        (builder.load(complete=False), "cut off", "lightgrey"),
        (builder.breaking_load(), "not conformant: 1 requirement failed", "red"),
        (builder.undecided_load(), "undecided: 1 of 2 thresholds", "yellow"),
        (builder.load(thresholds=[BREACHED]), "failed: 1 of 1 threshold breached", "red"),
        (loads.measured(thresholds=[BREACHED]), "failed: 1 of 1 threshold breached", "red"),
        (builder.unreached_load(), "nothing was verified", "yellow"),
        (
            builder.load([builder.judged("SEND-01"), builder.judged("HB-02", "inconclusive")]),
            "incomplete: 1 of 2 MUSTs verified",
            "yellow",
        ),
        (
            builder.load([builder.judged("SEND-01"), builder.judged("HB-02", "untested")]),
            "conformant: 1 of 1 MUSTs hold",
            "brightgreen",
        ),
        (loads.full(settings={"strict": True}), "conformant: 4 of 4 requirements hold", "brightgreen"),
    ],
)
def test_what_it_says(document: Json, message: str, color: str) -> None:
    found = badge(document)
    assert (found["message"], found["color"]) == (message, color)
    assert found["label"] == ("WebSocket load" if document["format"] == "wsproof.load/3" else "WebSocket API")


def test_half_a_run_or_none_is_an_error() -> None:
    assert badge(builder.failing_results(complete=False))["isError"]
    assert badge(results([], []))["isError"]
    assert badge(builder.load(complete=False))["isError"]
    assert not [one for one in (builder.failing_results(), builder.load(thresholds=[])) if "isError" in badge(one)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_word_is_the_endpoints(name: str) -> None:
    for text in (shields(DOCUMENTS[name]), svg(DOCUMENTS[name])):
        assert not re.search("script|evil|alert|you|xxx|127", text)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_picture_needs_nothing_and_says_what_it_shows(name: str) -> None:
    text = svg(DOCUMENTS[name])
    root = ET.fromstring(text)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= ALLOWED
    assert not re.search(r"href|url\(|style=|<!|<\?|@", text)
    found = badge(DOCUMENTS[name])
    said = f"{found['label']}: {found['message']}"
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.findtext(f"{SVG}title") == said
    assert [element.text for element in root.iter(f"{SVG}text")] == [found["label"], found["message"]]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_words_have_room(name: str) -> None:
    root = ET.fromstring(svg(DOCUMENTS[name]))
    boundary = float(re.findall(r"M3 0H(\d+)V", text(root, "path", "d"))[0])
    label, message = root.iter(f"{SVG}text")
    assert float(label.attrib["x"]) + float(label.attrib["textLength"]) < boundary < float(message.attrib["x"])
    assert float(message.attrib["x"]) + float(message.attrib["textLength"]) < float(root.attrib["width"])


def text(root: ET.Element, tag: str, attribute: str) -> str:
    (found,) = root.iter(f"{SVG}{tag}")
    return found.attrib[attribute]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_contrast_suffices(name: str) -> None:
    root = ET.fromstring(svg(DOCUMENTS[name]))
    for tag in ("rect", "path"):
        assert 1.05 / (luminance(text(root, tag, "fill")) + 0.05) >= 4.5  # WCAG 2.2, 1.4.3; the text is white


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
