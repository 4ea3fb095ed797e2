"""Wrong servers of JSON-RPC 2.0: the right one behind a proxy that breaks one thing."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.contracts.proxy import Action, Down, End, Fault, Later, Link, Text, Up

Hook = Callable[[Link, Any], Iterable[Action]]

PARSE, INVALID, METHOD = -32700, -32600, -32601


def is_result(message: Any) -> bool:
    return isinstance(message, dict) and "result" in message


def code_of(message: Any) -> Any:
    """The code of an error; None of anything else."""
    error = message.get("error") if isinstance(message, dict) else None
    return error.get("code") if isinstance(error, dict) else None


def on_result(change: Callable[[Any], Any]) -> Hook:
    return lambda _, message: [Down(change(message) if is_result(message) else message)]


def on_error(code: int, *actions: Callable[[Any], Action]) -> Hook:
    """What becomes of an error with a code that is no part of a batch."""

    def hook(_: Link, message: Any) -> Iterable[Action]:
        return [one(message) for one in actions] if code_of(message) == code else [Down(message)]

    return hook


def other_code(code: int) -> Callable[[Any], Action]:
    return lambda message: Down({**message, "error": {**message["error"], "code": code}})


def on_batch(change: Callable[[list[Any]], Iterable[Any]]) -> Hook:
    """What becomes of an array."""

    def hook(_: Link, message: Any) -> Iterable[Action]:
        return [Down(one) for one in change(message)] if isinstance(message, list) else [Down(message)]

    return hook


def _answered(link: Link, message: Any) -> Iterable[Action]:
    """A notification is answered when the server has it."""
    notifies = isinstance(message, dict) and "id" not in message and isinstance(message.get("method"), str)
    answer = [Down({"jsonrpc": "2.0", "result": None, "id": None})] if notifies and "params" in message else []
    return [Up(message), *answer]


def _by_position_only(link: Link, message: Any) -> Iterable[Action]:
    if isinstance(message, dict) and message.get("method") == "subtract" and isinstance(message.get("params"), dict):
        error = {"code": -32602, "message": "Invalid params"}
        return [Down({"jsonrpc": "2.0", "error": error, "id": message["id"]})]
    return [Up(message)]


def _greets(link: Link, message: Any) -> Iterable[Action]:
    link.count += 1
    return [Up(message)] if link.count > 1 else [Down({"jsonrpc": "2.0", "method": "hello"}), Up(message)]


def _asks(link: Link, message: Any) -> Iterable[Action]:
    if isinstance(message, dict) and message.get("id") == 1:
        link.ids[1] = message
    return [Up(message)]


def _first_in(link: Link, message: Any) -> Iterable[Action]:
    """The answer is for the connection that used the id first."""
    if not is_result(message) or message["id"] != 1:
        return [Down(message)]
    link.ids.clear()
    asked = next((one for one in link.others if one.ids), None)
    if asked is None:
        return [Down(message)]
    asked.push(message)
    return []


def _in_arrays(message: Any) -> Any:
    return [one for one in message if code_of(one) != INVALID] if isinstance(message, list) else message


def _empty_ignored(_: Link, message: Any) -> Iterable[Action]:
    return [] if message == [] else [Up(message)]


def _notifications_answered(_: Link, message: Any) -> Iterable[Action]:
    quiet = isinstance(message, list) and message and all(isinstance(one, dict) and "id" not in one for one in message)
    return [Up(message), *([Down([])] if quiet else [])]


def _one_error(_: Link, message: Any) -> Iterable[Action]:
    """A batch with something invalid is refused as a whole."""
    if isinstance(message, list) and any(code_of(one) == INVALID for one in message):
        return [Down(next(one for one in message if code_of(one) == INVALID))]
    return [Down(message)]


def _held_back(link: Link, message: Any) -> Iterable[Action]:
    link.count += 1
    return [Later(0.1, Down(message))] if link.count % 2 else [Down(message)]


def fault(name: str, text: str, breaks: str, **hooks: Any) -> Fault:
    return Fault(name, text, frozenset(breaks.split()), **hooks)


FAULTS = (
    # calls
    fault("ids-as-text", "The id of a response is a text.", "RPC-01",
          from_server=on_result(lambda m: {**m, "id": str(m["id"])})),
    fault("ids-as-numbers", "An id of digits becomes a number.", "RPC-01",
          from_server=on_result(lambda m: {**m, "id": 7} if m["id"] == "7" else m)),
    fault("first-in", "The result of a call goes to another connection that used the same id.", "RPC-01",
          from_client=_asks, from_server=_first_in),
    fault("no-version", "Responses have no version.", "RPC-02",
          from_server=on_result(lambda m: {name: one for name, one in m.items() if name != "jsonrpc"})),
    fault("version-number", "The version is a number.", "RPC-02", from_server=on_result(lambda m: {**m, "jsonrpc": 2})),
    fault("error-null", "Results have an error that is null.", "RPC-02 RPC-06",
          from_server=on_result(lambda m: {**m, "error": None})),
    fault("error-text", "An error of a method has no message.", "RPC-02",
          from_server=on_error(-32000, lambda m: Down({**m, "error": {"code": -32000}}))),
    fault("notifications-answered", "A notification is answered.", "RPC-03", from_client=_answered),
    fault("nothing-right", "Every difference is one too large.", "RPC-04 RPC-05",
          from_server=on_result(lambda m: {**m, "result": m["result"] + 1} if m["result"] == 19 else m)),
    fault("positions-only", "Parameters with names are not understood.", "RPC-05", from_client=_by_position_only),
    fault("took", "Responses have a member took.", "RPC-06", from_server=on_result(lambda m: {**m, "took": 1})),
    fault("greets", "The server begins with a notification that nobody asked for.", "RPC-06", from_client=_greets),
    fault("no-json", "A text that is no JSON comes before an error.", "RPC-07",
          from_server=on_error(-32000, lambda _: Down(Text("Traceback")), Down)),
    fault("twice", "Every result comes twice.", "RPC-08", from_server=lambda _, m: [Down(m)] * (1 + is_result(m))),
    # errors
    fault("parse-silent", "What is not JSON is not answered.", "RPC-10", from_server=on_error(PARSE)),
    fault("parse-invalid", "What is not JSON is an invalid request.", "RPC-10",
          from_server=on_error(PARSE, other_code(INVALID))),
    fault("parse-id", "The error for what is not JSON has the id 0.", "RPC-10",
          from_server=on_error(PARSE, lambda m: Down({**m, "id": 0}))),
    fault("parse-closes", "What is not JSON ends the connection behind the error.", "RPC-14",
          from_server=on_error(PARSE, Down, lambda _: End(1007))),
    fault("invalid-internal", "An invalid request is an internal error.", "RPC-11",
          from_server=on_error(INVALID, other_code(-32603))),
    fault("method-invalid", "A method that does not exist has invalid parameters.", "RPC-12",
          from_server=on_error(METHOD, other_code(-32602))),
    fault("method-null", "A method that does not exist gives null.", "RPC-12",
          from_server=on_error(METHOD, lambda m: Down({"jsonrpc": "2.0", "result": None, "id": m["id"]}))),
    fault("fails-well", "A call that fails gives null.", "RPC-13",
          from_server=on_error(-32000, lambda m: Down({"jsonrpc": "2.0", "result": None, "id": m["id"]}))),
    # batches
    fault("batch-cut", "The last answer of a batch is missing.", "RPC-20 RPC-23",
          from_server=on_batch(lambda m: [m[:-1]] if len(m) > 1 else [m])),
    fault("batch-nulls", "A batch has an answer for each notification, which is null.", "RPC-02 RPC-20",
          from_server=on_batch(lambda m: [[*m, None] if len(m) == 2 and is_result(m[1]) else m])),
    fault("batch-of-one", "A batch of one is answered without an array.", "RPC-20 RPC-23",
          from_server=on_batch(lambda m: m if len(m) == 1 else [m])),
    fault("batch-of-none", "A batch of notifications is answered by an empty array.", "RPC-21",
          from_client=_notifications_answered),
    fault("empty-silent", "An empty batch is not answered.", "RPC-22", from_client=_empty_ignored),
    fault("batch-skips", "What is no request in a batch is left out.", "RPC-23",
          from_server=on_batch(lambda m: [_in_arrays(m)] if _in_arrays(m) else [])),
    fault("batch-refused", "A batch with something invalid is refused as a whole.", "RPC-23", from_server=_one_error),
)  # fmt: skip

LIBERTIES = (
    fault("backwards", "The answers of a batch come in another order.", "", from_server=on_batch(lambda m: [m[::-1]])),
    fault("unordered", "Answers overtake each other.", "", from_server=_held_back),
    fault("data", "Errors have data.", "",
          from_server=on_error(METHOD, lambda m: Down({**m, "error": {**m["error"], "data": {"see": "docs"}}}))),
    fault("slow", "Everything takes 50 ms longer.", "", from_server=lambda _, m: [Later(0.05, Down(m))]),
)  # fmt: skip
"""What the specification leaves to a server."""
