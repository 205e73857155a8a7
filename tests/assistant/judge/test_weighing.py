from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from veriloop.assistant.judge.ballot import Ballot
from veriloop.assistant.judge.opinion import grammar
from veriloop.assistant.judge.scenarios import Scenarios
from veriloop.assistant.judge.verdict import Side
from veriloop.assistant.judge.weighing import DECIDED, weigh
from veriloop.models.gbnf import check_grammar

COUNTS = st.integers(0, 20)
# A busy machine draws slowly, which says nothing about these.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(COUNTS, COUNTS, COUNTS)
def test_a_side_is_named_only_where_its_share_is_clear(passing, same, other):
    weighed = weigh(Ballot(total=passing + same + other, passing=passing, same=same, other=other))
    assert abs(sum(weighed.shares.values()) - 1) < 0.01
    if weighed.side is Side.UNKNOWN:
        return
    assert weighed.confidence >= DECIDED
    assert weighed.shares[weighed.side.value] == max(weighed.shares.values())
    most = {Side.RTL: passing, Side.TESTBENCH: same, Side.BOTH: other}[weighed.side]
    assert most == max(passing, same, other)


@patient
@given(COUNTS, COUNTS)
def test_more_answers_on_a_side_never_make_it_less_sure(same, other):
    shares = [
        weigh(Ballot(total=passing + same + other, passing=passing, same=same, other=other)).shares["rtl"]
        for passing in range(0, 20, 4)
    ]
    assert shares == sorted(shares)


def test_nobody_s_word_decides_nothing():
    assert weigh(Ballot()).side is Side.UNKNOWN


def test_scenarios_tell_only_where_the_answers_know_the_matter():
    clear = Scenarios(answers=8, for_test=40, agreed=100)
    assert clear.side is Side.RTL
    assert Scenarios(answers=8, for_design=40, agreed=100).side is Side.TESTBENCH
    assert Scenarios(answers=8, for_test=40, agreed=10, against_both=90).side is Side.UNKNOWN
    assert Scenarios(answers=2, for_test=40, agreed=100).side is Side.UNKNOWN


def test_the_grammar_of_an_opinion_may_be_handed_to_llama_cpp():
    for count in (1, 8):
        check_grammar(grammar(count))
