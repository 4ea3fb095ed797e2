"""What follows the endpoint's path by the contract is of whoever connects."""

from typing import Any

import pytest

from conformance.language.deeds import Connect
from conformance.play.handshakes import request_for
from contract.choices import Auth
from contract.profile import Profile


def path_of(target: str, path: str | None, own: str | None = None, where: Any = "none") -> str:
    profile = Profile(auth=Auth(where, "t"), path=path)
    render = {"/${user.id}": "/ü7", "/x": "/x", "/x?v=2": "/x?v=2"}
    return request_for(Connect("alice", path=own), profile, target, "k", lambda one: render.get(one, one)).target


@pytest.mark.parametrize(
    ("target", "path", "expected"),
    [
        ("/", None, "/"),
        ("/", "/x", "/x"),
        ("/desk", "/${user.id}", "/desk/%C3%BC7"),
        ("/desk/?a=1", "/x", "/desk/x?a=1"),
        ("/desk?a=1", "/x?v=2", "/desk/x?a=1&v=2"),
    ],
)
def test_it_follows_the_endpoints(target: str, path: str | None, expected: str) -> None:
    assert path_of(target, path) == expected


def test_a_token_stays_in_the_query() -> None:
    assert path_of("/desk", "/x", where="query") == "/desk/x?t=k"


def test_a_step_has_its_own_instead() -> None:
    assert path_of("/desk", "/x", own="/other") == "/other"
