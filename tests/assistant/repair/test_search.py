"""How long a search looks on after the first change that passes."""

from __future__ import annotations

from veriloop.assistant.repair.search import Found, Limits, State, _Limit
from veriloop.assistant.verify.results import Outcome, SimResult

PASSED = State(
    contents={},
    operators=("operator",),
    cost=1.0,
    result=SimResult(outcome=Outcome.PASS, engine="make"),
    count=1,
)


def judged(*, seconds_each: float, deadline: float = 1000.0) -> int:
    """How many candidates are judged after the first one, which passes, if each takes so long."""
    now = 0.0
    limit = _Limit(Limits(deadline=deadline, look_on_s=5.0, look_on=40, look_on_least=12, clock=lambda: now))
    found = Found(tried=1, plausible=[PASSED])
    limit.passed(1.0, found)
    while not limit.reached(found):
        found.tried += 1
        now += seconds_each
        limit.passed(1.0, found)
    return found.tried - 1


def test_a_fast_test_lets_many_rivals_be_judged():
    assert judged(seconds_each=0.01) == 40


def test_a_slow_test_lets_some_rivals_be_judged():
    assert judged(seconds_each=0.3) == 17
    assert judged(seconds_each=10.0) == 12


def test_the_whole_budget_is_never_exceeded():
    assert judged(seconds_each=10.0, deadline=35.0) == 4
