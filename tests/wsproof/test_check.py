"""`wsproof check` as a newcomer runs it: what is selected, and what it exits with."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile
from tests.slow import slow_but
from tests.wsproof.command import complaint, read, within, wsproof

SHOULD, MUST = "session-id-shared", "text-trimmed"
"""Faults of the reference server, by the level that they break: CONN-06 and SEND-02."""
SPACES = "send-text-unchanged/leading-spaces"
PRIVATE = "join-with-permission"
BEAT = ("--set", "heartbeat.interval=1", "--set", "heartbeat.timeout=2")


@contextmanager
def server(*faults: str) -> Iterator[str]:
    profile = load_profile(None, {"heartbeat.interval": 1, "heartbeat.timeout": 2})
    with running(ServerSettings(profile=profile, port=0, faults=faults)) as one:
        yield one.url


def checked(folder: Path, *options: str | Path) -> tuple[int, Any]:
    """Exit code and document of a check."""
    done = within("check", *BEAT, *options, folder=folder)
    try:
        return done.returncode, read(folder / "wsproof-report" / "results.json")
    except FileNotFoundError:
        raise AssertionError(done.stdout + done.stderr) from None


class TestSelection:
    @pytest.mark.slow
    def test_of_every_kind(self, tmp_path: Path) -> None:
        names = ("JOIN-02", "CLOSE", "control", SPACES, "join-twice")
        wanted = [part for name in names for part in ("--select", name)]
        code, document = checked(tmp_path, *wanted, "--deselect", "MAY", "--deselect", "close-answered")
        assert code == 0
        ids = {one["id"] for one in document["scenarios"]}
        assert SPACES in ids
        assert not [one for one in ids if one.partition("/")[0] == "close-answered"]
        for one in document["scenarios"]:
            named = {*one["verifies"], one["group"], *one["tags"], one["id"], one["id"].partition("/")[0]}
            assert named & {*names}
        assert document["settings"]["deselection"] == ["MAY", "close-answered"]

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (
                ("--select", "JOIN-2"),
                "--select JOIN-2: no scenario has this id, group, requirement, level or tag; did you",
            ),
            (
                ("--deselect", "slwo"),
                "--deselect slwo: no scenario has this id, group, requirement, level or tag; did you",
            ),
            (("--select", "HB", "--deselect", "hb"), "--select HB --deselect hb: no scenarios are selected"),
        ],
    )
    def test_of_nothing(self, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
        assert complaint("check", *options, folder=tmp_path).startswith(said)
        assert not (tmp_path / "wsproof-report").exists()


class TestStrictness:
    @pytest.mark.parametrize(
        ("options", "code", "verdict"), [((), 0, "conformant"), (("--strict",), 1, "non-conformant")]
    )
    def test_a_should(self, tmp_path: Path, options: tuple[str, ...], code: int, verdict: str) -> None:
        with server(SHOULD) as url:
            found, document = checked(tmp_path, url, "--select", "CONN-06", *options)
        assert (found, document["verdict"]) == (code, verdict)

    @pytest.mark.parametrize("options", [(), ("--require-complete",)])
    def test_what_was_not_selected_leaves_nothing_open(self, tmp_path: Path, options: tuple[str, ...]) -> None:
        found, document = checked(tmp_path, "--select", "CONN-02", *options)
        assert (found, document["verdict"], document["outcome"]["reasons"]) == (0, "conformant", [])
        verdicts = {one["id"]: one["verdict"] for one in document["requirements"]}
        posts = [name for name in verdicts if name.startswith(("SEND", "JOIN"))]
        assert {verdicts[name] for name in posts} == {"untested"}, "no scenario of it posts anything"
        assert verdicts["CONN-02"] == "passed"
        counts = document["summary"]["MUST"]
        assert (counts["untested"], counts["inconclusive"]) == (0, 0)

    ALICE = "users: {alice: {token: alice-token}}\nchannels: {open: 'wsproof-{nonce}'}\n"
    """Nobody else, and no private channel."""

    @pytest.mark.parametrize(
        ("selected", "options", "reasons"),
        slow_but(
            [((SPACES, PRIVATE), ("--require-complete",), ["not everything was verified"])],
            [
                ((SPACES, PRIVATE), (), []),
                ((SPACES, PRIVATE), ("--require-complete",), ["not everything was verified"]),
                (
                    (PRIVATE,),
                    (),
                    ["only 0 of 1 MUST requirements that the selected scenarios verify were decided"],
                ),
                ((PRIVATE,), ("--allow-undecided",), []),
                (
                    (PRIVATE,),
                    ("--allow-undecided", "--require-complete"),
                    ["not everything was verified"],
                ),
            ],
        ),
    )
    def test_what_is_incomplete(
        self, tmp_path: Path, selected: tuple[str, ...], options: tuple[str, ...], reasons: list[str]
    ) -> None:
        (tmp_path / "wsproof.yaml").write_text(self.ALICE, encoding="utf-8")
        wanted = [part for name in selected for part in ("--select", name)]
        with server() as url:
            found, document = checked(tmp_path, url, *wanted, *options)
        assert (found, document["verdict"]) == (1 if reasons else 0, "incomplete")
        assert document["outcome"]["reasons"] == reasons
        assert document["settings"]["allow_undecided"] is ("--allow-undecided" in options)


class TestBaseline:
    @pytest.mark.parametrize(
        ("entry", "code", "state"),
        slow_but(
            [("requirement: SEND-02", 0, "expected")],
            [
                ("requirement: SEND-02", 0, "expected"),
                ("scenario: send-text-unchanged", 0, "expected"),
                (f"scenario: {SPACES}", 0, "expected"),
                ("requirement: SEND-02\n    expires: 2020-01-01", 1, "expired"),
                ("requirement: CONN-01", 1, "undecided"),
            ],
        ),
    )
    def test_what_fails(self, tmp_path: Path, entry: str, code: int, state: str) -> None:
        (tmp_path / "b.yaml").write_text(f"format: wsproof.baseline/1\nentries:\n  - {entry}\n    reason: known\n")
        with server(MUST) as url:
            found, document = checked(tmp_path, url, "--select", SPACES, "--baseline", "b.yaml")
        assert found == code
        assert document["verdict"] == "non-conformant"
        assert [name for name, entries in document["baseline"].items() if entries] == [state]
        assert document["outcome"]["passed"] is (code == 0)
        cases = [*ET.parse(tmp_path / "wsproof-report" / "junit.xml").getroot().iter("testcase")]
        assert bool([one for one in cases if one.find("failure") is not None]) is (code == 1)

    @pytest.mark.parametrize(
        ("entry", "code", "state"),
        slow_but(
            [(f"scenario: {SPACES}", 1, "stale")],
            [
                (f"scenario: {SPACES}", 1, "stale"),
                ("scenario: send-text-unchanged", 0, "undecided"),
                ("requirement: SEND-02", 0, "undecided"),
            ],
        ),
    )
    def test_what_passes(self, tmp_path: Path, entry: str, code: int, state: str) -> None:
        """Only what was played as a whole is stale."""
        (tmp_path / "b.yaml").write_text(f"format: wsproof.baseline/1\nentries:\n  - {entry}\n    reason: known\n")
        found, document = checked(tmp_path, "--select", SPACES, "--baseline", "b.yaml")
        assert found == code
        assert [name for name, entries in document["baseline"].items() if entries] == [state]

    def test_one_that_was_written_lets_the_run_pass(self, tmp_path: Path) -> None:
        with server(MUST) as url:
            code, _ = checked(tmp_path, url, "--select", SPACES, "--write-baseline", "b.yaml")
            assert code == 1
            assert "requirement: SEND-02" in (tmp_path / "b.yaml").read_text(encoding="utf-8")
            code, document = checked(tmp_path, url, "--select", SPACES, "--baseline", "b.yaml")
        assert (code, document["outcome"]) == (0, {"passed": True, "reasons": []})

    @pytest.mark.slow
    def test_one_that_is_there_keeps_what_the_run_does_not_decide(self, tmp_path: Path) -> None:
        kept = "  # late\n  - requirement: HB-01\n    reason: a proxy   # known\n    expires: 2030-12-31\n"
        text = f"format: wsproof.baseline/1\nentries:\n{kept}"
        (tmp_path / "b.yaml").write_text(text, encoding="utf-8")
        with server(MUST) as url:
            checked(tmp_path, url, "--select", SPACES, "--write-baseline", "b.yaml")
        assert (tmp_path / "b.yaml").read_text(encoding="utf-8").startswith(f"{text}  - requirement: SEND-02\n")

    @pytest.mark.slow
    def test_one_that_is_none_is_not_replaced(self, tmp_path: Path) -> None:
        text = "format: wsproof.baseline/1\nentries: []\nmine: true\n"
        (tmp_path / "b.yaml").write_text(text, encoding="utf-8")
        assert "b.yaml" in complaint("check", "--write-baseline", "b.yaml", folder=tmp_path)
        assert (tmp_path / "b.yaml").read_text(encoding="utf-8") == text


@pytest.mark.slow
class TestChannels:
    PROFILE = """\
users: {alice: {token: alice-token}, bob: {token: bob-token}, carol: {token: carol-token}}
channels: {open: [wsproof-a, wsproof-b], private: {name: channel-private, members: [carol]}}
"""

    def test_a_short_list_and_many_jobs(self, tmp_path: Path) -> None:
        """Scenarios that share channels do not disturb each other, and none takes one channel for two."""
        (tmp_path / "wsproof.yaml").write_text(self.PROFILE, encoding="utf-8")
        with server() as url:
            options = ("--select", "JOIN", "--select", "send-one-order-for-all", "--select", "control", "--jobs", "300")
            code, document = checked(tmp_path, url, *options)
        assert code == 0
        assert [one["id"] for one in document["scenarios"] if one["verdict"] in ("failed", "error")] == []
        reasons = [one["texts"]["reason"] for one in document["scenarios"] if one["reason"]]
        assert {"code": "no-other-channel", "params": {"count": 2}} in reasons


class TestJson:
    def test_alone_on_stdout(self, tmp_path: Path) -> None:
        done = wsproof("check", *BEAT, "--select", "CONN-01", "--json", "-", folder=tmp_path)
        assert json.loads(done.stdout) == read(tmp_path / "wsproof-report" / "results.json")
        assert "Conformant" in done.stderr

    def test_in_a_file(self, tmp_path: Path) -> None:
        done = wsproof("check", *BEAT, "--select", "CONN-01", "--json", "more.json", folder=tmp_path)
        assert read(tmp_path / "more.json") == read(tmp_path / "wsproof-report" / "results.json")
        assert "more.json" in done.stdout.splitlines()[-1]


def test_a_variable_may_hold_the_endpoint(tmp_path: Path) -> None:
    (tmp_path / "wsproof.yaml").write_text("endpoint: ${ENDPOINT}\n", encoding="utf-8")
    with server() as url:
        done = wsproof("check", *BEAT, "--select", "CONN-01", folder=tmp_path, ENDPOINT=url)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / "wsproof-report" / "results.json")["endpoint"] == url
