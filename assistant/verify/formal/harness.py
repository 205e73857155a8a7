"""What is put around a design for a proof: a reset first, as every run of a testbench has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from veriloop.assistant.design.model import Design, Port
from veriloop.assistant.verify.stimulus.pins import Pins, Row

RESET_FRAMES = 2
TOP = "vl_proof"


def single_edge(pins: Pins) -> bool:
    """Whether a frame of a proof can be a cycle: one clock, of which only rising edges count, or none."""
    return len(pins.clocks) <= 1 and not any(clock.falling for clock in pins.clocks)


def resets_first(pins: Pins) -> bool:
    """Whether a proof starts with a reset."""
    return bool(pins.resets) and len(pins.clocks) == 1 and single_edge(pins)


def reset_lines(pins: Pins) -> list[str]:
    """What tells the first frames, `vl_first`, and what each reset is driven with, `vl_NAME`."""
    if not resets_first(pins):
        return ["  wire vl_first = 1'b0;", *(f"  wire vl_{reset.name} = {reset.name};" for reset in pins.resets)]
    clock = pins.clocks[0].name
    return [
        "  reg [1:0] vl_count = 2'd0;",
        f"  always @(posedge {clock}) if (vl_count != 2'd{RESET_FRAMES}) vl_count <= vl_count + 2'd1;",
        f"  wire vl_first = vl_count != 2'd{RESET_FRAMES};",
        *(f"  wire vl_{reset.name} = vl_first ? 1'b{reset.active} : {reset.name};" for reset in pins.resets),
    ]


def input_lines(pins: Pins) -> str:
    """The inputs of a module that is driven by these pins, separated by commas."""
    ports = [*(f"input {clock.name}" for clock in pins.clocks), *(f"input {_declared(port)}" for port in pins.inputs)]
    return ", ".join(ports)


def connections(pins: Pins) -> list[str]:
    """How the inputs of an instance are connected in such a module."""
    resets = {reset.name for reset in pins.resets}
    found = [f".{clock.name}({clock.name})" for clock in pins.clocks]
    found += [f".{port.name}({'vl_' if port.name in resets else ''}{port.name})" for port in pins.inputs]
    return found


def wrapped(design: Design, pins: Pins, directory: Path) -> Design:
    """The design in a module that resets it first."""
    lines = [f"module {TOP}({input_lines(pins)});", *reset_lines(pins)]
    lines += [f"  {pins.module} dut ({', '.join(connections(pins))});", "endmodule"]
    path = directory / f"{TOP}.sv"
    path.write_text("\n".join(lines) + "\n")
    return replace(design, toplevel=TOP, sources=(*design.sources, path), parameters=())


def frames_to_rows(frames: Sequence[Mapping[str, int]], pins: Pins, *, stepwise: bool | None = None) -> tuple[Row, ...]:
    """The rows that play a prover's frames; the resets come first where the proof assumed them.

    `stepwise` as in `Verdict`; none: as the pins have it.
    """
    values = [tuple(frame.get(port.name, 0) for port in pins.inputs) for frame in frames]
    if not (stepwise if stepwise is not None else not single_edge(pins)):
        rows = [Row(one, pins.all_clocks) for one in values]
        if resets_first(pins):
            rows[:RESET_FRAMES] = [_reset(row, pins) for row in rows[:RESET_FRAMES]]
        return tuple(rows)
    assumed = RESET_FRAMES if resets_first(pins) else 0
    rows = [_reset(Row(values[0], pins.all_clocks), pins)] * 3 if values and pins.resets and not assumed else []
    before = {clock.name: 0 for clock in pins.clocks}
    for index, frame in enumerate(frames):
        # A clock that rises in the next frame takes what the inputs are in this one.
        after = frames[index + 1] if index + 1 < len(frames) else {}
        mask = sum(
            1 << place
            for place, clock in enumerate(pins.clocks)
            if after.get(clock.name, 0) and not frame.get(clock.name, before[clock.name])
        )
        row = Row(values[index], mask)
        rows.append(_reset(row, pins) if assumed else row)
        assumed -= bool(mask and assumed)
    return tuple(rows)


def _reset(row: Row, pins: Pins) -> Row:
    active = {reset.name: reset.active for reset in pins.resets}
    values = tuple(active.get(port.name, value) for port, value in zip(pins.inputs, row.values, strict=True))
    return Row(values, row.clocks)


def _declared(port: Port) -> str:
    return f"[{port.width_bits - 1}:0] {port.name}" if port.width_bits > 1 else port.name
