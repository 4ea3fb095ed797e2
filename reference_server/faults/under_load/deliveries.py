"""SEND-01, SEND-03, SEND-07, SEND-08, JOIN-01, JOIN-02: deliveries that go astray now and then."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reference_server.core.exchange import Effect, Happening, SendText
from reference_server.faults.fault import asks, fault, is_event
from reference_server.faults.joining import EachBroadcast
from reference_server.faults.posting import Deliveries, Posts
from reference_server.faults.under_load.now_and_then import NowAndThen

CROWD = 10
"""Connections that are a crowd."""


class _Delivered(Deliveries, NowAndThen):
    """Does something to every nth delivery to somebody else than the poster."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        if effect.session == self.poster or not self.is_due():
            return (effect,)
        return self.wrong(effect, now)

    def wrong(self, effect: SendText, now: float) -> Iterable[Effect]:
        """What becomes of it."""
        return ()


@fault("delivery-lost-in-250", breaks="SEND-01", under_load=True)
class DeliveryLost(_Delivered):
    """Every 250th delivery to a member that is not the poster is lost."""

    every = 250


@fault("delivery-late-in-200", breaks="SEND-01", entails="SEND-05 SEND-07 SEND-08", under_load=True)
class DeliveryLate(_Delivered):
    """Every 200th delivery to a member that is not the poster comes half a response_timeout too late."""

    every = 200

    def wrong(self, effect: SendText, now: float) -> Iterable[Effect]:
        self.later(now + 1.5 * self.profile.response_timeout, effect)
        return ()


@fault("delivery-twice-in-300", breaks="SEND-03", under_load=True)
class DeliveryTwice(_Delivered):
    """Every 300th delivery to a member that is not the poster comes twice."""

    every = 300

    def wrong(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (effect, effect)


@fault("post-lost-in-100", breaks="SEND-01", under_load=True)
class PostLost(Posts, NowAndThen):
    """Every 100th post is lost."""

    every = 100

    def post(self, happening: Happening, channel: str, now: float) -> Iterable[Happening | Effect]:
        return () if self.is_due() else (happening,)


@fault("slow-in-a-crowd", breaks="SEND-01", entails="JOIN-01 SEND-05 SEND-07 SEND-08", under_load=True)
class SlowInACrowd(Deliveries):
    """While more than ten connections are open, deliveries take one and a half times the response_timeout."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        if len(self.hub.sessions) <= CROWD:
            return (effect,)
        self.later(now + 1.5 * self.profile.response_timeout, effect)
        return ()


@fault("listeners-get-nothing", breaks="SEND-01", under_load=True)
class ListenersGetNothing(Deliveries):
    """Among more than ten connections, members that have posted once at most get nothing of what others post."""

    def __init__(self) -> None:
        super().__init__()
        self._posts: Counter[int] = Counter()

    def begins(self, payload: Mapping[str, Any]) -> None:
        self._posts[self.poster] += 1

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        silent = effect.session != self.poster and self._posts[effect.session] < 2
        return () if silent and len(self.hub.sessions) > CROWD else (effect,)


@fault("join-without-effect-in-15", breaks="JOIN-01", entails="SEND-01", under_load=True)
class JoinWithoutEffect(NowAndThen):
    """Every 15th connection that joins a channel gets none of its messages."""

    every = 15

    def __init__(self) -> None:
        super().__init__()
        self._outside: set[int] = set()

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if asks(happening, "join_channel") is not None and self.is_due():
            self._outside.add(happening.session)
        return (happening,)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        return () if is_event(effect, "new_message") and effect.session in self._outside else (effect,)


@fault("delivery-leaked-in-100", breaks="JOIN-02", under_load=True)
class DeliveryLeaked(EachBroadcast, NowAndThen):
    """Every 100th message goes to one connection more, which has not joined the channel."""

    every = 100

    def added(self, members: set[int]) -> Iterable[int]:
        if not self.is_due():
            return ()
        joined = (one for one in self.hub.sessions if one not in members and self.hub.channels.joined(one))
        return tuple(joined)[:1]


@fault("posts-swapped-in-25", breaks="SEND-07", under_load=True)
class PostsSwapped(Posts):
    """Every 25th post of a connection is overtaken by the next one."""

    def __init__(self) -> None:
        super().__init__()
        self._posts: dict[int, int] = {}
        self._held: dict[int, Happening] = {}

    def post(self, happening: Happening, channel: str, now: float) -> Iterable[Happening | Effect]:
        count = self._posts[happening.session] = self._posts.get(happening.session, 0) + 1
        held = self._held.pop(happening.session, None)
        if held is not None:
            return (happening, held)
        if count % 25:
            return (happening,)
        self._held[happening.session] = happening
        return ()


HELD_SECONDS = 0.3


@fault("two-orders-in-20", breaks="SEND-08", entails="SEND-05", under_load=True)
class TwoOrders(Deliveries, NowAndThen):
    """Every 20th message reaches one of its receivers after the next one, if that is of somebody else."""

    every = 20

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[int, SendText] = {}
        self._is_due = False

    def begins(self, payload: Mapping[str, Any]) -> None:
        self._is_due = self.is_due()

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        held = self._held.pop(effect.session, None)
        if held is not None:
            other = held.payload["message"]["author"] != effect.payload["message"]["author"]
            return (effect, held) if other else (held, effect)
        if not self._is_due or effect.session == self.poster:
            return (effect,)
        self._is_due = False
        self._held[effect.session] = effect
        self.later(now + HELD_SECONDS, effect)
        return ()

    def due(self, now: float) -> Iterator[Happening | Effect]:
        for item in super().due(now):
            if self._held.get(item.session) is item:
                del self._held[item.session]
                yield item
