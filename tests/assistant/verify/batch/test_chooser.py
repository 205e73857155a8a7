"""The engine that costs less is chosen, by what has been measured."""

from __future__ import annotations

from veriloop.assistant.verify.batch.chooser import Engine, Spent, choose, choose_alone

BOTH: frozenset[Engine] = frozenset({"icarus", "verilator"})


def test_a_short_test_stays_with_icarus():
    spent: dict[Engine, Spent] = {"icarus": Spent(alone_s=0.003), "verilator": Spent()}
    assert choose(64, spent, "icarus", BOTH).engine == "icarus"


def test_a_long_test_goes_to_verilator_and_a_very_long_one_is_optimised():
    spent: dict[Engine, Spent] = {"icarus": Spent(alone_s=0.5), "verilator": Spent()}
    assert choose(64, spent, "icarus", BOTH).engine == "verilator"
    spent["icarus"].alone_s = 5.0
    assert choose(64, spent, "icarus", BOTH).optimize == 1


def test_few_candidates_of_a_long_test_do_not_pay_for_a_build():
    spent: dict[Engine, Spent] = {"icarus": Spent(alone_s=0.2), "verilator": Spent()}
    assert choose(3, spent, "icarus", BOTH).engine == "icarus"


def test_runs_that_stop_early_count_as_they_were():
    spent: dict[Engine, Spent] = {"icarus": Spent(alone_s=0.5, runs=100, run_s=0.3), "verilator": Spent()}
    assert choose(64, spent, "icarus", BOTH).engine == "icarus"


def test_what_is_not_allowed_is_not_chosen():
    spent: dict[Engine, Spent] = {"icarus": Spent(alone_s=5.0), "verilator": Spent()}
    assert choose(64, spent, "icarus", frozenset({"icarus"})).engine == "icarus"


def test_what_did_not_fail_soon_is_taken_to_run_to_the_end():
    spent: dict[Engine, Spent] = {
        "icarus": Spent(builds=1, build_s=0.03, alone_s=6.0),
        "verilator": Spent(builds=1, build_s=1.4, runs=200, run_s=2.0, alone_s=0.8),
    }
    assert choose_alone(spent, "icarus", BOTH).optimize == 0
    assert choose_alone(spent, "icarus", BOTH, tried=True).optimize == 1
