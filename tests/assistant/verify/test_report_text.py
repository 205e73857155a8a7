"""What a report says to a person, to a program and in a review."""

from __future__ import annotations

import json

from veriloop.assistant.design.edits import Patch
from veriloop.assistant.verify.evidence import Evidence, Report, Step
from veriloop.assistant.verify.report_text import as_json, as_markdown, as_text, broken, fixed, headline, verified
from veriloop.assistant.verify.results import Outcome, SimResult

GREEN = SimResult(outcome=Outcome.PASS, engine="verilator", start="zeros", checks=10)
RED = SimResult(outcome=Outcome.FAIL, engine="verilator", start="zeros", checks=10, failures=2, reason="2 in 10")
DIFF = "--- a/x.v\n+++ b/x.v\n@@ -1 +1 @@\n-a\n+b\n"


def report(*, before: SimResult = RED, after: SimResult = GREEN, passed: bool = True) -> Report:
    return Report(
        patch=Patch(edits=(), base="b" * 40),
        tree="a" * 40,
        steps=(
            Step(name="lint", passed=True, detail="top: clean"),
            Step(name="tb", passed=after.passed, results=(after,), detail="a | b"),
        ),
        baseline=(Step(name="tb", passed=before.passed, results=(before,)),),
        evidence=Evidence.TESTS if passed else Evidence.LINTS,
        passed=passed,
        unchecked=("timing",),
        tools=(("verilator", "5.48"),),
        replay="veriloop check --staged",
        seconds=1.25,
    )


def test_the_text_of_a_fix():
    text = as_text(report(), DIFF, more=["12 candidates in 3.4 s"])
    assert text == (
        DIFF
        + """
verified: 1 of 1 tests pass, 1 of them failed before; evidence: tests

  ok   lint  top: clean
  ok   tb    a | b; failed before
  12 candidates in 3.4 s

not checked:
  timing

tree aaaaaaaaaaaa, verilator 5.48, 1.2 s
again: veriloop check --staged
"""
    )


def test_the_markdown_of_a_fix():
    text = as_markdown(report(), DIFF)
    assert "| ok | tb | fail | pass | a \\| b |" in text
    assert f"```diff\n{DIFF}```\n" in text
    assert "- timing" in text


def test_the_json_is_json():
    data = json.loads(json.dumps(as_json(report(), DIFF)))
    assert (data["passed"], data["evidence"], data["fixed"], data["seconds"]) == (True, "tests", ["tb"], 1.25)
    assert data["tests"] == {"ran": 1, "passed": 1, "runs": 1, "checks": 10}
    assert data["steps"][1]["runs"][0]["outcome"] == "pass"


def test_a_regression_and_a_failure_that_stays():
    regression = report(before=GREEN, after=RED, passed=False)
    assert (fixed(regression), broken(regression)) == ((), ("tb",))
    assert headline(regression) == "refuted: tb"
    stays = report(after=RED, passed=False)
    assert (fixed(stays), broken(stays)) == ((), ())
    assert "failed before, too" in as_text(stays)
    assert not verified(stays)
