"""The documentation: links lead somewhere, commands have the options that they are shown with, verbs are explained."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from wsproof.command_line import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path for folder in ("", "docs/", "docs/decisions/", "examples/servers/") for path in ROOT.glob(f"{folder}*.md")
)
GENERATED = {"CHANGELOG.md", "matrix.md", "load-matrix.md", "json.md"}
"""Pages that are not prose, or have a time of their own."""

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)\s#]*)(?:#([^)\s]*))?\)")
COMMAND = re.compile(r"\bwsproof (check|load|serve|report|lint|compare)\b([^|>&;#]*)")
OPTION = re.compile(r"(?<!\S)(--?[a-z][a-z-]*)")
NAME_IN = re.compile(r"`(\w+)` in `([\w./]+\.py)`")
MODULE = re.compile(r"`([\w./]+\.(?:py|j2))`")
RETIRED = re.compile(r"\b(convict\w*|acquit\w*|guilty|outlook|patience)\b", re.IGNORECASE)
"""Words that the glossary has another one for."""


@cache
def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


@cache
def anchors(page: Path) -> frozenset[str]:
    """What links can lead to on a page, as GitHub names it."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def shown_commands(page: Path) -> Iterator[tuple[str, str]]:
    """Each command with an option that a page shows it with."""
    for language, code in FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "console":
            for line in code.replace("\\\n", " ").splitlines():
                for name, rest in COMMAND.findall(line) if line.startswith("$ ") else ():
                    bare = re.sub(r"'[^']*'|\"[^\"]*\"|\$\([^)]*\)", "", rest)
                    yield from ((name, option) for option in OPTION.findall(bare))


def options(name: str) -> set[str]:
    """The options of a command."""
    return {one for parameter in main.commands[name].params for one in parameter.opts}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target, anchor in LINK.findall(prose(page)):
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


def test_shown_commands_have_their_options() -> None:
    shown = {(page.name, name, option) for page in PAGES for name, option in shown_commands(page)}
    assert len(shown) >= 20
    assert [one for one in sorted(shown) if one[2] not in options(one[1])] == []


def test_every_option_has_a_help_text() -> None:
    silent = [
        f"{name} {parameter.opts[0]}"
        for name, command in main.commands.items()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert silent == []


def test_every_verb_is_explained_and_shown() -> None:
    schema = json.loads((ROOT / "schemas" / "scenario.schema.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    examples = "".join(code for language, code in FENCE.findall(page) if language == "yaml")
    verbs = set(schema["$defs"]["verbs"])
    assert len(verbs) >= 20
    assert {verb for verb in verbs if f"`{verb}`" not in page} == set()
    assert {verb for verb in verbs if not re.search(rf"^ *(- )?{verb}:", examples, re.MULTILINE)} == set()


def test_named_modules_exist() -> None:
    files = {path.as_posix() for path in ROOT.rglob("*") if path.suffix in (".py", ".j2") and ".venv" not in path.parts}
    named = {(page.name, name) for page in PAGES if page.name not in GENERATED for name in MODULE.findall(prose(page))}
    assert len(named) >= 50
    assert [one for one in sorted(named) if not any(path.endswith(f"/{one[1]}") for path in files)] == []
    for name, module in NAME_IN.findall("".join(map(prose, PAGES))):
        texts = [Path(path).read_text(encoding="utf-8") for path in files if path.endswith(f"/{module}")]
        assert any(re.search(rf"\b{name}\b", text) for text in texts), f"{name} in {module}"


def test_the_words_are_those_of_the_glossary() -> None:
    texts = {page.name: re.sub(r"`[^`]*`", "", prose(page)) for page in PAGES if page.name not in GENERATED}
    found = [f"{name}: {word}" for name, text in texts.items() for word in RETIRED.findall(text)]
    assert found == []
