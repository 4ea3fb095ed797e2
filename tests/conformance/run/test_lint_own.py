"""`wsproof lint` of scenarios with requirements of their own."""

from pathlib import Path

from tests.bundled import lint_scenarios
from tests.wsproof.own import scenario, written


def test_own_requirements_are_some(tmp_path: Path) -> None:
    own = written(tmp_path / "own.yaml", scenario("acme-a", "ACME-01"))
    assert lint_scenarios(own).problems == ()
    assert lint_scenarios(own).summary == "1 scenario verifies 1 of 71 requirements of a server; 0 problems"


def test_in_a_declared_section_an_unknown_one_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "requirements.yaml").write_text(
        "format: wsproof.requirements/1\nrequirements: [{id: ACME-01, level: MUST, statement: It works.}]\n",
        encoding="utf-8",
    )
    written(tmp_path / "own.yaml", scenario("acme-a", "ACME-01"), scenario("acme-b", "ACME-02"))
    problems = lint_scenarios(tmp_path).problems
    assert problems
    assert all("no requirements.yaml declares ACME-02 (did you mean 'ACME-01'?)" in one for one in problems)
