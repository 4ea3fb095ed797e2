"""Streams: what is written can be read, whatever is missing at the end."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.judge.baseline import BaselineEntry
from conformance.judge.outcomes import unfinished
from conformance.judge.verdicts import ScenarioVerdict, charge_failures
from conformance.play.engine import CUT_OFF
from conformance.play.outage import Outage
from conformance.play.transcript import Entry
from conformance.run.results import RunFacts, results_document
from conformance.run.stream import StreamWriter, is_stream, read_stream
from contract.errors import ContractError
from contract.files import DATA_ROOT
from contract.findings import message_of, phrase, text_of, translated
from contract.formats import RESULTS, STREAM, family
from contract.language import speaking
from contract.schemas import compile_schema
from tests.conformance.judge.test_verdicts import ALL, BROKEN_SOMEHOW, failure, verdict

SCHEMA = compile_schema({"$ref": (DATA_ROOT / "schemas" / "stream.schema.json").as_uri()})

PASSED = verdict("SEND-01", applied={"text": 4, "payload:new_message": 2}, unreached={("SEND-02", "MUST"): 2})
FAILED = verdict("JOIN-02", "stopped", failure("JOIN-02"), failure("ENV-05", "SHOULD"))
LACKING = verdict(
    "HB-01", "inconclusive", level="MUST", tags=("slow",), unconfirmed=(failure("HB-03", absent="ended"),)
)
ONES = (PASSED, FAILED, LACKING)
OUTAGES = (
    Outage(0.5, "dropped", ("a", "b"), back_after=0.0, culprit="a"),
    Outage(1.5, "stopped", ("a",), suspected=("a", "b")),
)


def facts(**members: Any) -> RunFacts:
    given = {"duration": 2.5, "settings": {"jobs": 2}, **members}
    return RunFacts("0.1.0", "ws://example.test/", ("Chat", "1"), "2026-01-01T00:00:00.000Z", **given)


def written(path: Path, *verdicts: ScenarioVerdict, complete: bool | None = True, **members: Any) -> Path:
    """A stream of `ONES` in which these have finished; `complete` None leaves the footer out."""
    writer = StreamWriter(path, facts(**members), ALL, [one.outcome.scenario for one in ONES])
    for one in verdicts:
        writer.scenario(one, 0.0)
    writer.close(facts(**members, complete=bool(complete), outages=OUTAGES))
    assert writer.error is None
    if complete is None:
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.jsonl"


def of(document: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["verdict"] for one in document["scenarios"]}


def test_what_was_found_keeps_its_phrases(path: Path) -> None:
    came = phrase("came", items=["x", phrase("closed-because", code="1000", reason="bye")])
    entry = Entry(0.5, "alice", "in", "end", None, phrase("tcp-eof"))
    found = replace(failure("JOIN-02"), step=phrase("step", parts=["1", phrase("verb-ping")]), received=came)
    failed = verdict("JOIN-02", "stopped", found)
    failed.outcome.record.transcript.first.append(entry)
    document = read_stream(written(path, failed, hints=(phrase("hint-path"),)))
    scenario = document["scenarios"][1]
    (shown,) = scenario["failures"]
    assert message_of(shown) == BROKEN_SOMEHOW
    assert (text_of(shown, "step"), text_of(shown, "received")) == (found.step, came)
    assert text_of(scenario["transcript"][-1], "data") == phrase("tcp-eof")
    assert [message_of(one) for one in document["hints"]] == [phrase("hint-path")]
    with speaking("ja"):
        assert translated(document)["scenarios"][1]["failures"][0]["received"] == came.render("ja")


def test_a_whole_stream_gives_the_document_of_its_run(path: Path) -> None:
    FAILED.outcome.record.transcript.first.append(Entry(0.5, "alice", "in", "message", "ping", "\ud800 \x00 é", True))
    entries = (BaselineEntry("JOIN-02", None, "known", "https://example.com/1", "2030-01-01", 4, False),)
    given: dict[str, Any] = {"strict": True, "require_complete": True, "allow_undecided": True, "baseline": entries}
    document = results_document(facts(**given, outages=OUTAGES), ALL, ONES)
    assert read_stream(written(path, *ONES, **given)) == document
    assert document["outages"]


def without_phrases(value: Any) -> Any:
    """A part of a stream as it was before it had phrases beside its sentences."""
    if isinstance(value, list):
        return [without_phrases(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: without_phrases(inner)
        for name, inner in value.items()
        if name not in ("code", "params", "texts", "hints")
    }


def test_a_stream_of_version_2_can_be_read(path: Path) -> None:
    """It had sentences alone."""
    lines = [json.loads(line) for line in written(path, *ONES).read_text(encoding="ascii").splitlines()]
    whole = read_stream(path)
    older = [json.dumps(without_phrases(line)).replace(STREAM, f"{family(STREAM)}/2") for line in lines]
    path.write_text("".join(f"{line}\n" for line in older), encoding="ascii")
    document = read_stream(path)
    assert of(document) == of(whole)
    (failure, _) = document["scenarios"][1]["failures"]
    assert failure["message"] == str(BROKEN_SOMEHOW)
    assert (failure["code"], failure["params"]["en"]) == ("said", str(BROKEN_SOMEHOW))
    assert document["hints"] == []
    for one, other in zip(whole["scenarios"], document["scenarios"], strict=True):
        assert (one["reason"], without_phrases(one["transcript"])) == (other["reason"], other["transcript"])


def test_a_stream_of_version_1_can_be_read(path: Path) -> None:
    """It had ids alone for what was decided, and neither counts nor outages."""

    def older(line: str) -> str:
        value = without_phrases(json.loads(line))
        for name in ("allow_undecided", "applied", "unconfirmed", "outages"):
            value.pop(name, None)
        for name in {"reached", "unreached"} & set(value):
            value[name] = sorted({one for one, _, _ in value[name]})
        for one in value.get("requirements", ()):
            for clause in one["clauses"]:
                del clause["checks"]
        return json.dumps(value).replace(STREAM, f"{family(STREAM)}/1")

    lines = written(path, *ONES).read_text(encoding="ascii").splitlines()
    path.write_text("".join(f"{older(line)}\n" for line in lines), encoding="ascii")
    document = read_stream(path)
    assert of(document) == {"of-SEND-01": "passed", "of-JOIN-02": "failed", "of-HB-01": "inconclusive"}
    requirements = {one["id"]: one["verdict"] for one in document["requirements"]}
    assert (requirements["SEND-01"], requirements["JOIN-02"], requirements["ENV-01"]) == (
        "passed",
        "failed",
        "untested",
    )
    assert document["outages"] == []


def test_every_line_is_valid(path: Path) -> None:
    entries = (BaselineEntry(None, "send", "known"),)
    lines = written(path, *ONES, baseline=entries).read_text(encoding="ascii").splitlines()
    assert len(lines) == 5
    assert [str(error) for line in lines for error in SCHEMA.iter_errors(json.loads(line))] == []


@pytest.mark.parametrize("complete", [None, False])
def test_what_is_missing_was_not_finished(path: Path, complete: bool | None) -> None:
    document = read_stream(written(path, PASSED, complete=complete))
    assert of(document) == {"of-SEND-01": "passed", "of-JOIN-02": "untested", "of-HB-01": "untested"}
    assert (document["complete"], document["outcome"]["passed"]) == (False, False)
    assert document["duration_s"] == (1.0 if complete is None else 2.5)
    cut_off = charge_failures(unfinished(FAILED.outcome.scenario, "unfinished", CUT_OFF), (), {})
    assert document["scenarios"][1]["reason"] == str(cut_off.outcome.reason)
    assert document["scenarios"][1]["texts"]["reason"] == CUT_OFF.json


def test_a_run_killed_before_anything_had_finished(path: Path) -> None:
    assert set(of(read_stream(written(path, complete=None))).values()) == {"untested"}


def test_the_last_line_for_a_scenario_holds(path: Path) -> None:
    scenario = FAILED.outcome.scenario
    taken_back = charge_failures(unfinished(scenario, "inconclusive", "others disturbed it"), (), ALL)
    assert of(read_stream(written(path, FAILED, PASSED, taken_back)))["of-JOIN-02"] == "inconclusive"


def test_the_same_verdict_is_written_once(path: Path) -> None:
    assert len(written(path, PASSED, FAILED, PASSED, FAILED).read_bytes().splitlines()) == 4


def test_what_never_finished_is_not_written(path: Path) -> None:
    never = charge_failures(unfinished(FAILED.outcome.scenario, "unfinished", CUT_OFF), (), ALL)
    assert len(written(path, never).read_bytes().splitlines()) == 2


def test_cut_anywhere_after_the_header_it_can_be_read(path: Path) -> None:
    data = written(path, *ONES).read_bytes()
    header = data.index(b"\n") + 1
    for end in range(header, len(data), 37):
        path.write_bytes(data[:end])
        assert not read_stream(path)["complete"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [], "1: expected the header"),
        (lambda lines: lines[1:], "1: expected the header"),
        (lambda lines: [lines[0], "{", *lines[2:]], "2: expected a JSON object on one line"),
        (lambda lines: [*lines[:2], '{"kind": "scenario", "id": "x"}'], "3: "),
        (lambda lines: [lines[0], lines[1], lines[0]], "3: a second header"),
        (lambda lines: [lines[0].replace(STREAM, f"{family(STREAM)}/9"), *lines[1:]], "1: "),
        (lambda lines: ["[" * 100_000], "1: expected a JSON object"),
    ],
)
def test_a_broken_line_is_named(path: Path, change: Any, message: str) -> None:
    lines = written(path, *ONES).read_text(encoding="ascii").splitlines()
    path.write_text("".join(f"{line}\n" for line in change(lines)), encoding="ascii")
    with pytest.raises(ContractError) as caught:
        read_stream(path)
    assert f"results.jsonl:{message}" in str(caught.value)


def test_a_stream_is_known_by_its_beginning(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "renamed.json"
    other.write_bytes(written(path).read_bytes())
    assert is_stream(path)
    assert is_stream(other)
    other.write_text(json.dumps({"format": RESULTS}), encoding="ascii")
    assert not is_stream(other)
    assert not is_stream(tmp_path / "none")


def test_a_full_disk_is_remembered_and_disturbs_nothing(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    writer = StreamWriter(Path("/dev/full"), facts(), ALL, [PASSED.outcome.scenario])
    writer.scenario(PASSED, 0.0)
    writer.close(facts())
    assert writer.error is not None
