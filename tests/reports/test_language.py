"""All texts of the reports stand in the catalogues, in every language, and nowhere else."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from reports.text.language import DEFAULT, LANGUAGES, LOCALES, speaking, spoken, t, tn

REPORTS = LOCALES.parent
DOMAINS = sorted(file.stem for file in (LOCALES / DEFAULT / "LC_MESSAGES").glob("*.po"))
WORDS = re.compile(r"[A-Za-z]{2,}[,:;.]? [A-Za-z]{2,}")
ID = re.compile(rf"(?:{'|'.join(DOMAINS)})(?:\.[A-Za-z0-9_-]+)+(?<!\.j2)(?<!\.json)(?<!\.html)(?<!\.txt)\Z")
START = re.compile(rf"(?:{'|'.join(DOMAINS)})(?:\.[A-Za-z0-9_-]+)*\.\Z")
ERRORS = {"documents.py"}
"""Modules whose sentences are errors of the command line, which speaks English."""


@cache
def catalogue(language: str, domain: str) -> Catalog:
    with (LOCALES / language / "LC_MESSAGES" / f"{domain}.po").open("rb") as stream:
        return read_po(stream, locale=language, domain=domain, abort_invalid=True)


def texts(language: str) -> dict[str, tuple[str, ...]]:
    """Every text of a language, with its plural forms."""
    found = {}
    for domain in DOMAINS:
        for message in catalogue(language, domain):
            if message.id:
                name = message.id if isinstance(message.id, str) else message.id[0]
                found[name] = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    return found


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def strings(tree: ast.AST) -> Iterator[tuple[int, str, bool]]:
    """A module's strings: line, text, whether it begins an f-string; docstrings and what is raised left out."""
    skipped: set[int] = set()
    first: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            first.update(id(part) for part in node.values[:1])
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            skipped.update(id(inner) for inner in ast.walk(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value, id(node) in first


def named() -> tuple[set[str], set[str]]:
    """The ids that code and templates name, and the beginnings of those that they put together."""
    ids, starts = set(), set()
    for file in REPORTS.rglob("*.py"):
        for _, text, first in strings(ast.parse(file.read_text(encoding="utf-8"))):
            if ID.match(text):
                ids.add(text)
            elif first and START.match(text):
                starts.add(text)
    for file in REPORTS.glob("templates/*.j2"):
        for text in re.findall(r'"([a-z]+\.[A-Za-z0-9_.-]*)(?=")', file.read_text(encoding="utf-8")):
            if ID.match(text):
                ids.add(text)
            elif START.match(text):
                starts.add(text)
    return ids, starts


def test_every_language_has_every_domain() -> None:
    for language in LANGUAGES:
        assert sorted(file.stem for file in (LOCALES / language / "LC_MESSAGES").glob("*.po")) == DOMAINS


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing_and_none_is_spare(language: str) -> None:
    ids, starts = named()
    known = set(texts(language))
    assert ids - known == set()
    assert {one for one in known - ids if not one.startswith(tuple(starts))} == set()
    assert {start for start in starts if not any(one.startswith(start) for one in known)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_in_doubt(language: str) -> None:
    for domain in DOMAINS:
        for message in catalogue(language, domain):
            if message.id:
                assert not message.fuzzy, message.id
                assert all(message.string if isinstance(message.string, tuple) else (message.string,)), message.id
        assert not catalogue(language, domain).obsolete


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_hold_the_same_values(language: str) -> None:
    original, translated = texts(DEFAULT), texts(language)
    assert translated.keys() == original.keys()
    for name, forms in translated.items():
        wanted = placeholders(original[name][-1])
        for form in forms:
            # A plural form for one thing need not say how many.
            assert placeholders(form) | {"number"} == wanted | {"number"}, name
            assert WORDS.search(form) is None or language == DEFAULT or "JSON" in form, f"not translated: {name}"


def test_templates_hold_no_texts() -> None:
    environment = Environment(autoescape=True)
    for file in sorted(REPORTS.glob("templates/*.j2")):
        pieces = environment.lex(file.read_text(encoding="utf-8"))
        page = "".join(value if kind == "data" else " " if kind.endswith("_end") else "" for _, kind, value in pieces)
        shown = re.sub(r"<[^<>]*>", " ", page).replace("wsproof", "")
        assert not re.search(r"[A-Za-z]{3,}", shown), f"{file.name}: {shown.split()}"
        assert not re.search(r'(?:aria-label|title|placeholder|alt)="[^"]*[A-Za-z]{2}', page), file.name


def test_code_holds_no_texts() -> None:
    for file in sorted(REPORTS.rglob("*.py")):
        if file.name in ERRORS:
            continue
        for line, text, _ in strings(ast.parse(file.read_text(encoding="utf-8"))):
            assert not WORDS.search(text.replace("wsproof", "")) or "<" in text, f"{file.name}:{line}: {text!r}"


def test_the_language_is_english_unless_another_is_spoken() -> None:
    assert spoken() == DEFAULT
    with speaking("ja"):
        assert t("common.mark.failed") == "不合格"
        with speaking("en"):
            assert t("common.mark.failed") == "failed"
        assert spoken() == "ja"
    assert t("common.mark.failed") == "failed"


def test_numbers_take_the_plural_of_their_language() -> None:
    assert tn("compliance.requirements", 1) == "1 requirement"
    assert tn("compliance.requirements", 1234) == "1,234 requirements"
    with speaking("ja"):
        assert tn("compliance.requirements", 1) == "要件 1 件"


def test_an_unknown_id_is_a_mistake_of_ours() -> None:
    for name in ("common.nonsense", "nonsense.skip", "nonsense"):
        with pytest.raises(KeyError):
            t(name)
        with pytest.raises(KeyError):
            tn(name, 2)


@given(st.text())
def test_values_are_put_in_as_they_are(value: str) -> None:
    assert t("common.table", name=value) == f"Table: {value}"
