"""An author's mistakes: the file, the line and the column, and what was expected."""

from pathlib import Path

import pytest

from contract.errors import ContractError
from tests.bundled import lint_scenarios, load_scenarios
from tests.conformance.language.folder import PROCEDURES, Folder


def scenario(step: str) -> str:
    """A scenario with one step, which stands in line 6."""
    return f"scenarios:\n  - id: it\n    title: It\n    steps:\n      - {step}\n"


class TestPlaces:
    @pytest.mark.parametrize(
        ("step", "place", "message"),
        [
            ("ping: {actor: bob}", "6:16", "unknown actor 'bob'; the scenario has alice"),
            ("ping: {actr: alice}", "6:16", "unknown member 'actr' (did you mean 'actor'?)"),
            ("expect: {actor: alice}", "6:9", "expected one of the members 'event', 'name', 'match'"),
            ("pong: {actor: alice}", "6:9", "pong"),
            ("expect_open: {actor: alice, for: soon!}", "6:37", "soon!"),
            ("expect_close: {actor: alice, codes: [closed]}", "6:24", "unknown close code 'closed'"),
            ("ping: {actor: alice}\n        requirement: ERR01", "7:9", "ERR01"),
            ("call: nothing", "6:9", "unknown procedure 'nothing'; known: "),
            ("call: open", "6:9", "procedure 'open' needs the parameter 'actor'"),
            (
                "call: open\n        with: {actor: alice, x: 1}",
                "7:30",
                "procedure 'open' has no parameter 'x'",
            ),
            (
                "repeat: {times: many, steps: [{ping: {actor: alice}}]}",
                "6:18",
                "expected a number, got 'many'",
            ),
        ],
    )
    def test_of_a_step(self, folder: Folder, step: str, place: str, message: str) -> None:
        error = folder.error(scenario(step))
        assert error.startswith(f"{place}: "), error
        assert message in error

    @pytest.mark.parametrize(
        ("text", "place", "message"),
        [
            ("scenarios: [{id: A, title: T, steps: []}]", "2:", ""),
            ("scenario: []", "2:1", "unknown member 'scenario'"),
            ("scenarios: [", "3:1", "invalid YAML"),
            ("scenarios: []\nscenarios: []", "3:1", "duplicate key 'scenarios'"),
            ("scenarios: &a []\nprocedures: *a", "3:13", "aliases are not supported"),
        ],
    )
    def test_of_a_file(self, folder: Folder, text: str, place: str, message: str) -> None:
        error = folder.error(text)
        assert error.startswith(place), error
        assert message in error

    def test_of_another_format(self, tmp_path: Path) -> None:
        path = tmp_path / "own.yaml"
        path.write_text("format: wsproof.scenarios/9\n", encoding="utf-8")
        with pytest.raises(ContractError, match=r"own\.yaml:1:1: .*wsproof\.scenarios/1"):
            load_scenarios(path)

    def test_two_of_one_id(self, folder: Folder) -> None:
        first = folder.write(scenario("ping: {actor: alice}"), "a.yaml")
        second = folder.write(scenario("ping: {actor: alice}"), "b.yaml")
        with pytest.raises(ContractError) as caught:
            load_scenarios(folder.path)
        assert str(caught.value) == f"{second}:3: scenario 'it' is already defined in {first}:3"

    def test_a_procedure_that_calls_itself(self, folder: Folder) -> None:
        again = PROCEDURES.replace(
            'call: say\n        with: {words: "${words}!"}', "call: twice\n        with: {words: x}"
        )
        error = folder.error(again + scenario("call: twice\n        with: {words: x}"))
        assert "procedure 'twice' calls itself" in error
        assert error.startswith("11:9: ")

    def test_more_steps_than_anyone_needs(self, folder: Folder) -> None:
        inner = "{ping: {actor: alice}}"
        for _ in range(2):
            inner = f"{{repeat: {{times: 1000, steps: [{inner}]}}}}"
        assert "the scenario has more than 20000 steps" in folder.error(scenario(inner))

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"text", b"{"])
    def test_files_that_are_none(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "own.yaml"
        path.write_bytes(content)
        with pytest.raises(ContractError, match=r"own\.yaml:\d+"):
            load_scenarios(path)

    def test_a_folder_without_any(self, tmp_path: Path) -> None:
        with pytest.raises(ContractError, match=r"no scenario files \(\*\.yaml\) found"):
            load_scenarios(tmp_path)


class TestLint:
    @pytest.mark.slow  # `make lint` runs the command
    def test_the_bundled_scenarios_are_clean(self) -> None:
        found = lint_scenarios()
        assert found.problems == ()
        assert found.summary.endswith("; 0 problems")

    def test_a_broken_file_is_a_finding(self, folder: Folder) -> None:
        path = folder.write(scenario("call: nothing"))
        (problem,) = lint_scenarios(path).problems
        assert problem.startswith(f"{path}:6:9: unknown procedure 'nothing'")

    def test_unknown_requirements_and_none_at_all(self, folder: Folder) -> None:
        path = folder.write(scenario("connect: {actor: alice}\n        requirement: ERR-99"))
        found = lint_scenarios(path)
        assert found.problems == (
            f"{path}:7:9: no requirements.yaml declares ERR-99 (did you mean 'ERR-09'?)",
            f"{path}:3: scenario it verifies nothing; name the requirements in `verifies`",
        )
        assert found.summary.endswith("; 2 problems")

    def test_everything_that_is_wrong_is_told_at_once(self, folder: Folder) -> None:
        path = folder.write(
            scenario("connect: {actor: alice}\n      - expect: {actor: alice, event: eror}\n      - ping: {}")
        )
        (problem,) = lint_scenarios(path).problems
        assert problem.startswith(f"{path}:8:9: ")
        path.write_text(path.read_text(encoding="utf-8").replace("ping: {}", "drop: {actor: alice}"), encoding="utf-8")
        event, nothing = lint_scenarios(path).problems
        assert event.startswith(f"{path}:7:32: expect: the contract has no event 'eror' (did you mean 'error'?)")
        assert nothing == f"{path}:3: scenario it verifies nothing; name the requirements in `verifies`"

    def test_journeys_are_read_as_such(self, folder: Folder) -> None:
        path = folder.write(
            scenario("call: open\n        with: {actor: alice}\n      - pause: {actor: alice, for: 1s}")
        )
        assert lint_scenarios(path).problems == ()
        path.write_text(path.read_text(encoding="utf-8").replace("1s", "perod"), encoding="utf-8")
        (problem,) = lint_scenarios(path).problems
        assert problem.startswith(f"{path}:8:31: pause: unknown duration 'perod' (did you mean 'period'?)")
