"""The tables of faults in the READMEs of `examples/contracts/`: `python -m tests.contracts.tables` writes them."""

from pathlib import Path

from tests.contracts import graphql_faults, json_rpc_faults
from tests.contracts.examples import EXAMPLES
from tests.contracts.proxy import Fault

FAULTS = {"graphql-transport-ws": graphql_faults.FAULTS, "json-rpc": json_rpc_faults.FAULTS}
LIBERTIES = {"graphql-transport-ws": graphql_faults.LIBERTIES, "json-rpc": json_rpc_faults.LIBERTIES}

BEGIN, END = "<!-- faults: written by python -m tests.contracts.tables -->\n", "<!-- end -->\n"


def table(faults: tuple[Fault, ...], liberties: tuple[Fault, ...]) -> str:
    """Faults with the requirements that fail, and what is tolerated."""
    rows = [f"| `{one.name}` | {one.text} | {', '.join(sorted(one.breaks))} |" for one in faults]
    allowed = [f"| `{one.name}` | {one.text} | none |" for one in liberties]
    return "\n".join(["| fault | what the server does | fails |", "| --- | --- | --- |", *rows, *allowed]) + "\n"


def readme(name: str) -> Path:
    """That of an example."""
    return EXAMPLES / name / "README.md"


def with_table(name: str) -> str:
    """The README with the table as it is to be."""
    text = readme(name).read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table(FAULTS[name], LIBERTIES[name]) + END + rest.partition(END)[2]


if __name__ == "__main__":
    for each in FAULTS:
        readme(each).write_text(with_table(each), encoding="utf-8")
