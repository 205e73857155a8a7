"""Self-checking testbenches from a trace, in the ways in which people report: counts, `$error`, PASS and FAIL."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from veriloop.assistant.training.render import Pin, Rendered
from veriloop.assistant.training.trace import Cycle

REPORTS = ("mismatches", "error", "verdict", "tests")
"""How a testbench says what it saw; `verify.summary` reads each."""


def write_testbench(rendered: Rendered, trace: Sequence[Cycle], *, seed: int, report: str = "") -> str:
    """A testbench that instantiates the design and compares its outputs with the trace, cycle by cycle.

    Args:
        rendered: the design's text.
        trace: what to apply and what to expect.
        seed: decides how it is written.
        report: one of `REPORTS`; drawn where empty.
    """
    random = Random(f"testbench {seed} {rendered.top}")
    report = report or random.choice(REPORTS)
    inputs = [pin for pin in rendered.pins if not pin.output]
    outputs = [pin for pin in rendered.pins if pin.output]
    clocks = [pin for pin in inputs if pin.clock]
    # One clock that ticks in every cycle runs by itself; several are set from the trace.
    free = len(clocks) == 1 and all(cycle.inputs[clocks[0].canonical] for cycle in trace)
    driven = [pin for pin in inputs if not pin.clock]
    name = random.choice((f"tb_{rendered.top}", f"{rendered.top}_tb", "tb"))
    lines = ["`timescale 1ns / 1ps", "", f"module {name};"]
    lines += [f"  reg {_range(pin)}{pin.name};" for pin in inputs]
    lines += [f"  wire {_range(pin)}{pin.name};" for pin in outputs]
    lines += ["  integer errors, checks;", ""]
    lines.append(f"  {rendered.top} dut (")
    lines.append(",\n".join(f"    .{pin.name}({pin.name})" for pin in rendered.pins))
    lines += ["  );", ""]
    if free:
        lines += [f"  initial {clocks[0].name} = 0;", f"  always #5 {clocks[0].name} = ~{clocks[0].name};", ""]
    lines += _task(driven, outputs, clocks, free, report)
    lines += ["", "  initial begin", "    errors = 0;", "    checks = 0;"]
    lines += [f"    {pin.name} = 0;" for pin in clocks if not free]
    lines += [f"    {_call(cycle, rendered, driven, outputs, clocks, free)}" for cycle in trace]
    lines += [f"    {line}" for line in _closing(report)]
    lines += ["    $finish;", "  end", "endmodule", ""]
    return "\n".join(lines)


def _range(pin: Pin) -> str:
    return f"[{pin.width_bits - 1}:0] " if pin.width_bits > 1 else ""


def _task(driven: Sequence[Pin], outputs: Sequence[Pin], clocks: Sequence[Pin], free: bool, report: str) -> list[str]:
    """The task of one cycle: it drives, waits, compares, and lets the clocks tick."""
    lines = ["  task cycle;"]
    lines += [f"    input {_range(pin)}drive_{pin.name};" for pin in driven]
    lines += [f"    input tick_{pin.name};" for pin in clocks if not free]
    lines += [f"    input {_range(pin)}expect_{pin.name};" for pin in outputs]
    lines.append("    begin")
    if free:
        lines.append(f"      @(negedge {clocks[0].name});")
    lines += [f"      {pin.name} = drive_{pin.name};" for pin in driven]
    lines.append("      #4;")
    for pin in outputs:
        lines += [f"      if (expect_{pin.name} !== {pin.width_bits}'bx) begin", "        checks = checks + 1;"]
        lines += [f"        if ({pin.name} !== expect_{pin.name}) begin", "          errors = errors + 1;"]
        lines += [f"          {_complaint(pin, report)}", "        end", "      end"]
    if not free:
        lines.append("      #1;")
        if clocks:
            names = ", ".join(pin.name for pin in clocks)
            lines.append(f"      {{{names}}} = {{{', '.join(f'tick_{pin.name}' for pin in clocks)}}};")
            lines += ["      #5;", f"      {{{names}}} = 0;"]
    return [*lines, "    end", "  endtask"]


def _complaint(pin: Pin, report: str) -> str:
    said = f'{pin.name}: expected %h, got %h at time %0t", expect_{pin.name}, {pin.name}, $time);'
    if report == "error":
        return f'$error("{said}'
    if report == "mismatches":
        return f'if (errors <= 5) $display("Mismatch {said}'
    return f'$display("{"FAIL" if report == "verdict" else "ERROR"}: {said}'


def _call(
    cycle: Cycle,
    rendered: Rendered,
    driven: Sequence[Pin],
    outputs: Sequence[Pin],
    clocks: Sequence[Pin],
    free: bool,
) -> str:
    low = rendered.style.reset_low
    values = []
    for pin in driven:
        value = cycle.inputs[pin.canonical]
        values.append(f"{pin.width_bits}'h{(value ^ 1 if pin.reset and low else value):x}")
    if not free:
        values += [f"1'b{cycle.inputs[pin.canonical]}" for pin in clocks]
    for pin in outputs:
        wanted = cycle.expected.get(pin.canonical)
        values.append(f"{pin.width_bits}'bx" if wanted is None else f"{pin.width_bits}'h{wanted:x}")
    return f"cycle({', '.join(values)});"


def _closing(report: str) -> list[str]:
    match report:
        case "mismatches":
            return ['$display("Mismatches: %0d in %0d samples", errors, checks);']
        case "error":
            return ['if (errors == 0) $display("all %0d checks passed", checks);']
        case "verdict":
            return ['if (errors == 0) $display("PASS");', 'else $display("FAIL: %0d errors", errors);']
    return ['$display("%0d checks, %0d errors", checks, errors);', 'if (errors == 0) $display("ALL TESTS PASSED");']
