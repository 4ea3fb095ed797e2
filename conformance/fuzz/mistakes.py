"""Strategies for invalid messages: each differs from a valid one in one thing."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.fuzz.bases import Examples, Message, Messages, bases, of_clients, with_member, without_member
from conformance.fuzz.example import NONCE, Claim, Example, is_json
from conformance.fuzz.grammar import Grammar
from conformance.fuzz.values import pieces, values
from contract.json_text import dump_json

STRANGE = ("wsproof_no_such_event", "leave_channel", "message", "constructor", "__proto__", "toString", "メッセージ")
"""Names that a server may take for something of its own."""

VALUES = ("NaN", "Infinity", "-Infinity", "01", "1.", ".5", "+1", "0x10", "undefined", "True", "None", "'x'")
PIECES = (",", ":", "{", "}", "[", "]", '"', "'", "\\", "/", "x", "\n", "\t", "\x00", "/**/", "//", "#", "=", ";", "0")
TAILS = (" {}", "{}", "x", ",", "}", "]", '"', " null", "\n\n[]", ";")
"""What is no JSON as a value, somewhere in a message, and behind one."""

FILLERS = "xあ😀"

MORE = 32
"""Characters by which a text is too long at most."""


def invalid_json(grammar: Grammar) -> Examples:
    """One edit away from a valid message, or no message at all."""
    base, places = of_clients(grammar).map(dump_json), st.integers(0, 400)
    found: Mapping[str, SearchStrategy[str]] = {
        "some text": st.lists(pieces(), max_size=3).map("".join),
        "cut off": st.builds(lambda text, at: text[: at % len(text)], base, places),
        "a character is missing": st.builds(partial(_edited, piece="", replaced=1), base, places),
        "something in between": st.builds(_edited, base, places, st.sampled_from(PIECES)),
        "a member that is not JSON": st.builds(
            lambda text, one: f'{text[:-1]},"x":{one}}}', base, st.sampled_from(VALUES)
        ),
        "something after it": st.builds(lambda text, tail: f"{text}{tail}", base, st.sampled_from(TAILS)),
        "a comma after the last member": base.map(lambda text: text[:-1] + ",}"),
        "single quotes": base.map(lambda text: text.replace('"', "'")),
    }
    return st.one_of([text.filter(_is_no_json).map(partial(_raw, change)) for change, text in found.items()])


def _edited(text: str, at: int, piece: str, replaced: int = 0) -> str:
    place = at % len(text)
    return text[:place] + piece + text[place + replaced :]


def _is_no_json(text: str) -> bool:
    return not is_json(text) and not text.startswith("\ufeff")


def _raw(change: str, text: str) -> Example:
    return Example("json", None, change, None, text)


def invalid_envelope(grammar: Grammar) -> Examples:
    """JSON that is no envelope, and in which no event's name can be read."""
    base = of_clients(grammar)

    def example(change: str, found: SearchStrategy[Any]) -> Examples:
        return found.map(lambda one: Example("envelope", None, change, one))

    return st.one_of(
        example("not an object", values("object")),
        example("not an object", base.map(lambda one: [one])),
        example(f"{grammar.name} is missing", base.map(lambda one: {grammar.body: one[grammar.body]})),
        example(f"{grammar.name} is not a string", _replacing(base, grammar.name, values("string"))),
    )


def invalid_member(grammar: Grammar) -> Examples:
    """An envelope that names its event, and is broken beside it."""
    base = of_clients(grammar)

    def example(change: str, found: Messages) -> Examples:
        return found.map(lambda one: Example("envelope", grammar.event_of(one), change, one))

    body, number = grammar.body, grammar.number
    found = [
        example(f"{body} is missing", base.map(lambda one: {grammar.name: one[grammar.name]})),
        example(f"{body} is not an object", _replacing(base, body, values("object"))),
    ]
    if number is not None:
        found.append(example(f"{number} is not an integer", _replacing(base, number, values("integer"))))
    return st.one_of(found)


def _replacing(base: Messages, name: str, found: SearchStrategy[Any]) -> Messages:
    return st.builds(lambda one, value: {**one, name: value}, base, found)


Change = tuple[str, Messages]


def _of_members(
    grammar: Grammar, claim: Claim, changes: Callable[[Messages, str, Mapping[str, Any]], list[Change]]
) -> Examples:
    """Changes of every member that some payload of a client must have."""
    found = [
        messages.map(partial(_changed, grammar, claim, f"{event}: {name} {change}"))
        for event in grammar.of_side("client")
        for name, schema in grammar.members(event)
        for change, messages in changes(bases(grammar, event), name, schema)
    ]
    return st.one_of(found)


def _changed(grammar: Grammar, claim: Claim, change: str, message: Message) -> Example:
    return Example(claim, grammar.event_of(message), change, message)


def invalid_payload(grammar: Grammar) -> Examples:
    """A member that is missing, or of a wrong type."""
    member = partial(with_member, body=grammar.body)

    def changes(base: Messages, name: str, schema: Mapping[str, Any]) -> list[Change]:
        found = [("is missing", base.map(partial(without_member, name=name, body=grammar.body)))]
        kind = schema.get("type")
        if isinstance(kind, str):
            found.append((f"is not of type {kind}", st.builds(member, base, st.just(name), values(kind))))
        return found

    return _of_members(grammar, "payload", changes)


def invalid_length(grammar: Grammar) -> Examples:
    """A member that is empty, or longer than allowed."""
    member = partial(with_member, body=grammar.body)

    def changes(base: Messages, name: str, schema: Mapping[str, Any]) -> list[Change]:
        found = []
        if schema.get("minLength", 0) > 0:
            found.append(("is empty", base.map(partial(member, name=name, value=""))))
        if "maxLength" in schema:
            long = st.builds(partial(_long, schema["maxLength"]), st.integers(1, MORE), st.sampled_from(FILLERS))
            found.append(("is too long", st.builds(member, base, st.just(name), long)))
        return found

    return _of_members(grammar, "length", changes)


def _long(limit: int, more: int, filler: str) -> str:
    return (f"wsproof-{NONCE}" + filler * (limit + more))[: limit + more]


def unknown_names(grammar: Grammar) -> list[str]:
    """Names of events that a server may take for another one, or for something of its own."""
    known = grammar.of_side("client")
    first, middle, last = known[0], known[len(known) // 2], known[-1]
    head, *rest = middle.split("_")
    camel = head + "".join(map(str.capitalize, rest))
    nearly = [last.upper(), last.replace("_", "-"), f"{last} ", f" {middle}", camel, first.capitalize(), f"{first}\n"]
    return [*STRANGE, *nearly, "null", "*"]


def unknown_event(grammar: Grammar) -> Examples:
    """Messages of an event that the contract does not name."""
    # What an error repeats is no test of its encoding: that has tests of its own (ENV-01, SEND-02).
    letters = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Cn"]), min_size=1, max_size=24)
    names = st.one_of(st.sampled_from(unknown_names(grammar)), letters).filter(
        lambda one: one not in grammar.contract.events
    )
    return _replacing(of_clients(grammar), grammar.name, names).map(
        partial(_changed, grammar, "unknown", "unknown event")
    )


def server_event(grammar: Grammar) -> Examples:
    """Messages that only a server may send."""
    return st.one_of(
        [
            bases(grammar, event).map(partial(_changed, grammar, "server", f"{event} of a client"))
            for event in grammar.of_side("server")
        ]
    )
