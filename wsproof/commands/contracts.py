"""The contract of a command: the option's, else that of the profile, else the chat's."""

from pathlib import Path

import click

from contract.errors import ContractError
from contract.files import load_yaml
from contract.folder import DEFAULT, ContractFolder, bundled_names, find_contract
from contract.model import load_contract
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
        return find_contract(_of_profile(profile))
    return find_contract(option if option in bundled_names() else str(folder / option))


def _of_profile(path: Path | None) -> str | Path:
    """What a profile names; a folder there is relative to its file. What is wrong with it, its reader says."""
    if path is None or not path.is_file():
        return DEFAULT
    try:
        value = load_yaml(path).value
    except ContractError:
        return DEFAULT
    named = value.get("contract") if isinstance(value, dict) else None
    if not isinstance(named, str):
        return DEFAULT
    return named if named in bundled_names() else path.parent / named


def list_contracts() -> None:
    """Print the bundled contracts and packs, a line each."""
    rows = []
    for name in bundled_names():
        folder = find_contract(name)
        contract = load_contract(folder)
        own = sum(one.section.id != "" for one in requirements_of(folder).values())
        rows.append((name, f"{contract.title} {contract.version}".strip(), f"{own} requirements"))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for row in rows:
        click.echo("  ".join([*(part.ljust(width) for part, width in zip(row, widths, strict=False)), row[2]]))
