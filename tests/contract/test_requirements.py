"""The reader of requirements."""

from pathlib import Path

import pytest

from contract.errors import ContractError
from contract.files import DATA_ROOT
from contract.requirements import load_requirements


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


class TestRequirements:
    def test_the_bundled_ones(self) -> None:
        found = load_requirements()
        one = found["ERR-01"]
        assert (one.id, one.level, one.section.id, one.origin) == (
            "ERR-01",
            "MUST",
            "ERR",
            "seed §7.1",
        )
        assert [clause.level for clause in one.clauses] == ["MUST", "SHOULD"]
        assert one.has_clause("SHOULD")
        assert not one.has_clause("MAY")
        (only,) = found["CONN-01"].clauses
        assert (only.level, only.text, only.text_ja) == (
            "MUST",
            found["CONN-01"].statement,
            found["CONN-01"].statement_ja,
        )

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("  - id: CONN-02", "  - id: CONN-01", "CONN-01 stands twice"),
            ("    section: AUTH\n", "    section: AUTHS\n", "no section 'AUTHS' is declared"),
            ("    level: MUST", "    level: MUSTN", "/level: expected one of"),
        ],
    )
    def test_a_mistake_has_its_place(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        text = (DATA_ROOT / "spec" / "requirements.yaml").read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / "requirements.yaml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ContractError) as caught:
            load_requirements(path)
        assert str(caught.value).startswith(f"{path}:{line_of(text, old)}:")
        assert message in str(caught.value)
