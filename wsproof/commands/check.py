"""`wsproof check`: what the options choose is checked at the endpoint that they name."""

import contextlib

import click

from conformance.language.selection import SelectionError
from conformance.play.plan import DEFAULT_JOBS, Plan
from conformance.run.descriptors import fitted, within_sessions
from conformance.run.run import THOROUGH_ROUNDS
from conformance.transport.target import Target, UnreachableError, target_for
from conformance.transport.troubles import OwnTroubleError
from contract.errors import ContractError
from contract.folder import ContractFolder
from contract.formats import RESULTS
from contract.model import Contract, load_contract
from contract.profile import Profile
from wsproof.commands.check_options import CheckOptions
from wsproof.commands.check_run import Check
from wsproof.commands.choosing import Chosen, choose, expected_failures, former_baseline, list_scenarios
from wsproof.commands.contracts import mention_notes
from wsproof.commands.endpoints import EndpointError, endpoint
from wsproof.exit_codes import ExitCode
from wsproof.output.files import OutputError, prepare_file, prepare_folder
from wsproof.output.formats import Wanted, wanted_reports
from wsproof.output.locking import sole_writer

REPORTS = ("html", "junit", "json")
"""The reports of every check."""


def run_check(url: str | None, folder: ContractFolder, profile: Profile, options: CheckOptions) -> int:
    """Check an endpoint, write the reports, and give the exit code back."""
    try:
        contract = load_contract(folder, profile.limits)
        if not options.quiet:
            mention_notes(contract)
        chosen = choose(contract, options)
        baseline = None if options.baseline is None else expected_failures(options.baseline, options, chosen)
        former = former_baseline(options, chosen, baseline or ())
        with contextlib.ExitStack() as stack:
            prepare_folder(options.output)
            stack.enter_context(sole_writer(options.output, "check"))
            wanted = _prepare(options)
            address = stack.enter_context(endpoint(url, profile))
            target = target_for(address, profile, embedded=url is None)
            plan = _plan(target, contract, profile, chosen, options, embedded=url is None)
            return Check(address, plan, chosen.scenarios, options, baseline, former, wanted, embedded=url is None).run()
    except (SelectionError, EndpointError, ContractError, OutputError, OwnTroubleError) as error:
        return _complain(str(error), ExitCode.USAGE)
    except UnreachableError as error:
        return _complain(f"the endpoint {url} cannot be reached: {error}", ExitCode.UNREACHABLE)
    except ValueError as error:
        return _complain(f"{url}: {error}", ExitCode.USAGE)


def _plan(
    target: Target, contract: Contract, profile: Profile, chosen: Chosen, options: CheckOptions, *, embedded: bool
) -> Plan:
    """What the run is made of, with as many jobs as file descriptors are enough for. Raises `OwnTroubleError`."""
    jobs = options.jobs or DEFAULT_JOBS
    rounds = THOROUGH_ROUNDS if options.thorough else 1
    plan = Plan(target, contract, profile, chosen.suite.requirements, jobs, options.time_scale, rounds)
    plan = within_sessions(plan, chosen.scenarios)
    fitting = fitted(plan, chosen.scenarios, embedded=embedded)
    if fitting.jobs < plan.jobs and not options.quiet:
        why = "the limit of file descriptors (ulimit -n) is too low for more"
        click.echo(f"wsproof: running {fitting.jobs} scenarios at once instead of {plan.jobs}: {why}", err=True)
    return fitting


def run_list(folder: ContractFolder, options: CheckOptions) -> int:
    """List what the options choose, without an endpoint, and give the exit code back."""
    try:
        return list_scenarios(load_contract(folder), options)
    except (SelectionError, ContractError, OutputError) as error:
        return _complain(str(error), ExitCode.USAGE)


def _complain(message: str, code: int) -> int:
    click.echo(f"wsproof: {message}", err=True)
    return code


def _prepare(options: CheckOptions) -> tuple[Wanted, ...]:
    """What cannot be written is said before the run, and not after it; the reports that are wanted."""
    if options.write_baseline is not None:
        prepare_file(options.write_baseline, "--write-baseline")
    return wanted_reports(REPORTS, options.formats, options.json_path, options.output, RESULTS)
