"""The journeys of a contract that has none of its own, made of its roles.

    probe        open a connection, and send the probe at the load test's rate
    roundtrip    the same, each as soon as the one before is answered
    NAME         of each flow: subscribe to it, and post at that rate; where only the server posts, listen

The probe of a contract whose clients post is one of its posts: there is no journey of its own for it then.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.language.values import substitute
from contract.files import Document
from contract.folder import CONTRACT
from contract.model import Contract
from contract.paths import value_at
from contract.roles import Awaited, Flow, Subscription

Steps = list[dict[str, Any]]

USER = {"actor": "user"}

NONCE = "${nonce.said}"

FILLED = {
    "$fill": {"prefix": f"{NONCE} ", "length": "message_size", "at_most": "probe_text", "with": "under load "},
}
"""A posted text of the load test's size."""

LONG = "10m"
"""How long who only listens stays connected."""


def default_journeys(contract: Contract) -> Document:
    """A document that has them; its path is that of the contract's roles, for errors."""
    journeys = [*_probing(contract), *_flowing(contract)]
    return Document(contract.folder.path / CONTRACT, {"procedures": {}, "scenarios": journeys}, None)


def _probing(contract: Contract) -> Iterator[dict[str, Any]]:
    probe, flow = contract.roles.probe, contract.flow
    if probe is None or (flow is not None and flow.post is not None and _is(contract, probe.message, flow.post.name)):
        return
    send = {"send": {**USER, "message": substitute(probe.message, {"text": NONCE})}}
    texts = [Awaited("", probe.expect_text)] if probe.expect_text is not None else []
    expect = [
        {"expect": {**USER, **_awaited(one), "match": substitute(one.match, {"text": NONCE})}}
        for one in (*texts, *probe.expect)
    ]
    ready: Steps = [
        {"call": "open", "with": USER},
        *({"send": {**USER, "message": one["send"]}} for one in probe.prepare),
    ]
    paced = [{"pace": {**USER, "rate": "rate", "steps": [send]}}]
    yield _journey(
        "probe", "Send the probe at an even rate, whether or not those before are answered", [*ready, *paced]
    )
    trips = [{"pace": {**USER, "steps": [send, *expect]}}]
    yield _journey("roundtrip", "Send the probe as soon as the one before is answered", [*ready, *trips])


def _flowing(contract: Contract) -> Iterator[dict[str, Any]]:
    for flow in contract.roles.flows:
        steps: Steps = [{"call": "open", "with": USER}]
        subscribing = _subscribing(contract, flow.subscribe) if flow.subscribe is not None else []
        if subscribing is None:
            continue
        steps += subscribing
        if flow.post is None:
            listen = [{"pause": {**USER, "for": LONG}}, {"close": USER}]
            yield _journey(flow.key, "Subscribe, and receive what the server says", [*steps, *listen])
        elif flow is contract.flow and (post := _post(contract, flow)) is not None:
            paced = {"pace": {**USER, "rate": "rate", "steps": [{"send": {**USER, "message": post}}]}}
            yield _journey(flow.key, "Subscribe, and post at an even rate", [*steps, paced])


def _subscribing(contract: Contract, role: Subscription) -> Steps | None:
    """The message that subscribes, and what shows that it is in force; None: nobody says what it is."""
    probe = contract.roles.probe
    prepared = [one["send"] for one in probe.prepare] if probe is not None else []
    message = role.send
    if message is None:
        message = next((one for one in prepared if _is(contract, one, role.name)), None)
    if message is None:
        message = _placed(contract.example(role.name), role.group, "${group}")
    if message is None:
        return None
    steps: Steps = [{"send": {**USER, "message": message}}]
    if role.in_force not in ("own-delivery", "reply"):
        steps.append({"expect": {**USER, "event": role.in_force}})
    return steps


def _post(contract: Contract, flow: Flow) -> Any:
    """A post with a text of its own; None: nobody says how it looks."""
    probe, post = contract.roles.probe, flow.post
    assert post is not None
    if probe is not None and _is(contract, probe.message, post.name):
        whole = value_at(probe.message, post.stamp) == "${text}"
        return substitute(probe.message, {"text": FILLED if whole else NONCE})
    return _placed(_placed(contract.example(post.name), post.stamp, FILLED), post.group, "${group}")


def _placed(message: Any, path: str | None, value: Any) -> Any:
    """A message with this value at a path; without one, the message."""
    if path is None or message is None:
        return message
    name, _, rest = path.partition(".")
    if isinstance(message, list) and name.lstrip("-").isdigit() and -len(message) <= int(name) < len(message):
        return [
            (_placed(one, rest, value) if rest else value) if index == int(name) % len(message) else one
            for index, one in enumerate(message)
        ]
    members: Mapping[str, Any] = message if isinstance(message, dict) else {}
    return {**members, name: _placed(members.get(name, {}), rest, value) if rest else value}


def _is(contract: Contract, message: Any, name: str) -> bool:
    return contract.name_of(message, "client") == name


def _awaited(one: Awaited) -> dict[str, Any]:
    return {"event": one.name} if one.name else {}


def _journey(name: str, title: str, steps: Steps) -> dict[str, Any]:
    return {"id": name, "title": title, "actors": {"user": "user"}, "steps": steps}
