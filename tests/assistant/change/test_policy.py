"""What evidence is enough for which file."""

from __future__ import annotations

from collections import Counter

from veriloop.assistant.change.judge import _comparable
from veriloop.assistant.change.policy import Policy
from veriloop.assistant.config import EvidenceRule
from veriloop.assistant.verify.evidence import Evidence, Step
from veriloop.assistant.verify.judged import Judged

RULES = (EvidenceRule(paths=("rtl/*",), at_least="lint"), EvidenceRule(paths=("rtl/core/*",), at_least="tests"))


def test_the_stronger_rule_holds():
    policy = Policy(rules=RULES)
    assert policy.needed("rtl/core/alu.v") is Evidence.TESTS
    assert policy.needed("rtl/pads.v") is Evidence.LINTS
    assert policy.needed("ip/x.v") is Evidence.ELABORATES


def test_a_check_is_not_asked_for_more_than_it_does():
    assert Policy(rules=RULES, level="lint").needed("rtl/core/alu.v") is Evidence.LINTS


def test_tests_under_icarus_alone_are_enough_where_the_user_says_so():
    assert not Policy(rules=RULES).suffices("rtl/core/alu.v", Evidence.TESTS_ICARUS)
    assert Policy(rules=RULES, icarus_is_enough=True).suffices("rtl/core/alu.v", Evidence.TESTS_ICARUS)


def test_which_new_findings_block():
    assert Policy(blocking=("LATCH",)).blocks("LATCH")
    assert not Policy(blocking=("LATCH",)).blocks("WIDTHTRUNC")
    assert Policy(blocking=("*",)).blocks("WIDTHTRUNC")


def test_findings_whose_base_was_not_looked_at_refute_nothing():
    lint = [Step(name=f"lint {name}", passed=False) for name in ("a", "b")]
    after = Judged(tuple(lint), Counter({"lint a: x": 1, "lint b: y": 1}), Evidence.NONE)
    cut = Judged((lint[0],), Counter(), Evidence.NONE)
    assert _comparable(cut, after).errors == {"lint a: x": 1}
    whole = Judged(tuple(lint), Counter(), Evidence.NONE)
    assert _comparable(whole, after) == after
    assert _comparable(Judged((), Counter(), Evidence.NONE), after) == after
