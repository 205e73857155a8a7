from __future__ import annotations

from tests.tui.conftest import DONE
from tests.tui.test_app import play, say, text_of, until

HEAD = """$timescale 1ns $end
$scope module t $end
$var wire 1 ! clk $end
$var wire 4 # q $end
$upscope $end
$enddefinitions $end
"""


def record(values: list[int]) -> str:
    text = HEAD
    for at, value in enumerate(values):
        text += f"#{at * 10}\n1!\nb{value:b} #\n#{at * 10 + 5}\n0!\n"
    return text


def test_expected_stands_beside_seen_and_keys_move_the_window(app, script, tmp_path):
    (tmp_path / "seen.vcd").write_text(record([0, 1, 3, 5, 5]))
    (tmp_path / "expected.vcd").write_text(record([0, 1, 2, 3, 4]))
    script.propose()
    told = {
        "seen": str(tmp_path / "seen.vcd"),
        "expected": str(tmp_path / "expected.vcd"),
        "divergence": {"signal": "t.q", "expected": "4'b0010", "seen": "4'b0011", "cycle": 3, "at_fs": 20_000_000},
        "signals": ["t.q", "t.clk"],
        "saved": ["/kept/seen.gtkw", "/kept/seen.sucl"],
    }
    script.answer("waves --testbench tb.v", ("result", {"text": "", "data": told}), DONE)

    async def flow(pilot):
        await pilot.press("f4")
        await pilot.pause()
        assert "nothing to record yet" in text_of(app, "#waves")
        await pilot.press("escape")
        await say(pilot, "it is wrong")
        await pilot.press("f4")
        await until(pilot, lambda: "t.q, cycle 3: expected 4'b0010, seen 4'b0011" in text_of(app, "#waves"))
        rows = text_of(app, "#waves").splitlines()
        assert "20 ns" in rows[1]
        assert any(row.strip().startswith("expected") and "4'b0010" in row for row in rows)
        await pilot.press("n")
        assert "30 ns" in text_of(app, "#waves").splitlines()[1]
        before = text_of(app, "#waves")
        await pilot.press("plus")
        assert text_of(app, "#waves") != before
        await pilot.press("minus", "l", "h", "greater_than_sign", "less_than_sign", "d")
        assert "t.clk" not in text_of(app, "#waves")
        await pilot.press("0", "y")
        assert app.clipboard == "t.q"
        await pilot.press("w")
        assert app.clipboard == "/kept/seen.gtkw\n/kept/seen.sucl"
        assert "/kept/seen.gtkw" in text_of(app, "#waves")
        request = next(one for one in script.asked if one.words[:1] == ("waves",))
        assert "--patch" in request.words

    play(app, flow)
