"""Taking messages from an actor's inbox, those that must come and those that may; and what is said of one that did not.

A message that is not there is charged where the connection itself tells what became of it (`attribution`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conformance.language.awaited import (
    Check,
    Expectation,
)
from conformance.language.matching import ABSENT, ANYTHING, matches, mismatches
from conformance.language.titles import quoted, title, told, whole
from conformance.language.wording import described
from conformance.play.attribution import (
    Search,
    absence,
    broken_instead,
    cause_of_end,
    is_over,
    search,
    undelivered,
    what_came,
)
from conformance.play.context import ActorState, Context, Failure, Script
from conformance.play.deadlines import owed
from conformance.play.posts import nonce_of
from conformance.play.record import UNPARSED, Message, cut, outer
from contract.findings import Phrase, Text, phrase
from contract.json_text import dump_json
from contract.paths import value_at

MOST_DIFFERENCES = 3
"""Members that are shown of a message that is not as expected."""


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """A message that is awaited, its values rendered."""

    of: Expectation
    match: Any

    def fits(self, context: Context, message: Message) -> bool:
        """Whether a message is this one."""
        return self.of.event in (None, message.event) and matches(self.match, message.value, context.meanings)


def receive(
    context: Context,
    state: ActorState,
    wanted: Sequence[Wanted],
    deadline: float,
    *,
    listed: bool,
    otherwise: Search | None = None,
) -> Script[None]:
    """Take messages from an inbox, until a time: those that must come, and those that may.

    In a list, what may come is passed over once a later one has come. Behind the last one that must come, what may is
    awaited for a quiet period. `otherwise` finds what comes instead, behind which nothing more does.
    """
    taken: list[Message] = []
    while wanted:
        must = [one for one in wanted if not one.of.optional]
        if not must and taken:
            deadline = min(deadline, context.now + context.seconds("quiet_period"))
        found = yield from _first(context, state, _candidates(wanted, listed=listed), deadline, otherwise)
        if found is None and otherwise is not None and (instead := otherwise()) is not None:
            raise _otherwise(context, state, must or wanted, instead)
        if found is None and must:
            raise _missing(context, state, must)
        if found is None:
            return
        hit, message = found
        state.inbox.remove(message)
        wanted = wanted[wanted.index(hit) + 1 :] if listed else [one for one in wanted if one is not hit]
        if listed and taken and _position(message) < _position(taken[-1]):
            context.failures.append(_out_of_order(context, state.actor.name, taken[-1], message))
        taken.append(message)
        _take(context, state.actor.name, hit.of, message)


def _candidates(wanted: Sequence[Wanted], *, listed: bool) -> Sequence[Wanted]:
    """What may come next: in a list, the first that must come, and what may come before it."""
    must = next((number for number, one in enumerate(wanted, 1) if not one.of.optional), len(wanted))
    return wanted[:must] if listed else wanted


def _first(
    context: Context, state: ActorState, candidates: Sequence[Wanted], deadline: float, otherwise: Search | None
) -> Script[tuple[Wanted, Message] | None]:
    searches = [(one, search(context, state, one.of.event, one.match)) for one in candidates]

    def arrived() -> bool:
        instead = otherwise is not None and otherwise() is not None
        return is_over(state) or instead or any(found() for _, found in searches)

    must = next((one for one in candidates if not one.of.optional), None)
    if must is None:
        yield from context.until(arrived, deadline, "optional messages")
    else:
        name = title(context.contract, must.of.event, must.match)
        yield from owed(context, arrived, deadline, name, state)
    return next(((one, message) for one, found in searches if (message := found()) is not None), None)


def _position(message: Message) -> int:
    return message.conversation.received.index(message)


def _out_of_order(context: Context, actor: str, before: Message, after: Message) -> Failure:
    texts = [cut(before.text, 200), cut(after.text, 200)]
    return context.failure(
        phrase("messages-out-of-order"),
        actor,
        expected=phrase("in-order", items=texts),
        received=phrase("in-order", items=texts[::-1]),
    )


def _otherwise(context: Context, state: ActorState, wanted: Sequence[Wanted], message: Message) -> Exception:
    return context.fail(
        phrase("replied-otherwise", events=_names(context, wanted)),
        state.actor.name,
        expected=phrase("came", items=[_shown(context, one) for one in wanted]),
        received=cut(message.text, 300),
    )


def _names(context: Context, wanted: Sequence[Wanted]) -> list[Text]:
    called = {str(name): name for name in (quoted(context.contract, one.of.event, one.match) for one in wanted)}
    return [called[name] for name in sorted(called)]


def _missing(context: Context, state: ActorState, wanted: Sequence[Wanted]) -> Exception:
    contract, actor, over = context.contract, state.actor.name, is_over(state)
    event = told(contract, wanted[0].of.event, wanted[0].match)
    names = _names(context, wanted)
    came = what_came(context, state, event)
    nearest = _nearest(context, state, event, wanted[0].match)
    if not over:
        name = title(contract, wanted[0].of.event, wanted[0].match)
        context.note(actor, "none", "timeout", phrase("note-missing", event=name or phrase("any-message")))
    if nearest is not None:
        message, came = phrase("came-otherwise", events=names), phrase("differs", items=nearest, came=came)
    else:
        message = phrase("ended-before" if over else "missing", events=names)
    ended, broken = cause_of_end(context, state), broken_instead(context, state, event)
    return context.fail(
        message,
        actor,
        charge=ended or broken or undelivered(context, state, event),
        expected=phrase("came", items=[_shown(context, one) for one in wanted]),
        received=came,
        absent=None if broken is not None and ended is None else absence(context, state, event),
    )


def _shown(context: Context, one: Wanted) -> Text:
    """An awaited message, for people."""
    pattern = whole(context.contract, one.of.event, one.match)
    if pattern is ANYTHING:
        return quoted(context.contract, one.of.event, one.match)
    return described(pattern, context.profile.error_codes)


def _nearest(context: Context, state: ActorState, event: str | None, match: Any) -> list[Phrase] | None:
    """How the message that comes closest to an expectation differs from it; None where none can be meant.

    Where the expectation has a nonce, that is what tells which message is meant.
    """
    found = [
        [*mismatches(match, one.value, context.meanings)]
        for one in outer(state.inbox)
        if one.value is not UNPARSED and (one.event == event if event is not None else not _is_beat(context, one))
    ]
    meant = [one for one in found if one and not any(nonce_of(dump_json(wanted)) for _, wanted, _ in one)]
    if not meant:
        return None
    codes = context.profile.error_codes
    return [
        phrase("difference", place=place or phrase("the-message"), wanted=described(wanted, codes), value=_value(value))
        for place, wanted, value in min(meant, key=len)[:MOST_DIFFERENCES]
    ]


def _is_beat(context: Context, message: Message) -> bool:
    return context.contract.pings(message.event)


def _value(value: Any) -> Text:
    return phrase("match-absent") if value is ABSENT else cut(dump_json(value), 300)


def _take(context: Context, actor: str, expectation: Expectation, message: Message) -> None:
    for name, path in expectation.capture.items():
        context.values.captured[name] = value_at(message.value, path)
    for check in expectation.checks:
        _check(context, actor, check, message)


def _check(context: Context, actor: str, check: Check, message: Message) -> None:
    context.decide(check.charge)
    wanted = context.values.render(check.match)
    if matches(wanted, message.value, context.meanings):
        return
    shown = described(wanted, context.profile.error_codes)
    text = check.message or phrase("not-as-expected")
    context.failures.append(context.failure(text, actor, charge=check.charge, expected=shown, received=message.text))
