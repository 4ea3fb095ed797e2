"""`wsproof lint wsproof.yaml`: what is wrong with an endpoint's file, without an endpoint."""

from pathlib import Path

from conformance.run.lint import Findings
from contract.errors import ContractError
from contract.files import load_yaml
from contract.folder import ContractFolder
from contract.profile import load_profile

USUAL_NAME = "wsproof.yaml"


def lint_profile(path: Path, contract: ContractFolder) -> Findings:
    """Read a profile, with the variables that are set here, and run no command. Never raises for its content."""
    problems: tuple[str, ...] = ()
    try:
        load_profile(path, contract=contract, run_commands=False)
    except ContractError as error:
        problems = error.lines
    return Findings(problems, f"the profile: {len(problems)} problem{'' if len(problems) == 1 else 's'}")


def is_profile(path: Path) -> bool:
    """Whether a file is an endpoint's, which has no `format`, and not one of scenarios."""
    if not path.is_file():
        return False
    try:
        value = load_yaml(path).value
    except ContractError:
        return path.name == USUAL_NAME
    if not isinstance(value, dict):
        return path.name == USUAL_NAME
    return "format" not in value and (path.name == USUAL_NAME or bool({"endpoint", "users", "contract"} & {*value}))
