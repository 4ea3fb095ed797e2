"""The bundled scenarios and a user's own, and the requirements that these bring."""

from pathlib import Path

import pytest

from contract.errors import ContractError
from tests.bundled import SCENARIO_FILES, THOROUGH, bundled, load_requirements, load_suite, with_own
from tests.wsproof.own import scenario, written, wrong

DECLARED = """\
format: wsproof.requirements/1
sections:
  - {id: ACME, title: Agreed with Acme}
requirements:
  - id: ACME-01
    level: SHOULD
    statement: A post comes back at once.
  - id: BETA-01
    level: MUST
    statement: {en: It works., ja: 動作する。}
    origin: contract §7
  - id: SEND-90
    level: MUST
    statement: In a section of the bundled ones.
    checks: [delivered]
"""


def test_own_scenarios_stand_beside_the_bundled_ones(tmp_path: Path) -> None:
    own = written(tmp_path / "own.yaml", scenario("acme-a", "ACME-01"))
    both, alone = load_suite([own]), load_suite([own], bundled=False)
    assert [one.id for one in alone.scenarios] == ["acme-a"]
    assert [one.id for one in both.scenarios] == [*(one.id for one in bundled()), "acme-a"]
    assert [*both.requirements] == [*alone.requirements] == [*load_requirements(), "ACME-01"]


def test_own_procedures_are_not_known_to_the_bundled_scenarios(tmp_path: Path) -> None:
    own = written(tmp_path / "own.yaml", scenario("acme-a", "ACME-01"))
    steps = "    steps: [{send_raw: {actor: '${actor}', text: '${nonce.${nonce}}'}}]\n"
    own.write_text(
        own.read_text(encoding="utf-8") + "procedures:\n  post:\n"
        "    parameters: {actor: null, channel: null, nonce: null}\n" + steps,
        encoding="utf-8",
    )
    *others, mine = load_suite([own]).scenarios
    assert tuple(others) == bundled()
    assert "SendRaw" in str(mine.steps)


def test_declared_requirements(tmp_path: Path) -> None:
    (tmp_path / "requirements.yaml").write_text(DECLARED, encoding="utf-8")
    written(tmp_path / "own.yaml", scenario("acme-a", "ACME-01"), scenario("acme-b", "SEND-90"))
    for path in (tmp_path, tmp_path / "own.yaml"):
        found = with_own(bundled(), [path]).requirements
        acme, beta, send = (found[name] for name in ("ACME-01", "BETA-01", "SEND-90"))
        assert (acme.level, acme.statement, acme.statement_ja) == ("SHOULD", *["A post comes back at once."] * 2)
        assert (acme.section.title, acme.origin) == ("Agreed with Acme", "requirements.yaml")
        assert (beta.section.id, beta.section.title, beta.origin) == ("BETA", "BETA", "contract §7")
        assert beta.statement_ja == "動作する。"
        assert send.section == found["SEND-01"].section
        assert send.checked


def test_undeclared_requirements_are_what_their_scenarios_say(tmp_path: Path) -> None:
    should = scenario("acme-b", "ACME-02").replace("    steps:", "    level: SHOULD\n    steps:")
    own = written(tmp_path / "own.yaml", scenario("acme-a", "ACME-01", wrong("ACME-03", "SHOULD")), should)
    found = load_suite([own], bundled=False).requirements
    own_ones = [found[f"ACME-0{number}"] for number in (1, 2, 3)]
    assert [one.level for one in own_ones] == ["MUST", "SHOULD", "SHOULD"]
    assert {one.section.id for one in own_ones} == {"ACME"}
    assert [one.statement for one in own_ones] == ["What acme-a says", "What acme-b says", "What acme-a says"]


@pytest.mark.parametrize("name", ["SEND-99", "ACME-09"])
def test_in_a_declared_section_it_is_a_mistake(name: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.yaml").write_text(DECLARED, encoding="utf-8")
    own = written(tmp_path / "own.yaml", scenario("acme-a", name))
    with pytest.raises(ContractError) as caught:
        with_own(bundled(), [own])
    said = f"{own}:6:16: no requirements.yaml declares {name} (did you mean "
    assert str(caught.value).startswith(said)


def test_an_id_that_stands_twice_is_one_error_with_both_files(tmp_path: Path) -> None:
    known = next(one for one in bundled() if one.id.startswith("join-twice/"))
    own = written(tmp_path / "own.yaml", scenario("acme-a", "ACME-01"), scenario("join-twice", "ACME-01"))
    other = written(tmp_path / "other.yaml", scenario("acme-a", "ACME-01"))
    assert with_own((), [own]).scenarios
    with pytest.raises(ContractError) as caught:
        with_own(bundled(), [own])
    line = own.read_text(encoding="utf-8")[: own.read_text(encoding="utf-8").index("join-twice")].count("\n") + 1
    assert str(caught.value) == (
        f"{own}:{line}: scenario 'join-twice' is already defined in {known.path}:{known.line}; use another id, "
        "or run only your own scenarios (--only-scenarios)"
    )
    with pytest.raises(ContractError) as caught:
        with_own((), [own, other])
    assert str(caught.value) == f"{other}:4: scenario 'acme-a' is already defined in {own}:4; use another id"


def test_a_requirement_that_stands_twice(tmp_path: Path) -> None:
    text = DECLARED.replace("BETA-01", "JOIN-01")
    (tmp_path / "requirements.yaml").write_text(text, encoding="utf-8")
    own = written(tmp_path / "own.yaml", scenario("acme-a", "ACME-01"))
    with pytest.raises(ContractError, match=r"requirements\.yaml:8:5: JOIN-01 is already declared in .*; use another"):
        with_own(bundled(), [own])


@pytest.mark.slow
def test_what_is_there_already_is_read_once(tmp_path: Path) -> None:
    assert load_suite([SCENARIO_FILES]) == load_suite()
    assert load_suite([THOROUGH], thorough=True) == load_suite(thorough=True)
    own = written(tmp_path / "own.yaml", scenario("acme-a", "ACME-01"))
    assert load_suite([own, tmp_path]) == load_suite([own])
