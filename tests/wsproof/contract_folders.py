"""Small contracts in folders, as users bring them."""

from pathlib import Path

from contract.folder import find_contract

API = """\
asyncapi: 3.0.0
info: {title: Doors, version: 2.1.0}
channels:
  door:
    address: /
    messages:
      welcome: {$ref: '#/components/messages/welcome'}
      open: {$ref: '#/components/messages/open'}
      opened: {$ref: '#/components/messages/opened'}
operations:
  tell:
    action: send
    channel: {$ref: '#/channels/door'}
    messages: [{$ref: '#/channels/door/messages/welcome'}, {$ref: '#/channels/door/messages/opened'}]
  hear:
    action: receive
    channel: {$ref: '#/channels/door'}
    messages: [{$ref: '#/channels/door/messages/open'}]
components:
  messages:
    welcome:
      payload: {type: object, required: [type], properties: {type: {const: welcome}, session: {type: string}}}
    open:
      payload:
        type: object
        required: [type, id]
        properties: {type: {const: open}, id: {type: string}}
    opened:
      payload: {type: object, required: [type, id], properties: {type: {const: opened}, id: {type: string}}}
"""

ROLES = """\
format: wsproof.contract/1
authentication: {in: none}
acknowledgement: {expect: welcome, id: session}
requests: [{name: open, id: id, replies: [{name: opened, last: true}]}]
"""


def contract_folder(
    folder: Path, roles: str | None = ROLES, api: str | None = API, name: str = "asyncapi.yaml"
) -> Path:
    """A contract in a folder, which is made; what is None is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in (("contract.yaml", roles), (name, api)):
        if text is not None:
            (folder / file).write_text(text, encoding="utf-8")
    find_contract.cache_clear()
    return folder
