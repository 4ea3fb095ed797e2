"""`docs/contracts.md`: its examples are a contract, and it explains each role."""

import json
import re
from pathlib import Path

from contract.files import DATA_ROOT, parse_yaml
from contract.folder import find_contract
from contract.mistakes import check_document
from contract.model import Contract, load_contract
from contract.profile import load_profile
from contract.role_reading import read_roles
from contract.roles import CAUSES
from contract.schemas import SCHEMAS
from tests.wsproof.command import within
from tests.wsproof.contract_folders import contract_folder

PAGE = DATA_ROOT / "docs" / "contracts.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
FORMAT = "format: wsproof.contract/1\n"

API = [one for one in BLOCKS if one.startswith("asyncapi:")]
PROFILES = [one for one in BLOCKS if one.startswith("contract:")]
WHOLE = [one for one in BLOCKS if one.startswith(FORMAT)]
REQUIREMENTS = [one for one in BLOCKS if one.startswith("format: wsproof.requirements/1\n")]
PARTS = [one for one in BLOCKS if one not in (*API, *PROFILES, *WHOLE, *REQUIREMENTS)]


def together(folder: Path) -> Contract:
    """The contract of the examples: the first whole one, and the parts."""
    return load_contract(find_contract(contract_folder(folder / "orders", "".join([WHOLE[0], *PARTS]), API[0])))


def test_its_examples_together_are_a_contract(tmp_path: Path) -> None:
    contract = together(tmp_path)
    assert (contract.title, contract.notes, contract.naming.alike) == ("Order desk", (), [])


def test_lint_has_nothing_to_say_of_them(tmp_path: Path) -> None:
    together(tmp_path)
    done = within("lint", "orders", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_each_role_has_an_example(tmp_path: Path) -> None:
    document = together(tmp_path).folder.document
    assert document is not None
    known = json.loads((SCHEMAS / "contract.schema.json").read_text(encoding="utf-8"))["properties"]
    assert set(known) - set(document.value) == set()
    assert [name for name in known if f"`{name}" not in TEXT and f"{name}:" not in TEXT] == []


def test_its_requirements_keep_the_schema() -> None:
    for text in REQUIREMENTS:
        check_document(parse_yaml(text, PAGE), "requirements")
    assert REQUIREMENTS


def test_other_protocols_keep_the_schema() -> None:
    assert len(WHOLE) >= 3
    for text in WHOLE:
        document = parse_yaml(text, PAGE)
        check_document(document, "contract")
        read_roles(document.value)


def test_its_profile_is_one_of_the_contract(tmp_path: Path) -> None:
    contract = together(tmp_path)
    (tmp_path / "wsproof.yaml").write_text(PROFILES[0], encoding="utf-8")
    tokens = {"ALICE_TOKEN": "a-token", "BOB_TOKEN": "b-token"}
    profile = load_profile(tmp_path / "wsproof.yaml", environ=tokens, contract=contract.folder)
    assert profile.auth.where == "message"
    assert (profile.heartbeat.interval, profile.limits.text_length) == (30, 2000)


def test_each_cause_is_explained() -> None:
    assert [cause for cause in CAUSES if f"`{cause}`" not in TEXT] == []


def test_the_examples_of_the_profiles_page_are_profiles() -> None:
    text = PAGE.with_name("profile.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 8
    for block in blocks:
        check_document(parse_yaml(block, PAGE.with_name("profile.md")), "profile")
