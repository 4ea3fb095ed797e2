"""What the files that people write get for an answer: every mistake, with its place, in plain words."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import ContractError
from contract.files import DATA_ROOT, Document, load_yaml
from contract.mistakes import check_document, place
from contract.schemas import SCHEMAS

WRITTEN = ("profile", "scenario", "requirements", "baseline", "load-plan", "contract")
"""The formats that people write."""

SAMPLES: dict[str, Any] = {
    "profile": yaml.safe_load("""
        endpoint: wss://example.com/v1/socket
        auth: {in: header, name: Authorization}
        ack_timeout: 5s
        heartbeat: {interval: 30, tolerance: 20%, form: control}
        close_codes: {policy: 4000}
        error_codes: {NOT_JOINED: not_a_member}
        limits: {message_bytes: 65536}
        users: {alice: {token: a, id: u1}, bob: null}
        tokens: {expired: x, expiring: {token: y, after: 5s}, load: "l-{n}"}
        channels: {open: [a, b], private: {name: p, members: [alice]}}
        tls: {verify: true}
    """),
    "scenario": load_yaml(DATA_ROOT / "spec" / "chat" / "scenarios" / "close.yaml").value,
    "requirements": load_yaml(DATA_ROOT / "spec" / "chat" / "requirements.yaml").value,
    "baseline": {
        "format": "wsproof.baseline/1",
        "entries": [
            {"requirement": "SEND-01", "reason": "why", "expires": "2030-01-01", "link": "https://x.example/1"}
        ],
    },
    "load-plan": yaml.safe_load("""
        format: wsproof.load-plan/1
        stages: [{users: 5, in: 10s}, {hold: 1m}]
        journeys: {chat: 1}
        tokens: {file: tokens.txt}
        thresholds: ["p99(post_to_own) < 200ms"]
    """),
    "contract": load_yaml(DATA_ROOT / "spec" / "chat" / "contract.yaml").value,
}


def errors(name: str, value: Any) -> list[str]:
    """What is said of a value without a file."""
    try:
        check_document(Document(Path("f"), value, None), name)
    except ContractError as error:
        return [line.removeprefix("f: ") for line in error.lines]
    return []


def of_file(tmp_path: Path, name: str, text: str) -> list[str]:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        check_document(load_yaml(path), name)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


class TestSentences:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("endpoint: 1\n", "1:1: endpoint: expected a WebSocket URL without a fragment, such as wss://"),
            ("endpoint: https://u:p@x.example/?t=hidden\n", 'v1/socket; got "https://x.example/"'),
            (
                "users: {alice: {token: 12345}}\n",
                "token: expected a string, or a command that prints it, such as {command: ./token.sh}; got a n",
            ),
            ("users: {alice: secret}\n", '1:9: users.alice: expected a user such as {token: "${ALICE_TOKEN}"}; got "'),
            ("users:\n", "1:1: users: expected a mapping of names to values; got nothing"),
            ("heartbeat:\n  interval: fast\n", "2:3: heartbeat.interval: expected a duration such as 500ms, 5s or 2m"),
            ("heartbeat: {interval: 0}\n", "heartbeat.interval: expected more than 0; got 0"),
            ("heartbeat: {tolerance: 120%}\n", "expected a fraction from 0 to 1 such as 0.2, or a percentage below"),
            ("heartbeat: {form: Messages}\n", '"none"; got "Messages" (did you mean \'message\'?)'),
            ("heartbeat: {x: 1}\n", "heartbeat: unknown member 'x'; known: form, interval, timeout, tolerance"),
            ("ack_timeout: 1\nendpont: x\n", "2:1: unknown member 'endpont' (did you mean 'endpoint'?)"),
            ("close_codes: {normal: 1005}\n", "that is legal on the wire: 1000 to 1003, 1007 to 1014, or 3000 to"),
            (
                "error_codes: {joined: x}\n",
                "1:15: error_codes: expected a cause in capitals, such as NOT_JOINED; got '",
            ),
            ("error_codes: [A, B, A]\n", "error_codes: expected each item only once; items 1 and 3 are the same"),
            ("limits: {text_length: 5}\n", "limits.text_length: expected 256 or more; got 5"),
            ("limits: {text_length: '500'}\n", 'a whole number; got "500" (write it without quotation marks)'),
            ("channels: {open: [a]}\n", "channels.open: expected at least 2 items; got 1"),
            ("channels: {private: {nme: p}}\n", "channels.private: unknown member 'nme' (did you mean 'name'?)"),
            ("channels: {private: 5}\n", "channels.private: expected a channel's name, or one with its members, such"),
            ("tls: {verify: no}\n", 'tls.verify: expected true or false; got "no" (write false)'),
            ("tokens: {load: hidden}\n", "tokens.load: expected a token with {n} for the user's number, such as load-"),
            ("[]\n", "1:1: expected a mapping of names to values; got a list"),
        ],
    )
    def test_of_a_profile(self, tmp_path: Path, text: str, said: str) -> None:
        lines = of_file(tmp_path, "profile", text)
        assert any(said in line for line in lines), lines
        assert "hidden" not in "".join(lines)

    @pytest.mark.parametrize(
        ("name", "text", "said"),
        [
            (
                "scenario",
                "format: wsproof.scenarios/2\n",
                '1:1: format: expected "wsproof.scenarios/1"',
            ),
            (
                "baseline",
                "format: wsproof.baseline/1\nentries: [{reason: x}]\n",
                "exactly one of the members 'requirement'",
            ),
            (
                "baseline",
                "format: wsproof.baseline/1\nentries: [{reason: ' '}]\n",
                "entries[0].reason: expected a re",
            ),
            (
                "load-plan",
                "format: wsproof.load-plan/1\ntime: long\n",
                "2:1: time: expected a duration such as 500ms",
            ),
            (
                "load-plan",
                "format: wsproof.load-plan/1\ntokens: {}\n",
                "expected exactly one of the members 'file'",
            ),
            (
                "load-plan",
                "format: wsproof.load-plan/1\nuser: 5\n",
                "2:1: unknown member 'user' (did you mean 'users'?)",
            ),
        ],
    )
    def test_of_other_files(self, tmp_path: Path, name: str, text: str, said: str) -> None:
        lines = of_file(tmp_path, name, text)
        assert any(said in line for line in lines), lines

    @pytest.mark.parametrize(
        ("step", "said"),
        [
            ({"pong": {"actor": "alice"}}, "'pong' (did you mean"),
            ({"ping": {"actr": "alice"}}, "steps[0].ping: unknown member 'actr' (did you mean 'actor'?)"),
            (
                {"ping": {"actor": "Alice"}},
                "ping.actor: expected an actor's name in lower case, such as alice",
            ),
            (
                {"connect": {"actor": "alice", "upgrade": "no"}},
                "upgrade: expected true or false or a placeholder such as ${name}",
            ),
            ({"expect_open": {"actor": "alice", "for": "soon!"}}, "expected a duration such as 500ms or 5s, or one of"),
            ({"drop": {"actor": "alice", "how": "rest"}}, "(did you mean 'reset'?)"),
        ],
    )
    def test_of_a_step(self, step: Any, said: str) -> None:
        scenario = {"id": "a", "title": "A", "steps": [step]}
        lines = errors("scenario", {"format": "wsproof.scenarios/1", "scenarios": [scenario]})
        assert any(said in line for line in lines), lines

    def test_all_at_once_in_the_order_of_the_file(self, tmp_path: Path) -> None:
        text = "quiet_period: never\nheartbeat:\n  form: x\nauth: {in: body}\nendpont: x\n"
        lines = of_file(tmp_path, "profile", text)
        assert [line.partition(": ")[0] for line in lines] == ["1:1", "3:3", "4:8", "5:1"]

    def test_not_more_than_anyone_reads(self) -> None:
        lines = errors("profile", {f"x{number}": 1 for number in range(13)})
        assert len(lines) == 11
        assert lines[-1] == "3 more mistakes"

    @pytest.mark.parametrize("path", [("a", 0, "b", 12), ("a",)])
    def test_places(self, path: tuple[str | int, ...]) -> None:
        assert place(path) == {4: "a[0].b[12]", 1: "a"}[len(path)]


def parts(value: Any, where: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places of everything in a value."""
    yield where
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in inner:
        yield from parts(member, (*where, step))


def replaced(value: Any, where: tuple[Any, ...], new: Any) -> Any:
    if not where:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[where[0]] = replaced(value[where[0]], where[1:], new)
    return copy


PLAIN = "ab 1-あ"
"""Letters of which no pattern is made: what looks like one is ours."""
SMALL = st.none() | st.booleans() | st.integers(-3, 70_000) | st.floats(allow_nan=False) | st.text(PLAIN, max_size=5)
ANYTHING = SMALL | st.lists(SMALL, max_size=3) | st.dictionaries(st.text(PLAIN, max_size=4), SMALL, max_size=3)
PATTERN = re.compile(
    r"\[\^?[0-9a-zA-Z]-|\(\?|\\\\[sSdn]|\)\?\$|\]\*|\{'|': |\[\"|Traceback|is not valid under|does not match"
)
"""Signs of a regular expression, of Python's dicts and of jsonschema's own sentences."""


@pytest.mark.parametrize("name", WRITTEN)
@given(data=st.data())
def test_no_sentence_shows_a_pattern_or_python(name: str, data: st.DataObject) -> None:
    """A part of a file that is right is replaced by anything."""
    sample = SAMPLES[name]
    places = PLACES[name]
    where = data.draw(st.sampled_from(places))
    new = data.draw(ANYTHING)
    for line in errors(name, replaced(sample, where, new)):
        shown = line.replace(json.dumps(new, ensure_ascii=False), "")
        assert not PATTERN.search(re.sub(r'"[^"]*"', "", shown)), line
        assert "another value" not in line


PLACES = {name: list(parts(sample)) for name, sample in SAMPLES.items()}


@pytest.mark.parametrize("name", WRITTEN)
def test_samples_are_right(name: str) -> None:
    assert errors(name, SAMPLES[name]) == []


def schemas(value: Any, where: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, dict):
        yield where, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in inner:
        yield from schemas(member, f"{where}/{step}")


@pytest.mark.parametrize("name", WRITTEN)
def test_each_pattern_says_what_is_expected(name: str) -> None:
    """Of a pattern nothing else could."""
    whole = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    silent = [
        f"{name}.schema.json#{where}: give it an `errorMessage` (expected …, such as …)"
        for where, schema in schemas(whole)
        if isinstance(schema.get("pattern"), str) and "errorMessage" not in schema and not where.endswith("/not")
    ]
    assert silent == []
    said = [schema["errorMessage"] for _, schema in schemas(whole) if isinstance(schema.get("errorMessage"), str)]
    assert [one for one in said if not one.startswith("expected ")] == []
