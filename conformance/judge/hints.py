"""Mistakes in the set-up that explain what a run saw better than a wrong endpoint does.

Each is suspected in one sentence that names the setting. They are no verdicts: what failed, failed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from conformance.judge.verdicts import ScenarioVerdict
from conformance.language.deeds import Connect
from conformance.play.record import Conversation
from contract.findings import Phrase, phrase
from contract.model import Contract
from contract.profile import Profile

ENOUGH = 3
"""Handshakes, or periods, that must agree."""

AGREEING = 0.2
"""Share of a period by which measured ones may differ from each other."""


def hints(verdicts: Iterable[ScenarioVerdict], contract: Contract, profile: Profile, *, secure: bool) -> list[Phrase]:
    """What is suspected of the set-up; `secure`: the endpoint's URL begins with `wss:`."""
    played = list(verdicts)
    found = [_refused(played, profile, secure=secure), _leniency(played), _heartbeat(played, contract, profile)]
    return [one for one in found if one is not None]


def _refused(played: list[ScenarioVerdict], profile: Profile, *, secure: bool) -> Phrase | None:
    """Every good handshake was refused, or every connection closed with an application's code and never used."""
    good = [one for verdict in played for one in _good(verdict, profile)]
    answers = Counter(_answer(one) for one in good)
    answer, count = answers.most_common(1)[0] if answers else (None, 0)
    if answer is None or count < ENOUGH or len(answers) > 1:
        return None
    user = f"users.{good[0].user}.token"
    match answer:
        case 403 if profile.origin is None:
            return phrase("hint-forbidden", setting=user)
        case 401 | 403:
            return phrase("hint-token", status=answer, setting=user)
        case 301 | 302 | 303 | 307 | 308:
            return phrase("hint-redirect", status=answer)
        case 407:
            return phrase("hint-proxy")
        case 404:
            return phrase("hint-path")
        case 400 | "answer-not-http" | "handshake-unanswered" if not secure:
            return phrase("hint-tls")
        case int() if answer >= 1000:
            return phrase("hint-closed", code=answer, setting=user)
    return None


def _leniency(played: list[ScenarioVerdict]) -> Phrase | None:
    """An answer was read though other clients may not do so."""
    for one in played:
        for conversation in one.outcome.record.conversations:
            answer = conversation.opened or conversation.refused
            if answer is not None and answer.note is not None:
                return phrase("hint-lenient", note=answer.note)
    return None


def _good(verdict: ScenarioVerdict, profile: Profile) -> Iterator[Conversation]:
    """The connections of a scenario that had to be accepted."""
    connects = [step.deed for step in verdict.outcome.scenario.steps if isinstance(step.deed, Connect)]
    odd = {one.actor for one in connects if not one.accepted or one.headers or one.path or not one.upgrade}
    for one in verdict.outcome.record.conversations:
        user = profile.users.get(one.user)
        if user is not None and one.token == user.token and one.actor not in odd:
            yield one


def _answer(one: Conversation) -> int | str | None:
    """How a handshake was refused: a status, a close code, or the kind of another answer; None: it was not."""
    if one.refused is not None:
        return one.refused.status if one.refused.status is not None else one.refused.detail.code
    close = one.close_received
    # What was closed before anything came was accepted for appearance only.
    return close.code if close is not None and not one.heard and close.code not in (1000, 1001) else None


def _heartbeat(played: list[ScenarioVerdict], contract: Contract, profile: Profile) -> Phrase | None:
    """Pings come regularly, but with another period; or none comes in time on any connection."""
    beat = profile.heartbeat
    if beat.form == "none":
        return None
    stays = [stay for one in played for stay in _stays(one, contract, control=beat.form == "control")]
    periods = [later - earlier for one in stays for earlier, later in pairwise(one.pings)]
    if len(periods) >= ENOUGH:
        middle = median(periods)
        agreeing = sum(abs(one - middle) <= AGREEING * middle for one in periods)
        wrong = abs(middle - beat.interval) > beat.interval * beat.tolerance
        if wrong and agreeing >= max(ENOUGH, 0.8 * len(periods)):
            return phrase("hint-heartbeat", seen=middle, interval=beat.interval)
        return None
    limit = beat.interval * (1 + beat.tolerance)
    long_enough = [one for one in stays if one.until - one.since > limit]
    if len(long_enough) >= ENOUGH and not any(one.pings and one.pings[0] - one.since <= limit for one in long_enough):
        return phrase("hint-no-ping", seconds=limit, interval=beat.interval)
    return None


@dataclass(slots=True)
class _Stay:
    """A connection from its acknowledgement to its end, and its pings (seconds since its scenario began)."""

    since: float
    until: float
    pings: list[float] = field(default_factory=list)


def _stays(verdict: ScenarioVerdict, contract: Contract, *, control: bool) -> Iterator[_Stay]:
    present: dict[str | None, _Stay] = {}
    beats = ((True, "ping", None), (False, "message", contract.ping_event))
    for line in verdict.outcome.record.entries:
        for stay in present.values():
            stay.until = line.t
        if line.kind in ("handshake", "close", "end") and line.actor in present:
            yield present.pop(line.actor)
        elif line.direction == "in" and contract.acknowledges(line.event):
            present.setdefault(line.actor, _Stay(line.t, line.t))
        elif line.actor in present and line.direction == "in" and (control, line.kind, line.event) in beats:
            present[line.actor].pings.append(line.t)
    for stay in present.values():
        stay.until = verdict.outcome.duration
        yield stay
