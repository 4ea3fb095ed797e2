"""Transcript checks of requests, heartbeats and errors: what one client is owed for what it sent."""

from collections.abc import Callable, Iterator

from conformance.judge.findings import Finding
from conformance.play.attribution import is_rate_limited
from conformance.play.history import History
from conformance.play.record import UNPARSED, Conversation
from conformance.play.replies import Asked, Replies, beats_of, due, replies_of
from contract.findings import Text, phrase
from contract.paths import value_at

SHOWN = 3
"""Names and ids that are shown of many."""


def check_replies(history: History) -> Iterator[Finding]:
    """`reply`: each request is answered in time; `reply-id`: with its id; `reply-once`: the last is last."""
    if not history.contract.roles.requests:
        return
    limited = is_rate_limited(history.record, history.contract, history.profile)
    for conversation in history.record.conversations:
        found = replies_of(history, conversation)
        history.chance("reply-id", times=found.count)
        yield from _strays(conversation, found)
        for one in found.asked:
            if one.owed and not limited:
                yield from _answered(history, conversation, one, found)
            if one.last is not None:
                history.chance("reply-once")
            for more in one.excess[:1]:
                text, expected = phrase("reply-after-last", event=f"{more.event}"), phrase("one-last-reply")
                yield Finding("reply-once", conversation, text, expected, more.text, more.event)


def _strays(conversation: Conversation, found: Replies) -> Iterator[Finding]:
    ids = list(dict.fromkeys(one.key for one in found.asked))
    expected = phrase("ids-asked", items=ids[:SHOWN]) if ids else phrase("no-request-sent")
    for message in found.strays:
        text = phrase("reply-to-nobody", event=f"{message.event}")
        yield Finding("reply-id", conversation, text, expected, message.text, message.event)


def _answered(history: History, conversation: Conversation, one: Asked, found: Replies) -> Iterator[Finding]:
    limit = due(history, one.sent)
    names = [f"`{reply.name}`" for reply in one.request.replies]
    expected = phrase("reply-within", names=names, id=one.key, seconds=history.profile.response_timeout * history.scale)
    if one.last is not None:
        history.chance("reply")
        if one.last.t > limit:
            text, received = (
                phrase("reply-late", event=one.request.name),
                phrase("after", seconds=one.last.t - one.sent.t),
            )
            yield Finding("reply", conversation, text, expected, received, absent="timeout")
    elif conversation.stayed(history.record.ended) >= limit:
        history.chance("reply")
        if one in found.open:
            text = phrase("reply-missing", event=one.request.name)
            came: list[Text] = [more.text for more in one.replies[-SHOWN:]] or [phrase("nothing-came")]
            yield Finding("reply", conversation, text, expected, phrase("came", items=came), absent="timeout")


def check_client_heartbeats(history: History) -> Iterator[Finding]:
    """A client's heartbeat is answered."""
    limited = is_rate_limited(history.record, history.contract, history.profile)
    for conversation in () if limited else history.record.conversations:
        for one in beats_of(history, conversation):
            if one.answer is None and conversation.stayed(history.record.ended) < one.due:
                continue
            history.chance("heartbeat-answered")
            late = one.answer is not None and one.answer.t > one.due
            if (one.answer is None or late) and one.heartbeat.answer is not None:
                text = phrase("beat-unanswered", event=one.heartbeat.ping.name)
                expected = phrase("answer-within", event=one.heartbeat.answer.name, seconds=one.due - one.sent.t)
                came = (
                    phrase("nothing-came") if one.answer is None else phrase("after", seconds=one.answer.t - one.sent.t)
                )
                yield Finding("heartbeat-answered", conversation, text, expected, came, absent="timeout")


def check_errors(history: History) -> Iterator[Finding]:
    """An error names the message that it is about as the client had sent it."""
    errors = history.contract.errors
    for conversation in history.record.conversations if errors.about is not None else ():
        for message in conversation.received:
            if not history.contract.reports_error(message.event) or message.value is UNPARSED:
                continue
            about = value_at(message.value, str(errors.about))
            if not isinstance(about, str):
                continue
            history.chance("error-about")
            names = {one.event for one in conversation.sent if one.t <= message.t and one.event is not None}
            if about not in names and not any(one.event is None for one in conversation.sent):
                text, expected = (
                    phrase("error-about-nothing", event=about),
                    phrase("any-of", items=sorted(names)[:SHOWN]),
                )
                yield Finding("error-about", conversation, text, expected, message.text)


REPLY_CHECKS: tuple[Callable[[History], Iterator[Finding]], ...] = (
    check_replies,
    check_client_heartbeats,
    check_errors,
)
