"""`--contract` in every command: where it comes from, what is said of a broken one, and what a document keeps of it."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection

from contract.folder import find_contract
from reports.shared.commands import repeating
from reports.shared.documents import upgraded
from tests.conformance.servers import websocket_server
from tests.wsproof.command import complaint, surroundings, within
from tests.wsproof.contract_folders import API, ROLES, contract_folder

GONE = "ws://127.0.0.1:9/"

REQUIREMENTS = """\
format: wsproof.requirements/1
sections: [{id: DOOR, title: Doors, source: The manual}]
requirements:
  - {id: DOOR-01, level: MUST, statement: A door opens.}
"""

SCENARIOS = """\
format: wsproof.scenarios/1
group: DOOR
scenarios:
  - id: opens
    title: A door opens
    verifies: [DOOR-01]
    steps:
      - connect: {actor: alice}
      - expect: {actor: alice, event: welcome}
      - send: {actor: alice, message: {type: open, id: "${nonce.a}"}}
      - expect: {actor: alice, event: opened, match: {id: "${nonce.a}"}}
        requirement: DOOR-01
"""


def doors(connection: ServerConnection) -> None:
    connection.send(json.dumps({"type": "welcome", "session": str(id(connection))}))
    for text in connection:
        connection.send(json.dumps({"type": "opened", "id": json.loads(text)["id"]}))


@pytest.fixture
def door() -> Iterator[str]:
    with websocket_server(doors) as url:
        yield url


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A contract with requirements and a scenario."""
    folder = contract_folder(tmp_path / "door")
    (folder / "requirements.yaml").write_text(REQUIREMENTS, encoding="utf-8")
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "doors.yaml").write_text(SCENARIOS, encoding="utf-8")
    return folder


@pytest.mark.parametrize("command", ["check", "load"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "none",
            "--contract: no contract 'none': expected a directory, an AsyncAPI document or a bundled contract; bundled",
        ),
        ("chatt", "or a bundled contract (did you mean 'chat'?)"),
        ("empty", "empty: not a contract: expected contract.yaml or asyncapi.yaml in it"),
        ("roles", "roles/contract.yaml:2:1: unknown member 'probes' (did you mean 'probe'?)"),
        (
            "names",
            "names/contract.yaml:3:19: acknowledgement.expect: no message 'welcom' in asyncapi.yaml (did you m",
        ),
        ("yaml", "yaml/contract.yaml:2:1: invalid YAML: "),
        ("api", "api/asyncapi.yaml:3:1: invalid YAML: "),
        ("other", "other/asyncapi.yaml:1:1: expected an AsyncAPI document: a mapping with the member 'asyncapi'"),
        ("folder.yaml", "folder.yaml:1:1: expected an AsyncAPI document"),
        ("", "--contract is empty: give it a value, or leave it out"),
    ],
)
def test_a_broken_one_is_one_line_before_anything_is_reached(
    tmp_path: Path, command: str, name: str, said: str
) -> None:
    contract_folder(tmp_path / "empty", None, None)
    contract_folder(tmp_path / "roles", "format: wsproof.contract/1\nprobes: 1\n")
    contract_folder(tmp_path / "names", ROLES.replace("welcome", "welcom"))
    contract_folder(tmp_path / "yaml", "format: [\n")
    contract_folder(tmp_path / "api", api="asyncapi: 3.0.0\ninfo: [\n")
    contract_folder(tmp_path / "other", api="openapi: 3.0.0\n")
    (tmp_path / "folder.yaml").write_text("openapi: 3.0.0\n", encoding="utf-8")
    assert said in complaint(command, "--contract", name, GONE, folder=tmp_path)
    assert not (tmp_path / "wsproof-report").exists()


def test_the_profile_names_it_relative_to_its_file(whole: Path, tmp_path: Path, door: str) -> None:
    (tmp_path / "ci").mkdir()
    profile = tmp_path / "ci" / "door.yaml"
    profile.write_text(f"contract: ../door\nendpoint: {door}\n", encoding="utf-8")
    done = within("check", "--profile", "ci/door.yaml", "--json", "-", "-q", folder=tmp_path)
    document = json.loads(done.stdout)
    assert (done.returncode, document["contract"]) == (0, {"title": "Doors", "version": "2.1.0"})
    profile.write_text("contract: ../dor\nquiet_period: 1\n", encoding="utf-8")
    for arguments in (("check", "--profile", "ci/door.yaml"), ("lint", "ci/door.yaml")):
        said = complaint(*arguments, folder=tmp_path)
        assert said.startswith("ci/door.yaml:1:1: contract: no contract 'ci/../dor': expected a directory")


def test_the_variable_and_the_command_that_repeats_a_run(whole: Path, tmp_path: Path, door: str) -> None:
    first = within("check", door, "--json", "-", "-q", folder=tmp_path, WSPROOF_CONTRACT="door")
    document = json.loads(first.stdout)
    assert (first.returncode, document["settings"]["contract"]) == (0, "door")
    command = repeating(upgraded(document), *document["scenarios"])
    assert "--contract door" in command
    again = within(*shlex.split(command)[1:], "--json", "-", "-q", folder=tmp_path)
    assert json.loads(again.stdout)["settings"]["contract"] == "door"
    assert "--contract door" in (tmp_path / "wsproof-report" / "report.html").read_text(encoding="utf-8")


def test_the_default_one_needs_no_option(tmp_path: Path) -> None:
    done = within("check", "--select", "err-not-json", "--json", "-", "-q", folder=tmp_path)
    document = json.loads(done.stdout)
    assert document["settings"]["contract"] is None
    assert "--contract" not in repeating(upgraded(document), *document["scenarios"])


def test_the_reference_server_speaks_the_chat(whole: Path, tmp_path: Path) -> None:
    said = complaint("check", "--contract", "door", folder=tmp_path)
    assert said == "contract door: give a URL; the built-in reference server speaks the contract chat"
    said = complaint("check", "--contract", "door", "--reference", folder=tmp_path)
    assert said == "--reference: the built-in reference server speaks the contract chat, not door"


def test_the_bundled_ones(tmp_path: Path) -> None:
    done = within("contracts", folder=tmp_path)
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["chat", "messages", "rfc6455"]
    assert lines[lines.index("chat") + 1].startswith("    Chat WebSocket API 1.0.0, ")
    assert lines[lines.index("rfc6455") + 2].startswith("    What RFC 6455 and RFC 7692 require of every server.")


def pytest_in(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A pytest with our plugin alone."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "wsproof.pytest_plugin", *options],
        cwd=folder,
        env=surroundings({"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", ["none", "names"])
def test_in_pytest(tmp_path: Path, name: str) -> None:
    contract_folder(tmp_path / "names", ROLES.replace("welcome", "welcom"))
    options = ("--wsproof-url", GONE, "--wsproof-contract", name, "--wsproof-bundled")
    done = pytest_in(tmp_path, *options)
    expected = {"none": "ERROR: no contract '", "names": "contract.yaml:3:19: acknowledgement.expect: no message 'wel"}
    assert done.returncode == 4
    assert expected[name] in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_pytest_plays_its_scenarios(whole: Path, tmp_path: Path, door: str) -> None:
    done = pytest_in(tmp_path, "--wsproof-url", door, "--wsproof-contract", "door", "--wsproof-bundled")
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_what_users_say_first_is_shown_nowhere(whole: Path, tmp_path: Path) -> None:
    """An endpoint that repeats the credentials of a first message."""
    secret = "secret-of-alice"
    roles = ROLES.replace("{in: none}", "{in: message}").replace(
        "expect: welcome", 'send: {type: open, id: "${user.login}"}, expect: welcome'
    )
    (whole / "contract.yaml").write_text(roles, encoding="utf-8")
    (tmp_path / "wsproof.yaml").write_text(
        "contract: door\nusers: {alice: {login: to-be-replaced}}\n", encoding="utf-8"
    )

    def leaking(connection: ServerConnection) -> None:
        connection.send(json.dumps({"type": "welcome", "session": secret}))
        for text in connection:
            connection.send(json.dumps({"type": "opened", "id": json.loads(text)["id"], "for": secret}))

    with websocket_server(leaking) as url:
        options = ("--set", f"users.alice.login={secret}", "--format", "text", "--format", "markdown")
        done = within("check", url, *options, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "wsproof-report").iterdir() if path.is_file()]
    assert len(texts) >= 6
    assert [text for text in (done.stdout, done.stderr, *texts) if secret in text] == []
    assert any("users.alice.login=${USERS_ALICE_LOGIN}" in text for text in texts)


def test_a_document_with_notes_is_checked_and_says_where_to_read_of_them(
    whole: Path, tmp_path: Path, door: str
) -> None:
    api = API.replace("{const: open}, id: {type: string}", "{const: open}, id: {$ref: 'https://x.example/id.json'}")
    (whole / "asyncapi.yaml").write_text(api, encoding="utf-8")
    done = within("check", "--contract", "door", door, folder=tmp_path)
    line = "wsproof: door/asyncapi.yaml: 1 note on what is not checked; see `wsproof lint --contract door`"
    assert (done.returncode, line in done.stderr.splitlines()) == (0, True), done.stderr


def test_without_a_probe_the_transport_is_inconclusive(tmp_path: Path, door: str) -> None:
    """A role that is not declared is not judged, and what needs it says so."""
    contract_folder(tmp_path / "door", ROLES + "include: [rfc6455]\n")
    done = within("check", "--contract", "door", door, "--select", "WIRE-01", "--json", "-", "-q", folder=tmp_path)
    document = json.loads(done.stdout)
    reasons = {one["reason"] for one in document["scenarios"] if one["verdict"] == "inconclusive"}
    assert {one["verdict"] for one in document["scenarios"]} <= {"passed", "inconclusive"}
    assert any("probe" in reason for reason in reasons), reasons


def test_set_has_no_contract(tmp_path: Path) -> None:
    said = complaint("check", "--set", "contract=door", GONE, folder=tmp_path)
    assert said == "--set contract=door: the contract has an option of its own: --contract door"


def test_a_bundled_one_may_be_named_by_its_path(tmp_path: Path) -> None:
    path = find_contract("chat").path
    assert find_contract(path) is find_contract("chat")
    assert find_contract(f"{path}/../chat") is find_contract("chat")
