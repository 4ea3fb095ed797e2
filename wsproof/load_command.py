"""The command `wsproof load`: its options become wishes, and the plan's file adds to them."""

import sys
from pathlib import Path
from typing import Any

import click

from wsproof.number_options import Whole
from wsproof.options import (
    FORMAT_HELP,
    language_option,
    profile_options,
    profile_sources,
    read_profile,
    reference_option,
    stop,
    tested,
)
from wsproof.strictness import StrictCommand

COUNT = click.INT
WAIT = "60s"


@click.command(cls=StrictCommand)
@click.argument("url", required=False, envvar="WSPROOF_URL")
@profile_options
@reference_option
@click.option(
    "--plan",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    envvar="WSPROOF_PLAN",
    help="A file that says all of this (schemas/load-plan.schema.json); options replace what it says.",
)
@click.option("--users", type=COUNT, help="Virtual users. Default: 20.")
@click.option("--spawn-rate", type=float, help="New users per second. Default: all within one second.")
@click.option("--time", metavar="TIME", help="How long, such as 90s or 5m. Default: 30s.")
@click.option(
    "--stages",
    metavar="USERS:TIME,…",
    help="Instead of --users and --time: 100:30s,100:5m,0:10s ramps up, holds, ramps down.",
)
@click.option(
    "--journey", "journeys", multiple=True, metavar="NAME[:WEIGHT]", help="Default: chatter. May be repeated."
)
@click.option("--journeys", "journeys_file", metavar="FILE", help="Journeys of your own, beside the bundled ones.")
@click.option("--channels", type=COUNT, help="Channels that the users share. Default: 1.")
@click.option("--rate", type=float, help="Posts per second of each user. Default: 1.")
@click.option("--size", type=COUNT, help="Characters of a posted text. Default: 100.")
@click.option(
    "--threshold", "thresholds", multiple=True, metavar="EXPRESSION", help="Such as 'p99(post_to_own) < 200ms'."
)
@click.option("--abort-on-breach", is_flag=True, default=None, help="End the run as soon as a threshold is breached.")
@click.option("--measure-only", is_flag=True, help="Judge no requirement; measure, and hold against the thresholds.")
@click.option("--strict", is_flag=True, help="Fail for a broken SHOULD as well.")
@click.option("--require-complete", is_flag=True, help="Fail if the verdict is incomplete.")
@click.option("--processes", type=COUNT, help="Processes that play the users. Default: 1.")
@click.option(
    "--source-address",
    "source_addresses",
    multiple=True,
    metavar="ADDRESS",
    help="Connect from this address of the machine. Several take turns, and each has ports of its own.",
)
@click.option("--tokens-file", metavar="FILE", help="One token a line; one for each user.")
@click.option("--tokens-command", metavar="COMMAND", help="A command that prints one token a line.")
@click.option("--seed", type=Whole(0, 2**32 - 1), help="Repeat the users' phases and jitter.")
@click.option("--find-capacity", type=click.Choice(["users", "rate"]), help="Raise this until a threshold breaks.")
@click.option("--max", "most", type=float, help="The highest load that --find-capacity tries.")
@click.option("--step-time", default="10s", show_default=True, metavar="TIME", help="How long each of its steps lasts.")
@click.option("--master", metavar="HOST:PORT", help="Wait here for workers on other machines, and let them play.")
@click.option("--expect-workers", type=COUNT, default=0, help="Begin when so many are there.")
@click.option(
    "--wait",
    default=WAIT,
    show_default=True,
    metavar="TIME",
    help="How long --master waits for its workers, and --worker for a master that does not answer.",
)
@click.option(
    "--worker",
    metavar="HOST:PORT",
    help="Play users for the master there; only --profile, --set, --source-address and --wait count beside it.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("wsproof-report"),
    show_default=True,
    help="Folder for load.json and load.html.",
)
@click.option("--format", "formats", multiple=True, metavar="NAME[=FILE]", help=FORMAT_HELP)
@click.option("--json", "json_path", metavar="FILE", help="Write the document there as well; - is standard output.")
@language_option
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def load(
    url: str | None,
    profile: Path | None,
    changes: tuple[str, ...],
    reference: bool,
    plan: Path | None,
    **given: Any,
) -> None:
    """Put virtual users on an endpoint. Without URL and profile: the built-in reference server.

    Exit codes: 0 passed, 1 a MUST broken, a threshold breached or nothing measured, 2 usage, 3 not reachable,
    130 interrupted.
    SIGINT and SIGTERM let the users leave in good order, and the report is written all the same.
    """
    from loadtest.plan import read_plan
    from loadtest.settings import LoadError
    from wsproof.load_testing import ProfileSource, run_load_test, run_worker_for

    try:
        planned = read_plan(plan) if plan is not None else None
        named = planned.endpoint if planned is not None else None
        # The reference server's heartbeat, where it is what is tested, is one that a short run sees.
        other = not reference and (url or named or given["worker"])
        defaults = {} if other else {"heartbeat.interval": 5, "heartbeat.timeout": 10}
        path, overrides = profile_sources(profile, changes, defaults)
        source = ProfileSource(read_profile(profile, changes, defaults), path, overrides)
        if given["worker"]:
            sys.exit(run_worker_for(given["worker"], source, _time("--wait", given["wait"]), given["source_addresses"]))
        wishes = _wishes(given)
        options = _options(given)
        address = tested(url, named or source.profile.endpoint, path, reference=reference)
        sys.exit(run_load_test(address, source, wishes.over(planned) if planned is not None else wishes, options))
    except LoadError as error:
        stop(str(error))


def _wishes(given: dict[str, Any]) -> Any:
    from loadtest.plan import Wishes, parse_stages
    from loadtest.settings import LoadError, TokenSource, parse_journeys

    if given["stages"] and (given["users"] is not None or given["time"]):
        raise LoadError("--stages stands instead of --users and --time: give one or the other")
    if given["tokens_file"] and given["tokens_command"]:
        raise LoadError("--tokens-file and --tokens-command: give one of them")
    tokens = None
    for kind in ("file", "command"):
        if given[f"tokens_{kind}"]:
            tokens = TokenSource(kind, given[f"tokens_{kind}"])
    plain = ("users", "spawn_rate", "channels", "rate", "size", "thresholds", "abort_on_breach", "processes", "seed")
    return Wishes(
        **{name: given[name] for name in plain},
        source_addresses=given["source_addresses"],
        time=_time("--time", given["time"]) if given["time"] else None,
        stages=parse_stages(given["stages"]) if given["stages"] else (),
        journeys=parse_journeys(given["journeys"], given["journeys_file"]) if given["journeys"] else None,
        journeys_file=given["journeys_file"],
        tokens=tokens,
    )


def _options(given: dict[str, Any]) -> Any:
    from loadtest.settings import LoadError
    from wsproof.capacity import Capacity
    from wsproof.load_testing import LoadOptions

    capacity = None
    if given["find_capacity"]:
        if given["master"]:
            raise LoadError("--find-capacity: expected no --master; it starts many runs")
        capacity = Capacity(given["find_capacity"], given["most"], _time("--step-time", given["step_time"]))
    elif given["most"] is not None:
        raise LoadError("--max is the highest load of --find-capacity: give both")
    if given["expect_workers"] and not given["master"]:
        raise LoadError("--expect-workers: expected --master HOST:PORT with it")
    names = (
        *("output", "formats", "json_path", "quiet", "language", "master", "expect_workers"),
        *("measure_only", "strict", "require_complete"),
    )
    wait = _time("--wait", given["wait"])
    return LoadOptions(**{name: given[name] for name in names}, wait=wait, capacity=capacity)


def _time(option: str, text: str) -> float:
    from contract.durations import seconds
    from loadtest.settings import LoadError

    try:
        return seconds(text)
    except ValueError as error:
        raise LoadError(f"{option} {text}: {error}") from None
