"""What a contract.yaml that keeps its schema cannot mean: all of it at once, each with its place.

A name that no message has, a path that leads nowhere, a code that is not declared, a reference to what is not there,
and roles that contradict each other or lack what they need. Messages that cannot be told apart are no mistake: a
contract is judged by what can be told.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from contract.mistakes import Mistake, Where, mistake, refuse
from contract.plain_words import near, quoted_name
from contract.role_lookup import OF_ANSWER, OF_GROUP, OF_MESSAGE, OF_PROBE, OF_USER, Described, Lookup, name_of
from contract.roles import By
from contract.templates import references

OTHER: Mapping[By, By] = {"server": "client", "client": "server", "either": "either"}
"""Who answers what one side, or either, begins."""


def check_roles(contract: Described, channels: Mapping[str, Any]) -> None:
    """Raise `ContractError` with all mistakes of a contract's contract.yaml. `channels` are those of its document."""
    document = contract.folder.document
    if document is not None:
        refuse(document, role_mistakes(contract, document.value, channels))


def role_mistakes(contract: Described, value: Mapping[str, Any], channels: Mapping[str, Any]) -> Iterator[Mistake]:
    """The mistakes of the roles, `value`, of a contract."""
    lookup = Lookup(contract, value)
    yield from _channels(value, channels)
    for name, check in _CHECKS.items():
        if value.get(name):
            yield from check(lookup, value[name])


def _channels(value: Mapping[str, Any], channels: Mapping[str, Any]) -> Iterator[Mistake]:
    for index, name in enumerate(value.get("channels", ())):
        if name not in channels:
            known = near(name, channels) or f"; known: {', '.join(sorted(channels)) or 'none'}"
            yield mistake(("channels", index), f"no channel {quoted_name(name)} in the document{known}")


def _handshake(lookup: Lookup, one: Any) -> Iterator[Mistake]:
    where: Where = ("handshake", "subprotocols")
    yield from lookup.template(("handshake", "path"), one.get("path", ""), OF_USER)
    subprotocols = one.get("subprotocols") or {}
    offer, selected = subprotocols.get("offer", []), subprotocols.get("selected")
    if selected is not None and selected not in offer:
        known = near(selected, offer) or f"; offered: {', '.join(offer) or 'none'}"
        yield mistake((*where, "selected"), f"expected one of `offer`; got {quoted_name(selected)}{known}")
    yield from lookup.outcomes((*where, "otherwise"), subprotocols.get("otherwise", []), handshake=True)


def _authentication(lookup: Lookup, one: Any) -> Iterator[Mistake]:
    acknowledgement = lookup.value.get("acknowledgement") or {}
    if one["in"] == "message" and "send" not in acknowledgement:
        yield mistake(
            ("authentication", "in"), "message needs `acknowledgement.send`, the message with the credentials"
        )
    for name in ("refused", "expired"):
        if one["in"] == "none" and name in one:
            yield mistake(("authentication", name), "there are no credentials that could be bad: `in` is none")
        yield from lookup.outcomes(("authentication", name), one.get(name, []), handshake=name == "refused")


def _messages(lookup: Lookup, one: Any) -> Iterator[Mistake]:
    for index, rule in enumerate(one.get("name", ())):
        where: Where = ("messages", "name", index)
        if "name" in rule:
            yield from lookup.name((*where, "name"), rule["name"], None)
        for member in ("at", "has"):
            if member in rule:
                yield from lookup.somewhere((*where, member), rule[member])
        for path in rule.get("match", ()):
            yield from lookup.somewhere((*where, "match", path), path)
    if "envelope" in one:
        yield from lookup.somewhere(("messages", "envelope", "payload"), one["envelope"]["payload"])
    for index, name in enumerate(one.get("generate", ())):
        yield from lookup.name(("messages", "generate", index), name, "client")


def _acknowledgement(lookup: Lookup, one: Any) -> Iterator[Mistake]:
    where: Where = ("acknowledgement",)
    yield from lookup.awaited((*where, "expect"), one["expect"], "server")
    yield from lookup.paths(where, one, ["id"], name_of(one["expect"]))
    if "send" in one:
        yield from lookup.sent((*where, "send"), one["send"], OF_USER)
    for name in ("due", "again"):
        if name in one and "send" not in one:
            yield mistake((*where, name), "needs `send`: what a client says first")
    for name in ("before", "again"):
        yield from lookup.outcomes((*where, name), one.get(name, []))
    yield from lookup.outcomes((*where, "due", "else"), (one.get("due") or {}).get("else", []))


def _heartbeats(lookup: Lookup, listed: Any) -> Iterator[Mistake]:
    for index, one in enumerate(listed):
        where: Where = ("heartbeats", index)
        by: By = one["by"]
        ping = name_of(one["ping"])
        yield from lookup.awaited((*where, "ping"), one["ping"], by)
        answer = one.get("answer", "none")
        if answer == "reply":
            asks = [(each["name"], each.get("by", "client")) for each in lookup.value.get("requests", ())]
            if (ping, by) not in asks:
                text = f"needs a request {quoted_name(ping)} by the {by} in `requests`, whose reply it is"
                yield mistake((*where, "answer"), text)
        elif answer != "none":
            yield from lookup.awaited((*where, "answer"), answer, OTHER[by])
        yield from _beats(lookup, where, one)
        if "tolerance" in one and "every" not in one:
            yield mistake((*where, "tolerance"), "needs `every`, the interval that it is a part of")
        for name in ("timeout", "mute"):
            if name in one and answer == "none":
                yield mistake((*where, name), "needs `answer`: none is due")
        yield from lookup.outcomes((*where, "mute"), one.get("mute", []))
        for number, other in enumerate(listed[:index]):
            if name_of(other["ping"]) == ping and (other["by"] == by or "either" in (other["by"], by)):
                yield mistake((*where, "ping"), f"contradicts heartbeats[{number}], which begins with the same message")


def _beats(lookup: Lookup, where: Where, one: Any) -> Iterator[Mistake]:
    """The messages as a client sends them."""
    ping, answer = one["ping"], one.get("answer", "none")
    if isinstance(ping, dict) and "send" in ping:
        yield from lookup.sent((*where, "ping", "send"), ping["send"], (), ping["name"])
    if isinstance(answer, dict) and "send" in answer:
        place = (*where, "answer", "send")
        yield from lookup.sent(place, answer["send"], OF_MESSAGE, answer["name"])
        yield from _of_message(lookup, place, answer["send"], name_of(ping))


def _of_message(lookup: Lookup, where: Where, template: Any, name: str) -> Iterator[Mistake]:
    """What a template takes of the message before it."""
    for reference in sorted(references(template)):
        if reference.startswith("message."):
            yield from lookup.path(where, reference.removeprefix("message."), name)


def _requests(lookup: Lookup, listed: Any) -> Iterator[Mistake]:
    for index, one in enumerate(listed):
        where: Where = ("requests", index)
        by: By = one.get("by", "client")
        yield from lookup.name((*where, "name"), one["name"], by)
        wrong = [*lookup.path((*where, "id"), one["id"], one["name"])]
        yield from wrong
        for number, reply in enumerate(one["replies"]):
            place: Where = (*where, "replies", number)
            yield from lookup.name((*place, "name"), reply["name"], OTHER[by])
            if "id" in reply or not wrong:
                yield from lookup.path((*place, "id"), reply.get("id", one["id"]), reply["name"])
        if "cancel" in one:
            yield from lookup.awaited((*where, "cancel"), one["cancel"], by)
        yield from lookup.outcomes((*where, "id_in_use"), one.get("id_in_use", []))
        if any(other["name"] == one["name"] and other.get("by", "client") == by for other in listed[:index]):
            yield mistake((*where, "name"), f"there is a request {quoted_name(one['name'])} already")


def _answers(lookup: Lookup, listed: Any) -> Iterator[Mistake]:
    for index, one in enumerate(listed):
        where: Where = ("answers", index)
        yield from lookup.name((*where, "to"), one["to"], "server")
        yield from lookup.sent((*where, "send"), one["send"], (*OF_MESSAGE, *OF_USER))
        yield from _of_message(lookup, (*where, "send"), one["send"], one["to"])


def _errors(lookup: Lookup, one: Any) -> Iterator[Mistake]:
    message = one.get("message")
    if message is not None:
        where: Where = ("errors", "message")
        yield from lookup.name((*where, "name"), message["name"], "server")
        yield from lookup.paths(where, message, ("code", "text"), message["name"])
        yield from lookup.paths((*where, "about"), message.get("about") or {}, ("name", "id"), message["name"])
    for cause, found in (one.get("reactions") or {}).items():
        yield from lookup.outcomes(("errors", "reactions", cause), found)


def _numbers(lookup: Lookup, listed: Any) -> Iterator[Mistake]:
    for index, one in enumerate(listed):
        where: Where = ("numbers", index)
        names = one.get("of", ())
        for number, name in enumerate(names):
            yield from lookup.name((*where, "of", number), name, "server")
            yield from lookup.path((*where, "at"), one["at"], name)
        if not names:
            yield from lookup.somewhere((*where, "at"), one["at"])
        if one.get("per", "connection") != "connection":
            yield from lookup.somewhere((*where, "per"), one["per"], names)


def _probe(lookup: Lookup, one: Any) -> Iterator[Mistake]:
    where: Where = ("probe",)
    for asked, answered in (("send", "expect"), ("send_text", "expect_text")):
        for name, other in ((asked, answered), (answered, asked)):
            if name in one and other not in one:
                yield mistake((*where, name), f"needs `{other}`")
    if "send" in one and "send_text" in one:
        yield mistake((*where, "send_text"), "expected either messages (`send`) or texts (`send_text`), not both")
    if not {"send", "send_text", "expect", "expect_text"} & {*one}:
        yield mistake(where, "expected the members 'send', 'expect'")
    for index, step in enumerate(one.get("prepare", ())):
        yield from lookup.sent((*where, "prepare", index, "send"), step["send"], OF_GROUP)
    if "send" in one:
        yield from lookup.sent((*where, "send"), one["send"], OF_PROBE)
    for index, awaited in enumerate(one.get("expect", ())):
        yield from lookup.awaited((*where, "expect", index), awaited, "server")
        if isinstance(awaited, dict):
            yield from lookup.template((*where, "expect", index, "match"), awaited.get("match"), OF_ANSWER)
    yield from lookup.template((*where, "send_text"), one.get("send_text", ""), OF_PROBE)
    yield from lookup.template((*where, "expect_text"), one.get("expect_text", ""), OF_ANSWER)


def _flows(lookup: Lookup, flows: Any) -> Iterator[Mistake]:
    for key, one in flows.items():
        where: Where = ("flows", key)
        delivery, post = one["delivery"], one.get("post")
        yield from _delivery(lookup, (*where, "delivery"), delivery)
        for name in ("subscribe", "unsubscribe"):
            if one.get(name):
                yield from _subscription(lookup, (*where, name), one[name], posted=post is not None)
        if post is not None:
            yield from lookup.name((*where, "post", "name"), post["name"], "client")
            yield from lookup.paths((*where, "post"), post, ("group", "stamp"), post["name"])
            if "stamp" not in delivery:
                yield mistake((*where, "delivery"), "needs `stamp`: where the post's text arrives")


def _delivery(lookup: Lookup, where: Where, one: Any) -> Iterator[Mistake]:
    yield from lookup.name((*where, "name"), one["name"], "server")
    yield from lookup.paths(where, one, ("group", "stamp", "id", "time", "number"), one["name"])
    yield from lookup.paths((*where, "author"), one.get("author") or {}, ("id", "name"), one["name"])
    if "step" in one and "number" not in one:
        yield mistake((*where, "step"), "needs `number`, the path of the number that grows")


def _subscription(lookup: Lookup, where: Where, one: Any, *, posted: bool) -> Iterator[Mistake]:
    yield from lookup.name((*where, "name"), one["name"], "client")
    yield from lookup.paths(where, one, ["group"], one["name"])
    if "send" in one:
        yield from lookup.sent((*where, "send"), one["send"], OF_GROUP, one["name"])
    in_force = one.get("in_force")
    if isinstance(in_force, dict):
        yield from lookup.name((*where, "in_force", "name"), in_force["name"], "server")
    elif in_force == "own-delivery" and not posted:
        yield mistake((*where, "in_force"), "own-delivery needs `post`: here the server posts")
    elif in_force == "reply" and one["name"] not in {each["name"] for each in lookup.value.get("requests", ())}:
        yield mistake((*where, "in_force"), f"reply needs a request {quoted_name(one['name'])} in `requests`")


_CHECKS: Mapping[str, Callable[[Lookup, Any], Iterator[Mistake]]] = {
    "handshake": _handshake,
    "authentication": _authentication,
    "messages": _messages,
    "acknowledgement": _acknowledgement,
    "heartbeats": _heartbeats,
    "requests": _requests,
    "answers": _answers,
    "errors": _errors,
    "numbers": _numbers,
    "probe": _probe,
    "flows": _flows,
}
