from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from veriloop.assistant.complete.hole import Hole
from veriloop.assistant.complete.prompt import first_line, window


def place(lines: int, typed: str = "  assign y = ") -> Hole:
    above = "".join(f"wire a{number};\n" for number in range(lines))
    return Hole(above, typed, "", "endmodule\n" * lines)


def test_a_short_file_is_shown_whole():
    hole = place(10)
    seen = window(hole, tokens=1000, count=len)
    assert (seen.prefix, seen.suffix) == (hole.above + hole.typed, "\n" + hole.below)


def test_the_nearest_lines_are_shown_and_they_fit():
    seen = window(place(500), tokens=600, count=len)
    assert seen.prefix.endswith("wire a499;\n  assign y = ")
    assert seen.suffix.startswith("\nendmodule\n")
    assert len(seen.prefix) + len(seen.suffix) <= 600


def test_the_window_begins_at_the_same_line_while_somebody_types():
    starts = {
        window(place(500, typed), tokens=600, count=len).prefix[:40] for typed in ("a", "as", "assign", "assign y")
    }
    assert len(starts) == 1


def test_what_is_related_goes_first_and_leaves_room():
    related = "module child(input a);\n" * 100
    seen = window(place(100), tokens=600, count=len, related=related)
    assert seen.prefix.startswith("module child(input a);\n")
    assert seen.prefix.endswith("wire a99;\n  assign y = ")
    assert len(seen.prefix) + len(seen.suffix) <= 600


@given(st.text(max_size=300), st.integers(0, 300), st.integers(20, 400))
def test_it_always_fits_but_for_what_is_typed(text, at, tokens):
    hole = Hole.at(text, min(at, len(text)))
    seen = window(hole, tokens=tokens, count=len)
    assert len(seen.prefix) + len(seen.suffix) <= max(tokens, len(hole.typed))


def test_the_first_line_is_taken():
    assert first_line("a;  \nb;\n") == "a;"
