"""Documents for the tests of the reports: small, real ones, and one that is hostile throughout."""

from typing import Any

from contract.findings import Phrase, phrase, texts

Json = dict[str, Any]

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`&]]>--><!--"
    "\x00\x07\x08\x1b[31mred\x1b]0;title\x07\x9b2J\x85\r\n\t\x7f"
    "\ud800 \udfff\ufffe\uffff\ufeff\u200b\u202eevil\u202c\u2066x\u2069\u061c\u2028\U000e0041"
    "{{ 7 * 7 }}{% raw %}\\u0000 שלום 日本語 👩\u200d👧 e\u0301 "
)
"""Markup, terminal escapes, NUL, lone surrogates, direction overrides, invisible characters."""


def requirement(name: str, verdict: str = "passed", level: str = "MUST", **members: Any) -> Json:
    reason = None if verdict in ("passed", "failed") else f"{verdict}: no such fixture"
    return {
        "id": name,
        "level": level,
        "section": name.partition("-")[0],
        "section_title": {"ERR": "Errors", "SEND": "Posting and receiving"}.get(name.partition("-")[0], "Other"),
        "origin": "seed §7.1",
        "statement": f"The server does what {name} says with `error`.",
        "statement_ja": f"サーバーは {name} のとおりに `error` を返す。",
        "verdict": verdict,
        "reason": reason,
        "clauses": [{"level": level, "verdict": verdict, "reason": reason}],
        "scenarios": [],
    } | members


def event(t: float, direction: str, kind: str, **members: Any) -> Json:
    return {
        "t": t,
        "actor": "alice",
        "direction": direction,
        "kind": kind,
        "event": None,
        "data": "",
    } | members


def failure(name: str, level: str = "MUST", **members: Any) -> Json:
    return {
        "requirement": name,
        "level": level,
        "check": None,
        "step": "3 expect error",
        "actor": "alice",
        "code": "note-none",
        "params": {"event": "error"},
        "message": "no error arrived within 5 s",
        "expected": "error with code INVALID_JSON",
        "received": None,
    } | members


def scenario(name: str, verdict: str = "passed", **members: Any) -> Json:
    return {
        "id": name,
        "title": f"What {name} does",
        "group": "ERR",
        "tags": [],
        "verifies": ["ERR-01"],
        "verdict": verdict,
        "reason": None,
        "started_s": 0.01,
        "duration_s": 0.25,
        "failures": [],
        "transcript": [
            event(0.001, "out", "handshake", data="GET /v1/socket"),
            event(0.002, "in", "handshake", data="101 Switching Protocols"),
            event(
                0.004,
                "in",
                "message",
                event="connection_ack",
                data='{"event": "connection_ack", "payload": {"sessionId": "s-1"}}',
            ),
            event(0.2, "none", "timeout", data="nothing arrived within 5 s"),
        ],
    } | members


def summary(requirements: list[Json]) -> Json:
    """How many clauses have which verdict."""
    counts = {
        level: dict.fromkeys(("passed", "failed", "inconclusive", "untested", "error"), 0)
        for level in ("MUST", "SHOULD", "MAY")
    }
    for entry in requirements:
        if entry.get("selected") is False and entry["verdict"] not in ("passed", "failed"):
            continue
        for clause in entry["clauses"]:
            counts[clause["level"]][clause["verdict"]] += 1
    return counts


def _verdict(counts: Json) -> str:
    must = counts["MUST"]
    unverified = must["inconclusive"] + must["untested"] + must["error"]
    return "non-conformant" if must["failed"] else "incomplete" if unverified else "conformant"


def results(requirements: list[Json] | None = None, scenarios: list[Json] | None = None, **members: Any) -> Json:
    """A results document; its summary and verdict follow from its requirements."""
    entries = [requirement("ERR-01")] if requirements is None else requirements
    counts = summary(entries)
    must, verdict = counts["MUST"], _verdict(counts)
    return {
        "format": "wsproof.results/2",
        "tool": {"name": "wsproof", "version": "0.1.0"},
        "endpoint": "ws://127.0.0.1:8765/v1/socket",
        "contract": {"title": "Chat WebSocket API", "version": "1.0.0"},
        "started": "2026-11-23T02:05:00.123Z",
        "duration_s": 3.2,
        "complete": True,
        "strict": False,
        "settings": {"jobs": 24, "time_scale": 1.0, "selection": None},
        "verdict": verdict,
        "outcome": {"passed": not must["failed"], "reasons": ["a requirement fails"] if must["failed"] else []},
        "baseline": None,
        "summary": counts,
        "requirements": entries,
        "scenarios": [scenario("err-not-json")] if scenarios is None else scenarios,
    } | members


def failing_results(**members: Any) -> Json:
    """A run with one of everything: failed MUST and SHOULD, inconclusive, untested, error."""
    mixed = [
        {"level": "MUST", "verdict": "passed", "reason": None},
        {"level": "SHOULD", "verdict": "failed", "reason": "the code was BAD_JSON"},
    ]
    return results(
        [
            requirement("ERR-01", "failed", "SHOULD", clauses=mixed, scenarios=["err-code"]),
            requirement("ERR-02", "failed", scenarios=["err-silent"]),
            requirement("ERR-03", "inconclusive", scenarios=["err-skipped"]),
            requirement("ERR-04", "untested"),
            requirement("ERR-05", "error", "SHOULD", scenarios=["err-broken"]),
            requirement("SEND-01", scenarios=["send"]),
        ],
        [
            scenario("send", group="SEND", verifies=["SEND-01"]),
            scenario(
                "err-code",
                "failed",
                failures=[failure("ERR-01", "SHOULD", received='{"code": "BAD_JSON"}')],
            ),
            scenario(
                "err-silent",
                "failed",
                verifies=["ERR-02"],
                failures=[failure("ERR-02"), failure("ERR-01", "SHOULD", step=None, actor=None)],
            ),
            scenario("err-skipped", "inconclusive", reason="no private channel", transcript=[]),
            scenario("err-broken", "error", reason="KeyError: 'x'", verifies=["ERR-05"]),
        ],
        **members,
    )


def evidence(verdict: str = "passed", level: str = "MUST", **members: Any) -> Json:
    """A requirement's members that say on what it rests, with its only clause, which says the same."""
    found = {"applied": 0, "of": None, "steps": 0} | members
    reason = None if verdict == "passed" else f"{verdict}: no such fixture"
    return {**found, "clauses": [{"level": level, "verdict": verdict, "reason": reason, **found}]}


def in_scenario(name: str, reason: str) -> Json:
    """The phrase of a requirement's reason, which says which scenario gave it."""
    return {"code": "in-scenario", "params": {"scenario": name, "reason": reason}}


def outage(kind: str = "stopped", **members: Any) -> Json:
    return {
        "at_s": 3.2,
        "kind": kind,
        "back_after_s": None,
        "playing": ["err-silent"],
        "culprit": None,
        "suspected": [],
        "message": "what happened, in English",
    } | members


HINT: Json = {
    "code": "hint-token",
    "params": {"setting": "users.alice.token"},
    "message": "every good handshake was refused with 401: is `users.alice.token` right?",
}

SEEN_ONCE = "no error arrived within 5 s (seen once; not reproduced when run again, alone and alongside others)"

STOPPED = "the endpoint stopped accepting connections"


def troubled_results(**members: Any) -> Json:
    """A run of a part, against an endpoint that was gone for a while: all that such a document may say."""
    played = ["err-code"]
    mixed = [
        {"level": "MUST", "verdict": "passed", "reason": None, "applied": 1, "of": "connection", "steps": 0},
        {"level": "SHOULD", "verdict": "passed", "reason": None, "applied": 0, "of": None, "steps": 1},
    ]
    doubtful = evidence("inconclusive", applied=3, of="error") | {"reason": f"err-silent: {SEEN_ONCE}"}
    doubtful |= {"texts": {"reason": in_scenario("err-silent", SEEN_ONCE)}}
    doubtful["clauses"][0] |= {"reason": doubtful["reason"], "texts": doubtful["texts"]}
    unselected: Json = {"selected": False, "reason": "not selected"}
    return results(
        [
            requirement("ERR-01", selected=True, scenarios=played, **evidence(applied=1204, of="message")),
            requirement("ERR-02", selected=True, scenarios=played, **evidence(steps=36)),
            requirement("ERR-03", selected=True, scenarios=played, **evidence(applied=1204, of="message", steps=36)),
            requirement("ERR-04", selected=True, scenarios=played, clauses=mixed),
            requirement("ERR-05", "inconclusive", selected=True, scenarios=["err-silent"], **doubtful),
            requirement("ERR-06", "untested", **unselected),
            requirement("SEND-01", "untested", "SHOULD", **unselected),
            requirement("SEND-02", selected=False, scenarios=played, **evidence(applied=12, of="ping")),
        ],
        [
            scenario("err-code"),
            scenario(
                "err-silent",
                "inconclusive",
                verifies=["ERR-05"],
                reason=SEEN_ONCE,
                unconfirmed=[failure("ERR-05", received="1006 bye")],
            ),
        ],
        settings={"jobs": 24, "selection": "ERR", "deselection": None},
        outcome={"passed": False, "reasons": [f"{STOPPED} at 9 s and did not come back"]},
        outages=[
            outage("dropped", at_s=1.25, playing=["a", "b"], culprit="err-code"),
            outage(at_s=3.2, back_after_s=0.4, playing=[f"s-{number}" for number in range(16)]),
            outage(at_s=9.0, suspected=["err-silent", "err-code", "c", "d"]),
        ],
        **members,
    )


def entry(name: str, **members: Any) -> Json:
    """An entry of a baseline."""
    kind = "requirement" if name[0].isupper() else "scenario"
    return {kind: name, "reason": f"why {name} fails", "link": None, "expires": None, "line": 3} | members


def baselined_results(**members: Any) -> Json:
    """A run with a baseline: an entry of each kind."""
    why = {"baseline": "why ERR-01 fails"}
    clause = {"level": "MUST", "verdict": "failed", "reason": "r", **why}
    lists = {
        "expected": [entry("ERR-01", link="https://example.com/17", expires="2099-12-31")],
        "stale": [entry("err-fine", line=7)],
        "expired": [entry("ERR-02", expires="2020-01-01")],
        "undecided": [entry("HB-01")],
    }
    return results(
        [
            requirement("ERR-01", "failed", clauses=[clause], scenarios=["err-listed", "err-both"], **why),
            requirement("ERR-02", "failed", scenarios=["err-both"]),
        ],
        [
            scenario("err-listed", "failed", failures=[failure("ERR-01", **why)]),
            scenario("err-both", "failed", failures=[failure("ERR-01", **why), failure("ERR-02")]),
            scenario("err-fine"),
        ],
        outcome={"passed": False, "reasons": ["a requirement fails: ERR-02", "the baseline is stale: err-fine"]},
        baseline=lists,
        **members,
    )


def metric(p50: float | None, count: int = 1200) -> Json:
    factors = {"mean": 1.1, "p50": 1, "p90": 1.6, "p95": 2, "p99": 4, "p999": 7, "max": 9}
    values = {name: None if p50 is None else p50 * factor for name, factor in factors.items()}
    return {"count": count, **values, "unit": "ms"}


def point(t: float, **members: Any) -> Json:
    return {
        "t": t,
        "users": min(20, int(t * 4)),
        "rate": 40 * min(t, 5),
        "p50": 1.2,
        "p95": 3.4,
        "p99": 9.8,
        "errors": 0,
    } | members


THRESHOLD: Json = {"metric": "p99(post_to_receive)", "limit": "< 200ms", "value": 12.3, "passed": True}


def judged(name: str, verdict: str = "passed", level: str = "MUST", **members: Any) -> Json:
    """A requirement of a load test with its only clause; `findings` are the clause's."""
    findings = members.pop("findings", [])
    usual: Json = {"applied": 0 if verdict == "untested" else 1200, "of": "delivery", "failed": 0, "undecided": 0}
    figures = usual | {"rate": None, "first_s": None, "last_s": None} | members
    why = members.get("reason")
    reason = {"reason": None if why is None else str(why), **texts(reason=why)}
    known = requirement(name, verdict, level) | figures | reason
    del known["scenarios"]
    clause = {"level": level, "verdict": verdict, "findings": findings} | reason
    return known | {"clauses": [clause | {key: figures[key] for key in (*usual, "rate", "first_s", "last_s")}]}


def broken(name: str, level: str = "MUST", failed: int = 7, applied: int = 24_000, **members: Any) -> Json:
    """A requirement that a load test saw broken."""
    times = {"first_s": 12.3, "last_s": 58.0, "rate": failed / applied}
    usual: Json = {"failed": failed, "applied": applied, "findings": [found("it never arrived", failed)]}
    return judged(name, "failed", level, **(usual | times | members))


def found(message: str | Phrase, count: int, check: str = "delivered", **members: Any) -> Json:
    """A finding of a load test."""
    user = phrase("load-user", user="17")
    one = {"t_s": 12.3, "user": str(user), "detail": "message 28 of user 4 in load-1", **texts(user=user)}
    written = message.json if isinstance(message, Phrase) else {"code": "none-of-ours", "params": {}}
    spoken = {"message": str(message)} | written
    return {"check": check, **spoken, "count": count, "first_s": 12.3, "last_s": 58.0, "examples": [one]} | members


def outcome(verdict: str, thresholds: list[Json]) -> Json:
    """Whether a load test's run passes."""
    breached = [f"{one['metric']} {one['limit']}" for one in thresholds if one["passed"] is False]
    reasons = ["a requirement fails"] if verdict == "non-conformant" else []
    reasons += [f"threshold breached: {', '.join(breached)}"] if breached else []
    return {"passed": not reasons, "reasons": reasons}


def load(requirements: list[Json] | None = None, **members: Any) -> Json:
    """A load document whose requirements and thresholds hold; summary, verdict and outcome follow from these."""
    entries = [judged("SEND-01", applied=24_000), judged("HB-02", applied=80, of="ping")]
    entries = entries if requirements is None else requirements
    limits: list[Json] = members.get("thresholds", [THRESHOLD])
    must = summary(entries)["MUST"]
    # What a load test did not bring about is no gap.
    decided = "conformant" if must["passed"] and not must["inconclusive"] else "incomplete"
    verdict = members.get("verdict", "non-conformant" if must["failed"] else decided)
    return {
        "format": "wsproof.load/3",
        "tool": {"name": "wsproof", "version": "0.1.0"},
        "endpoint": "ws://127.0.0.1:8765/v1/socket",
        "contract": {"title": "Chat WebSocket API", "version": "1.0.0"},
        "started": "2026-11-23T02:05:00.123Z",
        "duration_s": 10.4,
        "complete": True,
        "settings": {"users": 20, "spawn_rate": 20, "time_s": 10, "journeys": {"chatter": 1}},
        "verdict": verdict,
        "reason": None,
        "outcome": outcome(verdict, limits),
        "summary": summary(entries),
        "requirements": entries,
        "shed": {},
        "thresholds": limits,
        "metrics": {"connect": metric(2.1, 20), "ack": metric(0.8, 20), "post_to_own": metric(1.2)},
        "delivery": {
            "expected": 24000,
            "delivered": 24000,
            "lost": 0,
            "duplicated": 0,
            "reordered": 0,
            "misdelivered": 0,
        },
        "timeline": [point(float(second)) for second in range(1, 11)],
        "closes": {"1000": 20},
        "errors": [],
        "generator": {"cpu_percent": 34.5, "late_ms_max": 4.2},
    } | members


def undecided_load() -> Json:
    """A load document with a threshold that only late seconds breach."""
    undecided = {"metric": "p99(ack)", "limit": "< 5ms", "value": 9.8, "passed": None}
    timeline = [point(float(second)) | {"generator_late": second == 3} for second in range(1, 11)]
    return load(
        thresholds=[*load()["thresholds"], undecided],
        timeline=timeline,
        generator={"cpu_percent": 97, "late_ms_max": 80.5, "limited": False, "reason": None, "late": [[2, 3]]},
    )


def errors(counts: dict[str, int]) -> list[Json]:
    """A load test's errors, by message."""
    return [{"code": "none-of-ours", "params": {}, "message": name, "count": number} for name, number in counts.items()]


def unreached_load() -> Json:
    """A load document of a run that measured nothing."""
    reason = "no user could connect"
    untested = [judged("SEND-01", "untested", reason=reason), judged("SEND-03", "untested", "SHOULD", reason=reason)]
    return load(untested, reason=reason, outcome={"passed": False, "reasons": [reason]}, thresholds=[])


def breaking_load() -> Json:
    """A load document in which something of each kind went wrong."""
    breached = {"metric": "p99(ack)", "limit": "< 5ms", "value": 9.8, "passed": False}
    return load(
        [broken("SEND-01"), judged("HB-02", applied=80, of="ping")],
        thresholds=[THRESHOLD, breached],
        errors=errors({"no answer within 5 s": 3, "close 1011": 40}),
        closes={"1000": 18, "1011": 2},
        delivery=load()["delivery"] | {"lost": 7},
        generator={"cpu_percent": 97, "late_ms_max": 80.5},
    )


def hostile(value: Any, text: str = HOSTILE, member: str = "") -> Any:
    """A copy of a document with `text` added to every string that its schema leaves free."""
    if isinstance(value, dict):

        def closed(name: str) -> bool:
            return name in _CLOSED or (member, name) == ("capacity", "unit")

        free_names = member in ("settings", "metrics", "closes", "journeys", "shed")
        return {
            (f"{name}{text}" if free_names else name): (item if closed(name) else hostile(item, text, name))
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [hostile(item, text) for item in value]
    return f"{value}{text}" if isinstance(value, str) else value


_CLOSED = ("format", "started", "verdict", "level", "direction", "kind", "state", "link", "expires", "of")
