"""`spec/asyncapi.yaml`: accepted by AsyncAPI's parser, and by the schema of our `x-` members."""

import copy
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec" / "asyncapi.yaml"
SCRIPT = Path(__file__).with_name("parse_asyncapi.cjs")
PARSER = "@asyncapi/parser"
PARSER_VERSION = "3.6.3"
ERROR = 0  # the severities of the parser's diagnostics: error, warning, information, hint

# npm's codes for "the network or the cache did not give it". Any other failure (a version that does
# not exist, for instance) is a mistake of ours and fails the test.
OFFLINE = re.compile(
    r"\b(EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTCACHED|ENOTFOUND|ETIMEDOUT"
    r"|ERR_SOCKET_TIMEOUT)\b"
)

EVENTS = {
    "connection_ack": "server",
    "ping": "server",
    "pong": "client",
    "join_channel": "client",
    "send_message": "client",
    "new_message": "server",
    "error": "server",
}

# The defaults of the profile: changing one of them changes what every endpoint is measured by.
DEFAULTS: dict[str, Any] = {
    "x-acknowledgement": {"event": "connection_ack", "session": "payload.sessionId"},
    "x-heartbeat": {
        "ping": "ping",
        "pong": "pong",
        "interval": 30,
        "tolerance": 0.2,
        "timeout": 10,
        "form": "message",
    },
    "x-timeouts": {"ack": 5, "response": 5, "quiet": 0.5},
    "x-reconnect": {"base": 1, "factor": 2, "cap": 30, "jitter": "full"},
    "x-limits": {"message_bytes": 65_536, "text_length": 4_096},
}
CLOSE_CODES = {
    "normal": 1000,
    "going_away": 1001,
    "protocol_error": 1002,
    "unsupported_data": 1003,
    "invalid_utf8": 1007,
    "policy": 1008,
    "too_large": 1009,
    "internal_error": 1011,
    "token_expired": 4401,
    "heartbeat_timeout": 4408,
    "rate_limited": 4429,
}
ERROR_CODES = {
    "INVALID_JSON",
    "INVALID_MESSAGE",
    "INVALID_PAYLOAD",
    "UNKNOWN_EVENT",
    "PERMISSION_DENIED",
    "CHANNEL_NOT_FOUND",
    "NOT_JOINED",
    "RATE_LIMITED",
    "INTERNAL_ERROR",
}


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(SPEC.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def extensions() -> Draft202012Validator:
    path = ROOT / "schemas" / "asyncapi-extensions.schema.json"
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def install_parser(npm: str, folder: Path) -> None:
    """Install the parser into `folder`, which comes into being as a whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        (Path(place) / "package.json").write_text('{"private": true}', encoding="utf-8")
        options = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
        # Without a network npm would otherwise try for minutes.
        options += ["--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
        done = subprocess.run(
            [npm, "install", *options, f"{PARSER}@{PARSER_VERSION}"],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            offline = OFFLINE.search(done.stderr)
            if offline:
                pytest.skip(f"{PARSER} {PARSER_VERSION} cannot be fetched: {offline[0]}")
            pytest.fail(f"npm install failed:\n{done.stderr}")
        try:
            (Path(place) / "node_modules").rename(folder)
        except OSError:
            # Another run was faster. A folder that is not there has another cause.
            if not folder.is_dir():
                raise


@pytest.fixture(scope="module")
def parse() -> Callable[[Path], Any]:
    """What the parser says about a file; skips where Node, npm or the network is missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("AsyncAPI's parser needs node and npm")
    modules = ROOT / "build" / "node" / f"asyncapi-parser-{PARSER_VERSION}"
    if not modules.is_dir():
        install_parser(npm, modules)

    def parsed(path: Path) -> Any:
        done = subprocess.run(
            [node, str(SCRIPT), str(path)],
            env={**os.environ, "NODE_PATH": str(modules)},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return parsed


@pytest.fixture(scope="module")
def said(parse: Callable[[Path], Any]) -> Any:
    """What the parser says about our document."""
    return parse(SPEC)


def errors(said: Any) -> list[Any]:
    return [one for one in said["diagnostics"] if one["severity"] == ERROR]


class TestParser:
    """AsyncAPI's reference implementation reads the document."""

    def test_accepts_the_document(self, said: Any) -> None:
        assert errors(said) == []
        assert said["version"] == "3.1.0"

    def test_sees_each_message_with_its_schemas(self, said: Any) -> None:
        messages = said["messages"]
        assert set(messages) == set(EVENTS)
        for name, payload in messages.items():
            envelope, special = payload["allOf"]
            assert envelope["title"] == "Envelope"
            assert special["properties"]["payload"]["title"] == f"Payload of {name}"

    @pytest.mark.parametrize(
        ("file", "old", "new"),
        [
            ("spec/asyncapi.yaml", "payloads/ping.schema.json", "payloads/none.schema.json"),
            ("spec/asyncapi.yaml", "  version: 1.0.0", "  verson: 1.0.0"),
            ("spec/asyncapi.yaml", "socket/messages/error", "socket/messages/none"),
            ("spec/asyncapi.yaml", "action: send", "action: shout"),
            ("schemas/payloads/error.schema.json", '"type": "string"', '"type": "text"'),
        ],
        ids=["file", "member", "message", "value", "schema"],
    )
    def test_refuses_a_broken_copy(
        self, parse: Callable[[Path], Any], tmp_path: Path, file: str, old: str, new: str
    ) -> None:
        """The check above is worth something: the parser sees what is wrong, in the schemas too."""
        shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
        (tmp_path / "spec").mkdir()
        shutil.copy(SPEC, tmp_path / "spec")
        text = (tmp_path / file).read_text(encoding="utf-8")
        assert old in text
        (tmp_path / file).write_text(text.replace(old, new), encoding="utf-8")
        assert errors(parse(tmp_path / "spec" / "asyncapi.yaml"))


class TestMessages:
    """What `contract` relies on in the document's shape."""

    def test_each_message_is_its_envelope(self, document: Any) -> None:
        messages = document["components"]["messages"]
        assert set(messages) == set(EVENTS)
        for name, message in messages.items():
            assert message["name"] == name
            assert message["payload"] == {
                "allOf": [
                    {"$ref": "../schemas/envelope.schema.json"},
                    {
                        "properties": {
                            "event": {"const": name},
                            "payload": {"$ref": f"../schemas/payloads/{name}.schema.json"},
                        }
                    },
                ]
            }

    def test_each_event_has_its_direction(self, document: Any) -> None:
        sides = {"send": "server", "receive": "client"}
        seen = {
            message["$ref"].rpartition("/")[2]: sides[operation["action"]]
            for operation in document["operations"].values()
            for message in operation["messages"]
        }
        assert seen == EVENTS

    def test_replies(self, document: Any) -> None:
        def replies(operation: str) -> set[str]:
            reply = document["operations"][operation]["reply"]
            return {message["$ref"].rpartition("/")[2] for message in reply["messages"]}

        assert replies("sendMessage") == {"new_message", "error"}
        assert replies("joinChannel") == {"error"}

    def test_each_reference_leads_somewhere(self, document: Any) -> None:
        for reference in references(document):
            target = document
            path, _, inner = reference.partition("#")
            if path:
                assert (SPEC.parent / path).is_file(), reference
                assert not inner, reference
                continue
            for name in inner.strip("/").split("/"):
                assert name in target, reference
                target = target[name]

    def test_token_travels_in_the_query(self, document: Any) -> None:
        scheme = document["components"]["securitySchemes"]["token"]
        query = document["channels"]["socket"]["bindings"]["ws"]["query"]
        assert (scheme["type"], scheme["in"]) == ("httpApiKey", "query")
        assert query["required"] == [scheme["name"]] == ["access_token"]
        for server in document["servers"].values():
            assert server["pathname"] == "/v1/socket"
            assert server["security"] == [{"$ref": "#/components/securitySchemes/token"}]


class TestExtensions:
    """The `x-` members."""

    def test_are_valid(self, document: Any, extensions: Draft202012Validator) -> None:
        assert list(extensions.iter_errors(document)) == []

    def test_have_the_defaults_of_the_profile(self, document: Any) -> None:
        assert {name: document[name] for name in DEFAULTS} == DEFAULTS
        codes = {name: one["code"] for name, one in document["x-close-codes"].items()}
        assert codes == CLOSE_CODES
        assert set(document["x-error-codes"]) == ERROR_CODES

    def test_name_declared_events_and_members(self, document: Any) -> None:
        """A path of `x-delivery` that no schema declares would silently find nothing."""
        roles = [*document["x-delivery"].values(), document["x-acknowledgement"]]
        for role in roles:
            assert role["event"] in EVENTS
            path = SPEC.parent / f"../schemas/payloads/{role['event']}.schema.json"
            schema = json.loads(path.read_text(encoding="utf-8"))
            for name in role.keys() - {"event"}:
                first, *rest = role[name].split(".")
                assert first == "payload"
                part = schema
                for step in rest:
                    part = part["properties"][step]

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("x-hartbeat", {"ping": "ping", "pong": "pong"}),
            ("x-heartbeat.ping", None),
            ("x-heartbeat.interval", 0),
            ("x-heartbeat.interval", "30s"),
            ("x-heartbeat.tolerance", 20),
            ("x-heartbeat.form", "frames"),
            ("x-heartbeat.jitter", 1),
            ("x-acknowledgement.event", ""),
            ("x-acknowledgement.session", "payload..sessionId"),
            ("x-timeouts.ack", -1),
            ("x-timeouts.connect", 1),
            ("x-reconnect.factor", 0.5),
            ("x-reconnect.jitter", "some"),
            ("x-limits.text_length", 1.5),
            ("x-limits.message_bytes", 0),
            ("x-close-codes.policy.code", 999),
            ("x-close-codes.policy.code", 1005),
            ("x-close-codes.policy.code", 1006),
            ("x-close-codes.policy.code", 1015),
            ("x-close-codes.policy.code", 2999),
            ("x-close-codes.policy.code", 5000),
            ("x-close-codes.policy.meaning", "a rule"),
            ("x-close-codes.Policy", {"code": 1008, "meaning": {"en": "a", "ja": "b"}}),
            ("x-error-codes.NOT_JOINED.meaning", {"en": "Not joined."}),
            ("x-error-codes.NOT_JOINED.code", 1),
            ("x-delivery.post", {"event": "send_message", "channel": "payload.channelId"}),
            ("x-delivery.post.txt", "payload.text"),
            ("x-delivery.delivery.id", ["payload", "message", "id"]),
            ("x-delivery.joined", {"event": "join_channel"}),
            ("operations.joinChannel.action", "join"),
        ],
    )
    def test_refuse(self, document: Any, extensions: Draft202012Validator, path: str, value: Any) -> None:
        changed = copy.deepcopy(document)
        *parents, last = path.split(".")
        place = changed
        for name in parents:
            place = place[name]
        place[last] = value
        assert list(extensions.iter_errors(changed))

    @pytest.mark.parametrize("code", [1000, 1003, 1007, 1011, 1012, 1014, 3000, 4999])
    def test_allow_legal_close_codes(self, document: Any, extensions: Draft202012Validator, code: int) -> None:
        changed = copy.deepcopy(document)
        changed["x-close-codes"]["policy"]["code"] = code
        assert list(extensions.iter_errors(changed)) == []


def references(value: Any) -> Iterator[str]:
    """Every `$ref` inside a value."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from references(one)
