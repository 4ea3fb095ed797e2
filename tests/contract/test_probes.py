"""How long a probe's text may be: what the contract says, and what the schema of its message has room for."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.folder import find_contract
from contract.model import load_contract
from contract.probes import probe_of
from tests.bundled import load_contract as chat

DOCUMENT = """\
asyncapi: 3.0.0
info: {title: Desk, version: 1.0.0}
channels:
  desk:
    address: /
    messages: {ask: {$ref: '#/components/messages/ask'}, asked: {$ref: '#/components/messages/asked'}}
operations:
  ask: {action: receive, channel: {$ref: '#/channels/desk'}, messages: [{$ref: '#/channels/desk/messages/ask'}]}
  asked: {action: send, channel: {$ref: '#/channels/desk'}, messages: [{$ref: '#/channels/desk/messages/asked'}]}
components:
  messages:
    asked: {payload: {type: object}}
    ask:
      payload:
        $schema: https://json-schema.org/draft/2020-12/schema
        type: array
        prefixItems: [{const: 2}, {type: string, maxLength: 36}, {type: object, properties: {text: {maxLength: 9}}}]
"""


def most(folder: Path, probe: dict[str, Any]) -> int:
    (folder / "asyncapi.yaml").write_text(DOCUMENT, encoding="utf-8")
    value = {"format": "wsproof.contract/1", "probe": {**probe, "expect": [{"name": "asked"}]}}
    (folder / "contract.yaml").write_text(yaml.safe_dump(value), encoding="utf-8")
    found = probe_of(load_contract(find_contract(folder)))
    assert found is not None
    return found.most


@pytest.mark.parametrize(
    ("send", "length"),
    [
        ([2, "${text}", {}], 36),
        ([2, "id-${text}", {}], 33),
        ([2, "id", {"text": "${text}"}], 9),
        ([2, "${text}", {"text": "${text}"}], 9),
        ([2, "id", {"other": "${text}"}], 4_096),
    ],
)
def test_the_schema_limits_it(tmp_path: Path, send: Any, length: int) -> None:
    assert most(tmp_path, {"send": send}) == length


def test_the_contract_limits_it(tmp_path: Path) -> None:
    assert most(tmp_path, {"send": [2, "${text}", {}], "text": {"max": 20}}) == 20


def test_that_of_the_chat() -> None:
    found = probe_of(chat())
    assert found is not None
    assert found.most == 4_096
