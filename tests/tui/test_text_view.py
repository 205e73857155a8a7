from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection

from veriloop.tui.files import files_below, fitting
from veriloop.tui.lines import Line, clean, report_lines
from veriloop.tui.widgets.text_view import TextView
from veriloop.tui.widgets.wrapping import hanging, pieces

TEXT = st.text(st.sampled_from("ab  \N{SNOWMAN}\N{CJK UNIFIED IDEOGRAPH-4E2D}"), max_size=40)


@given(TEXT, st.integers(1, 30))
def test_rows_hold_all_of_a_line_and_fit(text, width):
    found = pieces(text, width)
    kept = "".join(text[start:end] for start, end in found)
    assert kept.replace(" ", "") == text.replace(" ", "")
    for place, (start, end) in enumerate(found):
        room = width - (hanging(text, width) if place else 0)
        assert cell_len(text[start:end]) <= room or end - start == 1


def test_further_rows_are_indented_as_the_first():
    text = "    a note that is too long for a row"
    assert [text[start:end] for start, end in pieces(text, 24)] == ["    a note that is too", "long for a row"]
    assert hanging(text, 24) == 6


@given(st.text(max_size=30))
def test_nothing_that_a_terminal_obeys_is_left(text):
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in clean(text))


def test_a_report_s_lines_mean_something():
    found = {line.text: line.look for line in report_lines("--- a\n+++ b\n@@ x\n-1\n+2\n\nrefuted: tb\n  ok   lint\n")}
    assert found == {
        "--- a": "dim",
        "+++ b": "dim",
        "@@ x": "place",
        "-1": "removed",
        "+2": "added",
        "": "",
        "refuted: tb": "bad",
        "  ok   lint": "good",
    }


def play(view: TextView, flow: Callable[[Pilot[Any]], Awaitable[None]], size: tuple[int, int] = (40, 10)) -> None:
    class Host(App[None]):
        CSS = "TextView { overflow-y: scroll; }"

        def compose(self) -> ComposeResult:
            yield view

    async def run() -> None:
        async with Host().run_test(size=size) as pilot:
            await pilot.pause()
            await flow(pilot)

    asyncio.run(run())


def test_a_hundred_thousand_lines_cost_what_is_seen():
    view = TextView(follow=True)
    many = [Line(f"{number}: " + "a word " * (number % 9)) for number in range(100_000)]

    async def flow(pilot):
        started = time.process_time()
        view.add(many)
        await pilot.pause()
        for _ in range(20):
            view.scroll_relative(y=-5000, animate=False)
            await pilot.pause()
        assert time.process_time() - started < 5
        assert len(view.lines) == 100_000

    play(view, flow)


def test_it_stays_at_the_end_until_one_scrolls_back():
    view = TextView(follow=True)

    async def flow(pilot):
        for number in range(30):
            view.add([Line(str(number))])
        await pilot.pause()
        await pilot.pause()
        assert view.is_vertical_scroll_end
        view.scroll_home(animate=False)
        await pilot.pause()
        view.add([Line("new")])
        await pilot.pause()
        assert view.scroll_offset.y == 0

    play(view, flow)


def test_what_is_copied_is_the_text_not_its_rows():
    view = TextView()
    text = "a line that is much longer than the width of this terminal is"

    async def flow(pilot):
        view.put([Line(text), Line("second")])
        await pilot.pause()
        assert view.virtual_size.height > 2
        selection = Selection(Offset(2, 0), Offset(6, 1))
        found = view.get_selection(selection)
        assert found is not None
        assert found[0] == text[2:] + "\nsecond"

    play(view, flow)


def test_files_are_found_by_some_of_their_letters(tmp_path):
    for name in ("rtl/fifo.sv", "tb/fifo_tb.sv", ".git/config", "obj_dir/x.v", "docs/a b.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    names = files_below(tmp_path)
    assert sorted(names) == ["docs/a b.md", "rtl/fifo.sv", "tb/fifo_tb.sv"]
    assert fitting("fifo", names, 5) == ["rtl/fifo.sv", "tb/fifo_tb.sv"]
    assert fitting("tbf", names, 5) == ["tb/fifo_tb.sv"]
    assert fitting("zz", names, 5) == []


@pytest.mark.parametrize("size", [(20, 5), (80, 24)])
def test_any_size_is_drawn(size):
    view = TextView()

    async def flow(pilot):
        view.put([Line("x" * 100, "added", ((0, 5, "added-word"),)), Line("\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 60)])
        await pilot.pause()
        await pilot.resize_terminal(13, 4)
        await pilot.pause()
        assert all(strip.cell_length == view.size.width for strip in (view.render_line(y) for y in range(4)))

    play(view, flow, size)
