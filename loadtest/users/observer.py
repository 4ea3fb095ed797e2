"""Watches one connection of a virtual user, and tells the judge what it sees.

A user of a journey does nothing that the contract forbids, reads what comes, and answers every heartbeat at once.
So an error that it gets, or an end that it did not ask for, is the endpoint's, unless the contract lets the endpoint do
so: it sheds load (429, 503 and the like, RATE_LIMITED, its close code), or the token has expired. A user who has
stopped reading may be closed at any time.
"""

from dataclasses import replace
from math import inf
from typing import Any

from conformance.play.admission import retry_after
from conformance.transport.exchange import Refused
from contract.findings import Phrase, phrase
from contract.paths import value_at
from loadtest.judge.judge import UNPROVOKED, Wait, wait
from loadtest.users.load_context import LoadContext

UNANSWERED = phrase("tcp-not-ended")

SECRET_CHARACTERS = 16
"""A shorter token may be a part of anything, such as a user's name (AUTH-06)."""

"""Where an acknowledgement has its session."""


class Observer:
    """What is watched of one connection. Times are in seconds, monotonic."""

    __slots__ = (
        *("_acked", "_beat", "_context", "_first", "_judge", "_opened", "_token", "_unsure"),
        *("heard", "number", "user"),
    )

    def __init__(self, context: LoadContext, user: str, token: str) -> None:
        self._context = context
        self._token = token
        self._judge = context.judge
        self.user = user
        self.heard = False
        """Whether any message has come."""
        self._opened = self._acked = self._beat = inf
        self._first: float = -inf
        self.number: float = -inf
        """The last one in a message."""
        self._unsure = False

    def masked(self, told: str) -> str:
        """What the endpoint said, short and without a token in any spelling."""
        return self._context.masked_for(self.user, told)

    # The handshake

    def opened(self, t: float) -> None:
        """The handshake was accepted."""
        self._opened = t
        for check in ("handshake", "upgrade", "frames", UNPROVOKED):
            self._judge.chance(check)
        if len(self._token) >= SECRET_CHARACTERS:
            self._judge.chance("secret-echo")

    def refused(self, refused: Refused, dialled: float) -> None:
        """The handshake failed, and it was the endpoint who refused it or did not answer."""
        judge, t = self._judge, refused.t
        if retry_after(refused) is not None:
            judge.shed[f"HTTP {refused.status}"] += 1
            return
        judge.chance("handshake")
        detail = refused.detail.changed(self.masked)
        if refused.problem in ("accept", "negotiation"):
            judge.found("upgrade", phrase("load-upgrade"), t, self.user, detail)
        elif refused.problem in ("status", "response"):
            judge.found("handshake", phrase("handshake-refused"), t, self.user, detail)
        else:
            judge.absent("handshake", phrase("load-handshake-lost"), wait(dialled, t), self.user, detail)

    # Messages

    def numbered(self, number: int, t: float) -> None:
        """A message's number does not follow the last one; on a new connection, it is the first."""
        last, self.number = self.number, number
        unsure, self._unsure = self._unsure, False
        if last != -inf:
            self._count_steps(last)
            if number <= last:
                self._judge.found("number", phrase("number-falls", name=self._context.number_name), t, self.user)
            elif not unsure:
                self._judge.chance("number-step")
                self._judge.found("number-step", phrase("number-leaps", name=self._context.number_name), t, self.user)
        self._first = number

    def expects(self, number: int) -> bool:
        """Whether this number follows the last one; it is the last one then."""
        if number == self.number + 1:
            self.number = number
            return True
        return False

    def unreadable(self) -> None:
        """A message came whose number nobody knows: the next one may be any higher one."""
        self._unsure = True

    def _count_steps(self, last: float) -> None:
        """From the first to the last, each number followed the one before."""
        self._judge.chances["number-step"] += int(last - self._first)

    def repeated(self, t: float) -> None:
        """A message repeats the user's token."""
        self._judge.found("secret-echo", phrase("token-repeated"), t, self.user)

    def late(self, seconds: float, t: float) -> None:
        """A delivery took longer than it may."""
        detail = phrase("load-seconds", seconds=round(seconds, 3))
        waited = Wait(t - seconds, t, seconds - self._context.profile.response_timeout)
        self._judge.absent("delivered", phrase("load-delivered-late"), waited, self.user, detail)

    @property
    def is_acknowledged(self) -> bool:
        """Whether an acknowledgement has come."""
        return self._acked != inf

    def acknowledged(self, value: Any, t: float) -> bool:
        """An acknowledgement came; whether it is the first of the connection."""
        judge = self._judge
        if self._acked != inf:
            judge.found("acknowledged-once", phrase("load-acknowledged-again"), t, self.user)
            return False
        self._acked = t
        judge.chance("acknowledged-once")
        judge.chance("acknowledged-first")
        if self.heard:
            judge.found("acknowledged-first", phrase("acknowledged-late"), t, self.user)
        path = self._context.session_path
        session = value_at(value, path) if path is not None else None
        if isinstance(session, str) and session:
            judge.chance("session-unique")
            if not self._context.new_session(session):
                judge.found("session-unique", phrase("session-shared"), t, self.user)
        return True

    def errored(self, value: Any, t: float, *, turned_away: bool) -> str | None:
        """An error came that the journey did not expect; gives the event that it says it is about.

        `turned_away`: a join may have been refused, and for that a post.
        """
        contract, judge = self._context.contract, self._judge
        code = contract.error_code(value)
        original = value_at(value, contract.errors.about) if contract.errors.about is not None else None
        about = original if isinstance(original, str) else None
        if isinstance(code, str) and code:
            self.coded(code, t)
        if isinstance(code, str) and code in self._context.shed_codes:
            judge.shed[code] += 1
        elif not (turned_away and about == self._context.post_event):
            shown = self.masked(code) if isinstance(code, str) else phrase("no-code")
            judge.found(
                UNPROVOKED,
                phrase("load-error", event=self.masked(about or "-"), error=shown),
                t,
                self.user,
                message=about,
            )
        return about

    def coded(self, code: str, t: float) -> None:
        """An error has this code."""
        self._judge.chance("error-code")
        if code not in self._context.error_codes:
            self._judge.found("error-code", phrase("unknown-error-code"), t, self.user, self._said(code))

    def _said(self, text: str) -> Phrase:
        shown = self.masked(text)
        return phrase("said", en=shown, ja=shown)

    # Heartbeats

    def beat(self, t: float) -> None:
        """A heartbeat of the endpoint came."""
        heartbeat = self._context.profile.heartbeat
        last, self._beat = self._beat, t
        judge = self._judge
        judge.chance("heartbeat-period")
        if last == inf:
            judge.chance("alive-while-answering")
        judge.chances[f"{UNPROVOKED}:{self._context.pong_event}"] += 1
        first = last == inf
        since = last if not first else self._opened if self._acked == inf else self._acked
        period, slack = t - since, heartbeat.interval * heartbeat.tolerance
        early = not first and period < heartbeat.interval - slack
        late = period > heartbeat.interval + slack
        if not (early or late) or not self._context.beats:
            return
        # A stall moves a heartbeat, and the one before it as well.
        excess = abs(period - heartbeat.interval) - slack
        problem = phrase("load-beat-early" if early else "load-beat-late")
        detail = phrase("load-period", seconds=round(period, 3), interval=heartbeat.interval)
        waited = Wait(since - heartbeat.interval, t, excess / 2)
        judge.absent("heartbeat-period", problem, waited, self.user, detail)

    def _beats_on(self, t: float) -> None:
        """The connection is over, or the run: whether heartbeats stopped before."""
        heartbeat = self._context.profile.heartbeat
        established = self._acked if self._context.ack_event is not None else self._opened
        since = self._beat if self._beat != inf else established
        if not self._context.beats or since == inf:
            return
        due = since + heartbeat.interval * (1 + heartbeat.tolerance)
        if t <= due:
            return
        self._judge.chance("heartbeat-period")
        detail = phrase("load-period", seconds=round(t - since, 3), interval=heartbeat.interval)
        waited = Wait(since, t, (t - due) / 2)
        self._judge.absent("heartbeat-period", phrase("load-beat-missing"), waited, self.user, detail)

    # The end

    def over(self, t: float, *, reading: bool) -> None:
        """The connection is over, however it came."""
        if self.number != -inf:
            self._count_steps(self.number)
        if reading:
            self._beats_on(t)

    def closed(self, code: int | None, *, legal: bool, t: float) -> None:
        """A close frame came, or none."""
        if code is None:
            return
        self._judge.chance("close-code")
        if not legal:
            self._judge.found("close-code", phrase("illegal-close"), t, self.user, phrase("closed", code=str(code)))

    def answered(self, code: int | None, closing: float, t: float, *, reset: bool) -> None:
        """Our close frame was answered, by a close frame or by the end of TCP alone."""
        self._judge.chance("close-answered")
        if code is None:
            waited = wait(closing, t)
            if reset:
                waited = replace(waited, excuse=-inf)  # it may have overtaken the frame
            self._judge.absent("close-answered", phrase("load-no-close"), waited, self.user)

    def never_answered(self, closing: float, t: float) -> None:
        """The connection has not ended in time after our close frame."""
        self._judge.chance("close-answered")
        self._judge.absent("close-answered", UNANSWERED, wait(closing, t), self.user)

    def ended(self, code: int | None, how: Phrase, t: float, violation: Phrase | None) -> None:
        """The endpoint ended the connection of a user who reads, unasked."""
        judge, context = self._judge, self._context
        if violation is not None and code is not None:
            return  # what is wrong in a close frame is another check's, as it is in `conformance.judge.checks`
        if violation is not None:
            judge.found("frames", phrase("framing"), t, self.user, violation)
            return
        if code is not None and code in context.shed_closes:
            judge.shed[str(code)] += 1
            return
        if code is not None and code in context.expiry_closes:
            return
        heartbeat = self._context.profile.heartbeat
        since = self._beat if self._beat != inf else self._opened
        detail = phrase("closed", code=str(code)) if code is not None else phrase("no-close-frame", end=how)
        problem = phrase("load-ended")
        if code is not None and code in context.mute_closes:
            problem = phrase("load-ended-answering")
        # Who was not even acknowledged has answered nothing yet.
        check = "acknowledged" if self._acked == inf and self._context.ack_event else "alive-while-answering"
        judge.chance(check)
        # A user who was stalled for so long may not have answered in time, or not have read.
        waited = Wait(since - heartbeat.interval, t, heartbeat.timeout / 2)
        judge.absent(check, problem, waited, self.user, detail)
