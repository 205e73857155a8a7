"""JUnit's XML: a case a step, so that a CI server shows and counts them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

from veriloop.assistant.change.forms.marks import TEST_FAILED, Mark
from veriloop.assistant.change.result import Checked
from veriloop.assistant.verify.evidence import Step
from veriloop.assistant.verify.judged import is_test

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not hold (2.2)."""


def junit(checked: Checked, marks: Sequence[Mark] = ()) -> str:
    """The steps and the new findings that refuse as test cases; what was left out is skipped."""
    steps = checked.report.steps
    faults = [mark for mark in marks if mark.level == "error" and mark.rule != TEST_FAILED]
    failed = sum(not step.passed for step in steps) + len(faults)
    counts = {
        "tests": str(len(steps) + len(faults) + len(checked.left_out)),
        "failures": str(failed),
        "errors": "0",
        "skipped": str(len(checked.left_out)),
        "time": f"{checked.seconds:.3f}",
    }
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "veriloop check", **counts})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("outcome", checked.outcome.value), ("evidence", checked.report.evidence.label)):
        ElementTree.SubElement(properties, "property", {"name": name, "value": value})
    for step in steps:
        _case(suite, step)
    for mark in faults:
        place = f"{mark.path}:{mark.line}"
        case = ElementTree.SubElement(suite, "testcase", {"name": _xml(f"{mark.rule} {place}"), "classname": "finding"})
        ElementTree.SubElement(case, "failure", {"message": _xml(mark.text)}).text = _xml(f"{place}: {mark.text}")
    for one in checked.left_out:
        case = ElementTree.SubElement(suite, "testcase", {"name": _xml(one.name), "classname": "test"})
        ElementTree.SubElement(case, "skipped", {"message": _xml(one.why)})
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, step: Step) -> None:
    seconds = sum(run.wall_s for run in step.results)
    kind = "test" if is_test(step) else "static"
    facts = {"name": _xml(step.name), "classname": kind, "time": f"{seconds:.3f}"}
    case = ElementTree.SubElement(suite, "testcase", facts)
    if not step.passed:
        failure = ElementTree.SubElement(case, "failure", {"message": _xml(step.detail)})
        failure.text = _xml("\n".join(run.log_tail for run in step.results if not run.passed) or step.detail)


def _xml(text: str) -> str:
    return _NOT_XML.sub("?", text)
