"""Profiles that keep the schema and would convict a right server all the same: each refused at its line."""

from pathlib import Path

import pytest

from contract.errors import ContractError
from tests.bundled import load_profile

USERS = "users:\n  alice: {token: t-a, id: u1}\n  bob: {token: t-b, id: u2}\n"


def refused(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    """What is said of a file, without its name."""
    path = tmp_path / "wsproof.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        load_profile(path, None, environ or {})
    return [line.removeprefix(f"{path}:") for line in caught.value.lines]


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("$ALICE_TOKEN", "write ${ALICE_TOKEN} for the environment variable ALICE_TOKEN"),
        ("$(ALICE_TOKEN)", "write ${ALICE_TOKEN} for the environment variable ALICE_TOKEN"),
        ("%ALICE_TOKEN%", "write ${ALICE_TOKEN} for the environment variable ALICE_TOKEN"),
        ("{{ALICE_TOKEN}}", "is a placeholder that is not replaced here; write ${NAME} for an environment variable"),
        ("${{ secrets.ALICE }}", "is a placeholder that is not replaced here"),
        ("${ALICE:-x}", "is a placeholder that is not replaced here"),
        ("<your token>", "is a placeholder that is not replaced here"),
    ],
)
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("users:\n  alice:\n    token: '%s'\n", "3:5: users.alice.token: "),
        ("tokens:\n  expiring: {token: '%s'}\n", "2:14: tokens.expiring.token: "),
        ("headers:\n  X-Api-Key: '%s'\n", "2:3: headers.X-Api-Key: "),
    ],
)
def test_placeholders(tmp_path: Path, token: str, said: str, text: str, place: str) -> None:
    (line,) = refused(tmp_path, text % token)
    assert line.startswith(place)
    assert said in line


def test_what_a_variable_holds_is_no_placeholder(tmp_path: Path) -> None:
    path = tmp_path / "wsproof.yaml"
    path.write_text("users: {alice: {token: '${A}'}}\n", encoding="utf-8")
    assert load_profile(path, None, {"A": "$SECRET"}).users["alice"].token == "$SECRET"


def test_all_variables_that_are_not_set_are_told(tmp_path: Path) -> None:
    assert refused(tmp_path, "users:\n  alice: {token: '${A}'}\n  bob: {token: '${B}-${C}'}\n", {"C": "c"}) == [
        "2:11: the environment variable A is not set",
        "3:9: the environment variable B is not set",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "users:\n  alice: {token: t}\n  bob: {token: t}\n",
            "3:9: users.bob.token: same value as users.alice.token; each user needs its own",
        ),
        (
            "users:\n  alice: {token: a, id: u}\n  bob: {token: b, id: u}\n",
            "3:19: users.bob.id: same value as users.alice.id; this is the same user",
        ),
        (
            USERS + "tokens:\n  expired: t-a\n",
            "5:3: tokens.expired: same value as users.alice.token",
        ),
        (USERS + "tokens:\n  invalid: t-b\n", "5:3: tokens.invalid: same value as users.bob.token"),
        (USERS + "tokens:\n  expiring: {token: t-b}\n", "5:3: tokens.expiring: same value as users.bob.token"),
        ("tokens: {expired: x, expiring: x}\n", "1:10: tokens.expired: same value as tokens.expiring, which must be"),
        ("users: {alcie: {token: t}}\n", "1:9: users: no scenario uses a user 'alcie' (did you mean 'alice'?)"),
        ("users: {Bob: {token: t}}\n", "1:9: users: no scenario uses a user 'Bob' (did you mean 'bob'?)"),
        (
            "error_codes:\n  NOT_JOIND: x\n",
            "2:3: error_codes: 'NOT_JOIND' is not a cause of an error (did you mean",
        ),
        ("error_codes: {TEAPOT: x}\n", "'TEAPOT' is not a cause of an error; causes: INVALID_JSON, INVALID_MESSAGE,"),
        ("heartbeat: {interval: 0s}\n", "1:13: heartbeat.interval: expected more than 0s and at most 24h; got 0s"),
        ("ack_timeout: 25h\n", "1:1: ack_timeout: expected more than 0s and at most 24h; got 25h"),
        ("reconnect: {base: 40}\n", "1:1: reconnect: expected a cap that is at least the base; got 30 s and 40 s"),
        (
            "limits: {message_bytes: 1024}\n",
            "1:10: limits: a text of 4096 characters needs messages of up to 17412",
        ),
        ("limits: {text_length: 20000}\n", "1:10: limits: a text of 20000 characters needs messages of up to 81028"),
        ("channels: {open: [a, b], private: b}\n", "1:26: channels.private: same channel as channels.open[1]"),
        ("channels: {open: [a, b], missing: a}\n", "1:26: channels.missing: same channel as channels.open[0]"),
        ("channels: {private: p, missing: p}\n", "1:24: channels.missing: same channel as channels.private"),
        (
            f"channels: {{open: '{'x' * 113}{{nonce}}'}}\n",
            "1:12: channels.open: expected a name of at most 128",
        ),
        (
            USERS + "channels: {private: {name: p, members: [bobb]}}\n",
            "4:41: channels.private.members[0]: the profile has no user 'bobb' (did you mean 'bob'?)",
        ),
        (
            USERS + "channels: {private: {name: p, members: [carol]}}\n",
            "channels.private.members[0]: the profile has no user 'carol'; users: alice, bob",
        ),
        (
            USERS + "channels: {private: {name: p, members: [alice]}}\n",
            "channels.private.members[0]: alice is the user whose join must be refused, and cannot be a member",
        ),
        (
            USERS + "  carol: {token: t-c}\nchannels: {private: {name: p, members: [bob]}}\n",
            "5:31: channels.private.members: expected carol among the members: the scenarios let this user join",
        ),
        ("users: {alice: {token: a}, alice: {token: b}}\n", "1:28: duplicate key 'alice'"),
    ],
)
def test_contradictions(tmp_path: Path, text: str, said: str) -> None:
    (line,) = refused(tmp_path, text)
    assert line.startswith(said) or said in line, line


def test_no_token_is_shown(tmp_path: Path) -> None:
    lines = refused(tmp_path, "users: {alice: {token: hidden}, bob: {token: hidden}}\ntokens: {expired: hidden}\n")
    assert len(lines) == 3
    assert "hidden" not in "".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        "",
        USERS,
        USERS + "tokens: {invalid: x, expired: x}\nchannels: {private: {name: p, members: [bob]}}\n",
        "users: {alice: {token: a}, bob: {token: b}, dave: {token: c}, bobby: {token: d}}\n",
        "limits: {message_bytes: 65536, text_length: 10000}\nerror_codes: [OWN]\n",
        "reconnect: {base: 1s, cap: 1s}\nheartbeat: {interval: 24h}\n",
    ],
)
def test_what_is_right_is_taken(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wsproof.yaml"
    path.write_text(text + "quiet_period: 1\n", encoding="utf-8")
    assert load_profile(path, None, {}).quiet_period == 1


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            {"limits.text_length": 20_000},
            "--set limits.text_length: limits: a text of 20000 characters needs messages of",
        ),
        (
            {"users.bob.token": "t-a"},
            "--set users.bob.token: same value as users.alice.token; each user needs its own",
        ),
        ({"error_codes.TEAPOT": "x"}, "--set error_codes.TEAPOT: error_codes: 'TEAPOT' is not a cause of an error"),
        ({"ack_timeout": "0s"}, "--set ack_timeout: expected more than 0s and at most 24h; got 0s"),
        ({"ack_timeout": "soon"}, "--set ack_timeout: expected a duration such as 500ms, 5s or 2m; got "),
    ],
)
def test_of_an_option(tmp_path: Path, overrides: dict[str, object], said: str) -> None:
    """Which has no line in the file."""
    path = tmp_path / "wsproof.yaml"
    path.write_text(USERS, encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        load_profile(path, overrides, {})
    assert str(caught.value).startswith(said)
