"""Mistakes in the set-up that explain what a run saw better than a wrong endpoint does.

Each is suspected in one sentence that names the setting. They are no verdicts: what failed, failed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from statistics import median

from conformance.record import Conversation
from conformance.scenario import Connect
from conformance.verdicts import ScenarioVerdict
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
    found = [_refused(played, profile, secure=secure), _heartbeat(played, contract, profile)]
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
        case 401 | 403 if profile.origin is None and answer == 403:
            return phrase("hint-forbidden", setting=user)
        case 401 | 403:
            return phrase("hint-token", status=answer, setting=user)
        case 301 | 302 | 303 | 307 | 308:
            return phrase("hint-redirect", status=answer)
        case 404:
            return phrase("hint-path")
        case 400 | "answer-not-http" | "handshake-unanswered" if not secure:
            return phrase("hint-tls")
        case int() if answer >= 1000:
            return phrase("hint-closed", code=answer, setting=user)
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
    """Pings come regularly, but with another period."""
    beat = profile.heartbeat
    if beat.form == "none":
        return None
    control = beat.form == "control"
    periods = [period for one in played for period in _periods(one, contract.ping_event, control=control)]
    if len(periods) < ENOUGH:
        return None
    middle = median(periods)
    agreeing = sum(abs(one - middle) <= AGREEING * middle for one in periods)
    right = abs(middle - beat.interval) <= beat.interval * beat.tolerance
    if right or agreeing < max(ENOUGH, 0.8 * len(periods)):
        return None
    return phrase("hint-heartbeat", seen=middle, interval=beat.interval)


def _periods(verdict: ScenarioVerdict, ping: str, *, control: bool) -> Iterator[float]:
    """The times between two pings that an actor received, in seconds."""
    last: dict[str | None, list[float]] = {}
    for line in verdict.outcome.record.entries:
        if line.direction == "in" and (line.kind == "ping" if control else line.event == ping):
            last.setdefault(line.actor, []).append(line.t)
    for times in last.values():
        yield from (later - earlier for earlier, later in pairwise(times))
