"""The reader of requirements."""

from pathlib import Path

import pytest

from contract.errors import ContractError
from contract.files import DATA_ROOT
from contract.requirements import CheckUse
from tests.bundled import load_contract, load_requirements


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

    def test_the_checks_that_decide_a_clause(self) -> None:
        found = load_requirements()
        (only,) = found["ENV-01"].clauses
        assert only.checks == (CheckUse("text"), CheckUse("unfragmented"), CheckUse("frames"))
        must, should = found["SEND-06"].clauses
        assert must.checks == (CheckUse("payload", "new_message", "message.author"), CheckUse("author"))
        assert should.checks == (CheckUse("author-name"), CheckUse("author-distinct"))
        assert [one.subject for one in must.checks] == ["payload:new_message", "author"]
        assert [found[name].checked for name in ("ENV-01", "SEND-04", "SEND-10")] == [True, True, False]
        assert [clause.checks for clause in found["ERR-01"].clauses] == [(), ()]

    def test_what_is_narrowed_names_messages_and_members_of_the_contract(self) -> None:
        contract = load_contract()
        for one in load_requirements().values():
            for use in (use for clause in one.clauses for use in clause.checks if use.message is not None):
                assert contract.events[str(use.message)].from_server, one.id
                if use.at is not None:
                    missing = contract.check_payload(str(use.message), {"payload": {"channelId": "c", "message": {}}})
                    assert use.at in {place for violation in missing for place in violation.places}, one.id

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("  - id: CONN-02", "  - id: CONN-01", "CONN-01 is declared twice"),
            ("    section: AUTH\n", "    section: AUTHS\n", "section 'AUTHS' is not declared"),
            ("    level: MUST", "    level: MUSTN", 'requirements[0].level: expected "MUST", "SHOULD" or "MAY"'),
            ("    checks: [acknowledged-first]", "    checks: [acknowledged-frist]", ".checks[0]"),
        ],
    )
    def test_a_mistake_has_its_place(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        text = (DATA_ROOT / "spec" / "chat" / "requirements.yaml").read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / "requirements.yaml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ContractError) as caught:
            load_requirements(path)
        assert str(caught.value).startswith(f"{path}:{line_of(text, old)}:")
        assert message in str(caught.value)
