"""`wsproof lint`: what a path is, and the findings about it."""

from pathlib import Path

from conformance.run.contract_lint import is_contract, lint_contract
from conformance.run.lint import Findings, lint_scenarios
from conformance.run.profile_lint import is_profile, lint_profile
from contract.folder import find_contract
from contract.model import load_contract
from wsproof.commands.contracts import chosen_contract, contract_at
from wsproof.commands.options import stop
from wsproof.commands.profiles import profile_path


def linted(path: Path | None, contract: str | None) -> Findings:
    """The findings about a path, or without one about the contract. Ends the program where an option is wrong."""
    if path is None:
        return lint_contract(lambda: contract_at(contract, profile_path(None)))
    if is_contract(path):
        if contract is not None:
            stop(f"{path} is a contract: --contract (or WSPROOF_CONTRACT) cannot be used with it")
        return lint_contract(lambda: find_contract(str(path)))
    if is_profile(path):
        return lint_profile(path, chosen_contract(contract, path))
    return lint_scenarios(load_contract(chosen_contract(contract, None)), path)
