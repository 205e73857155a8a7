"""Where two records part."""

from __future__ import annotations

from veriloop.assistant.verify.divergence import compare
from veriloop.assistant.verify.wave import Wave

NS = 10**6


def wave(**signals: list[tuple[int, str]]) -> Wave:
    changes = {name.replace("__", "."): [(at * NS, value) for at, value in found] for name, found in signals.items()}
    return Wave(changes, NS, max(found[-1][0] for found in changes.values()))


CLOCK = [(at, str(at // 5 % 2)) for at in range(0, 100, 5)]


def test_the_first_signal_that_differs_with_its_cycle():
    one = wave(tb__clk=CLOCK, tb__dut__q=[(0, "00000000"), (15, "00000001"), (25, "00000010")], tb__x=[(0, "0")])
    two = wave(tb__clk=CLOCK, tb__dut__q=[(0, "00000000"), (15, "00000001"), (25, "00111010")], tb__y=[(0, "1")])
    found = compare(one, two)
    assert found is not None
    assert (found.signal, found.was, found.now) == ("tb.dut.q", "8'h2", "8'h3a")
    assert (found.time, found.cycle, found.clock) == ("25 ns", 3, "tb.clk")


def test_of_several_the_likely_one_is_named():
    one = wave(tb__a=[(0, "0"), (7, "1")], tb__dut__b=[(0, "0"), (7, "1")])
    two = wave(tb__a=[(0, "0"), (9, "1")], tb__dut__b=[(0, "0"), (9, "1")])
    found = compare(one, two, {"b"})
    assert found is not None
    assert (found.signal, found.others, found.time, found.cycle) == ("tb.dut.b", ("tb.a",), "7 ns", None)


def test_records_that_agree_as_far_as_they_go():
    one = wave(tb__a=[(0, "0"), (7, "1")])
    assert compare(one, one) is None
    assert compare(one, Wave({})) is None
    assert compare(one, wave(tb__a=[(0, "0"), (7, "1"), (9, "0")])) is None
