"""`spec/chat/asyncapi.yaml`, read by AsyncAPI's own parser."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.spec.test_asyncapi import EVENTS, ROOT, SPEC

pytestmark = pytest.mark.slow

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
            ("spec/chat/asyncapi.yaml", "payloads/ping.schema.json", "payloads/none.schema.json"),
            ("spec/chat/asyncapi.yaml", "  version: 1.0.0", "  verson: 1.0.0"),
            ("spec/chat/asyncapi.yaml", "socket/messages/error", "socket/messages/none"),
            ("spec/chat/asyncapi.yaml", "action: send", "action: shout"),
            ("schemas/payloads/error.schema.json", '"type": "string"', '"type": "text"'),
        ],
        ids=["file", "member", "message", "value", "schema"],
    )
    def test_refuses_a_broken_copy(
        self, parse: Callable[[Path], Any], tmp_path: Path, file: str, old: str, new: str
    ) -> None:
        """The check above is worth something: the parser sees what is wrong, in the schemas too."""
        shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
        (tmp_path / "spec" / "chat").mkdir(parents=True)
        shutil.copy(SPEC, tmp_path / "spec" / "chat")
        text = (tmp_path / file).read_text(encoding="utf-8")
        assert old in text
        (tmp_path / file).write_text(text.replace(old, new), encoding="utf-8")
        assert errors(parse(tmp_path / "spec" / "chat" / "asyncapi.yaml"))
