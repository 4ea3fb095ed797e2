"""JUnit XML, as Jenkins, GitLab and GitHub's test reporters read it.

Conformance: one suite per group, one case per scenario.

* A case fails where the scenario broke a MUST (in a strict run: a MUST or a SHOULD), since that is
  what decides the run's verdict and its exit code. What else it broke stands in the case's
  ``system-out`` as a warning, and a case with nothing but warnings passes: a CI that turns red
  over a recommendation teaches people to ignore red.
* What the baseline lists does not count: a case with nothing else is ``skipped``, as pytest writes an expected failure,
  with the baseline's reason. A stale or expired entry of the baseline is a failed case of the suite ``wsproof``.
* An inconclusive scenario is ``skipped`` with its reason, the tool's own fault is an ``error``.
* A run that was cut off, or that played no scenario, gets a suite ``wsproof`` whose one case is an
  ``error``, so that half a run, or none, never looks like a green one.

Load: one case per threshold, and one for the run, which fails where the verdict did for a reason
that is no threshold's. What puts the figures in doubt, and the delivery ledger, stand in its ``system-out``.

Characters that XML cannot hold, or nobody can see, stand as escapes such as ``\\u0000``.
"""

from collections.abc import Mapping
from typing import Any, Final
from xml.etree import ElementTree as ET

from reports import generator, load_wording, quantities, wording
from reports.documents import LOAD, Document
from reports.language import t
from reports.visible import cut, visible

NAME_CHARACTERS: Final = 300
TEXT_CHARACTERS: Final = 4_000
"""Names and texts are cut after these; the document has all of them."""

Json = Mapping[str, Any]


def junit(document: Document) -> str:
    """JUnit XML of a results document."""
    root = ET.Element("testsuites", {"name": _name(f"wsproof {document['endpoint']}")})
    groups: dict[str, list[Json]] = {}
    for scenario in document["scenarios"]:
        groups.setdefault(scenario["group"], []).append(scenario)
    for group, scenarios in groups.items():
        suite = _suite(root, group, document)
        for scenario in scenarios:
            _scenario(suite, group, scenario, document["strict"])
    return _finished(root, document)


def junit_load(document: Document) -> str:
    """JUnit XML of a load document."""
    root = ET.Element("testsuites", {"name": _name(f"wsproof load {document['endpoint']}")})
    suite = _suite(root, "thresholds", document)
    breached = False
    for threshold in document["thresholds"]:
        case = _case(suite, "load", f"{threshold['metric']} {threshold['limit']}", 0)
        if not threshold["passed"]:
            breached = True
            value = load_wording.threshold_value(threshold)
            _outcome(case, "failure", "threshold", t("load.junit.breach", value=value, limit=threshold["limit"]))
    run = _case(suite, "load", "run", document["duration_s"])
    if document["verdict"] == "failed" and (document["reason"] or not breached):
        _outcome(run, "failure", "load", load_wording.load_sentence(document))
    notes = [doubt.title + doubt.text for doubt in generator.doubts(document)]
    if document["delivery"] is not None:
        notes.append(t("load.junit.ledger", sentence=load_wording.ledger_sentence(document["delivery"])))
        notes += map(load_wording.example_sentence, document["delivery"].get("examples", ()))
    if notes:
        ET.SubElement(run, "system-out").text = "\n".join(visible(cut(note, TEXT_CHARACTERS)) for note in notes)
    return _finished(root, document)


def _finished(root: ET.Element, document: Document) -> str:
    load = document["format"] == LOAD
    own = [] if load else _own_failures(document)
    if own:
        suite = _suite(root, "wsproof", document)
        for name, kind, message in own:
            _outcome(_case(suite, "wsproof", name, 0), "failure", kind, message)
    if not document["complete"]:
        case = _case(_suite(root, "wsproof", document), "wsproof", t("common.junit.complete"), 0)
        _outcome(case, "error", "cut-off", t("load.cut-off" if load else "compliance.cut-off"))
    elif not load and not document["scenarios"]:
        case = _case(_suite(root, "wsproof", document), "wsproof", t("compliance.junit.played"), 0)
        _outcome(case, "error", "nothing-played", t("compliance.nothing-played"))
    for suite in root:
        suite.attrib.update(_counts(suite), skipped=str(len(suite.findall("testcase/skipped"))))
        suite.set("time", _seconds(sum(float(c.get("time", 0)) for c in suite.iter("testcase"))))
    root.attrib.update(_counts(root), time=_seconds(document["duration_s"]))
    ET.indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _own_failures(document: Document) -> list[tuple[str, str, str]]:
    """What fails the run beside the scenarios: name, kind and message of each."""
    found = []
    for mark, entry, what in wording.baseline_lines(document):
        if mark.tone == "failed":
            found.append((f"baseline: {wording.listed_name(entry)}", "baseline", f"{what} ({entry['reason']})"))
    required = document["settings"].get("require_complete") is True
    if required and document["complete"] and document["verdict"] == "incomplete":
        found.append((t("compliance.junit.verified"), "incomplete", wording.verdict_sentence(document)))
    return found


def _suite(root: ET.Element, name: str, document: Document) -> ET.Element:
    suite = ET.SubElement(root, "testsuite", {"name": _name(name)})
    suite.set("timestamp", visible(document["started"]))
    properties = ET.SubElement(suite, "properties")
    contract, tool = document["contract"], document["tool"]
    values = {
        "tool": f"{tool['name']} {tool['version']}",
        "endpoint": document["endpoint"],
        "contract": f"{contract['title']} {contract['version']}",
        "verdict": document["verdict"],
        "complete": quantities.setting(document["complete"]),
    }
    for key, value in values.items():
        ET.SubElement(properties, "property", {"name": key, "value": _name(value)})
    return suite


def _scenario(suite: ET.Element, group: str, scenario: Json, strict: bool) -> None:
    title = f"{scenario['id']}: {cut(scenario['title'], 120)}"
    case = _case(suite, f"wsproof.{group}", title, scenario["duration_s"])
    reason = scenario["reason"] or t("compliance.junit.no-reason")
    if scenario["verdict"] in ("inconclusive", "untested"):
        _outcome(case, "skipped", scenario["verdict"], reason)
    elif scenario["verdict"] == "error":
        _outcome(case, "error", "tool", reason)
    failures = scenario["failures"]
    binding = [f for f in failures if wording.binding(f["level"], strict)]
    counting = [f for f in binding if "baseline" not in f]
    others = [f for f in failures if f not in counting]
    # A failed scenario without a failure should not exist; if it does, it must not look passed.
    if counting or (scenario["verdict"] == "failed" and not failures):
        message = _headline(counting[0]) if counting else reason
        more = f" ({t('compliance.more', more=len(counting) - 1)})" if len(counting) > 1 else ""
        text = "\n\n".join(map(_failure_text, counting))
        _outcome(case, "failure", "conformance", f"{message}{more}", text)
    elif binding:
        first = binding[0]
        _outcome(
            case, "skipped", "expected-failure", f"{t('common.mark.expected')}: {first['baseline']}: {_headline(first)}"
        )
    if others:
        texts = (
            f"{t('compliance.junit.expected' if 'baseline' in f else 'compliance.junit.warning')} {_failure_text(f)}"
            for f in others
        )
        ET.SubElement(case, "system-out").text = "\n\n".join(texts)


def _case(suite: ET.Element, classname: str, name: str, duration: float) -> ET.Element:
    attributes = {"classname": _name(classname), "name": _name(name), "time": _seconds(duration)}
    return ET.SubElement(suite, "testcase", attributes)


def _outcome(case: ET.Element, tag: str, kind: str, message: str, text: str = "") -> None:
    """Add an outcome; `text` has lines of ours, in which all else was made visible before."""
    element = ET.SubElement(case, tag, {"type": kind, "message": _name(message)})
    if text:
        element.text = text


def _headline(failure: Json) -> str:
    return f"{failure['requirement']} ({failure['level']}): {failure['message']}"


def _failure_text(failure: Json) -> str:
    where = failure["step"] or t("compliance.text.whole-transcript")
    lines = [
        _headline(failure),
        f"{t('compliance.text.step')}: {where}"
        + (f", {t('compliance.text.actor')}: {failure['actor']}" if failure["actor"] else ""),
    ]
    if failure["expected"] is not None:
        lines.append(f"{t('compliance.text.expected')}: {failure['expected']}")
    received = t("common.nothing") if failure["received"] is None else failure["received"]
    lines.append(f"{t('compliance.text.received')}: {received}")
    return "\n".join(visible(cut(line, TEXT_CHARACTERS)) for line in lines)


def _counts(element: ET.Element) -> dict[str, str]:
    cases = list(element.iter("testcase"))
    return {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
    }


def _name(text: str) -> str:
    return visible(cut(text, NAME_CHARACTERS))


def _seconds(value: float) -> str:
    return f"{value:.3f}"
