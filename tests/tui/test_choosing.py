from __future__ import annotations

import asyncio

import pytest
from textual.app import App, ComposeResult

from veriloop.tui.lines import Line
from veriloop.tui.widgets.choosing import Choosing


class One(App[None]):
    """A list alone."""

    def compose(self) -> ComposeResult:
        yield Choosing()


ROWS = [Line("tests", "head"), Line("a"), Line("b"), Line("files", "head"), Line("c"), Line("end", "head")]


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [([], 1), (["j"], 2), (["j", "j"], 4), (["j", "j", "j"], 4), (["G", "k"], 2), (["G", "g"], 1), (["k"], 1)],
)
def test_headings_are_passed_over(keys, chosen):
    async def flow() -> None:
        async with One().run_test() as pilot:
            choosing = pilot.app.query_one(Choosing)
            choosing.rows(ROWS)
            choosing.focus()
            await pilot.press(*keys)
            assert choosing.chosen == chosen
            choosing.rows(ROWS[:1])
            assert choosing.chosen == 0
            choosing.rows([])
            assert choosing.chosen == 0

    asyncio.run(flow())
