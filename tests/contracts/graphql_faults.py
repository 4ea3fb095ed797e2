"""Wrong servers of graphql-transport-ws: the right one behind a proxy that breaks one thing."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from tests.contracts.proxy import Action, Down, End, Fault, Later, Link, Text, Up, down, up

Hook = Callable[[Link, Any], Iterable[Action]]

PING = {"type": "ping"}


def kind(message: Any) -> Any:
    return message.get("type") if isinstance(message, dict) else None


def closes_with(wrong: int, right: int) -> Callable[[Link, int], int | None]:
    return lambda _, code: wrong if code == right else code


def stays_open(right: int) -> Callable[[Link, int], int | None]:
    return lambda _, code: None if code == right else code


def on(name: str, change: Callable[[Link, Any], Iterable[Action]], otherwise: Hook) -> Hook:
    """Change messages of one type only."""

    def hook(link: Link, message: Any) -> Iterable[Action]:
        return change(link, message) if kind(message) == name else otherwise(link, message)

    return hook


def query(message: Any) -> str:
    payload = message.get("payload") if isinstance(message, dict) else None
    return str(payload.get("query")) if isinstance(payload, dict) else ""


def remembers(link: Link, message: Any) -> None:
    """Note which operations are queries, and which are active."""
    if kind(message) == "subscribe" and isinstance(message.get("id"), str):
        link.ids[message["id"]] = "stream" if query(message).startswith("subscription") else "query"


# Opening


def _early(link: Link, message: Any) -> Iterable[Action]:
    if kind(message) == "connection_init":
        link.count += 1
    if kind(message) == "subscribe" and not link.count:
        return [Down({"id": message["id"], "type": "next", "payload": {"data": None}})]
    return [Up(message)]


def _second_init(link: Link, message: Any) -> Iterable[Action]:
    if kind(message) != "connection_init":
        return [Up(message)]
    link.count += 1
    return [Up(message)] if link.count == 1 else []


def _any_token(link: Link, message: Any) -> Iterable[Action]:
    if kind(message) != "connection_init" or not isinstance(message.get("payload"), dict):
        return [Up(message)]
    known = message["payload"].get("token") in ("alice-token", "bob-token")
    return [Up(message if known else {**message, "payload": {"token": "alice-token"}})]


def _deaf_to_bob(link: Link, message: Any) -> Iterable[Action]:
    if kind(message) == "connection_init" and "bob-token" in json.dumps(message):
        return []
    return [Up(message)]


# Form


def _number_ids(link: Link, message: Any) -> Iterable[Action]:
    if kind(message) == "subscribe" and isinstance(message.get("id"), int):
        message = {**message, "id": str(message["id"])}
    return [Up(message)]


def _ignores_unknown(link: Link, message: Any) -> Iterable[Action]:
    known = ("connection_init", "subscribe", "complete", "ping", "pong")
    unknown = isinstance(message, dict) and isinstance(kind(message), str) and kind(message) not in known
    return [] if unknown else [Up(message)]


def _ignores_unreadable(link: Link, message: Any) -> Iterable[Action]:
    return [] if isinstance(message, Text) else [Up(message)]


def _with(member: str, value: Any) -> Hook:
    return lambda _, message: [Down({**message, member: value})]


# Ping and pong


def _every_other(link: Link, message: Any) -> Iterable[Action]:
    link.count += 1
    return [Down(message)] if link.count % 2 else []


def _pong_later_than_ack(link: Link, message: Any) -> Iterable[Action]:
    if kind(message) == "connection_ack":
        link.count = 1
    return [Down(message)] if kind(message) != "pong" or link.count else []


# Operations


def _twice_next(link: Link, message: Any) -> Iterable[Action]:
    stream = link.ids.get(message["id"]) == "stream"
    return [Down(message)] if stream else [Down(message), Down(message)]


def _remembering(hook: Hook) -> Hook:
    def remembered(link: Link, message: Any) -> Iterable[Action]:
        remembers(link, message)
        return hook(link, message)

    return remembered


def _endless(link: Link, message: Any) -> Iterable[Action]:
    return [] if link.ids.get(message["id"]) == "stream" else [Down(message)]


def _swapped(link: Link, message: Any) -> Iterable[Action]:
    """The second greeting comes before the first one."""
    if "greetings" not in (message["payload"].get("data") or {}):
        return [Down(message)]
    if link.held:
        return [Down(message), Down(link.held.pop())]
    link.count += 1
    if link.count > 1:
        return [Down(message)]
    link.held.append(message)
    return []


def _lossy(link: Link, message: Any) -> Iterable[Action]:
    if link.ids.get(message["id"]) != "stream":
        return [Down(message)]
    return _every_other(link, message)


def _as_result(link: Link, message: Any) -> Iterable[Action]:
    """Errors of validation as an answer over HTTP would have them."""
    result = {"errors": message["payload"]}
    return [
        Down({"id": message["id"], "type": "next", "payload": result}),
        Down({"id": message["id"], "type": "complete"}),
    ]


def _tolerates(link: Link, message: Any) -> Iterable[Action]:
    """A subscribe with an active id is not heard."""
    if kind(message) == "subscribe" and isinstance(message.get("id"), str):
        if message["id"] in link.ids:
            return []
        link.ids[message["id"]] = "active"
    if kind(message) == "complete":
        link.ids.pop(message.get("id"), None)
    return [Up(message)]


def _forgets(link: Link, message: Any) -> Iterable[Action]:
    if kind(message) in ("complete", "error"):
        link.ids.pop(message["id"], None)
    return [Down(message)]


def _once_only(link: Link, message: Any) -> Iterable[Action]:
    if kind(message) == "subscribe" and isinstance(message.get("id"), str):
        if link.ids.get(message["id"]) == "done":
            return [End(4409)]
        link.ids[message["id"]] = "active"
    return [Up(message)]


def _done(link: Link, message: Any) -> Iterable[Action]:
    if kind(message) in ("complete", "error"):
        link.ids[message["id"]] = "done"
    return [Down(message)]


def _in_turn(link: Link, message: Any) -> Iterable[Action]:
    """A query waits for the end of the one before."""
    if kind(message) == "complete" and link.ids.get("now") == message.get("id"):
        return [Up(message), *_next_turn(link)]
    if (
        kind(message) != "subscribe"
        or query(message).startswith("subscription")
        or not isinstance(message.get("id"), str)
    ):
        return [Up(message)]
    if link.ids.get("now") is not None:
        link.held.append(message)
        return []
    link.ids["now"] = message["id"]
    return [Up(message)]


def _next_turn(link: Link) -> list[Action]:
    link.ids["now"] = None
    if not link.held:
        return []
    message = link.held.pop(0)
    link.ids["now"] = message["id"]
    return [Up(message)]


def _turn_over(link: Link, message: Any) -> Iterable[Action]:
    over = kind(message) in ("complete", "error") and link.ids.get("now") == message["id"]
    return [Down(message), *(_next_turn(link) if over else ())]


def _spread(link: Link, message: Any) -> Iterable[Action]:
    """An event reaches every connection that has an operation with this id."""
    if link.ids.get(message["id"]) == "stream":
        for other in link.others:
            if other.ids.get(message["id"]) == "stream":
                other.push(message)
    return [Down(message)]


def _unknown_complete(link: Link, message: Any) -> Iterable[Action]:
    if kind(message) == "complete" and message.get("id") not in link.ids:
        return [End(4400)]
    remembers(link, message)
    return [Up(message)]


def _until_complete(link: Link, message: Any) -> Iterable[Action]:
    if kind(message) == "complete":
        link.ids.pop(message["id"], None)
    return [Down(message)]


def _queries_run_on(link: Link, message: Any) -> Iterable[Action]:
    if kind(message) == "complete" and link.ids.get(message.get("id")) == "query":
        return []
    return [Up(message)]


def fault(name: str, text: str, breaks: str, **hooks: Any) -> Fault:
    return Fault(name, text, frozenset(breaks.split()), **hooks)


FAULTS = (
    # opening
    fault("no-subprotocol", "No sub-protocol is selected.", "GQL-01", selects=False),
    fault("any-subprotocol", "A client without the sub-protocol is served like any other.", "GQL-02",
          offer=lambda _: ["graphql-transport-ws"]),
    fault("other-4406", "4406 is 1002.", "GQL-02", closing=closes_with(1002, 4406)),
    fault("bob-unheard", "One user's connection_init is not answered.", "GQL-03", from_client=_deaf_to_bob),
    fault("ack-twice", "connection_ack comes twice.", "GQL-04",
          from_server=on("connection_ack", lambda _, m: [Down(m), Down(m)], down)),
    fault("early", "A subscribe before the acknowledgement is answered.", "GQL-05", from_client=_early),
    fault("other-4401", "4401 is 4400.", "GQL-05", closing=closes_with(4400, 4401)),
    fault("patient", "A client that says nothing may stay.", "GQL-06", closing=stays_open(4408)),
    fault("other-4408", "4408 is 1000.", "GQL-06", closing=closes_with(1000, 4408)),
    fault("inits", "A second connection_init is not heard.", "GQL-07", from_client=_second_init),
    fault("other-4429", "4429 is 4400.", "GQL-07", closing=closes_with(4400, 4429)),
    fault("any-token", "Every token is accepted.", "GQL-08", from_client=_any_token),
    fault("other-4403", "4403 is 1008.", "GQL-08", closing=closes_with(1008, 4403)),
    # form
    fault("no-json", "A text that is no JSON follows the acknowledgement.", "GQL-09",
          from_server=on("connection_ack", lambda _, m: [Down(m), Down(Text("welcome"))], down)),
    fault("ack-text", "The payload of connection_ack is a text.", "GQL-10",
          from_server=on("connection_ack", _with("payload", "alice"), down)),
    fault("next-list", "The payload of next is an array.", "GQL-10",
          from_server=on("error", lambda _, m: [Down({**m, "payload": {"message": "invalid"}})], down)),
    fault("error-text", "The errors of an error message have no message.", "GQL-10",
          from_server=on("error", _with("payload", [{}]), down)),
    fault("keep-alive", "A message ka, as of the older protocol, follows the acknowledgement.", "GQL-11",
          from_server=on("connection_ack", lambda _, m: [Down(m), Down({"type": "ka"})], down)),
    fault("numbered", "Every next has a member seq.", "GQL-11", from_server=on("next", _with("seq", 1), down)),
    fault("other-4400", "4400 is 1003.", "GQL-12", closing=closes_with(1003, 4400)),
    fault("unknown-ignored", "Unknown types of messages are ignored.", "GQL-12", from_client=_ignores_unknown),
    fault("unreadable-ignored", "What is no JSON is ignored.", "GQL-12", from_client=_ignores_unreadable),
    fault("number-ids", "Ids may be numbers.", "GQL-12", from_client=_number_ids),
    # ping and pong
    fault("mute", "A ping is not answered.", "GQL-13", from_server=on("pong", lambda *_: [], down)),
    fault("half-mute", "Every other ping is answered.", "GQL-13", from_server=on("pong", _every_other, down)),
    fault("mute-early", "A ping before the acknowledgement is not answered.", "GQL-13",
          from_server=_pong_later_than_ack),
    fault("pong-refused", "A pong of a client closes the socket.", "GQL-14",
          from_client=on("pong", lambda *_: [End(4400)], up)),
    # operations
    fault("two-results", "A query has its result twice.", "GQL-15",
          from_client=_remembering(up), from_server=on("next", _twice_next, down)),
    fault("endless", "A subscription that has ended is not completed.", "GQL-16",
          from_client=_remembering(up), from_server=on("complete", _endless, down)),
    fault("swapped", "The first two events of a subscription change places.", "GQL-16",
          from_client=_remembering(up), from_server=on("next", _swapped, down)),
    fault("lossy", "Every other event of a subscription is lost.", "GQL-16",
          from_client=_remembering(up), from_server=on("next", _lossy, down)),
    fault("error-as-result", "Errors of validation come as a result.", "GQL-17",
          from_server=on("error", _as_result, down)),
    fault("error-completed", "complete follows error.", "GQL-18",
          from_server=on("error", lambda _, m: [Down(m), Down({"id": m["id"], "type": "complete"})], down)),
    fault("completed-twice", "complete comes twice.", "GQL-19",
          from_server=on("complete", lambda _, m: [Down(m), Down(m)], down)),
    fault("next-after-complete", "A next follows complete.", "GQL-19",
          from_server=on("complete", lambda _, m: [Down(m), Down({**m, "type": "next", "payload": {}})], down)),
    fault("runs-on", "The complete of a client is not heard, if it is about a query.", "GQL-20",
          from_client=_remembering(_queries_run_on)),
    fault("other-4409", "4409 is 4400.", "GQL-21", closing=closes_with(4400, 4409)),
    fault("ids-shared", "A subscribe with the id of an active operation is not heard.", "GQL-21",
          from_client=_tolerates, from_server=_forgets),
    fault("ids-once", "An id is good for one operation.", "GQL-22", from_client=_once_only, from_server=_done),
    fault("in-turn", "A query waits for the one before.", "GQL-23", from_client=_in_turn, from_server=_turn_over),
    fault("spread", "An event reaches all connections that have an operation of its id.", "GQL-23",
          from_client=_remembering(up), from_server=on("next", _spread, down)),
    fault("complete-refused", "A complete for an unknown id closes the socket.", "GQL-24",
          from_client=_unknown_complete, from_server=_until_complete),
)  # fmt: skip

LIBERTIES = (
    fault("ack-details", "connection_ack says more.", "",
          from_server=on("connection_ack", _with("payload", {"server": "x"}), down)),
    fault("slow", "Everything takes 50 ms longer.", "", from_server=lambda _, m: [Later(0.05, Down(m))]),
    fault("pings", "The server pings, before and behind the acknowledgement.", "",
          from_server=on("connection_ack", lambda _, m: [Down(PING), Down(m), Down(PING)], down)),
    fault("pongs", "The server sends a pong of its own accord.", "",
          from_server=on("next", lambda _, m: [Down({"type": "pong"}), Down(m)], down)),
    fault("extensions", "Results have extensions.", "",
          from_server=on("next", lambda _, m: [Down({**m, "payload": {**m["payload"], "extensions": {}}})], down)),
)  # fmt: skip
"""What the protocol leaves to a server."""
