"""The answer as SARIF, JUnit and annotations."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

from veriloop.assistant.change.forms.github import workflow_commands
from veriloop.assistant.change.forms.junit import junit
from veriloop.assistant.change.forms.marks import Mark, marks
from veriloop.assistant.change.forms.sarif import sarif
from veriloop.assistant.change.result import Checked, LeftOut, Outcome, Place
from veriloop.assistant.design.edits import Patch
from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.verify.evidence import Evidence, Report, Step
from veriloop.assistant.verify.results import Outcome as Ran
from veriloop.assistant.verify.results import SimResult

WARNING = Diagnostic(
    path="rtl/a b.v",
    line=7,
    column=3,
    severity="warning",
    code="LATCH",
    message="Latch inferred\n: ...",
    tool="verilator",
)
RUN = SimResult(outcome=Ran.FAIL, engine="icarus", wall_s=1.5, log_tail="\x1b[31mFAIL: q\0 is <3>")


def refused() -> Checked:
    steps = (
        Step(name="parse", passed=True),
        Step(name="fifo_tb", passed=False, results=(RUN,), detail="3 of 9 samples\nmismatch"),
        Step(name="protected", passed=True, detail="look at these yourself: tb/x.v: is a test by its name"),
    )
    report = Report(
        patch=Patch(edits=(), base="b"),
        tree="t",
        steps=steps,
        evidence=Evidence.ELABORATES,
        passed=False,
        replay="again",
    )
    place = Place(path="rtl/fifo.v", line=12, text="x", signal="tb.q", was="1'b0", now="1'b1", time="5 ns")
    left = (LeftOut("slow_tb", "the budget is spent"),)
    return Checked(outcome=Outcome.REFUTED, report=report, place=place, findings=(WARNING,), left_out=left)


def test_marks_come_with_the_worst_first():
    found = list(marks(refused(), frozenset({"LATCH"})))
    assert [(one.rule, one.level, one.path, one.line) for one in found] == [
        ("test-failed", "error", "rtl/fifo.v", 12),
        ("LATCH", "error", "rtl/a b.v", 7),
        ("touches-what-judges", "warning", "tb/x.v", 0),
    ]
    assert found[0].text == "fifo_tb: 3 of 9 samples mismatch; tb.q parts at 5 ns"
    assert next(one for one in marks(refused()) if one.rule == "LATCH").level == "warning"


def test_a_low_class_is_a_note():
    checked = Checked(
        outcome=Outcome.PASSED,
        report=refused().report,
        classes={"rtl/a.v": Evidence.LINTS},
        warnings=("rtl/a.v: no test exercises it", "not run: x"),
    )
    found = [one for one in marks(checked) if one.rule == "evidence"]
    assert [(one.path, one.text) for one in found] == [("rtl/a.v", "no test exercises it"), ("", "not run: x")]


def test_sarif_names_rules_and_places():
    shown = tuple(marks(refused()))
    data = json.loads(sarif(refused(), shown, "1.2"))
    [run] = data["runs"]
    assert (data["version"], run["tool"]["driver"]["version"]) == ("2.1.0", "1.2")
    rules = run["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [one["ruleId"] for one in run["results"]]
    latch = next(one for one in run["results"] if one["ruleId"] == "LATCH")
    place = latch["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "rtl/a%20b.v"
    assert place["region"] == {"startLine": 7, "startColumn": 3}
    assert "default first" in rules[latch["ruleIndex"]]["shortDescription"]["text"]
    assert run["properties"]["outcome"] == "refuted"


def test_junit_counts_and_survives_what_no_xml_holds():
    shown = tuple(marks(refused(), frozenset({"LATCH"})))
    suites = ElementTree.fromstring(junit(refused(), shown))
    assert (suites.get("tests"), suites.get("failures"), suites.get("skipped")) == ("5", "2", "1")
    cases = {case.get("name"): case for case in suites.iter("testcase")}
    failure = cases["fifo_tb"].find("failure")
    assert failure is not None
    assert failure.text == "?[31mFAIL: q? is <3>"
    assert cases["LATCH rtl/a b.v:7"].find("failure") is not None
    assert cases["slow_tb"].find("skipped") is not None


def test_annotations_are_escaped():
    mark = Mark(rule="r", level="note", text="100%\nsure", path="a,b:c.v", line=3)
    assert workflow_commands([mark]) == "::notice file=a%2Cb%3Ac.v,line=3,title=veriloop%3A r::100%25%0Asure\n"
