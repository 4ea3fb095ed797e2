"""JUnit XML, as Jenkins, GitLab and GitHub's test reporters read it: what `cases` says, a suite for each group.

What a case failed at is its ``failure`` or ``error``, what was not judged is ``skipped``, and what does not count
stands in its ``system-out``. Characters that XML cannot hold, or nobody can see, stand as escapes such as ``\\u0000``.
"""

from typing import Final
from xml.etree import ElementTree as ET

from contract.escaping import visible
from contract.formats import LOAD
from reports.formats.cases import NAME_CHARACTERS, OWN, TEXT_CHARACTERS, Case, cases, label
from reports.shared import outages, wording
from reports.shared.documents import Document
from reports.text.fitting import cut

_ELEMENTS: Final = {"failed": "failure", "skipped": "skipped", "error": "error"}


def junit(document: Document) -> str:
    """JUnit XML of a results or load document."""
    program = "wsproof load" if document["format"] == LOAD else "wsproof"
    root = ET.Element("testsuites", {"name": label(f"{program} {wording.endpoint(document)}")})
    suites: dict[str, ET.Element] = {}
    for case in cases(document):
        if case.suite not in suites:
            suites[case.suite] = _suite(root, case.suite, document)
        _case(suites[case.suite], case)
    for suite in root:
        suite.attrib.update(_counts(suite), skipped=str(len(suite.findall("testcase/skipped"))))
        suite.set("time", _seconds(sum(float(case.get("time", 0)) for case in suite.iter("testcase"))))
    root.attrib.update(_counts(root), time=_seconds(document["duration_s"]))
    ET.indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(root: ET.Element, name: str, document: Document) -> ET.Element:
    suite = ET.SubElement(root, "testsuite", {"name": label(name)})
    suite.set("timestamp", visible(document["started"]))
    properties = ET.SubElement(suite, "properties")
    contract, tool = document["contract"], document["tool"]
    values = {
        "tool": f"{tool['name']} {tool['version']}",
        "endpoint": document["endpoint"],
        "contract": f"{contract['title']} {contract['version']}".strip(),
        "verdict": document["verdict"],
        "complete": "yes" if document["complete"] else "no",
        "built-in": "yes" if wording.is_built_in(document) else "no",
    }
    for key, value in values.items():
        ET.SubElement(properties, "property", {"name": key, "value": label(value)})
    told = [("outage", outage.text) for outage in outages.outages(document)]
    told += [("hint", hint) for _, hint in wording.hints(document)]
    for key, text in told:
        ET.SubElement(properties, "property", {"name": key, "value": visible(cut(text, TEXT_CHARACTERS))})
    return suite


def _case(suite: ET.Element, case: Case) -> None:
    of_run = OWN if case.suite == OWN else "load"
    classname = of_run if case.scenario is case.requirement is None else f"wsproof.{case.suite}"
    attributes = {"classname": label(classname), "name": label(case.name), "time": _seconds(case.duration)}
    element = ET.SubElement(suite, "testcase", attributes)
    if case.outcome != "passed":
        outcome = ET.SubElement(
            element,
            _ELEMENTS[case.outcome],
            {"type": case.kind, "message": visible(cut(case.message, NAME_CHARACTERS))},
        )
        if case.details:
            outcome.text = case.details
    if case.notes:
        ET.SubElement(element, "system-out").text = case.notes


def _counts(element: ET.Element) -> dict[str, str]:
    found = list(element.iter("testcase"))
    return {
        "tests": str(len(found)),
        "failures": str(sum(case.find("failure") is not None for case in found)),
        "errors": str(sum(case.find("error") is not None for case in found)),
    }


def _seconds(value: float) -> str:
    return f"{value:.3f}"
