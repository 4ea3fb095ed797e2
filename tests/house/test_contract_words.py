"""The engine is generic: what is said of one API stands in its contract."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundled import load_contract, load_profile, load_requirements

ROOT = Path(__file__).resolve().parents[2]
GENERIC = ("conformance", "loadtest", "reports", "contract", "wsproof")
SECTIONS = sorted({one.section.id for one in load_requirements().values()})

COMMON = {
    "alice",
    "ping",
    "pong",
    "error",
    "event",
    "payload",
    "code",
    "message",
    "id",
    "name",
    "text",
    "author",
    "timestamp",
}
"""Words of every protocol, or of ours: alice is the actor of a scenario that names none."""


def words() -> frozenset[str]:
    """What only the chat's contract says: its messages, their members, its errors, and the users of its scenarios."""
    contract = load_contract()
    members = {"channelId", "sessionId", "originalEvent", "sequence"}
    found = {*contract.events, *members, *contract.errors.codes, *load_profile().users}
    return frozenset(found - COMMON)


WORDS = words()
CHAT = re.compile(rf"\b(?:{'|'.join(sorted(WORDS))}|(?:{'|'.join(SECTIONS)})-[0-9]+)\b")


def said(source: str) -> Iterator[tuple[int, str]]:
    """Strings of the code, docstrings apart, that say something of the chat, with their lines."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield from ((node.lineno, one[0]) for one in [CHAT.search(node.value)] if one)


@pytest.mark.parametrize("package", GENERIC)
def test_no_code_speaks_of_one_api(package: str) -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}": word
        for path in (ROOT / package).rglob("*.py")
        for line, word in said(path.read_text(encoding="utf-8"))
    }
    assert found == {}


def test_code_that_does_is_found() -> None:
    source = '"""As SEND-01 says, alice."""\nCHARGE = Charge(("SEND-01",), "MUST")\nUSER = f"users.carol"\n'
    assert sorted(said(source)) == [(2, "SEND-01"), (3, "carol")]


def test_the_words_are_those_of_the_contract() -> None:
    assert {"connection_ack", "new_message", "NOT_JOINED", "bob"} <= WORDS
    assert not COMMON & WORDS
