from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from veriloop.assistant.design.clocking import read_clocking
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.stimulus.coverage import Point, read_coverage, shares
from veriloop.assistant.verify.stimulus.pins import Hold, Pins, Row, pins_of
from veriloop.assistant.verify.stimulus.player import Job, Player, build_player
from veriloop.assistant.verify.stimulus.replay import Subject, replay, replay_each
from veriloop.assistant.verify.toolchain import Toolchain

COUNTER = """
    module counter(input clk, input rst, input en, input [69:0] add, output reg [69:0] q, output odd);
      always @(posedge clk)
        if (rst) q <= 0;
        else if (en) q <= q + add;
      assign odd = q[0] ^ en;
    endmodule
"""
needs = pytest.mark.needs("verilator", "c++")


@pytest.fixture(scope="session")
def cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept: pytest.Cache | None = getattr(request.config, "cache", None)
    return kept.mkdir("veriloop") if kept is not None else tmp_path_factory.mktemp("cache")


def pins(root: Path, design: Design) -> Pins:
    elaboration = elaborate(design.rooted(root))
    return pins_of(elaboration.modules[design.toplevel], read_clocking(elaboration, design.toplevel))


def player(tools: Toolchain, root: Path, scratch: Path, design: Design, own: Pins, *, coverage: bool = False) -> Player:
    built = build_player(
        tools.verilator, design.rooted(root), own, scratch, cwd=root, coverage=coverage, cancel=CancelToken()
    )
    assert isinstance(built, Player)
    return built


@needs
def test_rows_are_played_and_outputs_are_seen_before_and_after_the_edge(
    write: Callable[[str, str], Path], root: Path, scratch: Path, tools: Toolchain
):
    design = Design(toplevel="counter", sources=(write("counter.sv", COUNTER),))
    own = pins(root, design)
    assert [port.name for port in own.inputs] == ["rst", "en", "add"]
    wide = (1 << 69) + 5
    rows = [Row((1, 0, 0), 1), Row((0, 1, wide), 1), Row((0, 0, 9), 1), Row((0, 1, 1), 0)]
    played = player(tools, root, scratch, design, own).play(
        [Job(rows=rows, record=True), Job(rows=rows[:1], reset=1, record=True)], cancel=CancelToken()
    )
    assert played[0].outputs == (
        (0, 0), (0, 0),
        (0, 1), (wide, 0),
        (wide, 1), (wide, 1),
        (wide, 0), (wide, 0),  # no clock rises
    )  # fmt: skip
    assert played[1].outputs[0][0] == (1 << 70) - 1
    assert played[1].outputs[1] == (0, 0)


@needs
def test_a_handshake_is_kept_to(write: Callable[[str, str], Path], root: Path, scratch: Path, tools: Toolchain):
    text = """
        module sink(input clk, input valid, input [7:0] data, output ready, output reg [7:0] got);
          reg [1:0] n = 0;
          always @(posedge clk) begin n <= n + 1; if (valid && ready) got <= data; end
          assign ready = n == 3;
        endmodule
    """
    design = Design(toplevel="sink", sources=(write("sink.sv", text),))
    own = replace(pins(root, design), holds=(Hold(valid="valid", ready="ready", payload=("data",)),))
    rows = [Row((1, 7), 1), Row((0, 8), 1), Row((0, 9), 1), Row((1, 10), 1), Row((0, 11), 1)]
    played = player(tools, root, scratch, design, own).play([Job(rows=rows, record=True)], cancel=CancelToken())[0]
    assert [row.values for row in played.rows] == [(1, 7)] * 4 + [(0, 11)]
    assert played.outputs[-1][1] == 7


@needs
def test_coverage_counts_branches_and_bits(
    write: Callable[[str, str], Path], root: Path, scratch: Path, tools: Toolchain
):
    design = Design(toplevel="counter", sources=(write("counter.sv", COUNTER),))
    own = pins(root, design)
    made = player(tools, root, scratch, design, own, coverage=True)
    rows = [Row((1, 0, 0), 1), Row((0, 0, 0), 1)]
    longer = [*rows, Row((0, 1, 1), 1), Row((1, 0, 0), 1)]
    one, two = made.play([Job(rows=rows), Job(rows=longer)], cancel=CancelToken())
    before, after = made.coverage(one.counts), made.coverage(two.counts)
    assert {point.kind for point in before} == {"line", "branch", "toggle", "expression"}
    missed = {point.what for point, count in before.items() if not count and point.kind == "branch"}
    assert missed == {"if"}
    assert shares(after)["branch"].percent == 100
    assert [after[point] for point in after if point.what == "q[0]:0->1"] == [1]
    assert [after[point] for point in after if point.what == "q[1]:0->1"] == [0]


def test_a_coverage_file_is_read_and_instances_are_summed():
    def entry(page: str, what: str, instance: str, count: int) -> str:
        return f"C '\1page\2{page}/m\1f\2m.v\1l\0027\1n\0023\1o\2{what}\1h\2TOP.{instance}' {count}\n"

    counts = read_coverage(
        "# SystemC::Coverage-3\n"
        + entry("v_branch", "if", "a", 2)
        + entry("v_branch", "if", "b", 3)
        + entry("v_toggle", "x[1]:0->1", "a", 0)
        + entry("v_user", "cover", "a", 1)
    )
    assert counts == {
        Point(kind="branch", path="m.v", line=7, column=3, module="m", what="if"): 5,
        Point(kind="toggle", path="m.v", line=7, column=3, module="m", what="x[1]:0->1"): 0,
    }
    assert shares(counts, [next(one for one in counts if one.kind == "toggle")])["toggle"].percent == 100


WRONG = COUNTER.replace("q + add", "q - add")
HANGS = COUNTER.replace("assign odd = q[0] ^ en;", "reg o; always @* begin while (en) o = q[0]; end assign odd = o;")


@needs
def test_variants_are_told_apart_and_one_that_hangs_takes_no_other_with_it(
    write: Callable[[str, str], Path], root: Path, scratch: Path, tools: Toolchain
):
    path = write("counter.sv", COUNTER)
    design = Design(toplevel="counter", sources=(path,))
    own = pins(root, design)
    texts = [COUNTER, COUNTER, WRONG, HANGS]
    subjects = [Subject(module="counter", files={str(path): text.encode()}) for text in texts]
    rows = [Row((1, 0, 0), 1), Row((0, 1, 3), 1), Row((0, 0, 0), 1)]
    common = {"design": design, "root": root, "scratch": scratch, "toolchain": tools, "cancel": CancelToken()}
    found = replay(subjects[:3], own, rows, record=True, **common)  # type: ignore[arg-type]
    assert found is not None
    assert found.differs == {2: (1, 1)}
    assert len(found.outputs) == 6
    assert found.outputs[0][0].startswith("x" * 60) or found.outputs[0][0].startswith("1" * 60)
    assert replay_each(subjects, own, rows, timeout_s=5, **common) == {1: None, 2: (1, 1)}  # type: ignore[arg-type]


ONE_WAY = """
    module m(input clk, output reg [3:0] q, inout [3:0] data, output [3:0] shown);
      always @(posedge clk) q <= data;
      assign shown = q[0] ? q : 4'bz;
    endmodule
"""


@needs
def test_a_port_of_both_directions_that_nothing_drives_is_an_input(
    write: Callable[[str, str], Path], root: Path, scratch: Path, tools: Toolchain
):
    design = Design(toplevel="m", sources=(write("m.sv", ONE_WAY),))
    own = pins(root, design)
    assert [port.direction for port in own.inputs] == ["inout"]
    played = player(tools, root, scratch, design, own, coverage=True)
    [found] = played.play([Job(rows=[Row((5,), 1), Row((10,), 1)], record=True)], cancel=CancelToken())
    assert [sample[0] for sample in found.outputs] == [0, 5, 5, 10]
    assert {point.path for points in played.points for point in points} == {str(root / "m.sv")}
    assert played.coverage(found.counts)[
        next(point for points in played.points for point in points if point.what == "data[0]:0->1")
    ]
