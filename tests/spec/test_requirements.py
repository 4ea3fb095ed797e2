"""The requirements of the chat and of the transport's pack, each in two languages."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from contract.requirements import replaced_by
from tests.bundled import CHAT

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "spec" / "chat" / "requirements.yaml"
WIRE_FILE = ROOT / "spec" / "rfc6455" / "requirements.yaml"

# Id, level and origin, in order. Ids are published: users' results and baselines name them.
EXPECTED = [
    ("CONN-01", "MUST", "seed §3"),
    ("CONN-02", "MUST", "seed §3, §5.1"),
    ("CONN-03", "MUST", "seed §5.1"),
    ("CONN-04", "SHOULD", "derived"),
    ("CONN-05", "SHOULD", "derived"),
    ("CONN-06", "SHOULD", "derived"),
    ("CONN-07", "MUST", "RFC 6455 §4.2.2"),
    ("CONN-08", "SHOULD", "RFC 9110 §15.5.22"),
    ("CONN-09", "SHOULD", "derived"),
    ("AUTH-01", "MUST", "seed §3"),
    ("AUTH-02", "MUST", "seed §3"),
    ("AUTH-03", "MUST", "seed §3"),
    ("AUTH-04", "SHOULD", "derived"),
    ("AUTH-05", "MAY", "seed §3"),
    ("AUTH-06", "SHOULD", "derived"),
    ("HB-01", "MUST", "example §3"),
    ("HB-02", "MUST", "seed §4"),
    ("HB-03", "MUST", "example §3"),
    ("HB-04", "SHOULD", "derived"),
    ("HB-05", "SHOULD", "derived"),
    ("HB-06", "MUST", "RFC 6455 §5.5.2"),
    ("ENV-01", "MUST", "seed §2"),
    ("ENV-02", "MUST", "seed §4"),
    ("ENV-03", "MUST", "seed §5, §7"),
    ("ENV-04", "MUST", "seed §4"),
    ("ENV-05", "SHOULD", "derived"),
    ("ENV-06", "MUST", "seed §4"),
    ("ENV-07", "SHOULD", "derived"),
    ("ENV-08", "SHOULD", "derived"),
    ("JOIN-01", "MUST", "seed §6.1"),
    ("JOIN-02", "MUST", "seed §6.1"),
    ("JOIN-03", "MUST", "seed §6.1"),
    ("JOIN-04", "SHOULD", "derived"),
    ("JOIN-05", "MUST", "seed §7.1"),
    ("JOIN-06", "SHOULD", "derived"),
    ("JOIN-07", "SHOULD", "derived"),
    ("SEND-01", "MUST", "seed §5.2, §6.2"),
    ("SEND-02", "MUST", "seed §5.2"),
    ("SEND-03", "SHOULD", "derived"),
    ("SEND-04", "MUST", "seed §5.2"),
    ("SEND-05", "MUST", "seed §5.2"),
    ("SEND-06", "MUST", "seed §5.2"),
    ("SEND-07", "SHOULD", "seed §4"),
    ("SEND-08", "SHOULD", "derived"),
    ("SEND-09", "SHOULD", "derived"),
    ("SEND-10", "SHOULD", "derived"),
    ("SEND-11", "MUST", "RFC 6455 §5.4"),
    ("ERR-01", "MUST", "seed §7.1"),
    ("ERR-02", "MUST", "seed §7.1"),
    ("ERR-03", "MUST", "seed §7.1"),
    ("ERR-04", "MUST", "seed §7.1"),
    ("ERR-05", "SHOULD", "derived"),
    ("ERR-06", "MUST", "seed §7.1"),
    ("ERR-07", "SHOULD", "derived"),
    ("ERR-08", "SHOULD", "derived"),
    ("ERR-09", "SHOULD", "derived"),
    ("ERR-10", "SHOULD", "derived"),
    ("CLOSE-01", "MUST", "RFC 6455 §5.5.1"),
    ("CLOSE-02", "MUST", "RFC 6455 §7.4"),
    ("CLOSE-03", "SHOULD", "derived"),
    ("CLOSE-04", "SHOULD", "derived"),
    ("CLIENT-01", "MUST", "example §2"),
    ("CLIENT-02", "MUST", "example §3"),
    ("CLIENT-03", "MUST", "seed §4, §6"),
    ("CLIENT-04", "SHOULD", "derived"),
    ("CLIENT-05", "SHOULD", "example §2"),
    ("CLIENT-06", "SHOULD", "derived"),
    ("CLIENT-07", "SHOULD", "derived"),
    ("CLIENT-08", "SHOULD", "derived"),
]

# Those of the transport's pack.
EXPECTED_WIRE = [
    ("WIRE-01", "MUST", "RFC 6455 §5.1"),
    ("WIRE-02", "MUST", "RFC 6455 §5.2"),
    ("WIRE-03", "MUST", "RFC 6455 §5.5"),
    ("WIRE-04", "MUST", "RFC 6455 §5.4"),
    ("WIRE-05", "MUST", "RFC 6455 §8.1"),
    ("WIRE-06", "MUST", "RFC 6455 §5.5.1, §7.4"),
    ("WIRE-07", "SHOULD", "derived"),
    ("WIRE-08", "SHOULD", "derived"),
    ("WIRE-09", "MUST", "RFC 7692"),
    ("WIRE-10", "MUST", "RFC 6455 §4.2"),
    ("WIRE-11", "MUST", "RFC 6455 §4.2.2"),
    ("WIRE-12", "SHOULD", "RFC 9110 §15.5.22"),
    ("WIRE-13", "MUST", "RFC 6455 §5.6"),
    ("WIRE-14", "MUST", "RFC 6455 §5.4"),
    ("WIRE-15", "MUST", "RFC 6455 §5.5.2"),
    ("WIRE-16", "MUST", "RFC 6455 §5.5.1"),
    ("WIRE-17", "MUST", "RFC 6455 §7.4"),
    ("WIRE-18", "SHOULD", "RFC 6455 §7.1.7, §7.4.1"),
    ("WIRE-19", "MUST", "RFC 6455 §5"),
]

# The requirements whose statement mixes levels.
CLAUSES = {
    "AUTH-05": ["MAY", "SHOULD"],
    "JOIN-05": ["MUST", "SHOULD"],
    "SEND-04": ["MUST", "SHOULD"],
    "SEND-05": ["MUST", "SHOULD"],
    "SEND-06": ["MUST", "SHOULD"],
    "ERR-01": ["MUST", "SHOULD"],
    "ERR-02": ["MUST", "SHOULD"],
    "ERR-03": ["MUST", "SHOULD"],
    "ERR-04": ["MUST", "SHOULD"],
    "ERR-06": ["MUST", "SHOULD"],
}

SECTIONS = ["CONN", "AUTH", "HB", "ENV", "JOIN", "SEND", "ERR", "CLOSE", "CLIENT"]

JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
CODE = re.compile(r"`([^`]+)`")
NUMBER = re.compile(r"[0-9]+")
# English writes small numbers as words where Japanese writes digits.
SMALL = {"1", "2"}

DOCUMENT: Any = yaml.safe_load(FILE.read_text(encoding="utf-8"))
REQUIREMENTS: list[Any] = DOCUMENT["requirements"]
WIRE: Any = yaml.safe_load(WIRE_FILE.read_text(encoding="utf-8"))
TEXTS = [
    pytest.param(text["en"], text["ja"], id=f"{one['id']}-{index}")
    for one in (*REQUIREMENTS, *WIRE["requirements"])
    for index, text in enumerate([one["statement"], *one.get("clauses", [])])
]


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    path = ROOT / "schemas" / "requirements.schema.json"
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


class TestRequirements:
    """The list as a whole."""

    @pytest.mark.parametrize("document", [DOCUMENT, WIRE], ids=["chat", "rfc6455"])
    def test_is_valid(self, schema: Draft202012Validator, document: Any) -> None:
        assert list(schema.iter_errors(document)) == []

    def test_is_that_of_the_protocol(self) -> None:
        assert [(one["id"], one["level"], one["origin"]) for one in REQUIREMENTS] == EXPECTED
        assert [(one["id"], one["level"], one["origin"]) for one in WIRE["requirements"]] == EXPECTED_WIRE

    def test_sections_are_declared_in_order(self) -> None:
        assert [one["id"] for one in DOCUMENT["sections"]] == SECTIONS
        assert [one["section"] for one in REQUIREMENTS] == [one["id"].partition("-")[0] for one in REQUIREMENTS]

    def test_the_chats_own_stand_for_the_packs(self) -> None:
        """Or scenarios of the transport would be charged to others than before."""
        own = [name for name, _, _ in EXPECTED_WIRE if name > "WIRE-09"]
        assert [*replaced_by(CHAT)] == own
        assert replaced_by(CHAT)["WIRE-18"] == ("CLOSE-04",)

    def test_no_must_is_only_derived(self) -> None:
        """What the template does not say, a third party may do otherwise."""
        every = (*REQUIREMENTS, *WIRE["requirements"])
        derived = {one["level"] for one in every if one["origin"] == "derived"}
        assert derived == {"SHOULD"}

    def test_clauses_stand_where_levels_are_mixed(self) -> None:
        found = {one["id"]: [clause["level"] for clause in one["clauses"]] for one in REQUIREMENTS if "clauses" in one}
        assert found == CLAUSES
        assert all(found[one["id"]][0] == one["level"] for one in REQUIREMENTS if one["id"] in found)

    def test_a_level_in_a_statement_has_its_clause(self) -> None:
        word = re.compile(r"\b(?:MUST|SHOULD|MAY)\b")
        named = {one["id"] for one in REQUIREMENTS if word.search(one["statement"]["en"])}
        assert named == set(CLAUSES)

    def test_no_statement_stands_twice(self) -> None:
        for language in ("en", "ja"):
            statements = [one["statement"][language] for one in REQUIREMENTS]
            assert len(set(statements)) == len(statements)


class TestLanguages:
    """A reader of either language must be told the same."""

    @pytest.mark.parametrize(("en", "ja"), TEXTS)
    def test_each_is_in_its_language_and_both_name_the_same(self, en: str, ja: str) -> None:
        assert not JAPANESE.search(en)
        assert JAPANESE.search(ja)
        assert en == en.strip()
        assert en.endswith(".")
        assert ja == ja.strip()
        assert ja.endswith("。")
        assert set(CODE.findall(en)) == set(CODE.findall(ja))
        assert set(NUMBER.findall(en)) - SMALL == set(NUMBER.findall(ja)) - SMALL

    @pytest.mark.parametrize("section", DOCUMENT["sections"], ids=SECTIONS)
    def test_each_section_has_both_titles(self, section: Any) -> None:
        assert not JAPANESE.search(section["title"]["en"])
        assert JAPANESE.search(section["title"]["ja"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", "wsproof.requirements/2"),
        ("sections", []),
        ("sections.0.title", ""),
        ("sections.0.source", ""),
        ("sections.0.note", "n"),
        ("requirements", {}),
        ("requirements.0.id", "CONN-1"),
        ("requirements.0.id", "conn-01"),
        ("requirements.0.level", "MUST NOT"),
        ("requirements.0.level", "must"),
        ("requirements.0.section", "connecting"),
        ("requirements.0.origin", ""),
        ("requirements.0.statement", ""),
        ("requirements.0.statement", {"ja": "With a valid token …"}),
        ("requirements.0.statement.ja", ""),
        ("requirements.0.statement.de", "…"),
        ("requirements.0.clauses", [{"level": "MUST", "en": "a", "ja": "b"}]),
        ("requirements.0.clauses", [{"level": "MUST", "en": "", "ja": ""}] * 2),
        ("requirements.0.clause", []),
        ("requirements.0.check", ["text"]),
        ("requirements.13.checks", ["text"]),  # AUTH-05 has clauses, which have checks of their own
        ("requirements.0.checks", "text"),
        ("requirements.0.checks", []),
        ("requirements.0.checks", ["texts"]),
        ("requirements.0.checks", ["payload:error"]),
        ("requirements.0.checks", [{"text": {"message": "error"}}]),
        ("requirements.0.checks", [{"payload": {}}]),
        ("requirements.0.checks", [{"payload": {"at": "code"}}]),
        ("requirements.0.checks", [{"payload": {"message": ""}}]),
        ("requirements.0.checks", [{"payload": {"message": "error", "at": ""}}]),
        ("requirements.0.checks", [{"payload": {"message": "error", "where": "code"}}]),
        ("requirements.0.checks", [{"payload": {"message": "error"}, "envelope": {"message": "error"}}]),
    ],
)
def test_the_schema_refuses(schema: Draft202012Validator, path: str, value: Any) -> None:
    changed: Any = copy.deepcopy(DOCUMENT)
    place = changed
    *parents, last = path.split(".")
    for name in parents:
        place = place[int(name) if isinstance(place, list) else name]
    place[last] = value
    assert list(schema.iter_errors(changed))
