"""SEND-01, JOIN-01, HB-05, ERR-06, ERR-08, ERR-09: errors that nobody provoked."""

from collections.abc import Iterable

from reference_server.core.exchange import Effect, Happening, SendText
from reference_server.faults.fault import asks, error, fault
from reference_server.faults.posting import Posts
from reference_server.faults.under_load.now_and_then import NowAndThen


class _Answered(NowAndThen):
    """Answers every nth valid message of one event with an error beside what it does."""

    event = ""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if asks(happening, self.event) is None or not self.is_due():
            return (happening,)
        return (happening, error(happening.session, self.profile, "INTERNAL_ERROR", self.event))


@fault("post-fails-in-100", breaks="SEND-01", under_load=True)
class PostFails(Posts, NowAndThen):
    """Every 100th post is answered with INTERNAL_ERROR, and delivered to nobody."""

    every = 100

    def post(self, happening: Happening, channel: str, now: float) -> Iterable[Happening | Effect]:
        if not self.is_due():
            return (happening,)
        return (error(happening.session, self.profile, "INTERNAL_ERROR", "send_message"),)


@fault("join-answered-with-error-in-20", breaks="JOIN-01", under_load=True)
class JoinAnsweredWithError(_Answered):
    """Every 20th join is answered with an error, and takes effect."""

    event, every = "join_channel", 20


@fault("pong-answered-with-error-in-5", breaks="HB-05", under_load=True)
class PongAnsweredWithError(_Answered):
    """Every 5th pong of all is answered with an error."""

    event, every = "pong", 5


class _ToSomebodyElse(Posts, NowAndThen):
    """At every nth post, the connection that entered last gets an error."""

    every = 50

    def post(self, happening: Happening, channel: str, now: float) -> Iterable[Happening | Effect]:
        if not self.is_due():
            return (happening,)
        receiver = next(one for one in reversed(self.hub.sessions))
        return (happening, self.error_for(receiver))

    def error_for(self, receiver: int) -> SendText:
        raise NotImplementedError


@fault("error-for-somebody-else-in-50", breaks="ERR-08", under_load=True)
class ErrorForSomebodyElse(_ToSomebodyElse):
    """At every 50th post, the connection that entered last gets an error that says nothing of what it is about."""

    def error_for(self, receiver: int) -> SendText:
        return error(receiver, self.profile, "INTERNAL_ERROR")


@fault("error-code-unknown-in-50", breaks="ERR-09", entails="ERR-08", under_load=True)
class ErrorCodeUnknown(_ToSomebodyElse):
    """The same, with a code that the contract does not name."""

    def error_for(self, receiver: int) -> SendText:
        return error(receiver, self.profile, "E_7001")


@fault("error-without-message-in-50", breaks="ERR-06", entails="ENV-03 ERR-08", under_load=True)
class ErrorWithoutMessage(_ToSomebodyElse):
    """The same, without a message."""

    def error_for(self, receiver: int) -> SendText:
        return SendText(receiver, "error", {"code": self.profile.error_codes["INTERNAL_ERROR"]})
