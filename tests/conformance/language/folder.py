"""A folder of scenario files."""

from pathlib import Path
from textwrap import dedent

import pytest

from conformance.language.scenario import Scenario
from contract.errors import ContractError
from tests.bundled import load_scenarios, read_scenarios

HEAD = "format: wsproof.scenarios/1\n"

PROCEDURES = """\
procedures:
  say:
    parameters: {words: null, to: alice}
    steps:
      - send: {actor: "${to}", event: e, payload: "${words} ${call}"}
        requirement: SEND-01
  twice:
    parameters: {words: null}
    steps:
      - call: say
        with: {words: "${words}!"}
      - call: say
        with: {words: "${words}?", to: alice}
        requirement: SEND-02
        level: SHOULD
"""


class Folder:
    """A folder of scenario files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, text: str, name: str = "own.yaml") -> Path:
        path = self.path / name
        path.write_text(HEAD + dedent(text), encoding="utf-8")
        return path

    def load(self, text: str, name: str = "own.yaml") -> tuple[Scenario, ...]:
        return read_scenarios(self.write(text, name))

    def error(self, text: str) -> str:
        path = self.write(text)
        with pytest.raises(ContractError) as caught:
            load_scenarios(path)
        return str(caught.value).removeprefix(f"{path}:")
