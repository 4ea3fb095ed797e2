"""File descriptors: how many this process may open, and how many scenarios at once that is enough for."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from conformance.language.scenario import Scenario
from conformance.play.plan import Plan, most_at_once
from conformance.transport.troubles import OwnTroubleError
from contract.findings import phrase

try:
    import resource
except ImportError:  # pragma: no cover  # no such limits on Windows
    resource = None  # type: ignore[assignment]

SPARE = 12
"""Descriptors for reports, a witness after an outage, and what the libraries open for a moment."""

UNKNOWN_OPEN = 32
"""Descriptors that are taken to be open where the system does not tell."""


def raise_limit(needed: int) -> int | None:
    """Raise this process's limit to what is needed, as far as that is allowed; the limit, None: there is none."""
    if resource is None:  # pragma: no cover
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if wanted > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS allows less than it says
            return soft
        return wanted
    return soft


def open_descriptors() -> int:
    """How many this process has open."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return len(os.listdir(folder))
        except OSError:
            continue
    return UNKNOWN_OPEN


def needed_by(scenario: Scenario, *, embedded: bool) -> int:
    """What one scenario opens: a connection for each actor and one for a control, and a selector.

    `embedded`: the endpoint runs in this process, which has the other end of every connection as well.
    """
    connections = len(scenario.actors) + 1
    return connections * (2 if embedded else 1) + 1


def within_sessions(plan: Plan, scenarios: Iterable[Scenario]) -> Plan:
    """The plan with no more scenarios at once than the connections that a user may have: one more ends the oldest."""
    allowed = plan.contract.roles.sessions_per_user
    if allowed is None:
        return plan
    each = max((count for one in scenarios for count in Counter(a.user for a in one.actors).values()), default=1)
    most = max(allowed // each, 1)
    return replace(plan, jobs=min(plan.jobs, most), at_once=most)


def fitted(plan: Plan, scenarios: Iterable[Scenario], *, embedded: bool = False) -> Plan:
    """The plan with as many jobs as there are descriptors for, and as a user may have connections.

    Raises `OwnTroubleError` where not even one can be.
    """
    scenarios = tuple(scenarios)
    plan = within_sessions(plan, scenarios)
    each = max((needed_by(one, embedded=embedded) for one in scenarios), default=1)
    taken = open_descriptors() + SPARE
    most = most_at_once(plan.jobs)
    limit = raise_limit(taken + most * each)
    if limit is None:
        return plan
    if limit < taken + each:
        raise OwnTroubleError(phrase("trouble-descriptor-limit", limit=limit, needed=taken + each))
    at_once = min(most if plan.at_once is None else plan.at_once, (limit - taken) // each)
    return replace(plan, jobs=min(plan.jobs, at_once), at_once=at_once)
