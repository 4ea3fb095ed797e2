"""The contract of a command: the option's, else that of the profile, else the chat's."""

import shlex
from pathlib import Path

import click

from contract.errors import ContractError
from contract.files import load_yaml
from contract.folder import DEFAULT, ContractFolder, bundled_names, find_contract
from contract.model import Contract, load_contract
from contract.requirements import requirements_of
from wsproof.commands.options import stop
from wsproof.commands.profiles import profile_path


def chosen_contract(option: str | None, profile: Path | None) -> ContractFolder:
    """The contract folder. Ends the program where there is none, or it is broken."""
    try:
        return contract_at(option, profile_path(profile))
    except ContractError as error:
        stop(f"--contract: {error}" if option is not None and error.file is None else str(error))


def contract_at(option: str | None, profile: Path | None, folder: Path = Path()) -> ContractFolder:
    """The contract folder; a path in the option is relative to `folder`. Raises `ContractError`."""
    if option is None:
        return _of_profile(profile)
    return find_contract(option if option in bundled_names() else str(folder / option))


def _of_profile(path: Path | None) -> ContractFolder:
    """What a profile names; a path there is relative to its file. What else is wrong with it, its reader says."""
    try:
        document = load_yaml(path) if path is not None and path.is_file() else None
    except ContractError:
        document = None
    named = document.value.get("contract") if document is not None and isinstance(document.value, dict) else None
    if document is None or not isinstance(named, str):
        return find_contract(DEFAULT)
    try:
        return find_contract(named if named in bundled_names() else document.path.parent / named)
    except ContractError as error:
        if error.file is not None:
            raise
        raise document.error(f"contract: {error.message}", ["contract"]) from None


def mention_notes(contract: Contract) -> None:
    """Say that parts of a document are not checked or cannot be told apart, and where to read of them."""
    count = len(contract.notes) + len(contract.naming.alike)
    if count:
        notes = f"{count} note{'' if count == 1 else 's'}"
        shown = shlex.join(["wsproof", "lint", "--contract", contract.folder.option or contract.folder.name])
        click.echo(f"wsproof: {contract.folder.asyncapi}: {notes} on what is not checked; see `{shown}`", err=True)


def list_contracts() -> None:
    """Print the bundled contracts and packs: name, title, requirements, and what each is for."""
    for name in bundled_names():
        folder = find_contract(name)
        contract = load_contract(folder)
        count = len(requirements_of(folder))
        requirements = f"{count} requirement{'' if count == 1 else 's'}"
        click.echo(f"{name}\n    {f'{contract.title} {contract.version}'.strip()}, {requirements}")
        if contract.roles.description is not None:
            click.echo(f"    {contract.roles.description}")
