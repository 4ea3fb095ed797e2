"""HB-01, HB-03: heartbeats that leave their time, and connections that end without a reason."""

from collections.abc import Iterable

from reference_server.core.exchange import Abort, Close, Effect, Happening
from reference_server.faults.fault import asks, fault, is_event
from reference_server.faults.heartbeat import HeartbeatStops
from reference_server.faults.posting import Posts
from reference_server.faults.under_load.deliveries import CROWD
from reference_server.faults.under_load.now_and_then import NowAndThen


@fault("heartbeat-stops-in-a-crowd", breaks="HB-01", under_load=True)
class HeartbeatStopsInACrowd(HeartbeatStops):
    """While more than ten connections are open, no connection gets more than two pings."""

    def is_over(self, session: int) -> bool:
        return super().is_over(session) and len(self.hub.sessions) > CROWD


@fault("heartbeat-late-in-5", breaks="HB-01", under_load=True)
class HeartbeatLate(NowAndThen):
    """Every 5th ping of all is late by four times the tolerance."""

    every = 5

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "ping") or not self.is_due():
            return (effect,)
        heartbeat = self.profile.heartbeat
        self.later(now + 4 * heartbeat.interval * heartbeat.tolerance, effect)
        return ()


@fault("heartbeat-twice-in-5", breaks="HB-01", under_load=True)
class HeartbeatTwice(NowAndThen):
    """Every 5th ping of all comes twice."""

    every = 5

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        return (effect, effect) if is_event(effect, "ping") and self.is_due() else (effect,)


@fault("pong-ends-connection-in-10", breaks="HB-03", entails="CLOSE-04", under_load=True)
class PongEndsConnection(NowAndThen):
    """At every 10th pong of all, its connection is closed with `heartbeat_timeout`."""

    every = 10

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if asks(happening, "pong") is None or not self.is_due():
            return (happening,)
        return (happening, Close(happening.session, self.profile.close_codes["heartbeat_timeout"], "no pong in time"))


@fault("post-ends-connection-in-100", breaks="HB-03", entails="CLOSE-01", under_load=True)
class PostEndsConnection(Posts, NowAndThen):
    """At every 100th post, its connection is cut off."""

    every = 100

    def post(self, happening: Happening, channel: str, now: float) -> Iterable[Happening | Effect]:
        return (happening, Abort(happening.session)) if self.is_due() else (happening,)


@fault("connection-closed-in-100", breaks="HB-03", under_load=True)
class ConnectionClosed(Posts, NowAndThen):
    """At every 100th post, its connection is closed with `internal_error`."""

    every = 100

    def post(self, happening: Happening, channel: str, now: float) -> Iterable[Happening | Effect]:
        if not self.is_due():
            return (happening,)
        return (happening, Close(happening.session, self.profile.close_codes["internal_error"], "something failed"))
