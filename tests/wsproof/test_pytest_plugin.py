"""`pytest -p wsproof.pytest_plugin`: where its settings come from, its marks, and other plugins beside it."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contract.files import DATA_ROOT
from tests.conformance.chat import Chat
from tests.slow import slow_but

SCENARIOS = """\
format: wsproof.scenarios/1
group: JOIN
scenarios:
  - id: posts
    title: Posts come back
    verifies: [SEND-01]
    tags: [own-tag, skip, xfail, timeout, and, flaky]
    steps:
      - call: enter
        with: {actor: alice, channel: "${channel.room}"}
  - id: errors
    title: Errors come
    verifies: [ERR-04]
    steps:
      - call: open
        with: {actor: alice}
      - call: provoke
        with: {actor: alice}
"""
PROFILE = "response_timeout: {timeout}\nusers: {{alice: {{token: alice-token}}, bob: {{token: bob-token}}}}\n"
GONE = "ws://127.0.0.1:9/"
HANGS = 120  # seconds; no claim about speed


class Project:
    """A folder with scenarios, a profile and a test of its own, and the pytest that runs there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "own.yaml").write_text(SCENARIOS, encoding="utf-8")
        (folder / "test_own.py").write_text("def test_own():\n    pass\n", encoding="utf-8")
        self.profile()

    def profile(self, more: str = "", timeout: int = 30) -> None:
        (self.folder / "wsproof.yaml").write_text(PROFILE.format(timeout=timeout) + more, encoding="utf-8")

    def pytest(self, *arguments: str, folder: str = ".", **environ: str) -> tuple[int, str]:
        """Exit code and output of a pytest that has no plugin but those that are named."""
        steering = ("PYTEST", "WSPROOF")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--strict-markers", "-W", "error", *arguments],
            cwd=self.folder / folder,
            env={**clean, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(DATA_ROOT), **environ},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=HANGS,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def play(self, *arguments: str, **environ: str) -> tuple[int, str]:
        """The same with ours."""
        return self.pytest("-p", "wsproof.pytest_plugin", *arguments, **environ)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


class TestSettings:
    def test_the_projects_file(self, project: Project, url: str) -> None:
        project.profile(f"endpoint: {url}\n")
        code, output = project.play("own.yaml")
        assert (code, "2 passed" in output) == (0, True), output

    @pytest.mark.slow
    def test_the_root_folders_file(self, project: Project, url: str) -> None:
        project.profile(f"endpoint: {url}\n")
        (project.folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        (project.folder / "inner").mkdir()
        code, output = project.play("../own.yaml", folder="inner")
        assert (code, "2 passed" in output) == (0, True), output

    @pytest.mark.parametrize("source", ["option", "variable"])
    def test_options_beat_variables_and_these_the_file(self, project: Project, url: str, source: str) -> None:
        project.profile(f"endpoint: {GONE}\n")
        arguments = ["--wsproof-url", url] if source == "option" else []
        code, output = project.play("own.yaml", *arguments, WSPROOF_URL=GONE if source == "option" else url)
        assert (code, "2 passed" in output) == (0, True), output

    @pytest.mark.slow
    @pytest.mark.parametrize("source", ["option", "variable"])
    def test_another_file(self, project: Project, url: str, source: str) -> None:
        (project.folder / "wsproof.yaml").rename(project.folder / "staging.yaml")
        (project.folder / "wsproof.yaml").write_text("endpont: x\n", encoding="utf-8")
        arguments = ["--wsproof-profile", "staging.yaml"] if source == "option" else []
        environ = {} if source == "option" else {"WSPROOF_PROFILE": "staging.yaml"}
        code, output = project.play("own.yaml", *arguments, WSPROOF_URL=url, **environ)
        assert (code, "2 passed" in output) == (0, True), output

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("arguments", "environ", "said"),
        [
            ((), {}, "no endpoint: give --wsproof-url, WSPROOF_URL, or `endpoint` in wsproof.yaml"),
            (("--wsproof-url", ""), {}, "--wsproof-url is empty: give it a value, or leave it out"),
            ((), {"WSPROOF_URL": ""}, "WSPROOF_URL is empty: give it a value, or leave it out"),
            (("--wsproof-url", "http://x/"), {}, "expected a WebSocket URL: write ws:// for it"),
            (("--wsproof-profile", "nope.yaml"), {}, "nope.yaml: cannot be read: No such file or directory"),
            (("--wsproof-url", GONE, "--wsproof-jobs", "0"), {}, "--wsproof-jobs 0: expected a number from 1 to 500"),
            (("--wsproof-url", GONE), {"WSPROOF_JOBS": "many"}, "--wsproof-jobs many: expected a number from 1 to 500"),
            (("--wsproof-url", GONE, "--wsproof-time-scale", "0"), {}, "expected a number from 0.1 to 100"),
        ],
    )
    def test_what_is_wrong_is_one_line(
        self, project: Project, arguments: tuple[str, ...], environ: dict[str, str], said: str
    ) -> None:
        with Chat().serve() as url:
            arguments = tuple(url if one == GONE else one for one in arguments)
            code, output = project.play("own.yaml", *arguments, **environ)
        assert code == 4, output
        (line,) = [line for line in output.splitlines() if line.startswith("ERROR: ")]
        assert said in line
        assert "Traceback" not in output


class TestMarks:
    @pytest.mark.parametrize(
        ("expression", "selected"),
        slow_but(
            [("SEND_01", 1), ("wsproof_and", 1)],
            [
                ("JOIN", 2),
                ("join", 2),
                ("SEND_01", 1),
                ("ERR_04 or own_tag", 2),
                ("wsproof_skip", 1),
                ("wsproof_and", 1),
                ("skip or xfail", 0),
            ],
        ),
    )
    def test_select(self, project: Project, expression: str, selected: int) -> None:
        code, output = project.play("own.yaml", "--collect-only", "-q", "-m", expression)
        assert code == (0 if selected else 5), output
        assert output.count("own.yaml::") == selected

    def test_keywords(self, project: Project) -> None:
        _, output = project.play("own.yaml", "--collect-only", "-q", "-k", "send_01")
        assert output.count("own.yaml::") == 1

    def test_tags_that_pytest_knows_do_nothing(self, project: Project, url: str) -> None:
        """Not even those of plugins, which take arguments."""
        code, output = project.play("own.yaml", "--wsproof-url", url)
        assert (code, "2 passed" in output) == (0, True), output

    def test_all_of_the_bundled_scenarios_are_listed(self, project: Project) -> None:
        code, output = project.play("--markers")
        assert code == 0
        for name in ("JOIN", "join", "JOIN_01", "isolation"):
            assert f"@pytest.mark.{name}: scenarios of wsproof" in output


class TestPytestsOwnOptions:
    def test_it_does_nothing_unless_asked(self, project: Project) -> None:
        """The package is installed, the folder has scenarios, and nobody named the plugin."""
        code, output = project.pytest()
        assert (code, "1 passed" in output) == (0, True), output
        assert "wsproof:" not in output

    def test_other_tests_need_no_endpoint(self, project: Project) -> None:
        code, output = project.play("-q", "test_own.py")
        assert (code, "1 passed" in output) == (0, True), output

    @pytest.mark.slow
    def test_the_bundled_ones_alone(self, project: Project) -> None:
        """Not with whatever else lies in the project."""
        code, output = project.play("--wsproof-bundled", "--collect-only", "-q")
        assert code == 0, output
        assert "join.yaml::" in output
        assert "test_own" not in output

    @pytest.mark.parametrize("option", slow_but(["-x"], ["-x", "--maxfail=1"]))
    def test_the_first_failure_ends_it(self, project: Project, option: str) -> None:
        project.profile(timeout=2)
        with Chat(loses_posts=True).serve() as url:
            code, output = project.play("own.yaml", option, "--wsproof-url", url)
        assert code == 1, output
        assert "1 failed" in output
        assert "stopping after 1 failures" in output

    @pytest.mark.slow
    def test_failed_ones_again(self, project: Project, url: str) -> None:
        project.profile(timeout=2)
        with Chat(loses_posts=True).serve() as wrong:
            code, output = project.play("own.yaml", "--wsproof-url", wrong)
        assert (code, "1 failed, 1 passed" in output) == (1, True), output
        code, output = project.play("own.yaml", "--lf", "--wsproof-url", url)
        assert code == 0, output
        assert "1 passed" in output
        assert "own.yaml::errors" not in output

    @pytest.mark.slow
    def test_without_a_terminal(self, project: Project, url: str) -> None:
        code, output = project.play("own.yaml", "-p", "no:terminal", "--wsproof-url", url)
        assert (code, output) == (0, "")


def lacks(module: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(module) is None, reason=f"{module} is not installed")


@pytest.mark.slow
class TestOtherPlugins:
    @lacks("pytest_timeout")
    @pytest.mark.parametrize("method", ["signal", "thread"])
    def test_a_time_limit_is_none_for_what_waits_for_the_whole_run(self, project: Project, method: str) -> None:
        project.profile(timeout=2)
        (project.folder / "test_own.py").write_text(
            "import time\ndef test_own():\n    time.sleep(60)\n", encoding="utf-8"
        )
        options = ("-p", "pytest_timeout", "--timeout", "0.5", "--timeout-method", method)
        with Chat(loses_posts=True).serve() as url:
            code, output = project.play(*options, "own.yaml", "--wsproof-url", url)
        assert code == 1, output
        assert "1 failed, 1 passed" in output
        assert "SEND-01 (MUST) at step" in output
        assert "Timeout" not in output
        assert "wsproof: ignored for scenarios, which have deadlines and replays of their own: --timeout" in output
        code, output = project.play(*options, "test_own.py")
        assert code == 1
        assert "Timeout" in output, "the project's own tests keep theirs"

    @lacks("pytest_rerunfailures")
    @pytest.mark.parametrize("option", ["--reruns", "--force-reruns"])
    def test_a_verdict_is_given_once(self, project: Project, option: str) -> None:
        project.profile(timeout=2)
        with Chat(loses_posts=True).serve() as url:
            options = ("-p", "pytest_rerunfailures", option, "2")
            code, output = project.play(*options, "own.yaml", "--wsproof-url", url)
        assert code == 1, output
        assert re.search(r"= 1 failed, 1 passed in ", output), output
        assert f"replays of their own: {option}" in output

    @lacks("xdist")
    def test_processes_are_refused(self, project: Project) -> None:
        code, output = project.play("-p", "xdist.plugin", "-n", "2", "own.yaml")
        assert code == 4, output
        (line,) = [line for line in output.splitlines() if line.startswith("ERROR: ")]
        assert "pytest-xdist would run all of them in each of its processes: add -n 0" in line

    @lacks("xdist")
    def test_none_of_them_is_fine(self, project: Project, url: str) -> None:
        code, output = project.play("-p", "xdist.plugin", "-n", "0", "own.yaml", "--wsproof-url", url)
        assert (code, "2 passed" in output) == (0, True), output

    @lacks("pytest_randomly")
    def test_in_any_order(self, project: Project, url: str) -> None:
        code, output = project.play("-p", "pytest_randomly", "own.yaml", "--wsproof-url", url)
        assert (code, "2 passed" in output) == (0, True), output
