"""`wsproof lint` of contract folders: problems, notes, and what is only observed."""

from pathlib import Path

import pytest

from tests.wsproof.command import within
from tests.wsproof.contract_folders import API, ROLES, contract_folder

NOTES = [
    "note: no `heartbeats`: no heartbeat is expected or answered",
    "note: no `errors.message`: error messages are not recognised",
    "note: no `close_codes`: any close code that is legal may be used",
    "note: no `probe`: scenarios that need an exchange are inconclusive",
    "note: no `flows`: deliveries are not checked, and load tests do not measure them",
    "note: no `errors.reactions`: what mistakes lead to is observed and not judged",
]


@pytest.mark.parametrize("arguments", [("door",), ("door/contract.yaml",), ("--contract", "door")])
def test_what_is_right_and_what_is_observed(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    contract_folder(tmp_path / "door")
    done = within("lint", *arguments, folder=tmp_path)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr, lines[:-1]) == (0, "", NOTES)
    assert lines[-1].endswith("0 problems")


def test_mistakes_of_contract_yaml(tmp_path: Path) -> None:
    contract_folder(tmp_path / "door", ROLES.replace("welcome", "welcom").replace("last", "lst"))
    done = within("lint", "door", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "1 problem\n")
    assert (
        done.stderr == "door/contract.yaml:4:58: requests[0].replies[0]: unknown member 'lst' (did you mean 'last'?)\n"
    )
    contract_folder(tmp_path / "door", ROLES.replace("welcome", "welcom").replace("id: session", "id: a"))
    done = within("lint", "--contract", "door", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "1 problem\n")
    assert "door/contract.yaml:3:19: acknowledgement.expect: no message 'welcom' in asyncapi.yaml (did" in done.stderr


def test_what_a_match_can_never_be(tmp_path: Path) -> None:
    contract_folder(tmp_path / "door", ROLES.replace("expect: welcome", "expect: {name: welcome, match: {sesion: a}}"))
    done = within("lint", "door", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "door/contract.yaml:3:51: acknowledgement.expect.match: the contract has no member 'sesion' in the message "
        "(did you mean 'session'?)\n"
    )


def test_an_asyncapi_document_alone(tmp_path: Path) -> None:
    contract_folder(tmp_path / "door", roles=None)
    contract_folder(tmp_path, roles=None, name="public.yaml")
    for arguments in (("door",), ("--contract", "door"), ("--contract", "public.yaml")):
        done = within("lint", *arguments, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), arguments
        assert "note: no `acknowledgement`: a connection is established by its handshake alone\n" in done.stdout


def test_notes_on_the_document(tmp_path: Path) -> None:
    api = API.replace("{const: open}, id: {type: string}", "{const: open}, id: {$ref: 'https://x.example/id.json'}")
    contract_folder(tmp_path / "door", api=api)
    done = within("lint", "door", folder=tmp_path)
    assert done.returncode == 0
    assert (
        "note: door/asyncapi.yaml:27:48: $ref to 'https://x.example/id.json': only local files are read" in done.stdout
    )


def test_messages_that_cannot_be_told_apart(tmp_path: Path) -> None:
    api = API.replace("{const: welcome}", "{type: string}").replace("{const: opened}", "{type: string}")
    api = api.replace("required: [type], properties", "required: [type, id], properties")
    contract_folder(tmp_path / "door", "format: wsproof.contract/1\n", api)
    done = within("lint", "door", folder=tmp_path)
    assert done.returncode == 0
    assert (
        "note: door/asyncapi.yaml: messages 'welcome' and 'opened' cannot be told apart: both count as 'welcome'; tell "
        "them apart with `messages.name` in contract.yaml\n"
    ) in done.stdout


def test_a_broken_default_profile(tmp_path: Path) -> None:
    folder = contract_folder(tmp_path / "door")
    (folder / "profile.yaml").write_text("quiet_perod: 1s\n", encoding="utf-8")
    done = within("lint", "door", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "1 problem\n")
    assert done.stderr == "door/profile.yaml:1:1: unknown member 'quiet_perod' (did you mean 'quiet_period'?)\n"


def test_its_scenarios_are_looked_at(tmp_path: Path) -> None:
    folder = contract_folder(tmp_path / "door")
    (folder / "scenarios").mkdir()
    scenario = "{id: a, title: A, verifies: [NO-01], steps: [{connect: {actor: x}}]}"
    text = f"format: wsproof.scenarios/1\nscenarios:\n  - {scenario}\n"
    (folder / "scenarios" / "a.yaml").write_text(text, encoding="utf-8")
    done = within("lint", "door", folder=tmp_path)
    assert done.returncode == 2
    assert "door/scenarios/a.yaml:3" in done.stderr


def test_two_contracts_at_once(tmp_path: Path) -> None:
    contract_folder(tmp_path / "door")
    done = within("lint", "door", "--contract", "chat", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "wsproof: door is a contract: --contract (or WSPROOF_CONTRACT) cannot be used with it\n"


def test_roles_without_a_document(tmp_path: Path) -> None:
    """Names are told by the rules of contract.yaml, and nothing is known of what messages contain."""
    roles = (
        "messages: {name: [{at: type}]}\ninclude: [rfc6455]\nprobe: {send: {type: open}, expect: [{name: opened}]}\n"
    )
    contract_folder(tmp_path / "door", ROLES + roles, api=None)
    done = within("lint", "door", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("note: no asyncapi.yaml: the names and contents of messages are not checked\n")


def test_a_requirement_of_its_own_that_nothing_verifies(tmp_path: Path) -> None:
    folder = contract_folder(tmp_path / "door", ROLES + "include: [rfc6455]\n")
    section = "sections: [{id: DOOR, title: Doors, source: The manual}]\n"
    requirement = "requirements: [{id: DOOR-01, level: MUST, statement: A door opens.}]\n"
    text = f"format: wsproof.requirements/1\n{section}{requirement}"
    (folder / "requirements.yaml").write_text(text, encoding="utf-8")
    done = within("lint", "door", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "door/requirements.yaml: DOOR-01 (MUST) is not verified by any scenario\n"
