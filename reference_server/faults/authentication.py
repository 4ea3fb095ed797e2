"""AUTH: faults of tokens."""

import json
from collections.abc import Iterable
from dataclasses import replace

from reference_server.chat.hooks import ChatHook
from reference_server.core.accounts import read_token
from reference_server.core.exchange import Abort, Account, Close, Effect, Happening, Opened
from reference_server.core.handshake import Answer, Request, Verdict, refusal
from reference_server.core.hooks import Hook
from reference_server.faults.fault import answer_fault, changed, fault, is_close, is_event

NOBODY = Account("nobody", "Nobody")


@fault("no-token-accepted", breaks="AUTH-01", entails="AUTH-04")
class NoTokenAccepted(Hook):
    """A connection without a token is a guest's."""

    def verdict(self, request: Request, verdict: Verdict) -> Verdict:
        return NOBODY if verdict == "missing_token" else verdict


@fault("invalid-token-accepted", breaks="AUTH-02", entails="AUTH-04")
class InvalidTokenAccepted(Hook):
    """A token that nobody has issued is accepted."""

    def verdict(self, request: Request, verdict: Verdict) -> Verdict:
        return NOBODY if verdict == "invalid_token" else verdict


@fault("expired-token-accepted", breaks="AUTH-03", entails="AUTH-04")
class ExpiredTokenAccepted(Hook):
    """An expired token is accepted."""

    def verdict(self, request: Request, verdict: Verdict) -> Verdict:
        return NOBODY if verdict == "expired_token" else verdict


@fault("unauthenticated-silent", breaks="AUTH-01 AUTH-02 AUTH-03", entails="AUTH-04")
class UnauthenticatedSilent(Hook):
    """A bad token gets neither a refusal nor an answer: the connection stays open and silent."""

    def verdict(self, request: Request, verdict: Verdict) -> Verdict:
        return verdict if isinstance(verdict, Account) else NOBODY

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        is_nobody = isinstance(happening, Opened) and happening.account is NOBODY
        return () if is_nobody else (happening,)


@answer_fault("refusal-500", breaks="AUTH-04")
def refusal_500(request: Request, answer: Answer) -> Answer:
    """A bad token is refused with 500."""
    return refusal(500) if answer.status == 401 else answer


@fault("refusal-by-normal-close", breaks="AUTH-04", entails="CLOSE-04")
class RefusalByNormalClose(ChatHook):
    """A bad token passes the handshake, and the connection is closed with 1000 right after it."""

    def verdict(self, request: Request, verdict: Verdict) -> Verdict:
        return verdict if isinstance(verdict, Account) else NOBODY

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "connection_ack") and self.hub.sessions[effect.session].account is NOBODY:
            return (Close(effect.session, 1000, ""),)
        return (effect,)


@fault("expiry-by-normal-close", breaks="AUTH-05", entails="CLOSE-04")
class ExpiryByNormalClose(Hook):
    """A connection whose token expires is closed with 1000."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if isinstance(effect, Close) and is_close(effect, self.profile, "token_expired"):
            return (replace(effect, code=1000),)
        return (effect,)


@fault("expiry-without-close-frame", breaks="AUTH-05")
class ExpiryWithoutCloseFrame(Hook):
    """A connection whose token expires is cut without a close frame."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        return (Abort(effect.session),) if is_close(effect, self.profile, "token_expired") else (effect,)


class KnowsTokens(ChatHook):
    """Remembers the token of every account."""

    def __init__(self) -> None:
        super().__init__()
        self._tokens: dict[Account, str] = {}

    def verdict(self, request: Request, verdict: Verdict) -> Verdict:
        if isinstance(verdict, Account):
            self._tokens[verdict] = self.token_in(request) or ""
        return verdict

    def token_in(self, request: Request) -> str | None:
        """The token that a request carries."""
        return read_token(self.profile.auth, request.target, request.headers, request.subprotocols)

    def token_of(self, session: int) -> str:
        """The token that a connection was opened with."""
        found = self.hub.sessions.get(session)
        return self._tokens[found.account] if found is not None else ""


@fault("token-in-refusal", breaks="AUTH-06")
class TokenInRefusal(KnowsTokens):
    """The body of a refusal names the token that was refused."""

    def answer(self, request: Request, answer: Answer) -> Answer:
        token = self.token_in(request)
        return (
            replace(answer, body=json.dumps({"error": "invalid_token", "token": token}))
            if token and answer.status == 401
            else answer
        )


@fault("token-in-handshake", breaks="AUTH-06")
class TokenInHandshake(KnowsTokens):
    """The handshake response sets a cookie that holds the token."""

    def answer(self, request: Request, answer: Answer) -> Answer:
        if answer.status != 101:
            return answer
        return replace(
            answer,
            headers=(
                *answer.headers,
                ("Set-Cookie", f"session={self.token_in(request)}; HttpOnly"),
            ),
        )


@fault("token-in-session-id", breaks="AUTH-06")
class TokenInSessionId(KnowsTokens):
    """sessionId is made of the token."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "connection_ack"):
            return (changed(effect, sessionId=f"{self.token_of(effect.session)}.{effect.session}"),)
        return (effect,)


@fault("token-in-error", breaks="AUTH-06")
class TokenInError(KnowsTokens):
    """Error messages name the token of the connection."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "error"):
            return (changed(effect, message=f"Refused for token {self.token_of(effect.session)}."),)
        return (effect,)


@fault("token-in-close-reason", breaks="AUTH-06")
class TokenInCloseReason(KnowsTokens):
    """The close reason of an expired token names the token."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if isinstance(effect, Close) and is_close(effect, self.profile, "token_expired"):
            return (replace(effect, reason=f"expired: {self.profile.tokens.expiring}"[:120]),)
        return (effect,)
