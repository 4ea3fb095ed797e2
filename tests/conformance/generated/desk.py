"""A small API that is not the chat: requests with ids, a heartbeat of the client, errors; and its right server.

A faulty server overrides a method; `Checked` plays what the contract gives by itself.
"""

import contextlib
import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from conformance.judge.verdicts import ScenarioVerdict, requirement_verdicts
from conformance.play.plan import Plan
from conformance.run.run import Run
from conformance.run.suite import load_suite
from conformance.transport.target import target_for
from contract.folder import find_contract
from contract.model import Contract, load_contract
from contract.profile import Profile, load_profile

ROLES = """\
format: wsproof.contract/1
authentication: {in: query, name: key, refused: [{status: [401]}]}
messages: {name: [{at: kind}]}
acknowledgement: {expect: {name: welcome}, id: session}
heartbeats: [{by: client, ping: {name: beat}, answer: {name: beaten}, timeout: 1s}]
requests:
  - by: client
    name: look
    id: id
    replies:
      - {name: part, id: id, times: any}
      - {name: found, id: id, last: true}
      - {name: lost, id: id, last: true, failure: true}
errors:
  message: {name: fault, code: code, about: {name: about}}
  codes: [NOT_JSON, NO_MESSAGE, NOBODY_KNOWS, WRONG]
  reactions:
    not-json: [{error: NOT_JSON}]
    malformed: [{error: NO_MESSAGE}, {close: 4400}]
    unknown-name: [{error: NOBODY_KNOWS}]
    invalid-payload: [{error: WRONG}]
    other-direction: [{close: 4401}]
numbers: [{at: number, step: 1}]
"""

ASYNCAPI = """\
asyncapi: 3.0.0
info: {title: Desk, version: 1.0.0}
channels:
  socket:
    address: /desk
    messages:
      welcome: {$ref: '#/components/messages/welcome'}
      part: {$ref: '#/components/messages/part'}
      found: {$ref: '#/components/messages/found'}
      lost: {$ref: '#/components/messages/lost'}
      fault: {$ref: '#/components/messages/fault'}
      beaten: {$ref: '#/components/messages/beaten'}
      beat: {$ref: '#/components/messages/beat'}
      look: {$ref: '#/components/messages/look'}
      reset: {$ref: '#/components/messages/reset'}
operations:
  tell:
    action: send
    channel: {$ref: '#/channels/socket'}
    messages:
      - {$ref: '#/channels/socket/messages/welcome'}
      - {$ref: '#/channels/socket/messages/part'}
      - {$ref: '#/channels/socket/messages/found'}
      - {$ref: '#/channels/socket/messages/lost'}
      - {$ref: '#/channels/socket/messages/fault'}
      - {$ref: '#/channels/socket/messages/beaten'}
  hear:
    action: receive
    channel: {$ref: '#/channels/socket'}
    messages:
      - {$ref: '#/channels/socket/messages/beat'}
      - {$ref: '#/channels/socket/messages/look'}
      - {$ref: '#/channels/socket/messages/reset'}
components:
  messages:
    welcome:
      payload:
        type: object
        required: [kind, session]
        properties: {kind: {const: welcome}, session: {type: string}, number: {type: integer}}
    part:
      payload:
        type: object
        required: [kind, id, text]
        properties: {kind: {const: part}, id: {}, text: {type: string}, number: {type: integer}}
    found:
      payload:
        type: object
        required: [kind, id, count]
        properties: {kind: {const: found}, id: {}, count: {type: integer}, number: {type: integer}}
    lost:
      payload:
        type: object
        required: [kind, id]
        properties: {kind: {const: lost}, id: {}, number: {type: integer}}
    fault:
      payload:
        type: object
        required: [kind, code]
        properties: {kind: {const: fault}, code: {type: string}, about: {type: string}, number: {type: integer}}
    beaten:
      payload:
        type: object
        required: [kind]
        properties: {kind: {const: beaten}, number: {type: integer}}
    beat:
      payload:
        type: object
        required: [kind]
        properties: {kind: {const: beat}, at: {type: integer}}
    look:
      payload:
        type: object
        required: [kind, id, what]
        properties:
          kind: {const: look}
          id: {type: [string, integer]}
          what: {type: object, required: [colour], properties: {colour: {type: string}}}
        examples: [{kind: look, id: 7, what: {colour: red}}]
    reset:
      payload: {type: object, required: [kind], properties: {kind: {const: reset}}, examples: [{kind: reset}]}
"""

TOKEN = "desk-token"
PROFILE: Mapping[str, Any] = {
    "users.alice.token": TOKEN,
    "response_timeout": "1s",
    "ack_timeout": "1s",
    "quiet_period": "300ms",
}


class Desk:
    """The right server."""

    def __init__(self) -> None:
        self.resets = 0
        self.sessions = itertools.count(1)

    def authorised(self, key: str | None) -> bool:
        return key == TOKEN

    def refused(self, connection: ServerConnection, request: Request) -> Response | None:
        key = parse_qs(urlsplit(request.path).query).get("key", [None])[0]
        return None if self.authorised(key) else connection.respond(HTTPStatus.UNAUTHORIZED, "no\n")

    def talk(self, connection: ServerConnection) -> None:
        talk = Talk(connection)
        self.welcome(talk)
        for text in connection:
            self.heard(talk, text)

    def welcome(self, talk: "Talk") -> None:
        talk.say(kind="welcome", session=self.session())

    def session(self) -> str:
        return f"s-{next(self.sessions)}"

    def heard(self, talk: "Talk", text: str | bytes) -> None:
        try:
            value = json.loads(text)
        except ValueError:
            self.fault(talk, "NOT_JSON")
            return
        if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
            self.fault(talk, "NO_MESSAGE")
            return
        match value["kind"]:
            case "beat":
                self.beaten(talk)
            case "look":
                self.looked(talk, value)
            case "reset":
                self.resets += 1
                self.reset(talk)
            case "welcome" | "part" | "found" | "lost" | "fault" | "beaten":
                self.reversed(talk)
            case other:
                self.unknown(talk, other)

    def looked(self, talk: "Talk", value: Mapping[str, Any]) -> None:
        what = value.get("what")
        if not isinstance(value.get("id"), str | int) or not isinstance(what, dict):
            self.wrong(talk)
        elif not isinstance(what.get("colour"), str):
            self.colourless(talk)
        else:
            self.found(talk, value["id"])

    def reset(self, talk: "Talk") -> None:
        """Nothing answers it."""

    def beaten(self, talk: "Talk") -> None:
        talk.say(kind="beaten")

    def found(self, talk: "Talk", identity: Any) -> None:
        talk.say(kind="part", id=identity, text="one")
        talk.say(kind="found", id=identity, count=1)

    def wrong(self, talk: "Talk") -> None:
        self.fault(talk, "WRONG", "look")

    def colourless(self, talk: "Talk") -> None:
        self.wrong(talk)

    def unknown(self, talk: "Talk", name: str) -> None:
        self.fault(talk, "NOBODY_KNOWS", name)

    def reversed(self, talk: "Talk") -> None:
        talk.connection.close(4401)

    def fault(self, talk: "Talk", code: str, about: str | None = None) -> None:
        talk.say(kind="fault", code=code, **({} if about is None else {"about": about}))


class Talk:
    """One connection, with its count."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.count = itertools.count(1)

    def say(self, **message: Any) -> None:
        self.connection.send(json.dumps({**message, "number": next(self.count)}))


@contextlib.contextmanager
def running(desk: Desk) -> Iterator[str]:
    """The URL of a server."""

    def handle(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            desk.talk(connection)

    with serve(handle, "127.0.0.1", 0, process_request=desk.refused, close_timeout=5) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/desk"
        finally:
            server.shutdown()
            thread.join()


def written(folder: Path, roles: str = ROLES, asyncapi: str = ASYNCAPI) -> Contract:
    """The contract in a folder of a user's."""
    folder.mkdir(exist_ok=True)
    (folder / "contract.yaml").write_text(roles, encoding="utf-8")
    (folder / "asyncapi.yaml").write_text(asyncapi, encoding="utf-8")
    find_contract.cache_clear()
    return load_contract(find_contract(folder))


def profile_of(contract: Contract) -> Profile:
    return load_profile(None, dict(PROFILE), contract=contract.folder)


class Checked:
    """What a run found."""

    def __init__(self, contract: Contract, desk: Desk) -> None:
        self.suite = load_suite(contract)
        profile = profile_of(contract)
        with running(desk) as url:
            plan = Plan(target_for(url, profile), contract, profile, self.suite.requirements)
            run = Run(plan, self.suite.scenarios)
            run.start()
            self.verdicts: list[ScenarioVerdict] = run.verdicts()
        self.requirements = requirement_verdicts(self.suite.requirements, self.verdicts)

    @property
    def failed(self) -> set[str]:
        return {one.requirement.id for one in self.requirements if one.deciding.verdict == "failed"}

    @property
    def undecided(self) -> dict[str, str]:
        return {
            one.requirement.id: str(one.deciding.reason)
            for one in self.requirements
            if one.counts and one.deciding.verdict not in ("passed", "failed")
        }

    @property
    def observed(self) -> dict[str, str]:
        return {str(one.what): str(one.seen) for each in self.verdicts for one in each.outcome.observations}
