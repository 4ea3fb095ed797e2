"""JUnit XML: what CI systems make of a run."""

import re
from xml.etree import ElementTree as ET

import pytest

from reports.formats.junit import junit
from tests.reports import builder, loads
from tests.reports.builder import Json, failure, results, scenario
from tests.reports.documents import DOCUMENTS

# The elements and attributes that Jenkins' schema (xunit-plugin, junit-10.xsd) allows, of those
# that we use; marked with * where it requires them.
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {
        "name*", "tests*", "failures*", "errors*", "skipped", "time", "timestamp",
    },
    "properties": set[str](),
    "property": {"name*", "value*"},
    "testcase": {"name*", "time", "classname"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set[str](),
}  # fmt: skip
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "properties": {"property"},
    "testcase": {"failure", "error", "skipped", "system-out"},
}
TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")


def _render(document: Json) -> str:
    return junit(document)


def _parse(text: str) -> ET.Element:
    return ET.fromstring(text.encode())


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_structure_is_what_jenkins_takes(document: Json) -> None:
    root = _parse(_render(document))
    for element in root.iter():
        allowed = ATTRIBUTES[element.tag]
        assert element.attrib.keys() <= {name.rstrip("*") for name in allowed}
        assert {name[:-1] for name in allowed if name.endswith("*")} <= element.attrib.keys()
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
        assert TIME.fullmatch(element.get("time", ""))
    cases = list(root.iter("testcase"))
    assert root.get("tests") == str(len(cases))
    assert sum(int(suite.get("failures", "")) for suite in root) == int(root.get("failures", ""))
    assert all(len(case) <= 2 for case in cases)


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_no_character_is_illegal_or_invisible(document: Json) -> None:
    text = _render(document)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202e]", text)
    assert text == _render(document)
    assert len(text) < 200_000


def _cases(document: Json) -> dict[str, ET.Element]:
    root = _parse(junit(document))
    return {(case.get("name") or "").partition(":")[0]: case for case in root.iter("testcase")}


def test_a_broken_must_fails_its_case() -> None:
    case = _cases(builder.failing_results())["err-silent"]
    element = case.find("failure")
    assert element is not None
    assert element.get("message") == "ERR-02 (MUST): no error arrived within 5 s"
    assert "expected: error with code INVALID_JSON\nreceived: (nothing)" in (element.text or "")
    assert "ERR-01" not in (element.text or "")
    assert "WARNING ERR-01 (SHOULD)" in (case.findtext("system-out") or "")


def test_a_broken_should_is_a_warning_unless_the_run_is_strict() -> None:
    lenient = _cases(builder.failing_results())["err-code"]
    assert [child.tag for child in lenient] == ["system-out"]
    assert "WARNING ERR-01 (SHOULD)" in (lenient.findtext("system-out") or "")
    strict = _cases(builder.failing_results(strict=True))["err-code"]
    assert [child.tag for child in strict] == ["failure"]


def test_inconclusive_is_skipped_and_the_tools_fault_an_error() -> None:
    cases = _cases(builder.failing_results())
    skipped = cases["err-skipped"].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "no private channel"
    error = cases["err-broken"].find("error")
    assert error is not None
    assert error.get("message") == "KeyError: 'x'"


def test_a_suite_per_group_with_its_counts() -> None:
    root = _parse(junit(builder.failing_results()))
    assert [suite.get("name") for suite in root] == ["SEND", "ERR"]
    assert [root[1].get(name) for name in ("tests", "failures", "errors", "skipped")] == list("4111")


def test_half_a_run_or_none_is_never_green() -> None:
    cut_off = _parse(junit(results(complete=False)))
    assert cut_off.get("errors") == "1"
    assert "cut off" in cut_off.findall("testsuite/testcase/error")[0].get("message", "")
    assert _parse(junit(results([], []))).get("errors") == "1"
    assert _parse(junit(builder.load(complete=False))).get("errors") == "1"
    assert _parse(junit(results())).get("errors") == "0"


def test_a_failed_scenario_without_failures_still_fails() -> None:
    document = results(scenarios=[scenario("odd", "failed", reason="something else")])
    element = _cases(document)["odd"].find("failure")
    assert element is not None
    assert element.get("message") == "something else"


def test_several_failures_are_one_element_with_all_of_them() -> None:
    failures = [failure("ERR-01"), failure("ERR-02", expected="a\nb", received="")]
    case = _cases(results(scenarios=[scenario("two", "failed", failures=failures)]))["two"]
    (element,) = case
    assert (element.get("message") or "").endswith("(and 1 more)")
    assert "expected: a\\nb\nreceived: " in (element.text or "")


def test_an_undecided_threshold_is_skipped() -> None:
    root = _parse(junit(builder.undecided_load()))
    names = {case.get("name"): case for case in root.iter("testcase")}
    element = names["p99(ack) < 5ms"].find("skipped")
    assert element is not None
    assert (element.get("message") or "").startswith("undecided: measured 9.80 ms, limit < 5ms")
    assert [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None] == []


def test_thresholds_are_cases() -> None:
    breached = {"metric": "p99(ack)", "limit": "< 5ms", "value": None, "passed": False}
    held = builder.load()["thresholds"][0]
    root = _parse(junit(builder.load(thresholds=[held, breached])))
    names = {case.get("name"): case for case in root.iter("testcase")}
    children = [(child.tag, child.text) for child in names["p99(post_to_receive) < 200ms"]]
    assert children == [("system-out", "measured 12.3 ms")]
    element = names["p99(ack) < 5ms"].find("failure")
    assert element is not None
    assert element.get("message") == "nothing was measured, limit < 5ms"
    assert root.get("failures") == "1"


def test_a_load_run_that_failed_for_another_reason_fails_its_own_case() -> None:
    root = _parse(junit(builder.unreached_load()))
    elements = root.findall("testsuite/testcase/failure")
    assert [element.get("message") for element in elements] == ["no user could connect"]
    assert [one.get("type") for one in root.iter("skipped")] == ["untested", "untested"]


def test_requirements_of_a_load_test_are_cases() -> None:
    root = _parse(junit(loads.faulty()))
    names = {(case.get("name") or "").partition(":")[0]: case for case in root.iter("testcase")}
    failed = names["SEND-01"].find("failure")
    assert failed is not None
    assert names["SEND-01"].get("classname") == "wsproof.SEND"
    assert failed.get("message") == (
        "SEND-01 MUST: 43 of 476,000 deliveries (0.01 %)  first at 12.3 s, last at 58.0 s: "
        "a post did not reach a connection that had joined its channel (user 17)"
    )
    assert "2 × a message from a channel that this connection has not joined (user 17)  at 12.3 s" in (
        failed.text or ""
    )
    assert "membership at 12.30 s, user 17: message 28 of user 4 in load-1" in (failed.text or "")
    assert [child.tag for child in names["SEND-03"]] == ["system-out"]
    assert (names["SEND-03"].findtext("system-out") or "").startswith("WARNING SEND-03 SHOULD: 3 of 475,839")
    skipped = [names[name].find("skipped") for name in ("HB-02", "ERR-09")]
    assert [None if one is None else one.get("type") for one in skipped] == ["inconclusive", "untested"]
    assert names["CONN-01"].findtext("system-out") == "held in 400 connections"
    assert names["run"].find("failure") is not None


def test_a_recommendation_that_a_strict_run_saw_broken_is_a_failure() -> None:
    root = _parse(junit(loads.faulty(settings={"strict": True})))
    failed = [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None]
    assert any((name or "").startswith("SEND-03") for name in failed)


def test_a_run_that_only_measured_passes_nothing() -> None:
    root = _parse(junit(loads.measured()))
    (run,) = root.iter("testcase")
    skipped = run.find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "Measured under 400 users: nothing was judged."


def test_a_load_run_tells_its_doubts_and_its_ledger() -> None:
    root = _parse(junit(loads.aborted()))
    (run,) = (case for case in root.iter("testcase") if case.get("name") == "run")
    said = (run.findtext("system-out") or "").splitlines()
    assert said[0].startswith("The load generator, not the endpoint, was the bottleneck: worker 1 used 99 %")
    assert said[1].startswith("1 of 3 workers was lost: worker 2")
    assert said[3].startswith("Load shed by the endpoint, as permitted: 12 × HTTP 429")
    assert said[4].startswith("Delivery ledger: 475,839 of 476,000 expected deliveries arrived; 41 lost")
    assert said[5].startswith("lost at 31.25 s: message 28 from user 17")


class TestBaseline:
    ROOT = _parse(_render(builder.baselined_results()))

    def case(self, name: str) -> ET.Element:
        (found,) = (case for case in self.ROOT.iter("testcase") if case.attrib["name"].startswith(name))
        return found

    def test_an_expected_failure_is_skipped_with_its_reason(self) -> None:
        case = self.case("err-listed")
        skipped = case.find("skipped")
        assert skipped is not None
        assert skipped.attrib["type"] == "expected-failure"
        assert "why ERR-01 fails" in skipped.attrib["message"]
        assert case.find("failure") is None
        assert "EXPECTED ERR-01 (MUST)" in (case.findtext("system-out") or "")

    def test_what_fails_besides_counts(self) -> None:
        failed = self.case("err-both").find("failure")
        assert failed is not None
        assert failed.attrib["message"].startswith("ERR-02 (MUST)")

    @pytest.mark.parametrize(("name", "said"), [("err-fine", "stale: it passes"), ("ERR-02", "expired: it was")])
    def test_a_stale_or_expired_entry_is_a_failure(self, name: str, said: str) -> None:
        failed = self.case(f"baseline: {name}").find("failure")
        assert failed is not None
        assert failed.attrib["message"].startswith(said)

    def test_what_had_to_be_complete_and_is_not_fails(self) -> None:
        document = builder.results([builder.requirement("ERR-01", "untested")], settings={"require_complete": True})
        assert _parse(_render(document)).attrib["failures"] == "1"

    def test_what_was_not_finished_is_skipped(self) -> None:
        document = results(scenarios=[scenario("late", "untested", reason="cut-off")], complete=False)
        assert [one.attrib["type"] for one in _parse(_render(document)).iter("skipped")] == ["untested"]
