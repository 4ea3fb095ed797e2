"""Reads the roles of a contract.yaml into dataclasses (`contract.roles`)."""

from collections.abc import Mapping
from typing import Any

from contract.durations import seconds
from contract.roles import (
    NOTHING,
    Acknowledgement,
    Answer,
    Authentication,
    Awaited,
    CloseCode,
    Delivery,
    Envelope,
    Errors,
    Flow,
    Heartbeat,
    Messages,
    NameRule,
    Number,
    Outcome,
    Outcomes,
    PartRule,
    Post,
    Probe,
    Reply,
    Request,
    Roles,
    Subprotocols,
    Subscription,
)


def read_roles(value: Mapping[str, Any]) -> Roles:
    """The roles of a `contract.yaml` that its schema has accepted."""
    handshake, sessions = value.get("handshake") or {}, value.get("sessions") or {}
    authentication, acknowledgement = value.get("authentication"), value.get("acknowledgement")
    return Roles(
        title=value.get("title"),
        description=value.get("description"),
        describes=value.get("describes", "server"),
        include=tuple(value.get("include", ())),
        path=handshake.get("path"),
        channels=tuple(value.get("channels", ())),
        subprotocols=_subprotocols(handshake.get("subprotocols") or {}),
        authentication=_authentication(authentication) if authentication else None,
        sessions_per_user=sessions.get("per_user"),
        history=value.get("history", "none"),
        messages=_messages(value.get("messages") or {}),
        limits=value.get("limits") or NOTHING,
        reconnect=value.get("reconnect"),
        acknowledgement=_acknowledgement(acknowledgement) if acknowledgement else None,
        heartbeats=tuple(map(_heartbeat, value.get("heartbeats", ()))),
        requests=tuple(map(_request, value.get("requests", ()))),
        answers=tuple(Answer(one["to"], one["send"]) for one in value.get("answers", ())),
        errors=_errors(value.get("errors") or {}),
        numbers=tuple(map(_number, value.get("numbers", ()))),
        close_codes={name: _close_code(one) for name, one in (value.get("close_codes") or {}).items()},
        probe=_probe(value["probe"]) if value.get("probe") else None,
        flows=tuple(_flow(key, one) for key, one in (value.get("flows") or {}).items()),
    )


def outcomes(value: Any) -> Outcomes:
    """Permitted outcomes: one, or a list of them, best first."""
    return tuple(map(_outcome, value if isinstance(value, list) else [value])) if value else ()


def _outcome(one: Any) -> Outcome:
    if one == "error":
        return Outcome(error=True)
    close, status = one.get("close", ()), one.get("status", ())
    return Outcome(
        close=tuple(close) if isinstance(close, list) else (close,) if close != () else (),
        status=tuple(status) if isinstance(status, list) else (status,) if status != () else (),
        error="error" in one,
        code=str(one["error"]) if "error" in one else None,
    )


def _awaited(one: Any) -> Awaited:
    return Awaited(one) if isinstance(one, str) else Awaited(one["name"], one.get("match"), one.get("id"))


def _optional_seconds(value: Any) -> float | None:
    return None if value is None else seconds(value)


def _subprotocols(one: Mapping[str, Any]) -> Subprotocols:
    return Subprotocols(tuple(one.get("offer", ())), one.get("selected"), outcomes(one.get("otherwise")))


def _authentication(one: Mapping[str, Any]) -> Authentication:
    return Authentication(one["in"], one.get("name"), outcomes(one.get("refused")), outcomes(one.get("expired")))


def _messages(one: Mapping[str, Any]) -> Messages:
    codec, envelope = one.get("codec", "json"), one.get("envelope")
    rules = [
        NameRule(rule.get("match", NOTHING), rule.get("has"), rule.get("name"), rule.get("at"))
        for rule in one.get("name", ())
    ]
    return Messages(
        name=tuple(rules),
        payload=tuple(PartRule(rule["at"], rule.get("match", NOTHING)) for rule in one.get("payload", ())),
        envelope=Envelope(envelope["schema"], envelope["payload"]) if envelope else None,
        codec="pattern" if isinstance(codec, dict) else codec,
        pattern=codec["text"] if isinstance(codec, dict) else None,
        json=tuple(codec.get("json", ())) if isinstance(codec, dict) else (),
        generate=frozenset(one.get("generate", ())),
    )


def _acknowledgement(one: Mapping[str, Any]) -> Acknowledgement:
    due = one.get("due") or {}
    expect = _awaited(one["expect"])
    return Acknowledgement(
        expect=Awaited(expect.name, expect.match, one.get("id", expect.id)),
        send=one.get("send"),
        within=_optional_seconds(one.get("within")),
        before=outcomes(one.get("before")),
        due_within=_optional_seconds(due.get("within")),
        due=outcomes(due.get("else")),
        again=outcomes(one.get("again")),
    )


def _heartbeat(one: Mapping[str, Any]) -> Heartbeat:
    ping, answer = one["ping"], one.get("answer", "none")
    tolerance = one.get("tolerance")
    if isinstance(tolerance, str):
        tolerance = float(tolerance.rstrip("% ")) / 100
    return Heartbeat(
        by=one["by"],
        ping=_awaited(ping),
        ping_message=ping.get("send") if isinstance(ping, dict) else None,
        answer=None if answer in ("none", "reply") else _awaited(answer),
        replied=answer == "reply",
        answer_message=answer.get("send") if isinstance(answer, dict) else None,
        every=_optional_seconds(one.get("every")),
        tolerance=tolerance,
        timeout=_optional_seconds(one.get("timeout")),
        mute=outcomes(one.get("mute")),
    )


def _request(one: Mapping[str, Any]) -> Request:
    replies = [
        Reply(
            reply["name"],
            reply.get("id", one["id"]),
            reply.get("last", False),
            reply.get("failure", False),
            reply.get("times") == "any",
        )
        for reply in one["replies"]
    ]
    return Request(
        by=one.get("by", "client"),
        name=one["name"],
        id=one["id"],
        replies=tuple(replies),
        cancel=_awaited(one["cancel"]) if one.get("cancel") else None,
        outstanding=one.get("outstanding"),
        id_in_use=outcomes(one.get("id_in_use")),
    )


def _errors(one: Mapping[str, Any]) -> Errors:
    message = one.get("message") or {}
    about = message.get("about") or {}
    codes = one.get("codes") or {}
    return Errors(
        name=message.get("name"),
        code=message.get("code"),
        text=message.get("text"),
        about=about.get("name"),
        about_id=about.get("id"),
        codes=_codes(codes),
        reactions={cause: outcomes(found) for cause, found in (one.get("reactions") or {}).items()},
    )


def _codes(codes: Any) -> Mapping[str, Mapping[str, str]]:
    if isinstance(codes, list):
        return dict.fromkeys(map(str, codes), NOTHING)
    return {name: (one or NOTHING).get("meaning", NOTHING) for name, one in codes.items()}


def _number(one: Mapping[str, Any]) -> Number:
    per, of = one.get("per", "connection"), one.get("of", ())
    return Number(one["at"], one.get("step"), None if per == "connection" else per, tuple(of))


def _close_code(one: Any) -> CloseCode:
    return CloseCode(one) if isinstance(one, int) else CloseCode(one["code"], one.get("meaning", NOTHING))


def _probe(one: Mapping[str, Any]) -> Probe:
    return Probe(
        send=one.get("send"),
        expect=tuple(map(_awaited, one.get("expect", ()))),
        prepare=tuple(one.get("prepare", ())),
        send_text=one.get("send_text"),
        expect_text=one.get("expect_text"),
        most=(one.get("text") or {}).get("max", 4_096),
    )


def _subscription(one: Mapping[str, Any]) -> Subscription:
    in_force = one.get("in_force", "own-delivery")
    name = in_force["name"] if isinstance(in_force, dict) else in_force
    return Subscription(one["name"], one.get("group"), one.get("send"), name)


def _flow(key: str, one: Mapping[str, Any]) -> Flow:
    post, delivery = one.get("post"), one["delivery"]
    author, metrics = delivery.get("author") or {}, one.get("metrics") or {}
    return Flow(
        key=key,
        delivery=Delivery(
            **{name: delivery.get(name) for name in ("name", "group", "stamp", "id", "time", "number", "step")},
            author=author.get("id"),
            author_name=author.get("name"),
        ),
        post=Post(post["name"], post["stamp"], post.get("group")) if post else None,
        subscribe=_subscription(one["subscribe"]) if one.get("subscribe") else None,
        unsubscribe=_subscription(one["unsubscribe"]) if one.get("unsubscribe") else None,
        owed=one.get("owed", "subscribers"),
        metrics={kind: name for kind in ("reply", "receive") if (name := metrics.get(kind)) is not None},
    )
