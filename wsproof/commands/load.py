"""The command `wsproof load`: its options become wishes, and the plan's file adds to them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsproof.commands.extras import need
from wsproof.commands.number_options import Whole
from wsproof.commands.options import (
    FORMAT_HELP,
    contract_option,
    language_option,
    profile_options,
    reference_option,
    stop,
)
from wsproof.commands.strictness import StrictCommand

if TYPE_CHECKING:
    from contract.folder import ContractFolder

COUNT = click.INT
WAIT = "60s"


@click.command(cls=StrictCommand)
@click.argument("url", required=False, envvar="WSPROOF_URL")
@contract_option
@profile_options
@reference_option
@click.option(
    "--plan",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    envvar="WSPROOF_PLAN",
    help="File with the settings of the run (schemas/load-plan.schema.json). Options override it.",
)
@click.option("--users", type=COUNT, help="Number of virtual users. Default: 20.")
@click.option("--spawn-rate", type=float, help="Users started per second. Default: all within one second.")
@click.option("--time", metavar="TIME", help="Duration, for example 90s or 5m. Default: 30s.")
@click.option(
    "--stages",
    metavar="USERS:TIME,…",
    help="Ramp users up and down, for example 100:30s,100:5m,0:10s. Replaces --users and --time.",
)
@click.option(
    "--journey",
    "journeys",
    multiple=True,
    metavar="NAME[:WEIGHT]",
    help="Journey to run. Default: the first one of the contract. Can be repeated.",
)
@click.option(
    "--journeys", "journeys_file", metavar="FILE", help="File with your own journeys, in addition to the bundled ones."
)
@click.option("--channels", type=COUNT, help="Number of channels that the users share. Default: 1.")
@click.option("--rate", type=float, help="Posts per second of each user. Default: 1.")
@click.option("--size", type=COUNT, help="Characters per posted text. Default: 100.")
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="EXPRESSION",
    help="Pass/fail criterion, for example 'p99(post_to_own) < 200ms'. Can be repeated.",
)
@click.option("--abort-on-breach", is_flag=True, default=None, help="Stop as soon as a threshold is breached.")
@click.option("--measure-only", is_flag=True, help="Measure and evaluate thresholds, but do not judge requirements.")
@click.option("--strict", is_flag=True, help="Treat every SHOULD as a MUST.")
@click.option("--require-complete", is_flag=True, help="Exit with 1 if the verdict is incomplete.")
@click.option("--processes", type=COUNT, help="Number of processes that run users. Default: 1.")
@click.option(
    "--source-address",
    "source_addresses",
    multiple=True,
    metavar="ADDRESS",
    help="Local address to connect from. Can be repeated; addresses are used in turn.",
)
@click.option("--tokens-file", metavar="FILE", help="File with one token per line, one for each user.")
@click.option("--tokens-command", metavar="COMMAND", help="Command that prints one token per line.")
@click.option("--seed", type=Whole(0, 2**32 - 1), help="Seed of the users' start offsets and jitter.")
@click.option(
    "--find-capacity",
    type=click.Choice(["users", "rate"]),
    help="Find the highest number of users, or rate, at which all thresholds hold.",
)
@click.option("--max", "most", type=float, help="Highest load that --find-capacity tries.")
@click.option(
    "--step-time", default="10s", show_default=True, metavar="TIME", help="Duration of each step of --find-capacity."
)
@click.option("--master", metavar="HOST:PORT", help="Run as master: listen here for workers, which run the users.")
@click.option("--expect-workers", type=COUNT, default=0, help="Start when this many workers have connected.")
@click.option(
    "--wait",
    default=WAIT,
    show_default=True,
    metavar="TIME",
    help="How long --master waits for its workers, and --worker for its master.",
)
@click.option(
    "--worker",
    metavar="HOST:PORT",
    help="Run users for this master. Only --contract, --profile, --set, --source-address and --wait apply.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("wsproof-report"),
    show_default=True,
    help="Directory for load.json and load.html.",
)
@click.option("--format", "formats", multiple=True, metavar="NAME[=FILE]", help=FORMAT_HELP)
@click.option("--json", "json_path", metavar="FILE", help="Also write load.json to FILE; - is stdout.")
@language_option
@click.option("-q", "--quiet", is_flag=True, help="Do not show progress.")
def load(
    url: str | None,
    contract: str | None,
    profile: Path | None,
    changes: tuple[str, ...],
    reference: bool,
    plan: Path | None,
    **given: Any,
) -> None:
    """Load-test an endpoint with virtual users.

    If URL is omitted and there is no profile, a built-in reference server is started and tested.

    Exit codes: 0 passed, 1 a MUST failed, a threshold was breached or nothing was measured, 2 usage error or invalid
    file, 3 endpoint unreachable, 130 interrupted.
    On SIGINT and SIGTERM, the users disconnect normally and the report is still written.
    """
    need("load", "wsproof load")
    from loadtest.settings.plan import read_plan
    from loadtest.settings.settings import LoadError
    from wsproof.commands.contracts import chosen_contract
    from wsproof.commands.load_run import ProfileSource, run_load_test, run_worker_for
    from wsproof.commands.profiles import profile_sources, read_profile, tested

    try:
        planned = read_plan(plan) if plan is not None else None
        named = planned.endpoint if planned is not None else None
        # The reference server's heartbeat, where it is what is tested, is one that a short run sees.
        other = not reference and (url or named or given["worker"])
        defaults = {} if other else {"heartbeat.interval": 5, "heartbeat.timeout": 10}
        path, overrides = profile_sources(profile, changes, defaults)
        folder = chosen_contract(contract, profile)
        source = ProfileSource(folder, read_profile(folder, profile, changes, defaults), path, overrides)
        if given["worker"]:
            sys.exit(run_worker_for(given["worker"], source, _time("--wait", given["wait"]), given["source_addresses"]))
        wishes = _wishes(folder, given)
        options = _options(given)
        address = tested(url, named or source.profile.endpoint, path, folder, reference=reference)
        sys.exit(run_load_test(address, source, wishes.over(planned) if planned is not None else wishes, options))
    except LoadError as error:
        stop(str(error))


def _wishes(folder: "ContractFolder", given: dict[str, Any]) -> Any:
    from loadtest.settings.plan import Wishes, parse_stages
    from loadtest.settings.settings import LoadError, TokenSource

    if given["stages"] and (given["users"] is not None or given["time"]):
        raise LoadError("--stages cannot be used with --users or --time")
    if given["tokens_file"] and given["tokens_command"]:
        raise LoadError("--tokens-file and --tokens-command cannot be used together")
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
        journeys=_journeys(folder, given) if given["journeys"] else None,
        journeys_file=given["journeys_file"],
        tokens=tokens,
    )


def _journeys(folder: "ContractFolder", given: dict[str, Any]) -> dict[str, float]:
    from contract.model import load_contract
    from loadtest.settings.settings import parse_journeys

    return parse_journeys(load_contract(folder), given["journeys"], given["journeys_file"])


def _options(given: dict[str, Any]) -> Any:
    from loadtest.settings.settings import LoadError
    from wsproof.commands.capacity import Capacity
    from wsproof.commands.load_run import LoadOptions

    capacity = None
    if given["find_capacity"]:
        if given["master"]:
            raise LoadError("--find-capacity cannot be used with --master")
        capacity = Capacity(given["find_capacity"], given["most"], _time("--step-time", given["step_time"]))
    elif given["most"] is not None:
        raise LoadError("--max needs --find-capacity")
    if given["expect_workers"] and not given["master"]:
        raise LoadError("--expect-workers needs --master HOST:PORT")
    names = (
        *("output", "formats", "json_path", "quiet", "language", "master", "expect_workers"),
        *("measure_only", "strict", "require_complete"),
    )
    wait = _time("--wait", given["wait"])
    return LoadOptions(**{name: given[name] for name in names}, wait=wait, capacity=capacity)


def _time(option: str, text: str) -> float:
    from contract.durations import seconds
    from loadtest.settings.settings import LoadError

    try:
        return seconds(text)
    except ValueError as error:
        raise LoadError(f"{option} {text}: {error}") from None
