from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from veriloop.assistant.verify.viewers import gtkwave, surfer
from veriloop.assistant.verify.wave import Wave
from veriloop.assistant.verify.window import Window, around, differences, drawn, ordered, ruler, short

CLOCK = [(0, "0"), (10, "1"), (20, "0"), (30, "1"), (40, "0")]
WORD = [(0, "xxxx"), (12, "1010"), (30, "1111")]
CHANGES = st.lists(st.tuples(st.integers(0, 99), st.sampled_from(["0", "1", "x"])), min_size=1, max_size=12).map(
    lambda found: sorted(dict(found).items())
)


def test_bits_are_lines_and_words_are_values():
    window = Window(0, 5, 10)
    assert drawn(CLOCK, window) == "__|\N{OVERLINE}|_|\N{OVERLINE}|_"
    assert drawn(WORD, window) == "|~|a  |f  "
    assert drawn([(0, "x")], window) == "xxxxxxxxxx"


def test_where_two_differ():
    other = [*CLOCK[:3], (35, "1"), (40, "0")]
    assert differences(CLOCK, other, Window(0, 5, 10)) == [(6, 7)]
    assert differences(CLOCK, CLOCK, Window(0, 5, 10)) == []


def test_zooming_and_moving_keep_what_they_should():
    window = Window(100, 10, 20)
    assert window.moved(3) == Window(130, 10, 20)
    assert window.moved(-99).start_fs == 0
    zoomed = window.zoomed(0.5, around_fs=200)
    assert zoomed.step_fs == 5
    assert abs(zoomed.column(200) - window.column(200)) <= 1


def test_the_first_window_shows_the_place_at_a_third():
    wave = Wave({"clk": [(at * 1000, str(at % 2)) for at in range(100)]}, 1000, 99000)
    window = around(wave, 50_000, 60)
    assert 15 <= window.column(50_000) <= 25
    assert str(window.step_fs).strip("0") in ("1", "2", "5")
    assert ruler(window).startswith("|")
    assert len(ruler(window)) == 60


def test_short_values():
    assert [short(bits) for bits in ("1", "1010", "1x10", "")] == ["1", "a", "1x10", ""]


def test_what_parts_comes_first_then_the_cone():
    wave = Wave({name: [(0, "0")] for name in ("t.a", "t.b", "t.c", "t.d")})
    assert ordered(wave, {"t.c": 0, "t.b": 2}, ["t.d"]) == ["t.d", "t.c", "t.b", "t.a"]


@given(CHANGES, CHANGES, st.integers(0, 50), st.integers(1, 9), st.integers(1, 40))
def test_a_window_has_as_many_columns_as_it_should(one, two, start, step, columns):
    window = Window(start, step, columns)
    assert len(drawn(one, window)) == columns
    found = differences(one, two, window)
    assert all(0 <= low < high <= columns for low, high in found)
    assert (one == two) <= (found == [])


def test_other_viewers_are_told_the_signals(tmp_path):
    signals = [("tb.clk", 1), ("tb.q", 4)]
    saved = gtkwave(tmp_path / "a.vcd", signals, 205_000, 1000)
    assert "tb.clk\ntb.q[3:0]" in saved
    assert "*-20.0 205" in saved
    commands = surfer(tmp_path / "a.vcd", signals, 205_000, 1000)
    assert "variable_add tb.q" in commands
