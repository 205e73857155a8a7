from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from veriloop.assistant.complete.prompt import Window
from veriloop.assistant.complete.runs import Runs
from veriloop.assistant.complete.similarity import edit_similarity
from veriloop.assistant.complete.weighed import weighed
from veriloop.models.model import Score, Stop, never

SEEN = Window("module m;\n  assign alpha_q = alpha_d;\n  assign beta_q = ", "\nendmodule\n")


class Letters:
    """A model whose tokens are letters, each as likely as any other but those it likes."""

    def __init__(self, likes: str = "") -> None:
        self.likes = likes

    def tokens(self, text: str) -> tuple[int, ...]:
        return tuple(map(ord, text))

    def score_infill(
        self, prefix: str, suffix: str, answers: Sequence[str], *, stop: Stop = never
    ) -> tuple[Score, ...]:
        return tuple(Score(logprobs=(-0.01 if text == self.likes else -8.0,) * (len(text) + 1)) for text in answers)


def test_what_the_text_repeats_is_likelier_than_the_model_says():
    runs = Runs(tuple(map(ord, SEEN.prefix)))
    flat = [math.log(1 / 256)] * 7
    known, unknown = (
        runs.total(tuple(map(ord, "  assign ")), tuple(map(ord, text)), flat) for text in ("alpha_q", "omega_q")
    )
    assert known > unknown + 5
    assert Runs().total((), (1, 2), [-1.0, -2.0, -0.5]) == pytest.approx(-3.5), "without a text the model alone decides"


def test_probabilities_of_what_may_come_next_add_up_to_one():
    runs = Runs(tuple(b"abcabdabc"))
    total = sum(math.exp(runs.total(tuple(b"ab"), (token,), [math.log(1 / 256)])) for token in range(256))
    assert total == pytest.approx(1.0)


def test_the_first_stays_first_where_nothing_speaks_against_it():
    assert weighed(Letters(), SEEN, ["beta_d;", "zeta;"], ["beta_d"])[0] == "beta_d;"
    assert weighed(Letters(), SEEN, ["beta_d;"]) == ["beta_d;"]
    assert weighed(Letters(), SEEN, ["", " "], [""]) == []


def test_the_model_can_bring_another_to_the_front():
    told = ["gamma[3];", "delta[7:4];"]
    assert weighed(Letters(), SEEN, told)[0] == told[0]
    assert weighed(Letters(likes=told[1]), SEEN, told)[0] == told[1]


def test_what_others_are_like_wins_over_what_stands_alone():
    told = ["x ? 1 : 0;", "beta_d1;", "beta_d2;", "beta_d3;"]
    assert weighed(Letters(), SEEN, told)[0].startswith("beta_d")


def test_edit_similarity():
    assert edit_similarity("", "") == 1.0
    assert edit_similarity("abcd", "abed") == 0.75
    assert edit_similarity("abc", "") == 0.0
