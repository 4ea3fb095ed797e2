"""Correct servers that have too much to do: they shed load, or are slow, as the contract lets them."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from reference_server.core.exchange import Close, Effect, Happening, Opened, SendText
from reference_server.core.handshake import Answer, Request, refusal
from reference_server.core.hooks import Hook
from reference_server.faults.fault import asks, error, is_event, with_message
from reference_server.faults.posting import Deliveries, Posts
from reference_server.faults.under_load.now_and_then import NowAndThen
from reference_server.variants.liberty import liberty


class _Refusing(NowAndThen):
    """Refuses every nth handshake that is in order."""

    every = 5
    status = 503
    headers: tuple[tuple[str, str], ...] = ()

    def answer(self, request: Request, answer: Answer) -> Answer:
        if answer.status != 101 or not self.is_due():
            return answer
        return refusal(self.status, "overloaded", self.headers)


@liberty("handshakes-shed-503", under_load=True)
class HandshakesShed503(_Refusing):
    """Every 5th handshake is refused with 503."""


@liberty("handshakes-shed-429", under_load=True)
class HandshakesShed429(_Refusing):
    """Every 5th handshake is refused with 429 and Retry-After."""

    status, headers = 429, (("Retry-After", "1"),)


class _Limiting(NowAndThen):
    """Answers every nth message of one event with RATE_LIMITED, and does not handle it."""

    event = ""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if asks(happening, self.event) is None or not self.is_due():
            return (happening,)
        return (error(happening.session, self.profile, "RATE_LIMITED", self.event),)


@liberty("posts-rate-limited", under_load=True)
class PostsRateLimited(_Limiting):
    """Every 10th post is refused with RATE_LIMITED."""

    event, every = "send_message", 10


@liberty("posts-rate-limited-tersely", under_load=True)
class PostsRateLimitedTersely(NowAndThen):
    """Every 10th post is refused with RATE_LIMITED, which does not say what it is about."""

    every = 10

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if asks(happening, "send_message") is None or not self.is_due():
            return (happening,)
        return (error(happening.session, self.profile, "RATE_LIMITED"),)


@liberty("joins-rate-limited", under_load=True)
class JoinsRateLimited(_Limiting):
    """Every 5th join is refused with RATE_LIMITED."""

    event, every = "join_channel", 5


@liberty("connections-closed-for-load", under_load=True)
class ConnectionsClosedForLoad(Posts, NowAndThen):
    """At every 40th post, its connection is closed with `rate_limited`; that post is not taken, nor are later ones."""

    every = 40

    def __init__(self) -> None:
        super().__init__()
        self._closed: set[int] = set()

    def post(self, happening: Happening, channel: str, now: float) -> Iterable[Happening | Effect]:
        if happening.session in self._closed:
            return ()
        if not self.is_due():
            return (happening,)
        self._closed.add(happening.session)
        return (Close(happening.session, self.profile.close_codes["rate_limited"], "slow down"),)


@liberty("tokens-expire", under_load=True)
class TokensExpire(Hook):
    """A connection is closed with `token_expired` 1.2 s after it was opened."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Opened):
            code = self.profile.close_codes["token_expired"]
            self.later(now + 1.2, Close(happening.session, code, "the token has expired"))
        return (happening,)


@liberty("deliveries-slow", under_load=True)
class DeliveriesSlow(Deliveries):
    """Every delivery takes half a response_timeout."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        self.later(now + 0.5 * self.profile.response_timeout, effect)
        return ()


@liberty("clock-behind", under_load=True)
class ClockBehind(Deliveries):
    """The server's clock is four minutes behind."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        moment = datetime.fromisoformat(effect.payload["message"]["timestamp"]) - timedelta(minutes=4)
        return (with_message(effect, timestamp=moment.isoformat()),)


@liberty("history-on-connect", under_load=True)
class HistoryOnConnect(Deliveries):
    """Who connects gets the last twenty messages of all channels at once."""

    def __init__(self) -> None:
        super().__init__()
        self._said: deque[SendText] = deque(maxlen=20)

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        if self.receivers == 1:
            self._said.append(effect)
        return (effect,)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "connection_ack"):
            return (effect, *(replace(one, session=effect.session) for one in self._said))
        return super().effect(effect, now)
