"""What a contract asks of users: members that they must have, and credentials that are shown nowhere."""

from pathlib import Path

import pytest

from contract.errors import ContractError
from contract.folder import find_contract
from contract.profile import Profile, load_profile

FIRST = """\
format: wsproof.contract/1
handshake: {path: "/${user.id}"}
authentication: {in: message}
acknowledgement: {send: {type: hello, login: "${user.login}", as: "${user.name}"}, expect: welcome}
"""
USERS = "users: {ann: {id: user-001, name: Ann Example, login: {key: secret-of-ann, region: eu}}}\n"


def loaded(folder: Path, roles: str, profile: str) -> Profile:
    (folder / "contract.yaml").write_text(roles, encoding="utf-8")
    (folder / "wsproof.yaml").write_text(profile, encoding="utf-8")
    find_contract.cache_clear()
    return load_profile(folder / "wsproof.yaml", contract=find_contract(folder))


def complaint(folder: Path, roles: str, profile: str) -> str:
    with pytest.raises(ContractError) as caught:
        loaded(folder, roles, profile)
    return str(caught.value).removeprefix(f"{folder / 'wsproof.yaml'}:")


def test_credentials_are_secrets_and_what_messages_show_is_none(tmp_path: Path) -> None:
    profile = loaded(tmp_path, FIRST, USERS)
    assert "secret-of-ann" in profile.secrets()
    assert not {"user-001", "Ann Example", "eu"} & {*profile.secrets()}
    assert "secret-of-ann" not in repr(profile)


@pytest.mark.parametrize("where", ["message", "none"])
def test_a_token_is_needed_only_where_something_carries_it(tmp_path: Path, where: str) -> None:
    roles = (
        f"format: wsproof.contract/1\nauthentication: {{in: {where}}}\nacknowledgement: {{send: {{}}, expect: hi}}\n"
    )
    assert loaded(tmp_path, roles, "users: {ann: {}}\n").users["ann"].token is None
    query = roles.replace(f"in: {where}", "in: query")
    assert complaint(tmp_path, query, "users: {ann: {}}\n") == "1:9: users.ann: expected the member 'token'"
    sent = roles.replace("send: {}", 'send: {key: "${token}"}')
    assert complaint(tmp_path, sent, "users: {ann: {}}\n") == "1:9: users.ann: expected the member 'token'"


def test_what_the_contract_takes_of_each_user_must_be_there(tmp_path: Path) -> None:
    said = complaint(tmp_path, FIRST, "users:\n  ann: {id: a, login: x, name: A}\n  bob: {name: B}\n  eve: null\n")
    assert said == "3:3: users.bob: expected the members 'id', 'login'"


def test_the_profile_may_send_the_token_elsewhere(tmp_path: Path) -> None:
    roles = "format: wsproof.contract/1\nauthentication: {in: header, name: X-Key}\n"
    profile = loaded(tmp_path, roles, "auth: {in: cookie}\nusers: {ann: {token: t}}\n")
    assert (profile.auth.where, profile.auth.name) == ("cookie", "session")
    profile = loaded(tmp_path, roles, "users: {ann: {token: t}}\n")
    assert (profile.auth.where, profile.auth.name) == ("header", "X-Key")
