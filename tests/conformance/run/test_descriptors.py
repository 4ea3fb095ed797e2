"""File descriptors: the limit is raised where it may be, and a run that has few plays fewer scenarios at once."""

import resource
from collections.abc import Callable, Iterator

import pytest

from conformance.play.plan import Plan
from conformance.run import descriptors
from conformance.run.descriptors import SPARE, fitted, needed_by, open_descriptors, raise_limit
from conformance.transport.target import resolve
from conformance.transport.troubles import OwnTroubleError
from tests.bundled import bundled, load_contract, load_profile, load_requirements

JOBS = 4
FEW = [one for one in bundled() if len(one.actors) == 2][:3]
Limit = Callable[[int], int]


@pytest.fixture
def limit() -> Iterator[Limit]:
    """Set the soft limit to so many descriptors beyond those that are open, and give it back."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def set_to(beyond: int) -> int:
        soft = open_descriptors() + beyond
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
        return soft

    yield set_to
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def plan(url: str) -> Plan:
    profile = load_profile()
    return Plan(resolve(url), load_contract(None, profile.limits), profile, load_requirements(), JOBS)


def test_it_is_raised_to_what_is_needed_and_never_lowered(limit: Limit) -> None:
    soft = limit(100)
    assert raise_limit(soft + 5) == soft + 5
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == soft + 5
    assert raise_limit(soft) == soft + 5


def test_an_embedded_endpoint_has_the_other_ends() -> None:
    assert [needed_by(FEW[0], embedded=embedded) for embedded in (False, True)] == [4, 7]


def test_where_there_are_enough_all_jobs_play(plan: Plan, limit: Limit) -> None:
    limit(100)
    found = fitted(plan, FEW)
    assert found.jobs == JOBS
    assert found.at_once is not None
    assert found.at_once >= JOBS


@pytest.mark.parametrize("jobs", [1, 2])
def test_where_there_are_few_fewer_play(plan: Plan, jobs: int, limited: Callable[[int], None]) -> None:
    limited(SPARE + 4 * jobs)
    found = fitted(plan, FEW)
    assert (found.jobs, found.at_once) == (jobs, jobs)


def test_where_not_one_can_play_it_is_said(plan: Plan, limited: Callable[[int], None]) -> None:
    limited(SPARE + 3)
    with pytest.raises(OwnTroubleError):
        fitted(plan, FEW)


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A hard limit of so many beyond those that are open: a real one could not be raised again for the other tests.

    How many are open changes while other tests' servers close what they had: it stays as it is here.
    """

    def set_to(beyond: int) -> None:
        now = open_descriptors()
        monkeypatch.setattr(descriptors, "open_descriptors", lambda: now)
        monkeypatch.setattr(resource, "getrlimit", lambda which: (now + beyond, now + beyond))

    return set_to
