"""The kinds of generated messages (a contract's `fuzz/`), each with its strategy; here those of valid ones."""

from collections.abc import Callable, Mapping
from functools import partial

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.fuzz import mistakes
from conformance.fuzz.bases import Examples, Messages, bases, with_member
from conformance.fuzz.example import MAX_EXACT, Claim, Example, Notation, holds
from conformance.fuzz.grammar import Grammar, with_value
from conformance.fuzz.values import names, texts, values
from contract.json_text import dump_json

GAPS = ("", " ", "\n", "\t", "\r\n", " \n\t")


def examples_of(kind: str, grammar: Grammar) -> Examples:
    """The examples of one kind, only such as are what they claim to be. KeyError: there is no such kind."""
    claim, strategy = kinds(grammar)[kind]
    return strategy(grammar).filter(lambda one: holds(claim, one.template, grammar.contract, grammar.message_bytes))


def kinds(grammar: Grammar) -> Mapping[str, tuple[Claim, Callable[[Grammar], Examples]]]:
    """The kinds that there are, each with what its examples claim to be, and its strategy."""
    post, join, pong = grammar.post.name, grammar.join.name, grammar.pong
    found: dict[str, tuple[Claim, Callable[[Grammar], Examples]]] = {
        "fuzz-valid-text": ("valid", valid_text),
        "fuzz-valid-notation": ("valid", partial(valid_notation, event=post)),
        "fuzz-valid-join": ("valid", partial(valid_notation, event=join)),
        "fuzz-valid-pong": ("valid", partial(valid_notation, event=pong)),
        "fuzz-invalid-json": ("json", mistakes.invalid_json),
        "fuzz-invalid-envelope": ("envelope", mistakes.invalid_envelope),
        "fuzz-invalid-member": ("envelope", mistakes.invalid_member),
        "fuzz-invalid-payload": ("payload", mistakes.invalid_payload),
        "fuzz-invalid-length": ("length", mistakes.invalid_length),
        "fuzz-unknown-event": ("unknown", mistakes.unknown_event),
        "fuzz-server-event": ("server", mistakes.server_event),
    }
    for word, event in {"post": post, "join": join, "pong": pong}.items():
        if grammar.number is not None:
            found[f"fuzz-{grammar.number}-{word}"] = ("valid", partial(valid_number, event=event, name=grammar.number))
        found[f"fuzz-members-{word}"] = ("valid", partial(valid_members, event=event))
    return found


def _valid(grammar: Grammar, change: str, messages: Messages) -> Examples:
    return messages.map(lambda one: Example("valid", grammar.event_of(one), change, one))


def valid_text(grammar: Grammar) -> Examples:
    """Posts whose text holds whatever a text may hold."""
    event, path = grammar.post.name, grammar.post.stamp
    schema = dict(grammar.members(event))[path.partition(".")[2]]
    posts = st.builds(lambda base, text: with_value(base, path, text), bases(grammar, event), texts(schema))
    return _valid(grammar, "text", posts)


def notations() -> SearchStrategy[Notation]:
    """Ways to write JSON."""
    return st.builds(Notation, st.sampled_from(GAPS), st.booleans(), st.booleans(), st.booleans(), st.booleans())


def valid_notation(grammar: Grammar, event: str) -> Examples:
    """Plain messages, written in many ways, with white space around them."""

    def spaced(message: object, start: str, end: str) -> Example:
        return Example("valid", event, "surrounding white space", None, f"{start}{dump_json(message)}{end}")

    base = bases(grammar, event)
    return st.one_of(
        st.builds(lambda one, how: Example("valid", event, "notation", one, None, how), base, notations()),
        st.builds(spaced, base, st.sampled_from(GAPS), st.sampled_from(GAPS)),
    )


def valid_number(grammar: Grammar, event: str, name: str) -> Examples:
    """Messages with a number from 0 to 2^53."""
    numbers = st.one_of(st.integers(0, 100), st.integers(0, MAX_EXACT), st.sampled_from((2**31, 2**32, MAX_EXACT)))
    messages = st.builds(lambda base, one: {**base, name: one}, bases(grammar, event), numbers)
    return _valid(grammar, name, messages)


def valid_members(grammar: Grammar, event: str) -> Examples:
    """One member that the contract does not name, in the envelope or in the payload."""
    base = bases(grammar, event)
    envelope = st.builds(lambda one, name, value: {**one, name: value}, base, names(grammar.envelope), values())
    changed = partial(with_member, body=grammar.body)
    payload = st.builds(changed, base, names(_declared(grammar, event)), values())
    return st.one_of(
        _valid(grammar, "member of the envelope", envelope), _valid(grammar, "member of the payload", payload)
    )


def _declared(grammar: Grammar, event: str) -> set[str]:
    return {name.casefold() for name in grammar.payload(event).get("properties", {})}
