"""The load document: its schema accepts it whatever was measured, and its verdict is never passed by nothing."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.findings import missing, phrase, translated
from contract.language import speaking
from contract.metrics import METRICS
from contract.schemas import format_validator, violations
from loadtest.delivery.ledger import Ledger
from loadtest.judge.judge import Judge
from loadtest.measure.document import Ending, load_document, write_document
from loadtest.measure.recorder import Recorder
from loadtest.measure.tally import Tally
from loadtest.settings import names
from loadtest.settings.settings import LoadSettings
from tests.bundled import load_contract, load_requirements

SETTINGS = LoadSettings(
    endpoint="ws://127.0.0.1:9/v1/socket", users=3, spawn_rate=1.5, duration=2.5, document="load.json", version="1.2.3"
)
SOMETHING = phrase("not-open")
REFUSED = phrase(
    "with-detail",
    what=phrase("handshake-refused"),
    detail=phrase("answer-status", status=401, reason="Unauthorized"),
)
PASSES = {"passed": True, "reasons": []}
STARTED = datetime(2026, 11, 23, 2, 5, 0, 123_456, tzinfo=UTC)


def full() -> Recorder:
    judge = Judge(load_requirements(), delivery="new_message")
    recorder = Recorder(0.0, Ledger(b"12345678"), judge=judge)
    judge.chance("handshake")
    recorder.opened()
    for number, metric in enumerate(METRICS):
        recorder.measured(metric, 0.01 * (number + 1))
    recorder.closed(1000)
    return recorder


def document(recorder: Recorder, *thresholds: str, complete: bool = True) -> dict[str, Any]:
    settings = replace(SETTINGS, thresholds=thresholds)
    tally = Tally(3.0)
    tally.add("this process", recorder.take(2.5))
    measured = {**tally.document(), "aborted": None, "shed": tally.judged.shed}
    return load_document(settings, load_contract(), Ending(STARTED, 2.5, complete), measured, tally.judged)


def assert_valid(value: dict[str, Any]) -> None:
    assert violations(format_validator("load"), json.loads(json.dumps(value))) == ()


def test_a_good_run_passes() -> None:
    found = document(full(), "p99(post_to_own) < 200ms", "errors == 0")
    assert_valid(found)
    assert (found["verdict"], found["reason"], found["outcome"]) == ("conformant", None, PASSES)
    assert [one["passed"] for one in found["thresholds"]] == [True, True]
    assert found["started"] == "2026-11-23T02:05:00.123Z"
    assert found["tool"] == {"name": "wsproof", "version": "1.2.3"}
    assert found["settings"]["time_s"] == 2.5


def test_a_breached_threshold_fails_the_run_and_is_named() -> None:
    found = document(full(), "errors == 0", "p50(connect) < 1ms")
    assert_valid(found)
    assert found["verdict"] == "conformant"
    assert found["outcome"]["passed"] is False
    assert found["outcome"]["reasons"] == ["threshold breached: p50(connect) < 1ms"]


def test_errors_alone_fail_nothing() -> None:
    recorder = full()
    recorder.failed(SOMETHING)
    found = document(recorder)
    assert_valid(found)
    assert (found["verdict"], found["errors"]) == (
        "conformant",
        [{**SOMETHING.json, "message": "the connection is not open", "count": 1}],
    )


def test_a_run_that_measured_nothing_fails() -> None:
    recorder = Recorder(0.0, Ledger(b"12345678"))
    found = document(recorder, "errors == 0")
    assert_valid(found)
    assert (found["verdict"], found["reason"]) == ("incomplete", "no virtual user could connect: none were started")
    assert found["outcome"]["passed"] is False
    assert [one["passed"] for one in found["thresholds"]] == [False]
    recorder.failed(REFUSED)
    assert (
        document(recorder)["reason"]
        == "no virtual user could connect: the handshake was not accepted: 401 Unauthorized"
    )


def test_a_run_that_measured_connecting_alone_fails() -> None:
    recorder = Recorder(0.0, Ledger(b"12345678"))
    recorder.measured("connect", 0.01)
    recorder.measured("close", 0.01)
    found = document(recorder)
    assert_valid(found)
    assert found["verdict"] == "incomplete"
    assert found["outcome"]["passed"] is False
    assert found["reason"] == "only connecting was measured (the run was too short)"


def test_a_run_in_which_nothing_was_delivered_fails() -> None:
    recorder = full()
    recorder.failed(missing("new_message"))
    tally = Tally(3.0)
    tally.add("this process", recorder.take(2.5))
    nothing = {"expected": 0, "delivered": 0, "lost": 0, "duplicated": 0, "reordered": 0, "misdelivered": 0, "posts": 9}
    measured = {**tally.document(), "aborted": None, "shed": {}, "delivery": nothing}
    found = load_document(SETTINGS, load_contract(), Ending(STARTED, 2.5, True), measured, tally.judged)
    assert_valid(found)
    assert found["verdict"] == "incomplete"
    assert found["outcome"]["passed"] is False
    assert found["reason"].startswith("none of the 9 posted messages was delivered: `new_message`")


def test_a_run_of_failures_alone_fails() -> None:
    recorder = Recorder(0.0, Ledger(b"12345678"))
    for metric in ("connect", "ack"):
        recorder.measured(metric, 0.01)
    assert document(recorder)["reason"] is None
    recorder = Recorder(0.0, Ledger(b"12345678"))
    for metric in ("connect", "ack"):
        recorder.measured(metric, 0.01)
    recorder.failed(phrase("ended"))
    assert document(recorder)["reason"] == "only connecting was measured (the connection ended)"


def test_a_run_that_was_cut_off_says_so() -> None:
    found = document(full(), complete=False)
    assert_valid(found)
    assert found["complete"] is False


@pytest.mark.parametrize("message", ["\ud800 half a character", "<b>bold</b>\x00\x1b[31m", "日本 🙂"])
def test_whatever_an_endpoint_says_is_written(message: str, tmp_path: Path) -> None:
    recorder = full()
    recorder.failed(phrase("error-came", error=message))
    path = tmp_path / "load.json"
    path.write_text("what was here before", encoding="utf-8")
    write_document(path, document(recorder))
    (error,) = json.loads(path.read_text(encoding="utf-8"))["errors"]
    assert (error["params"], error["message"]) == ({"error": message}, f"the server sent the error {message}")
    assert list(tmp_path.iterdir()) == [path]


def test_users_and_processes_have_names_in_every_language() -> None:
    tally = Tally(3.0)
    tally.names["local"] = names.this_process()
    tally.add("local", full().take(2.5))
    lost = {"kind": "lost", "t_s": 1.0, "channel": "room", "number": 1, "detail": "d", "texts": {}}
    examples = [lost | {"poster": "17", "receiver": "4"}, lost | {"poster": "", "receiver": "4"}]
    counts = dict.fromkeys(("expected", "delivered", "lost", "duplicated", "reordered", "misdelivered", "posts"), 2)
    measured = {**tally.document(), "aborted": None, "shed": {}, "delivery": {**counts, "examples": examples}}
    found = load_document(SETTINGS, load_contract(), Ending(STARTED, 2.5, True), measured, tally.judged)
    assert_valid(found)
    assert [one["poster"] for one in found["delivery"]["examples"]] == ["user 17", "an unknown user"]
    assert found["generator"]["workers"][0]["name"] == "this process"
    with speaking("ja"):
        shown = translated(found)
    assert [one["poster"] for one in shown["delivery"]["examples"]] == ["ユーザー 17", "不明なユーザー"]
    assert shown["delivery"]["examples"][0]["receiver"] == "ユーザー 4"
    assert shown["generator"]["workers"][0]["name"] == "このプロセス"
