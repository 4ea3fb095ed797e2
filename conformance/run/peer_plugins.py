"""What other pytest plugins may do to scenarios.

All scenarios of a session are played side by side in one run, and an item only waits for what that run says of its
own. How long it waits says nothing of the scenario, which has deadlines of its own; and asked again it says the same,
since the run has played again what must be. So time limits of items (pytest-timeout) and reruns (pytest-rerunfailures,
flaky) do not apply to them, and the header says so. Processes that share the items (pytest-xdist) would each play all.
"""

import pytest
from _pytest.runner import runtestprotocol

from conformance.run.plugin import ScenarioItem


def refuse_processes(config: pytest.Config) -> None:
    """Raise `pytest.UsageError` where pytest-xdist distributes the session."""
    if config.getoption("dist", "no") != "no":
        raise pytest.UsageError(
            "wsproof runs scenarios concurrently by itself, and pytest-xdist would run all of them in each of its "
            "processes: add -n 0 (--wsproof-jobs sets how many run at once)"
        )


class PeerPlugins:
    """Keeps to itself what only seems to be one test after the other."""

    def pytest_report_header(self, config: pytest.Config) -> str | None:
        """Which options say nothing to scenarios."""
        names = ("timeout", "reruns", "force_reruns")
        idle = [f"--{name.replace('_', '-')}" for name in names if config.getoption(name, None)]
        if not idle:
            return None
        return f"wsproof: ignored for scenarios, which have deadlines and replays of their own: {', '.join(idle)}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Once, whatever plugin would do it several times."""
        if not isinstance(item, ScenarioItem):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        runtestprotocol(item, nextitem=nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self, item: pytest.Item) -> bool | None:
        """None for a scenario: what an item waits for is the whole run."""
        return True if isinstance(item, ScenarioItem) else None
