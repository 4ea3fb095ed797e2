"""The groups of a codec's pattern are members of every message, whether a message's schema names them or not."""

from pathlib import Path

import pytest

from contract.folder import find_contract
from contract.model import load_contract

FILES = {
    "asyncapi.yaml": """
asyncapi: 2.6.0
info: {title: Frames, version: "1"}
channels:
  /:
    subscribe:
      message:
        name: open
        payload: {properties: {type: {const: "0"}, data: {type: object, properties: {sid: {type: string}}}}}
""",
    "contract.yaml": """
format: wsproof.contract/1
messages:
  codec: {text: '(?P<type>[0-6])(?P<kind>[0-6]?)(?P<data>.*)', json: [data]}
""",
}


@pytest.mark.parametrize(
    ("text", "pointers"), [('0{"sid": "a"}', ()), ('0{"sid": "a", "more": 1}', ("/data/more",)), ('03{"sid": "a"}', ())]
)
def test_a_group_is_not_the_endpoints_own_member(tmp_path: Path, text: str, pointers: tuple[str, ...]) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    contract = load_contract(find_contract(str(tmp_path)))
    assert contract.undeclared_members("open", contract.codec.decode(text)) == pointers
