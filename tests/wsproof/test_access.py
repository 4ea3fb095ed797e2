"""An endpoint behind a gateway: every handshake brings what the gateway wants, and nothing of it is shown."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile
from tests.evidence.edge import edge_before
from tests.slow import slow_but
from tests.wsproof.command import complaint, read, wsproof
from tests.wsproof.gateway import Gateway
from wsproof.commands.profiles import shown_changes

SECRETS = {"API_KEY": "covert-api-key", "GATE": "covert-gate-cookie", "STAGING": "covert-password"}
BASIC = base64.b64encode(b"ci:covert-password").decode()

PROFILE = """\
auth: {in: AUTH}
origin: https://app.example.com
headers: {X-Api-Key: "${API_KEY}", X-Debug: "1", Host: chat.example.com}
cookies: {gate: "${GATE}", region: eu}
basic: {user: ci, password: "${STAGING}"}
subprotocols: [chat.v1]
heartbeat: {interval: 1s, timeout: 2s}
"""
WANTED = {
    "X-Api-Key": "covert-api-key",
    "X-Debug": "1",
    "Host": "chat.example.com",
    "Authorization": f"Basic {BASIC}",
    "Origin": "https://app.example.com",
}
COOKIES = ("gate=covert-gate-cookie", "region=eu")


def profile_file(folder: Path, auth: str, text: str = PROFILE) -> Path:
    """Write the profile of a tester."""
    path = folder / "wsproof.yaml"
    path.write_text(text.replace("AUTH", auth), encoding="utf-8")
    return path


@contextmanager
def behind(gateway: Gateway, path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The reference server with a tester's profile, behind a gateway; gives the URL that leads through it."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with running(ServerSettings(profile=load_profile(path), port=0)) as server, edge_before(server.url, gateway) as url:
        yield url


def assert_nothing_is_shown(done: "subprocess.CompletedProcess[str]", folder: Path, gateway: Gateway) -> None:
    """Neither on the terminal, nor in a report, nor in the command line of any process."""
    outputs = {"stdout": done.stdout, "stderr": done.stderr, "command lines": "\n".join(gateway.command_lines)}
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "wsproof.yaml":
            outputs[path.name] = path.read_text(encoding="utf-8", errors="replace")
    assert {"junit.xml", "report.html", "results.jsonl"} <= set(outputs) or {"load.json", "load.html"} <= set(outputs)
    for name, text in outputs.items():
        assert "covert" not in text, name
        assert BASIC not in text, name


@pytest.mark.parametrize("auth", slow_but(["cookie"], ["cookie", "subprotocol", "header, name: X-Token"]))
def test_a_check_behind_a_gateway(auth: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those handshakes, too, that must be refused for want of a token, and plain GETs."""
    gateway = Gateway(WANTED, COOKIES)
    path = profile_file(tmp_path, auth)
    with behind(gateway, path, monkeypatch) as url:
        selection = [word for what in ("AUTH", "CONN", "CLOSE") for word in ("--select", what)]
        done = wsproof("check", url, *selection, "--require-complete", folder=tmp_path, **SECRETS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert gateway.turned_away == []
    assert_nothing_is_shown(done, tmp_path, gateway)


@pytest.mark.slow
def test_users_whose_token_is_user_and_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = (
        "users: {alice: {token: 'alice:covert-1'}, bob: {token: 'bob:covert-2'}, carol: {token: 'carol:covert-3'}}\n"
    )
    text = PROFILE.replace("basic:", "#") + users
    gateway = Gateway({"X-Api-Key": "covert-api-key"}, COOKIES)
    path = profile_file(tmp_path, "basic", text)
    with behind(gateway, path, monkeypatch) as url:
        done = wsproof("check", url, "--select", "AUTH", "--select", "JOIN-01", folder=tmp_path, **SECRETS)
    found = {one["id"]: one["verdict"] for one in read(tmp_path / "wsproof-report" / "results.json")["requirements"]}
    assert {found[name] for name in ("AUTH-01", "AUTH-02", "AUTH-04", "AUTH-06", "JOIN-01")} == {"passed"}, done.stdout
    assert gateway.turned_away == []
    assert_nothing_is_shown(done, tmp_path, gateway)


@pytest.mark.slow
def test_generated_messages_behind_a_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(WANTED, COOKIES)
    path = profile_file(tmp_path, "query")
    with behind(gateway, path, monkeypatch) as url:
        options = ("--select", "fuzz-valid-join", "--fuzz", "20", "--seed", "1")
        done = wsproof("check", url, *options, "--allow-undecided", folder=tmp_path, **SECRETS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (gateway.passed > 0, gateway.turned_away) == (True, [])
    assert_nothing_is_shown(done, tmp_path, gateway)


@pytest.mark.slow
def test_load_behind_a_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(WANTED, COOKIES)
    path = profile_file(tmp_path, "cookie")
    with behind(gateway, path, monkeypatch) as url:
        options = ("--users", "4", "--time", "5s", "--processes", "2", "--threshold", "errors == 0")
        done = wsproof("load", url, *options, folder=tmp_path, **SECRETS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (gateway.passed > 0, gateway.turned_away) == (True, [])
    assert any("locust" in line for line in gateway.command_lines)
    assert_nothing_is_shown(done, tmp_path, gateway)


@pytest.mark.slow
def test_what_a_gateway_says_of_them_is_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It wants another key, and repeats the one that it got; the short header's value masks nothing."""
    gateway = Gateway({"X-Api-Key": "another"}, reason="covert-api-key and covert-password are unknown")
    path = profile_file(tmp_path, "query")
    with behind(gateway, path, monkeypatch) as url:
        done = wsproof("check", url, "--select", "CONN", folder=tmp_path, **SECRETS)
        assert done.returncode == 1
        assert_nothing_is_shown(done, tmp_path, gateway)
        document: Any = read(tmp_path / "wsproof-report" / "results.json")
        assert "401 ••• and ••• are unknown" in str(document)
        assert document["endpoint"] == url
        done = wsproof("load", url, "--users", "2", "--time", "1s", folder=tmp_path, **SECRETS)
    assert done.returncode == 1
    assert_nothing_is_shown(done, tmp_path, gateway)
    assert "401 ••• and ••• are unknown" in str(read(tmp_path / "wsproof-report" / "load.json"))


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ("headers.X-Pin=007", "headers.X-Pin=${HEADERS_X_PIN}"),
        ("cookies.a=b", "cookies.a=${COOKIES_A}"),
        ("basic.password=p", "basic.password=${BASIC_PASSWORD}"),
        ("tokens.expiring.token=t", "tokens.expiring.token=${TOKENS_EXPIRING_TOKEN}"),
        ("tokens.expiring.after=5s", "tokens.expiring.after=5s"),
        ("users.alice.token=t", "users.alice.token=${USERS_ALICE_TOKEN}"),
        ("users.alice.name=Al", "users.alice.name=Al"),
        ("users.alice=null", "users.alice=null"),
        ("heartbeat.interval=1s", "heartbeat.interval=1s"),
        ("origin=https://known-secret.example", "origin=${ORIGIN}"),
    ],
)
def test_what_a_document_has_of_a_setting(change: str, shown: str) -> None:
    assert shown_changes([change], ["known-secret"]) == [shown]


@pytest.mark.slow
def test_a_setting_of_the_command_line_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However short its value is, or whatever it looks like: a report tells which variable to set."""
    gateway = Gateway({"X-Pin": "007"})
    path = profile_file(tmp_path, "query")
    with behind(gateway, path, monkeypatch) as url:
        changes = ("--set", "headers.X-Pin=007", "--set", "quiet_period=1s")
        done = wsproof("check", url, "--select", "CONN-01", *changes, folder=tmp_path, **SECRETS)
    assert gateway.turned_away == []
    settings = read(tmp_path / "wsproof-report" / "results.json")["settings"]
    assert settings["set"] == ["headers.X-Pin=${HEADERS_X_PIN}", "quiet_period=1s"], done.stdout


@pytest.mark.slow
def test_tokens_of_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is run once in a run, however many processes it has; that of the token that expires for each connection."""
    script = tmp_path / "vault.py"
    said = "import sys; print('covert-' + sys.argv[1]); open(f'runs-{sys.argv[1]}', 'a').write('x')"
    script.write_text(said, encoding="utf-8")
    text = (
        "heartbeat: {interval: 1s, timeout: 2s}\n"
        f"users: {{alice: {{token: {{command: [{sys.executable}, vault.py, alice]}}}}}}\n"
        f"tokens: {{expiring: {{token: {{command: [{sys.executable}, vault.py, ending]}}, after: 1s}}}}\n"
    )
    plain = tmp_path / "plain.yaml"
    plain.write_text(
        "users: {alice: {token: covert-alice}}\ntokens: {expiring: {token: covert-ending, after: 1s}}\n"
        "heartbeat: {interval: 1s, timeout: 2s}\n",
        encoding="utf-8",
    )
    profile_file(tmp_path, "query", text)
    gateway = Gateway({})
    with behind(gateway, plain, monkeypatch) as url:
        plain.unlink()
        checked = wsproof("check", url, "--select", "AUTH-05", "--select", "CONN-01", folder=tmp_path)
        alice, ending = (len((tmp_path / f"runs-{name}").read_text()) for name in ("alice", "ending"))
        loaded = wsproof("load", url, "--users", "2", "--time", "5s", "--processes", "2", folder=tmp_path)
    requirements = read(tmp_path / "wsproof-report" / "results.json")["requirements"]
    assert {one["id"]: one["verdict"] for one in requirements}["AUTH-05"] == "passed", checked.stdout
    assert (alice, ending > 1) == (1, True)
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    assert len((tmp_path / "runs-alice").read_text()) == 2
    for path in (script, *tmp_path.glob("runs-*")):
        path.unlink()
    for done in (checked, loaded):
        assert_nothing_is_shown(done, tmp_path, gateway)


@pytest.mark.slow
def test_a_command_that_fails(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no vault')"]
    (tmp_path / "wsproof.yaml").write_text(f"users:\n  alice: {{token: {{command: {json.dumps(command)}}}}}\n")
    for name in ("check", "load"):
        found = complaint(name, "ws://127.0.0.1:1/", folder=tmp_path)
        problem = f"users.alice.token: the command {sys.executable} ended with exit code 1: no vault"
        assert found == f"wsproof.yaml:2:11: {problem}"
