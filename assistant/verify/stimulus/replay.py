"""Variants of one design side by side on the same rows: when each first answers otherwise than the first one.

As `verify/differential.py`, with rows that are given instead of drawn. Four-state in Icarus where it is installed: bits
that the reference leaves unknown match anything, and an unknown bit matches only those.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.model import Design, Port
from veriloop.assistant.errors import ToolError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed
from veriloop.assistant.verify.differential import Variant, names_in, renamed
from veriloop.assistant.verify.stimulus.pins import Pins, Row
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import Binary

_TOP = "veriloop_replay"
_ROWS = "rows.hex"
_OUTPUTS = "outputs.txt"
_TIMEOUT_S = 60.0
_START_S, _ROWS_PER_S = 2, 5_000
"""CPU seconds in which Icarus plays some rows into one subject at the slowest: a variant may loop within a cycle."""
_SLOW_S, _SLOWER = 60, 3.0
"""For the reference alone where that was not enough, and how much slower than it a variant may be."""
_BEGINNING = 8
"""The part of the rows that is played first where the design is slow."""
_WALL = 4
"""Seconds on the wall for each of the CPU, at the least: the machine may have other work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One variant: its files, or none where `module` is among the shared ones."""

    module: str
    files: Variant
    extra: tuple[str, ...] = ()
    """Further port connections, as `.port(value)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What the subjects did.

    Attributes:
        differs: subject to the row and sample (0 before the clocks rise, 1 while they are high) in which it first
            answered otherwise than the first one.
        outputs: for each sample each subject's outputs as bits, where they were asked for.
    """

    differs: Mapping[int, tuple[int, int]]
    outputs: tuple[tuple[str, ...], ...] = ()
    cpu_s: float = 0.0
    """What the simulation took."""


def replay(
    subjects: Sequence[Subject],
    pins: Pins,
    rows: Sequence[Row],
    *,
    design: Design,
    root: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
    record: bool = False,
    timeout_s: float = _TIMEOUT_S,
    each_s: float | None = None,
) -> Replayed | None:
    """Plays rows into all subjects at once.

    Args:
        subjects: the first one is the reference; all have the same pins.
        pins: of each of them.
        rows: what is driven.
        design: how the files are read; its sources that no subject brings are shared.
        root: where relative paths start.
        scratch: an existing directory.
        toolchain: Icarus where it is installed (four-state), else Verilator.
        cancel: stops it.
        record: whether the outputs are wanted.
        timeout_s: for the simulation.
        each_s: of the CPU, for each subject; none: by the number of rows.

    Returns:
        None where no simulator takes them together, or one of them does not end.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        directory = Path(name)
        bench = _arranged(subjects, pins, rows, design, root, directory, record=record)
        try:
            own_s = len(rows) / _ROWS_PER_S if each_s is None else each_s
            limit_s = int(_START_S + own_s * len(subjects))
            done = _run(bench, directory, toolchain, cancel, max(timeout_s, _WALL * limit_s), limit_s)
        except ToolError:
            return None
        if done is None:
            return None
        lines = done.output.splitlines()
        if f"replayed {len(rows)}" not in lines:
            return None
        outputs = (directory / _OUTPUTS).read_text().splitlines() if record else []
    differs = {}
    for line in lines:
        words = line.split()
        if len(words) == 4 and words[0] == "differs":
            differs[int(words[1])] = (int(words[2]), int(words[3]))
    return Replayed(
        differs=differs, outputs=tuple(tuple(line.split()) for line in outputs), cpu_s=done.cpu_s if done else 0.0
    )


def replay_each(
    subjects: Sequence[Subject],
    pins: Pins,
    rows: Sequence[Row],
    *,
    design: Design,
    root: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
    timeout_s: float = _TIMEOUT_S,
) -> dict[int, tuple[int, int] | None]:
    """As `replay`, for subjects of which some may not compile or not end: those are left out of the result.

    None stands for a subject that never answered otherwise.
    """
    play = functools.partial(
        replay,
        pins=pins,
        design=design,
        root=root,
        scratch=scratch,
        toolchain=toolchain,
        cancel=cancel,
        timeout_s=timeout_s,
    )
    waiting = [list(range(1, len(subjects)))]
    found: dict[int, tuple[int, int] | None] = {}
    each_s: float | None = None
    while waiting:
        part = waiting.pop()
        if not part:
            continue
        got = play([subjects[0], *(subjects[index] for index in part)], rows=rows, each_s=each_s)
        if got is not None:
            found |= {index: got.differs.get(place) for place, index in enumerate(part, 1)}
            continue
        if each_s is None:
            # Does one of them loop, or is the design so slow? Then its beginning tells most of them from it.
            each_s = len(rows) / _ROWS_PER_S
            start = rows[: len(rows) // _BEGINNING]
            alone = play([subjects[0]], rows=start, each_s=_SLOW_S)
            if alone is not None and alone.cpu_s * _BEGINNING > each_s:
                each_s = _SLOWER * alone.cpu_s * _BEGINNING
                some = play([subjects[0], *(subjects[index] for index in part)], rows=start, each_s=each_s)
                told = some.differs if some is not None else {}
                found |= {index: told[place] for place, index in enumerate(part, 1) if place in told}
                waiting.append([index for index in part if index not in found])
                continue
        if len(part) > 1:
            half = len(part) // 2
            waiting += [part[:half], part[half:]]
    return found


def _arranged(
    subjects: Sequence[Subject],
    pins: Pins,
    rows: Sequence[Row],
    design: Design,
    root: Path,
    directory: Path,
    *,
    record: bool,
) -> Design:
    """Writes the renamed subjects, the rows and the bench; the design of all."""
    shared = design.rooted(root)
    own = {root / path for subject in subjects for path in subject.files}
    sources = [path for path in shared.sources if path not in own]
    modules = []
    for index, subject in enumerate(subjects):
        names = names_in(subject.files)
        modules.append(f"{subject.module}_v{index}" if subject.module in names else subject.module)
        for number, content in enumerate(subject.files.values()):
            path = directory / f"subject{index}_{number}.sv"
            path.write_bytes(renamed(content, f"_v{index}", names))
            sources.append(path)
    (directory / _ROWS).write_text("".join(f"{_word(row, pins):x}\n" for row in rows))
    bench = directory / f"{_TOP}.sv"
    bench.write_text("\n".join(_lines(modules, subjects, pins, len(rows), record=record)) + "\n")
    folders = (*shared.include_dirs, *(path.parent for path in own))
    # The bench comes first: its time scale holds for files that set none.
    return replace(shared, toplevel=_TOP, sources=(bench, *sources), include_dirs=folders, parameters=())


def _word(row: Row, pins: Pins) -> int:
    word = row.clocks
    for port, value in zip(pins.inputs, row.values, strict=True):
        word = word << port.width_bits | value
    return word


def _lines(
    modules: Sequence[str], subjects: Sequence[Subject], pins: Pins, count: int, *, record: bool
) -> Iterator[str]:
    width = sum(port.width_bits for port in pins.inputs)
    masks = max(1, len(pins.clocks))
    yield "`timescale 1ns/1ps"
    yield f"module {_TOP};"
    for clock in pins.clocks:
        yield f"  reg {clock.name} = 0;"
    for port in pins.inputs:
        yield f"  reg {_range(port)}{port.name} = 0;"
        if port.direction == "inout":
            yield f"  wire {_range(port)}{port.name}_net = {port.name};"
    yield from _instances(modules, subjects, pins)
    yield f"  reg [{masks + width - 1}:0] vl_rows [0:{max(1, count) - 1}];"
    yield f"  reg [{masks - 1}:0] vl_mask;"
    yield f"  reg [{len(modules)}:0] vl_seen = 0;"
    yield "  integer vl_row, vl_file;"
    yield from _sample(len(modules), record=record)
    yield "  initial begin"
    yield f'    $readmemh("{_ROWS}", vl_rows);'
    if record:
        yield f'    vl_file = $fopen("{_OUTPUTS}");'
    yield f"    for (vl_row = 0; vl_row < {count}; vl_row = vl_row + 1) begin"
    yield f"      {{{', '.join(['vl_mask', *(port.name for port in pins.inputs)])}}} = vl_rows[vl_row];"
    yield "      #4 sample(0);"
    if pins.clocks:
        yield "      #1;"
        for index, clock in enumerate(pins.clocks):
            yield f"      if (vl_mask[{index}]) {clock.name} = 1;"
        yield "      #4 sample(1); #1;"
        for clock in pins.clocks:
            yield f"      {clock.name} = 0;"
        yield "      #1;"
    yield "    end"
    yield '    $display("replayed %0d", vl_row);'
    if record:
        yield "    $fclose(vl_file);"
    yield "    $finish;"
    yield "  end"
    yield "endmodule"


def _range(port: Port) -> str:
    return f"[{port.width_bits - 1}:0] " if port.width_bits > 1 else ""


def _instances(modules: Sequence[str], subjects: Sequence[Subject], pins: Pins) -> Iterator[str]:
    width = sum(port.width_bits for port in pins.outputs)
    driven = {clock.name: clock.name for clock in pins.clocks}
    driven |= {port.name: f"{port.name}_net" if port.direction == "inout" else port.name for port in pins.inputs}
    for index, (module, subject) in enumerate(zip(modules, subjects, strict=True)):
        yield f"  wire [{width - 1}:0] all_v{index};"
        connections = [*(f".{name}({value})" for name, value in driven.items()), *subject.extra]
        offset = width
        for port in pins.outputs:
            offset -= port.width_bits
            connections.append(f".{port.name}(all_v{index}[{offset + port.width_bits - 1}:{offset}])")
        yield f"  {module} subject{index} ({', '.join(connections)});"


def _sample(count: int, *, record: bool) -> Iterator[str]:
    yield "  task sample(input integer vl_phase); begin"
    for index in range(1, count):
        # XOR with the reference twice leaves the other's bits, and x where the reference is x.
        yield f"    if (!vl_seen[{index}] && all_v0 !== (all_v0 ^ all_v{index} ^ all_v0)) begin"
        yield f'      vl_seen[{index}] = 1; $display("differs {index} %0d %0d", vl_row, vl_phase); end'
    if record:
        words = " ".join(["%b"] * count)
        yield f'    $fwrite(vl_file, "{words}\\n", {", ".join(f"all_v{index}" for index in range(count))});'
    yield "  end endtask"


def _run(
    bench: Design, directory: Path, toolchain: Toolchain, cancel: CancelToken, timeout_s: float, cpu_limit_s: int
) -> Completed | None:
    icarus = toolchain.icarus
    if icarus is not None:
        binary = directory / "replay.vvp"
        if icarus.build(bench, binary, cwd=directory, cancel=cancel, timeout_s=timeout_s) is None:
            return icarus.simulate(
                binary, cwd=directory, timeout_s=timeout_s, plusargs=(), cancel=cancel, cpu_limit_s=cpu_limit_s
            )
    built = toolchain.verilator.build(bench, directory / "obj", cwd=directory, cancel=cancel)
    if not isinstance(built, Binary):
        return None
    return toolchain.verilator.simulate(
        built, cwd=directory, timeout_s=timeout_s, reset=1, seed=1, plusargs=(), cancel=cancel
    )
