"""The whole server without its sockets: hub and encoder, with the hooks between them."""

from collections.abc import Iterable, Iterator, Sequence

from reference_server.core.encoding import Encoder
from reference_server.core.exchange import Broadcast, Copies, Effect, Effects, Happening, Lost, Opened, Outgoing
from reference_server.core.hooks import Hook, Hub


class Core:
    """What the network talks to. Times are seconds of a monotonic clock.

    Only where there are hooks is a broadcast taken apart: they see each message by itself.
    """

    def __init__(self, hub: Hub, hooks: Sequence[Hook] = ()) -> None:
        self._hub = hub
        self._hooks = hooks
        self._encoder = Encoder()

    def handle(self, happening: Happening, now: float) -> list[Outgoing | Copies]:
        """Take one happening; what comes back is to be done in this order."""
        if isinstance(happening, Opened):
            self._encoder.open(happening.session)
        outgoing = self._hooked(happening, now) if self._hooks else self._encoded(self._hub.handle(happening, now))
        if isinstance(happening, Lost):
            self._encoder.forget(happening.session)
        return outgoing

    def tick(self, now: float) -> list[Outgoing | Copies]:
        """Everything that the clock asks for."""
        effects = self._hub.tick(now)
        if not self._hooks:
            return self._encoded(effects)
        outgoing: list[Outgoing | Copies] = list(self._emit(effects, now))
        for hook in self._hooks:
            for item in hook.due(now):
                outgoing += self._do(item, now)
        return outgoing

    def next_deadline(self) -> float | None:
        """When `tick` must be called, at the latest."""
        if not self._hooks:
            return self._hub.next_deadline()
        deadlines = [self._hub.next_deadline(), *(hook.next_deadline() for hook in self._hooks)]
        return min((one for one in deadlines if one is not None), default=None)

    def _encoded(self, effects: Effects) -> list[Outgoing | Copies]:
        encoder = self._encoder
        encoded = [encoder.copies(one) if isinstance(one, Broadcast) else encoder.encode(one) for one in effects]
        return [one for one in encoded if one is not None]

    # With hooks

    def _hooked(self, happening: Happening, now: float) -> list[Outgoing | Copies]:
        items: list[Happening | Effect] = [happening]
        for hook in self._hooks:
            items = [out for one in items for out in ((one,) if isinstance(one, Effect) else hook.happening(one, now))]
        return [out for one in items for out in self._do(one, now)]

    def _do(self, item: Happening | Effect, now: float) -> Iterable[Outgoing]:
        if isinstance(item, Effect):
            return self._write(item, now)
        return self._emit(self._hub.handle(item, now), now)

    def _emit(self, wanted: Effects, now: float) -> Iterator[Outgoing]:
        effects: Iterable[Effect] = (
            one for want in wanted for one in (want.each() if isinstance(want, Broadcast) else (want,))
        )
        for hook in self._hooks:
            effects = [out for one in effects for out in hook.effect(one, now)]
        for effect in effects:
            yield from self._write(effect, now)

    def _write(self, effect: Effect, now: float) -> Iterable[Outgoing]:
        encoded = self._encoder.encode(effect)
        if encoded is None:
            return ()
        outgoing: Iterable[Outgoing] = (encoded,)
        for hook in self._hooks:
            outgoing = [out for one in outgoing for out in hook.outgoing(one, now)]
        return outgoing
