"""A run of the built-in reference server is told from that of an endpoint, in whatever people and programs read."""

import json

import pytest

from reports.formats.render import FORMATS, render
from tests.reports import builder

SAID = {"en": "built-in reference server", "ja": "組み込みの参照サーバー"}


@pytest.mark.parametrize("name", ["text", "markdown", "html", "junit", "ctrf"])
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("kind", ["results", "load"])
def test_what_was_tested(name: str, language: str, kind: str) -> None:
    settings = {"users": 20, "journeys": {"chatter": 1}} if kind == "load" else {"jobs": 3}
    make = getattr(builder, kind)
    own, other = (make(settings={**settings, "embedded": embedded}) for embedded in (True, False))
    said = SAID[language]
    spellings = (said, json.dumps(said).strip('"'))
    assert any(one in render(name, own, language) for one in spellings)
    assert not any(one in render(name, other, language) for one in spellings)


def test_json_says_it_as_well() -> None:
    assert "json" in FORMATS
    assert json.loads(render("json", builder.results(settings={"embedded": True}), "en"))["settings"]["embedded"]
