"""Phrases: what they say in each language, what documents have of them, and that code and catalogues agree."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from string import Formatter
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from hypothesis import assume, example, given
from hypothesis import strategies as st

from contract.files import DATA_ROOT
from contract.findings import (
    CATALOGUES,
    MAX_DEPTH,
    Param,
    Phrase,
    Text,
    changed,
    few,
    message_of,
    phrase,
    text_of,
    texts,
    translated,
    words,
)
from contract.language import DEFAULT, LANGUAGES, speaking

START = "findings."
WORDS = re.compile(r"[A-Za-z]{2,}[,:;.]? [A-Za-z]{2,}")
LISTED = re.compile(r"(?![.\d]*[efgd%]?\Z).+", re.DOTALL)
"""A format that joins a list; the others are for numbers."""

SOON: tuple[str, ...] = ()
"""Beginnings of codes that no code names yet."""


@cache
def catalogue(language: str) -> Catalog:
    path = CATALOGUES.folder / language / "LC_MESSAGES" / "findings.po"
    with path.open("rb") as stream:
        return read_po(stream, locale=language, domain="findings", abort_invalid=True)


def code_of(message: Message) -> str:
    name = message.id if isinstance(message.id, str) else message.id[0]
    return name.removeprefix(START)


@cache
def forms(language: str) -> dict[str, tuple[str, ...]]:
    """Every code with the forms of its sentence."""
    return {
        code_of(one): (one.string,) if isinstance(one.string, str) else tuple(one.string or ())
        for one in catalogue(language)
        if one.id
    }


@cache
def plurals(language: str) -> frozenset[str]:
    """The codes whose sentence depends on a number."""
    return frozenset(code_of(one) for one in catalogue(language) if one.id and not isinstance(one.id, str))


@cache
def wanted(code: str) -> dict[str, str]:
    """The parameters of a code, each with its format in English; `said` has one for each language."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        for form in forms(language)[code]:
            for _, name, spec, _ in Formatter().parse(form):
                if name is not None:
                    found.setdefault(name, spec or "")
    return found | ({"number": ""} if code in plurals(DEFAULT) else {})


CODES = sorted(forms(DEFAULT))


# What code says


@dataclass
class Said:
    """What modules give to `phrase(`."""

    given: list[tuple[str, str, frozenset[str]]] = field(default_factory=list)
    """Place, code, names."""
    begun: list[tuple[str, str, frozenset[str]]] = field(default_factory=list)
    """The same of codes that are put together: what they begin with."""
    compared: list[tuple[str, str]] = field(default_factory=list)
    """Codes that something is compared with."""


def assigned(scope: ast.AST, name: str) -> list[ast.expr]:
    """What a name stands for in a function."""
    return [
        node.value
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in node.targets)
    ]


def names_of(call: ast.Call, scope: ast.AST, place: str) -> frozenset[str]:
    names: set[str] = set()
    for keyword in call.keywords:
        if keyword.arg is not None:
            names.add(keyword.arg)
            continue
        values = assigned(scope, keyword.value.id) if isinstance(keyword.value, ast.Name) else [keyword.value]
        assert values, place
        for value in values:
            assert isinstance(value, ast.Dict), place
            names.update(ast.literal_eval(key) for key in value.keys if key is not None)
    return frozenset(names)


def codes_of(value: ast.expr, scope: ast.AST, place: str) -> Iterator[tuple[str, bool]]:
    """The codes that an expression may be, and whether each is only a beginning."""
    match value:
        case ast.Constant(value=str(code)):
            yield code, False
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]):
            yield start, True
        case ast.IfExp():
            yield from codes_of(value.body, scope, place)
            yield from codes_of(value.orelse, scope, place)
        case ast.Name():
            values = assigned(scope, value.id)
            assert values, f"{place}: what is {value.id}?"
            for one in values:
                yield from codes_of(one, scope, place)
        case _:
            raise AssertionError(f"{place}: {ast.dump(value)}")


def scopes(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Every node, with the innermost function that it is in."""

    def walk(node: ast.AST, scope: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            inner = child if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else scope
            yield child, scope
            yield from walk(child, inner)

    return walk(tree, tree)


@cache
def said() -> Said:
    found = Said()
    for folder in ("contract", "conformance", "loadtest", "reference_server", "reports", "wsproof"):
        for file in sorted((DATA_ROOT / folder).rglob("*.py")):
            read_module(file.relative_to(DATA_ROOT).as_posix(), file.read_text(encoding="utf-8"), found)
    return found


def read_module(name: str, text: str, found: Said) -> None:
    for node, scope in scopes(ast.parse(text)):
        place = f"{name}:{getattr(node, 'lineno', 0)}"
        match node:
            case ast.Call(func=ast.Name(id="phrase"), args=[code]):
                names = names_of(node, scope, place)
            case ast.Call(func=ast.Name(id="Phrase"), args=[ast.Constant() as code, ast.Dict(keys=keys)]):
                names = frozenset(ast.literal_eval(key) for key in keys if key is not None)
            case ast.Compare(left=ast.Attribute(attr="code"), comparators=[ast.Constant(value=str(other))]):
                found.compared.append((place, other))
                continue
            case _:
                continue
        for one, begins in codes_of(code, scope, place):
            (found.begun if begins else found.given).append((place, one, names))


class TestCode:
    def test_it_is_read(self) -> None:
        text = """
            A = phrase("a")
            def f(x):
                code = "b" if x else "c"
                more = {"p": 1}
                phrase(code, q=1, **more)
                phrase("d" if x else f"e-{x}", r=phrase("f"))
                Phrase("g", {"s": 1})
                if x.code == "h": pass
        """
        found = Said()
        read_module("m", re.sub(r"^ {12}", "", text, flags=re.MULTILINE), found)
        assert {(code, *sorted(names)) for _, code, names in found.given} == {
            ("a",),
            ("b", "p", "q"),
            ("c", "p", "q"),
            ("d", "r"),
            ("f",),
            ("g", "s"),
        }
        assert [(code, *names) for _, code, names in found.begun] == [("e-", "r")]
        assert [code for _, code in found.compared] == ["h"]

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_every_code_is_in_the_catalogue(self, language: str) -> None:
        known = forms(language)
        assert [(place, code) for place, code, _ in said().given if code not in known] == []
        assert [(place, code) for place, code in said().compared if code not in known] == []

    def test_each_gets_what_its_sentence_needs(self) -> None:
        """A number is for the plural: where there is none, the sentence could not be found."""
        wrong = [
            (place, code, sorted(names ^ set(wanted(code))))
            for place, code, names in said().given
            if code in CODES and names != set(wanted(code))
        ]
        assert wrong == []

    def test_a_number_is_the_plurals(self) -> None:
        assert [code for code in CODES if "number" in wanted(code) and code not in plurals(DEFAULT)] == []

    def test_what_is_put_together_begins_as_some_do(self) -> None:
        for place, start, names in said().begun:
            assert any(set(wanted(code)) == names for code in CODES if code.startswith(start)), (place, start)

    def test_none_is_unused(self) -> None:
        used = {code for _, code, _ in said().given}
        starts = tuple(start for _, start, _ in said().begun) + SOON
        assert [code for code in CODES if code not in used and not code.startswith(starts)] == []


# What catalogues say


def sample(spec: str, text: str = "«x»") -> Any:
    """A value that a format takes."""
    if LISTED.match(spec):
        return [text, text]
    return 12.5 if spec else text


def samples(code: str, **values: Any) -> dict[str, Any]:
    given = {name: sample(spec) for name, spec in wanted(code).items()}
    return given | ({"number": 2} if code in plurals(DEFAULT) else {}) | values


class TestCatalogues:
    def test_every_language_says_the_same(self) -> None:
        for language in LANGUAGES:
            assert forms(language).keys() == forms(DEFAULT).keys()
            assert plurals(language) == plurals(DEFAULT)

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_nothing_is_empty_or_in_doubt(self, language: str) -> None:
        for one in catalogue(language):
            assert not one.fuzzy, one.id
        assert all(all(several) for several in forms(language).values())
        assert not catalogue(language).obsolete

    def test_every_language_uses_the_same_values(self) -> None:
        def placeholders(form: str) -> set[str]:
            return {name for _, name, _, _ in Formatter().parse(form) if name is not None}

        assert [forms(language)["said"] for language in ("en", "ja")] == [("{en}",), ("{ja}",)]
        wrong = [
            (code, form)
            for code in CODES
            for language in LANGUAGES
            for form in forms(language)[code]
            if code != "said" and placeholders(form) | {"number"} != set(wanted(code)) | {"number"}
        ]
        assert wrong == []

    @pytest.mark.parametrize("number", [1, 2])
    def test_every_sentence_can_be_said(self, number: int) -> None:
        for code in CODES:
            values = samples(code, number=number) if code in plurals(DEFAULT) else samples(code)
            one = phrase(code, **values)
            assert one.is_known, code
            assert message_of({**one.json, "message": str(one)}) == one, code
            for language in LANGUAGES:
                text = one.render(language)
                assert text, code
                assert "{" not in text.replace("«x»", ""), f"{code}: {text}"
                own = re.sub(r"«x»|JSON|`[^`]*`", "", text)
                assert language == DEFAULT or not WORDS.search(own), f"{code}: {text}"

    def test_what_is_shown_is_not_english_in_another_language(self) -> None:
        """Only what has no words of its own is the same."""
        same = {
            code
            for code in CODES
            for one in [phrase(code, **samples(code))]
            if one.render("ja") == str(one) and re.search(r"[a-z]{2,} ?[a-z]{2,}", str(one).replace("«x»", ""))
        }
        assert same == set()


# Phrases


@st.composite
def phrases(draw: st.DrawFn, depth: int = 3) -> Phrase:
    """Phrases of ours, with any texts in them."""
    code = draw(st.sampled_from(CODES))
    plain: st.SearchStrategy[Any] = st.text(max_size=8) | st.sampled_from(["{x}", "{0}", "%s", "\x00", "\ud800", "€{"])
    inner = plain | phrases(depth - 1) if depth else plain
    values: dict[str, Any] = {}
    for name, spec in wanted(code).items():
        if name == "number" and code in plurals(DEFAULT):
            values[name] = draw(st.integers(0, 10**12))
        elif LISTED.match(spec):
            values[name] = draw(st.lists(inner | st.integers() | st.floats(allow_nan=False), max_size=3))
        elif spec:
            values[name] = draw(st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False))
        else:
            values[name] = draw(inner | st.integers() | st.booleans())
    return phrase(code, **values)


@given(phrases())
def test_a_document_keeps_a_phrase(one: Phrase) -> None:
    assume(str(one))  # what says nothing is none
    entry = json.loads(json.dumps({"x": str(one), "y": None, **texts(x=one, y=None)}))
    found = text_of(entry, "x")
    assert found == one
    assert isinstance(found, Phrase)
    message = message_of(json.loads(json.dumps({**one.json, "message": str(one)})))
    assert message == one
    for language in LANGUAGES:
        assert found.render(language) == message.render(language) == one.render(language)
    with speaking("ja"):
        assert translated(entry)["x"] == one.render() == one.render("ja")
        assert translated({**one.json, "message": str(one)})["message"] == one.render("ja")
    assert translated(entry) == entry, "English is what it has"


@given(st.lists(phrases() | st.text(max_size=3), min_size=1, max_size=3))
def test_a_document_keeps_a_list_of_them(several: list[Text]) -> None:
    entry = {"x": list(map(str, several)), **texts(x=several)}
    assert ("texts" in entry) == any(isinstance(one, Phrase) for one in several)
    with speaking("ja"):
        assert translated(entry)["x"] == [one.render("ja") if isinstance(one, Phrase) else one for one in several]


def test_a_text_of_somebody_else_has_no_phrase() -> None:
    assert texts(x="theirs", y=None, z=["theirs"]) == {}
    assert text_of({"x": "theirs"}, "x") == "theirs"
    assert text_of({"x": None}, "x") is None
    old = message_of({"message": "of old"})
    assert (str(old), old.render("ja")) == ("of old", "of old")


class TestRendering:
    @pytest.mark.parametrize(
        ("one", "english", "japanese"),
        [
            (phrase("close-with", codes=["1000"]), "a close frame with 1000", "コード 1000 のクローズフレーム"),
            (
                phrase("close-with", codes=[1000, 1001, 1008]),
                "a close frame with 1000 or 1001 or 1008",
                "コード 1000 または 1001 または 1008 のクローズフレーム",
            ),
            (phrase("came", items=[phrase("still-open"), "x"]), "the connection is open; x", "接続は開いたまま; x"),
            (phrase("names", items=[]), "", ""),
            (phrase("parts", parts=["a", phrase("no-code"), "b"]), "ano codeb", "aコードなしb"),
            (few(["a", "b", "a"], 2), "a, b", "a、b"),
            (few(["a", "b", "c", "d"], 2), "a, b and 2 more", "a、b ほか 2 件"),
        ],
    )
    def test_a_form_joins_its_lists(self, one: Phrase, english: str, japanese: str) -> None:
        assert (str(one), one.render("ja")) == (english, japanese)

    @pytest.mark.parametrize(
        ("number", "english", "japanese"),
        [
            (0, "0 more messages", "ほか 0 件のメッセージ"),
            (1, "1 more message", "ほか 1 件のメッセージ"),
            (2, "2 more messages", "ほか 2 件のメッセージ"),
            (1234567, "1,234,567 more messages", "ほか 1,234,567 件のメッセージ"),
        ],
    )
    def test_the_number_chooses_the_plural(self, number: int, english: str, japanese: str) -> None:
        one = phrase("more-messages", number=number)
        assert (str(one), one.render("ja")) == (english, japanese)

    @pytest.mark.parametrize(("members", "english"), [(["a"], "the member a"), (["a", "b"], "the members a, b")])
    def test_a_plural_need_not_say_its_number(self, members: list[str], english: str) -> None:
        assert str(phrase("schema-required", members=members, number=len(members))) == f"expected {english}"

    def test_one_inside_of_another_is_in_the_same_language(self) -> None:
        one = phrase("no-close-frame", end=phrase("with-detail", what=phrase("tcp-eof"), detail="x"))
        assert str(one) == "no close frame: the server closed the TCP connection: x"
        assert one.render("ja") == "クローズフレームなし: サーバーが TCP 接続を切断: x"
        with speaking("ja"):
            assert str(one).startswith("no close frame"), "documents have it in English"
            assert one.render() == one.render("ja")

    @given(st.text())
    def test_values_are_put_in_as_they_are(self, value: str) -> None:
        assert str(phrase("socket", error=value)) == value
        assert str(phrase("names", items=[value, value])) == f"{value}, {value}"

    def test_all_texts_can_be_changed(self) -> None:
        one = phrase("came", items=["a", phrase("closed-because", code="a", reason="a"), 1])
        assert one.changed(str.upper) == phrase("came", items=["A", phrase("closed-because", code="A", reason="A"), 1])
        assert changed("a", str.upper) == "A"
        assert changed(one, str.upper) == one.changed(str.upper)

    def test_a_value_in_words(self) -> None:
        assert words({"a": [1, "é", None]}) == '{"a": [1, "é", null]}'
        one = words({"a": phrase("match-any"), "b": 1})
        assert (str(one), changed(one, str).__class__) == ('{"a": "<anything>", "b": 1}', Phrase)
        assert isinstance(one, Phrase)
        assert one.render("ja") == '{"a": "<任意の値>", "b": 1}'

    @given(st.recursive(st.none() | st.booleans() | st.text(max_size=4), lambda inner: st.lists(inner, max_size=3)))
    def test_what_holds_no_phrase_is_its_json(self, value: Any) -> None:
        assert words(value) == json.dumps(value, ensure_ascii=False)


# What is none of ours


def nested(depth: int) -> Phrase:
    one: Param = "x"
    for _ in range(depth):
        one = phrase("socket", error=one)
    assert isinstance(one, Phrase)
    return one


def lists(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def said_otherwise(**changes: Any) -> dict[str, Any]:
    """A right phrase with some of it changed."""
    return {**phrase("closed", code="1000").json, **changes}


STRANGE: list[Any] = [
    None,
    1,
    "closed",
    [],
    {},
    {"code": "closed"},
    {"params": {"code": "1000"}},
    said_otherwise(code="no-such-code"),
    said_otherwise(code=""),
    said_otherwise(code=None),
    said_otherwise(code=["closed"]),
    said_otherwise(code={"closed": 1}),
    said_otherwise(params=None),
    said_otherwise(params=[]),
    said_otherwise(params={}),
    said_otherwise(params={"code": None}),
    said_otherwise(params={"code": {}}),
    said_otherwise(params={"code": {"code": "no-such-code", "params": {}}}),
    said_otherwise(params={"code": ["a", None]}),
    said_otherwise(params={"code": lists(50_000)}),
    phrase("said", en="x").json,
    phrase("said", ja="x").json,
    phrase("names", items="x").json,
    phrase("names", items=1).json,
    phrase("names", items=1.5).json,
    phrase("fragmented").json,
    phrase("fragmented", number=float("nan")).json,
    phrase("fragmented", number=float("inf")).json,
    phrase("no-code", number=1).json,
    phrase("period-seen", seconds="x", lag=1).json,
    phrase("period-seen", seconds=10**400, lag=1).json,
    nested(MAX_DEPTH + 1).json,
    nested(200).json,
]


class TestStrange:
    """A document may be anybody's: it has at least its English."""

    @pytest.mark.parametrize("one", STRANGE, ids=range(len(STRANGE)))
    def test_its_english_is_shown(self, one: Any) -> None:
        entry = {"x": "as it was", "texts": {"x": one}}
        assert text_of(entry, "x") == "as it was"
        listed = {"x": ["as it was"], "texts": {"x": [one]}}
        with speaking("ja"):
            assert translated(entry)["x"] == "as it was"
            assert translated(listed)["x"] == ["as it was"]

    @pytest.mark.parametrize("one", STRANGE, ids=range(len(STRANGE)))
    def test_its_message_is_shown(self, one: Any) -> None:
        if not isinstance(one, dict):
            one = {"code": one, "params": one}
        found = message_of({**one, "message": "as it was"})
        assert (str(found), found.render("ja")) == ("as it was", "as it was")
        with speaking("ja"):
            assert translated({**one, "message": "as it was"})["message"] == "as it was"

    @pytest.mark.parametrize(
        "one",
        [
            said_otherwise(params={"code": "1000", "more": "x"}),
            nested(MAX_DEPTH).json,
            phrase("fragmented", number="2").json,
            phrase("fragmented", number=True).json,
            phrase("period-seen", seconds=[1], lag=1).json,
        ],
        ids=["more", "deep", "text", "boolean", "list"],
    )
    def test_what_does_no_harm_is_taken(self, one: dict[str, Any]) -> None:
        found = message_of({**one, "message": "as it was"})
        assert found.code == one["code"]
        with speaking("ja"):
            assert translated({**one, "message": "as it was"})["message"] == found.render("ja")

    @pytest.mark.parametrize("written", [None, [], "x", 1, [1], {"y": said_otherwise()}, {"x": [said_otherwise()]}])
    def test_whatever_stands_in_the_place_of_phrases(self, written: Any) -> None:
        entry = {"x": "as it was", "message": "as it was", "texts": written}
        assert text_of(entry, "x") == "as it was"
        with speaking("ja"):
            assert translated(entry) == entry

    def test_only_sentences_are_translated(self) -> None:
        one = said_otherwise()
        entry = {"x": 1, "y": None, "z": ["a", "b"], "texts": {"x": one, "y": one, "z": [one]}}
        with speaking("ja"):
            assert translated(entry) == entry

    @pytest.mark.parametrize("number", [10**400, 10**4_000, -(10**400), 1e308, float("inf"), float("nan")])
    def test_huge_numbers(self, number: float) -> None:
        entry = {**phrase("fragmented", number=number).json, "message": "as it was"}
        assert isinstance(str(message_of(entry)), str)
        with speaking("ja"):
            assert isinstance(translated(entry)["message"], str)


NAMES = ["code", "params", "texts", "message", "number", "items", "x"]
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(CODES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
        | st.builds(
            lambda code, given: {"code": code, "params": dict(zip(wanted(code), given, strict=False))},
            st.sampled_from(CODES),
            st.lists(inner, max_size=4),
        )
    ),
    max_leaves=20,
)


@given(ANYTHING, ANYTHING, ANYTHING)
@example({"en": "x"}, "said", {})
def test_nothing_that_a_document_holds_raises(params: Any, code: Any, written: Any) -> None:
    entry = {"message": "m", "x": "e", "code": code, "params": params, "texts": written}
    told = message_of(entry)
    assert isinstance(told.render("ja") + str(told), str)
    shown = text_of({"x": "e", "texts": {"x": written}}, "x")
    assert isinstance(shown, str | Phrase)
    with speaking("ja"):
        assert isinstance(translated(entry)["message"], str)
        assert isinstance(translated({"x": "e", "texts": {"x": written}})["x"], str)
        translated([params, code, written])
