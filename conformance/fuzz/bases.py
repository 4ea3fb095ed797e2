"""Strategies for plain valid messages, which all others differ from in one thing."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.fuzz.example import Example
from conformance.fuzz.grammar import Grammar, with_value
from conformance.fuzz.schema_values import made

Message = dict[str, Any]
Messages = SearchStrategy[Message]
Examples = SearchStrategy[Example]


def bases(grammar: Grammar, event: str) -> Messages:
    """Plain valid messages of an event: the run's channel, a nonce, and what else the schema asks for."""
    fixtures = grammar.fixtures(event)

    def message(payload: Message) -> Message:
        whole: Message = {grammar.name: event, grammar.body: payload}
        for path, value in fixtures.items():
            whole = with_value(whole, path, value)
        return whole

    return made(grammar.payload(event)).map(message)


def of_clients(grammar: Grammar) -> Messages:
    """Plain valid messages of every event of a client."""
    return st.one_of([bases(grammar, event) for event in grammar.of_side("client")])


def with_member(message: Message, name: str, value: Any, *, body: str) -> Message:
    """The message with another member in its payload, which is its member `body`."""
    return {**message, body: {**message[body], name: value}}


def without_member(message: Message, name: str, *, body: str) -> Message:
    """The message without a member of its payload, which is its member `body`."""
    return {**message, body: {key: one for key, one in message[body].items() if key != name}}
