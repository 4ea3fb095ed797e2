"""Contract folders: what describes one API, in the files of one folder.

    contract.yaml       the roles of its messages (`contract.roles`)
    asyncapi.yaml       its messages; .yml and .json as well. May be somebody else's file, and is never edited
    requirements.yaml   what it promises; without one, the pack `messages` says it of every contract
    scenarios/ thorough/ journeys/ fuzz/
    profile.yaml        defaults and fixtures for an endpoint's wsproof.yaml

All are optional, but one of the first two is there. A bundled folder is named by its name, a user's by its path. What
`include` names are packs: bundled folders whose requirements and scenarios any contract can have.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from contract.errors import ContractError
from contract.files import DATA_ROOT, Document, load_yaml, readable
from contract.mistakes import check_document
from contract.plain_words import near
from contract.role_reading import read_roles
from contract.roles import Roles

BUNDLED = DATA_ROOT / "spec"

CONTRACT = "contract.yaml"
ASYNCAPI = ("asyncapi.yaml", "asyncapi.yml", "asyncapi.json")
DEFAULT = "chat"
"""The contract of a run that names none: the one that came first."""

GENERIC = "messages"
"""The pack for a contract without requirements of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class ContractFolder:
    """One contract. `asyncapi` is its document; `packs` are what it includes."""

    name: str
    path: Path
    roles: Roles = field(default_factory=Roles)
    document: Document | None = field(default=None, repr=False, compare=False)
    """contract.yaml, where there is one."""
    asyncapi: Path | None = None
    packs: tuple["ContractFolder", ...] = ()

    @property
    def is_bundled(self) -> bool:
        """Whether it came with wsproof."""
        return self.path.parent == BUNDLED

    @property
    def place(self) -> Path:
        """What `find_contract` finds it by, if it is not bundled: the folder, or its document alone."""
        alone = self.document is None and self.asyncapi is not None and self.asyncapi.name not in ASYNCAPI
        return self.asyncapi if alone and self.asyncapi is not None else self.path

    @property
    def option(self) -> str | None:
        """What `--contract` names it by; None: it is the default one."""
        if self.is_bundled:
            return None if self.name == DEFAULT else self.name
        return readable(self.place)

    @property
    def whole(self) -> tuple["ContractFolder", ...]:
        """The folder and its packs."""
        return (self, *self.packs)

    @property
    def requirements(self) -> Path:
        """The file of its own requirements, whether or not there is one."""
        return self.path / "requirements.yaml"

    @property
    def profile(self) -> Path:
        """The file of defaults, whether or not there is one."""
        return self.path / "profile.yaml"

    def folder(self, name: str) -> Path | None:
        """A folder of its own, such as `scenarios`; None where there is none, or it is empty."""
        found = self.path / name
        return found if any(found.glob("*.y*ml")) else None

    def error(self, text: str, *where: str | int) -> ContractError:
        """A mistake in contract.yaml, at the value that `where` leads to."""
        if self.document is None:
            return ContractError(text, self.path)
        return self.document.error(text, where)


def bundled_names() -> list[str]:
    """The names of the bundled contracts and packs."""
    return sorted(path.parent.name for path in BUNDLED.glob(f"*/{CONTRACT}"))


@cache
def find_contract(name: str | Path) -> ContractFolder:
    """The contract of a bundled name, or of a path: a folder, or an AsyncAPI document alone.

    Raises `ContractError`: there is none, or contract.yaml is broken.
    """
    path = Path(name)
    if isinstance(name, str) and (BUNDLED / name / CONTRACT).is_file() and "/" not in name:
        return _read(BUNDLED / name, name)
    if path.is_dir():
        whole = path.resolve()
        # In a checkout, a bundled one may be named by its path.
        return _read(path, whole.name) if whole.parent != BUNDLED else find_contract(whole.name)
    if path.is_file() and path.name not in (CONTRACT,):
        return ContractFolder(path.stem, path.parent, asyncapi=path, packs=_packs((), path.parent))
    if path.is_file():
        return _read(path.parent, path.resolve().parent.name)
    known = bundled_names()
    shown = readable(name)
    others = near(shown, known) or f"; bundled: {', '.join(known)}"
    raise ContractError(
        f"no contract {shown!r}: expected a directory, an AsyncAPI document or a bundled contract{others}"
    )


def _read(path: Path, name: str) -> ContractFolder:
    asyncapi = next((path / one for one in ASYNCAPI if (path / one).is_file()), None)
    file = path / CONTRACT
    if not file.is_file():
        if asyncapi is None:
            raise ContractError(f"not a contract: expected {CONTRACT} or {ASYNCAPI[0]} in it", path)
        return ContractFolder(name, path, asyncapi=asyncapi, packs=_packs((), path))
    document = load_yaml(file)
    check_document(document, "contract")
    try:
        roles = read_roles(document.value)
    except ValueError as error:
        raise ContractError(str(error), file) from None
    return ContractFolder(name, path, roles, document, asyncapi, _packs(roles.include, path, document))


def _packs(names: tuple[str, ...], path: Path, document: Document | None = None) -> tuple[ContractFolder, ...]:
    """What a folder includes; what has no requirements of its own gets the generic ones."""
    wanted = list(names)
    if GENERIC not in wanted and path != BUNDLED / GENERIC and not (path / "requirements.yaml").is_file():
        wanted.append(GENERIC)
    return tuple(_found(dict.fromkeys(wanted), document))


def _found(names: dict[str, None], document: Document | None) -> Iterator[ContractFolder]:
    for index, name in enumerate(names):
        if not (BUNDLED / name / CONTRACT).is_file():
            if name == GENERIC:
                continue
            text = f"include: no pack {name!r}{near(name, bundled_names())}"
            raise document.error(text, ("include", index)) if document is not None else ContractError(text)
        yield find_contract(name)
