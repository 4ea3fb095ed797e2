"""The pytest plugin, in a pytest of its own."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from contract.files import DATA_ROOT
from tests.conformance.chat import Chat
from tests.slow import slow_but

CONFTEST = """
import os
from dataclasses import replace

from conformance.run.plugin import Player, ScenarioCollector
from conformance.play.plan import Plan
from conformance.transport.target import resolve
from tests.bundled import load_contract
from tests.bundled import load_profile
from tests.bundled import load_requirements


def plan(config):
    profile = replace(load_profile(), response_timeout=float(os.environ.get("TIMEOUT", "30")))
    profile = replace(profile, users={key: profile.users[key] for key in ("alice", "bob")})
    return Plan(resolve(os.environ["URL"]), load_contract(), profile, load_requirements())


def pytest_configure(config):
    config.pluginmanager.register(ScenarioCollector())
    config.pluginmanager.register(Player(plan, strict="STRICT" in os.environ, contract_of=lambda _: load_contract()))
    for name in ("send", "err", "own_tag"):
        config.addinivalue_line("markers", f"{name}: of a scenario")
"""

SCENARIOS = """\
format: wsproof.scenarios/1
scenarios:
  - id: posts
    title: Posts come back
    verifies: [SEND-01]
    tags: [own-tag]
    steps:
      - call: enter
        with: {actor: alice, channel: "${channel.room}"}
  - id: errors
    title: Errors come
    verifies: [ERR-04]
    variants:
      one: {}
      two: {}
    steps:
      - call: open
        with: {actor: alice}
      - call: provoke
        with: {actor: alice}
  - id: needs-carol
    title: Nobody is there
    verifies: [SEND-01]
    needs: [carol]
    steps:
      - call: open
        with: {actor: alice}
"""


class Inner:
    """A folder with scenarios, and the pytest that plays them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
        (folder / "own.yaml").write_text(SCENARIOS, encoding="utf-8")
        (folder / "other.yaml").write_text("format: something else\n", encoding="utf-8")

    def run(self, *arguments: str, **environ: str) -> tuple[int, str]:
        """Exit code and output."""
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", *arguments],
            cwd=self.folder,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PYTHONPATH": str(DATA_ROOT),
                **environ,
            },
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def inner(tmp_path: Path) -> Inner:
    return Inner(tmp_path)


def test_each_scenario_is_an_item(inner: Inner, url: str) -> None:
    code, output = inner.run("-v", URL=url)
    assert code == 0, output
    assert "own.yaml::posts PASSED" in output
    assert "own.yaml::errors/one PASSED" in output
    assert "own.yaml::errors/two PASSED" in output
    assert "3 passed, 1 skipped" in output


def test_what_cannot_be_decided_is_skipped_with_its_reason(inner: Inner, url: str) -> None:
    _, output = inner.run(URL=url)
    assert "inconclusive: the profile has no `users.carol`" in output


@pytest.mark.parametrize(
    ("arguments", "summary"),
    slow_but(
        [(("own.yaml::posts",), "1 passed")],
        [
            (("own.yaml::posts",), "1 passed"),
            (("-k", "errors"), "2 passed, 2 deselected"),
            (("-m", "own_tag"), "1 passed, 3 deselected"),
            (("-m", "err"), "2 passed, 2 deselected"),
        ],
    ),
)
def test_only_what_is_selected_is_played(inner: Inner, url: str, arguments: tuple[str, ...], summary: str) -> None:
    code, output = inner.run(*arguments, URL=url)
    assert code == 0, output
    assert summary in output


def test_collecting_needs_no_endpoint(inner: Inner) -> None:
    code, output = inner.run("--collect-only", "-q")
    assert code == 0, output
    assert "own.yaml::errors/two" in output


@pytest.mark.slow
def test_a_broken_must_fails_its_item_without_a_traceback(inner: Inner) -> None:
    with Chat(loses_posts=True).serve() as url:
        code, output = inner.run("own.yaml::posts", URL=url, TIMEOUT="3")
    assert code == 1
    assert "SEND-01 (MUST) at step" in output
    assert "`new_message` did not arrive in time" in output
    assert "  expected: " in output
    assert "  received: nothing" in output
    assert "Traceback" not in output
    assert "plugin.py" not in output
    assert "alice-token" not in output


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1)])
def test_a_broken_should_is_a_warning_unless_strict(inner: Inner, strict: bool, code: int) -> None:
    with Chat(bare_errors=True).serve() as url:
        found, output = inner.run("-k", "errors", URL=url, **({"STRICT": "1"} if strict else {}))
    assert found == code, output
    assert "ERR-09 (SHOULD)" in output
    assert ("ConformanceWarning" in output) is not strict


def test_a_broken_file_is_an_error_with_its_place(inner: Inner, url: str) -> None:
    (inner.folder / "own.yaml").write_text(SCENARIOS + "  - id: x\n", encoding="utf-8")
    code, output = inner.run(URL=url)
    assert code == 2
    assert "own.yaml:28:5: scenarios[3]: expected the members 'title', 'steps'" in output
    assert "Traceback" not in output


def test_two_scenarios_of_one_id_are_a_mistake(inner: Inner, url: str) -> None:
    (inner.folder / "again.yaml").write_text(SCENARIOS, encoding="utf-8")
    code, output = inner.run(URL=url)
    assert code == 4
    assert "two files define a scenario 'posts'" in output


def test_a_folders_procedures_are_known(inner: Inner, url: str) -> None:
    procedures = "format: wsproof.scenarios/1\n"
    procedures += "procedures: {hello: {steps: [{call: open, with: {actor: alice}}]}}\n"
    (inner.folder / "procedures.yaml").write_text(procedures, encoding="utf-8")
    own = "format: wsproof.scenarios/1\nscenarios: [{id: h, title: H, steps: [{call: hello}]}]\n"
    (inner.folder / "own.yaml").write_text(own, encoding="utf-8")
    code, output = inner.run(URL=url)
    assert code == 0, output
    assert "1 passed" in output


def test_files_of_another_kind_are_left_alone(inner: Inner) -> None:
    (inner.folder / "own.yaml").unlink()
    code, _ = inner.run()
    assert code == 5  # pytest's "no tests were collected"


@pytest.mark.slow
def test_what_was_not_played_is_no_pass(inner: Inner) -> None:
    """An endpoint that is gone after the trial connection of `resolve`."""
    taken = threading.Event()

    def accept_once(listener: socket.socket) -> None:
        listener.accept()[0].close()
        listener.close()
        taken.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
        threading.Thread(target=accept_once, args=(listener,)).start()
        code, output = inner.run("-k", "posts or errors", URL=url)
        assert taken.wait(30)
    assert code == 1, output
    assert "3 skipped" in output
    assert "untested: not run: the endpoint stopped accepting connections and did not come back" in output
    assert "wsproof: the endpoint stopped accepting connections at 0.0 s" in output


def test_a_session_that_decides_next_to_nothing_fails(inner: Inner, url: str) -> None:
    code, output = inner.run("-k", "carol", URL=url)
    assert code == 1, output
    assert "wsproof: only 0 of 1 MUST requirements that the selected scenarios verify were decided" in output
