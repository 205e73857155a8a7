"""Variants of one design side by side: the same stimuli into all of them, and who answers differently from whom."""

from __future__ import annotations

import itertools
import math
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.edits import Edit, apply_edits
from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.design.model import Design, Port
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree, find
from veriloop.assistant.errors import ToolError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import Binary

_TOP = "veriloop_side_by_side"
_RECORDED = "recorded.txt"
_TIMEOUT_S = 30.0
_PHASE_CYCLES = 128
_DIFFERS = re.compile(r"^differs (\d+) (\d+) (\d+)$", re.M)
_DONE = re.compile(r"^compared (\d+)$", re.M)
_CLOCK = re.compile(r"clk|clock|^ck$", re.I)
_RESET = re.compile(r"rst|reset|clr|clear", re.I)
_MOVES = re.compile(r"^moves (\d+) (\d+) (\d+)$", re.M)
_LOW = re.compile(r"_?n$|_n_|^n_?r|_b$|_ni$|_l$", re.I)
_UNPACKED = re.compile(r"^(?:logic|reg|bit)(?: signed)?((?:\[\d+:\d+\])*)\$((?:\[\d+:\d+\])+)$")
"""An unpacked array of bits as the elaborator prints its type: its packed dimensions, then the others."""
_MOST_ELEMENTS = 1024
_SETTLED_CYCLES = 5
"""After a reset, before what outputs do is counted."""
_USUAL_MODES = 6
"""The first so many ways of driving leave resets alone after the start."""
_LIVELY = 8
_STILL = 1
"""An output that starts unknown changes once without moving."""

Variant = Mapping[str, bytes]
"""The files in which variants differ, by path relative to the root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the variants did on the same stimuli."""

    cycles: int
    differs: Mapping[tuple[int, int], int]
    """Pairs of variants that answered differently, with the first cycle in which they did."""
    moves: Sequence[Mapping[str, int]] = ()
    """How often each output of each variant changed, out of reset."""

    def stilled(self, variant: int, *, against: int) -> tuple[str, ...]:
        """The outputs that never move in one variant, and often in another."""
        if max(variant, against) >= len(self.moves):
            return ()
        moved = self.moves[variant]
        return tuple(
            name for name, often in self.moves[against].items() if often >= _LIVELY and moved.get(name, 0) <= _STILL
        )

    def groups(self, count: int) -> tuple[int, ...]:
        """For each variant the number of its group: variants that were never seen to differ share one."""
        found: list[int] = []
        for index in range(count):
            same = next((other for other in range(index) if (other, index) not in self.differs), None)
            found.append(found[same] if same is not None else max(found, default=-1) + 1)
        return tuple(found)


def compare(
    variants: Sequence[Variant],
    design: Design,
    *,
    root: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
    cycles: int = 4096,
    seed: int = 1,
    recorded: Sequence[str] = (),
    reference: bool = False,
) -> Comparison | None:
    """Drives all variants with the same stimuli: random, held, sparse, dense, small, counting, with resets between.

    Random inputs seldom make the sequence that a detector waits for; recorded ones do, played as they are, with bits
    flipped, and from random places.

    Args:
        variants: each as its files.
        design: the design of which they are variants; its toplevel need not be theirs.
        root: the tree, for all other files.
        scratch: an existing directory.
        toolchain: Icarus where it is installed (four-state), else Verilator.
        cancel: stops it.
        cycles: of the first clock, or steps where there is none.
        seed: of the stimuli.
        recorded: rows of bits for all inputs that are no clock, in the order of the ports.
        reference: the first variant is right by definition, and its unknown bits match anything.

    Returns:
        None where the variants cannot be put side by side: no common ports, or a tool does not take them.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        directory = Path(name)
        stimuli = _Stimuli(cycles, seed, tuple(recorded), reference)
        arranged = _arrange(variants, design, root, directory, stimuli)
        if arranged is None:
            return None
        bench, outputs = arranged
        try:
            done = _run(bench, directory, toolchain, cancel)
        except ToolError:
            # A comparison that cannot be made leaves the variants as they are; the gate judges each of them anyway.
            return None
    compared = _DONE.search(done.output) if done is not None else None
    if done is None or compared is None:
        return None
    differs = {(int(one), int(two)): int(cycle) for one, two, cycle in _DIFFERS.findall(done.output)}
    moves: list[dict[str, int]] = [{} for _ in variants]
    for variant, output, count in _MOVES.findall(done.output):
        moves[int(variant)][outputs[int(output)]] = int(count)
    return Comparison(cycles=int(compared[1]), differs=differs, moves=tuple(moves))


def top_of(files: Variant) -> str | None:
    """The module of these files that none of them instantiates; none where that is not one."""
    trees = [SyntaxTree(content) for content in files.values()]
    names = [Structure(tree, module).name for tree in trees for module in tree.modules]
    used = {
        tree.text(inner.children[0])
        for tree in trees
        for inner in find(tree.root, ("module_instantiation",))
        if inner.children
    }
    tops = [name for name in names if name not in used]
    return tops[0] if len(tops) == 1 else None


def _arrange(
    variants: Sequence[Variant], design: Design, root: Path, directory: Path, stimuli: _Stimuli
) -> tuple[Design, tuple[str, ...]] | None:
    """Writes the renamed variants and the testbench; the design of both, and its outputs."""
    top = top_of(variants[0])
    if top is None:
        return None
    shared = design.rooted(root)
    own = {root / path for path in variants[0]}
    ports = _ports(shared, top)
    if ports is None:
        return None
    sources = [path for path in shared.sources if path not in own]
    for index, variant in enumerate(variants):
        for number, content in enumerate(variant.values()):
            path = directory / f"variant{index}_{number}.sv"
            path.write_bytes(renamed(content, f"_v{index}", names_in(variant)))
            sources.append(path)
    texts = {b"\n".join(variant.values()) for variant in variants}
    stimuli = replace(stimuli, low_resets=frozenset(port.name for port in ports if _is_low(port.name, texts)))
    bench = directory / f"{_TOP}.sv"
    bench.write_text("\n".join(_lines(top, ports, len(variants), stimuli)) + "\n")
    (directory / _RECORDED).write_text("".join(f"{row}\n" for row in stimuli.recorded))
    folders = (*shared.include_dirs, *(path.parent for path in own))
    # The bench comes first: its time scale holds for files that set none.
    placed = replace(shared, toplevel=_TOP, sources=(bench, *sources), include_dirs=folders, parameters=())
    return placed, tuple(port.name for port in ports if port.direction == "output")


def _is_low(name: str, texts: Collection[bytes]) -> bool:
    """As `is_low`; where the variants differ in it, the name tells."""
    found = {is_low(name, text) for text in texts}
    return found.pop() if len(found) == 1 else bool(_LOW.search(name))


def is_low(name: str, text: bytes) -> bool:
    """Whether a reset is active low, by how the text uses it; by its name where the text does not tell."""
    word = re.escape(name.encode())
    if re.search(
        rb"negedge\s+" + word + rb"\b|if\s*\(\s*[!~]\s*" + word + rb"\b|\b" + word + rb"\s*==\s*(1'b)?0", text
    ):
        return True
    if re.search(rb"posedge\s+" + word + rb"\b|if\s*\(\s*" + word + rb"\b", text):
        return False
    return bool(_LOW.search(name))


def _ports(shared: Design, top: str) -> tuple[Port, ...] | None:
    elaboration = Elaborator(replace(shared, toplevel=top, parameters=())).elaborate()
    module = elaboration.modules.get(top)
    if module is None or not module.ports or any(port.direction not in ("input", "output") for port in module.ports):
        return None
    if not all(_is_flat(port) for port in module.ports):
        return None
    return module.ports if any(port.direction == "output" for port in module.ports) else None


def names_in(variant: Variant) -> set[str]:
    """The modules that these files declare."""
    trees = [SyntaxTree(content) for content in variant.values()]
    return {Structure(tree, module).name for tree in trees for module in tree.modules}


def renamed(content: bytes, suffix: str, names: set[str]) -> bytes:
    """The text with the suffix on these modules' names, where they are declared and where they are instantiated."""
    tree = SyntaxTree(content)
    edits = []
    for node in tree.nodes:
        parent = node.parent
        if node.type != "simple_identifier" or parent is None or tree.text(node) not in names:
            continue
        if parent.type in ("module_ansi_header", "module_nonansi_header", "module_instantiation", "module_declaration"):
            edits.append(Edit(path="", start=node.end_byte, end=node.end_byte, text=suffix.encode()))
    return apply_edits(content, edits)


def recorder(content: bytes, top: str, ports: Sequence[Port], output: str) -> bytes:
    """A module's text that also writes its inputs to a file: a row at each rising edge of its clock, or each change."""
    tree = SyntaxTree(content)
    module = next((node for node in tree.modules if Structure(tree, node).name == top), None)
    clocks, others = (
        _clocks(ports),
        [port for port in ports if port.direction == "input" and port not in _clocks(ports)],
    )
    if module is None or not others:
        return content
    names = ", ".join(port.name for port in others)
    when = f"posedge {clocks[0].name}" if clocks else " or ".join(port.name for port in others)
    text = (
        f'\ninteger veriloop_file; initial veriloop_file = $fopen("{output}");'
        f'\nalways @({when}) $fwrite(veriloop_file, "{"%b" * len(others)}\\n", {names});\n'
    )
    at = module.children[-1].start_byte
    return apply_edits(content, [Edit(path="", start=at, end=at, text=text.encode())])


@dataclass(frozen=True, slots=True)
class _Stimuli:
    cycles: int
    seed: int
    recorded: tuple[str, ...]
    reference: bool
    low_resets: frozenset[str] = frozenset()
    """Resets that are active low."""


def _clocks(ports: Sequence[Port]) -> list[Port]:
    return [port for port in ports if port.direction == "input" and port.width_bits == 1 and _CLOCK.search(port.name)]


def _dimensions(port: Port) -> str:
    """The unpacked dimensions of a port, as they are declared; empty where it has none."""
    found = _UNPACKED.match(port.type)
    return found[2] if found is not None else ""


def _counts(dimensions: str) -> list[range]:
    bounds = [[int(bound) for bound in one.split(":")] for one in re.findall(r"\d+:\d+", dimensions)]
    return [range(min(pair), max(pair) + 1) for pair in bounds]


def _is_flat(port: Port) -> bool:
    """Whether a port is one vector, or an array of vectors that is not too long to be written out."""
    count = math.prod(map(len, _counts(_dimensions(port))))
    return count <= _MOST_ELEMENTS if _dimensions(port) else port.width_bits > 0


def _elements(port: Port) -> list[tuple[str, int]]:
    """What of a port is assigned at once, each with its width in bits: itself, or the elements of an array."""
    found = _UNPACKED.match(port.type)
    if found is None:
        return [(port.name, port.width_bits)]
    width = math.prod(map(len, _counts(found[1])))
    places = itertools.product(*_counts(found[2]))
    return [(port.name + "".join(f"[{index}]" for index in place), width) for place in places]


def _width(port: Port) -> int:
    """All bits of a port."""
    return sum(width for _, width in _elements(port))


def _lines(top: str, ports: Sequence[Port], count: int, stimuli: _Stimuli) -> Iterator[str]:
    inputs = [port for port in ports if port.direction == "input"]
    outputs = [port for port in ports if port.direction == "output"]
    clocks = _clocks(ports)
    others = [port for port in inputs if port not in clocks]
    resets = [port for port in others if _RESET.search(port.name) and port.width_bits == 1]
    free = [element for port in others if port not in resets for element in _elements(port)]
    rows = len(stimuli.recorded)
    yield "`timescale 1ns/1ps"
    yield f"module {_TOP};"
    for port in inputs:
        ((_, width), *_), dimensions = _elements(port), _dimensions(port)
        yield f"  reg [{width - 1}:0] {port.name}{f' {dimensions}' if dimensions else ' = 0'};"
    yield from _variants(top, inputs, outputs, count)
    yield f"  integer vl_seed = {stimuli.seed}, vl_cycle = 0, vl_mode = 0, vl_hold = 0, vl_row = 0;"
    width = sum(map(_width, others))
    if rows:
        yield f"  reg [{width - 1}:0] vl_recorded [0:{rows - 1}];"
        yield f'  initial $readmemb("{_RECORDED}", vl_recorded);'
    yield from _compare(count, reference=stimuli.reference)
    yield from _count(count, outputs)
    yield "  reg vl_coin;"
    yield "  task drive; begin"
    yield "    vl_coin = $random(vl_seed);"
    yield "    if (vl_hold == 0) begin"
    for name, width in free:
        yield f"      {name} = {_value(name, width)};"
    yield "    end"
    yield "    vl_hold = (vl_mode == 1 || vl_mode == 5) ? ($random(vl_seed) & 3) : 0;"
    yield "  end endtask"
    if rows:
        yield "  task replay; begin"
        yield f"    {{{', '.join(name for port in others for name, _ in _elements(port))}}} = vl_recorded[vl_row];"
        yield "    if (vl_mode >= 10 && ($random(vl_seed) & 15) == 0) drive;"
        yield f"    vl_row = (vl_mode >= 11 && ($random(vl_seed) & 31) == 0) ? $unsigned($random(vl_seed)) % {rows} : "
        yield f"(vl_row + 1) % {rows};"
        yield "  end endtask"
    yield "  initial begin"
    for port in inputs:
        if _dimensions(port):
            yield from (f"    {name} = 0;" for name, _ in _elements(port))
    yield f"    for (vl_cycle = 0; vl_cycle < {stimuli.cycles}; vl_cycle = vl_cycle + 1) begin"
    yield f"      if (vl_cycle % {_PHASE_CYCLES} == 0) vl_mode = (vl_cycle / {_PHASE_CYCLES}) % {14 if rows else 8};"
    for port in resets:
        active, idle = ("0", "1") if port.name in stimuli.low_resets else ("1", "0")
        # The polarity may be told wrongly: now and then it is driven the other way round.
        first = f"vl_cycle % {_PHASE_CYCLES} < 3 || vl_mode == 7 && vl_cycle % 16 == 9"
        middle = "vl_mode == 6 && vl_cycle % 64 > 32"
        yield f"      if (vl_mode < 8) {port.name} = ({first} || {middle}) ? {active} : {idle};"
    yield f"      #2 {'if (vl_mode >= 8) replay; else ' if rows else ''}drive; #2 compare;"
    for port in clocks:
        yield f"      {port.name} = 1;"
    settled = f"vl_mode < {_USUAL_MODES} && vl_cycle % {_PHASE_CYCLES} >= {_SETTLED_CYCLES}"
    yield f"      #3 compare; if ({settled}) count; #2;"
    for number, port in enumerate(clocks):
        yield f"      {port.name} = 0;" + (" #1;" if number else "")
    yield "      #1 compare;"
    yield "    end"
    yield "    counted;"
    yield '    $display("compared %0d", vl_cycle);'
    yield "    $finish;"
    yield "  end"
    yield "endmodule"


def _variants(top: str, inputs: Sequence[Port], outputs: Sequence[Port], count: int) -> Iterator[str]:
    width = sum(map(_width, outputs))
    for index in range(count):
        yield f"  wire [{width - 1}:0] all_v{index};"
        connections = [f".{port.name}({port.name})" for port in inputs]
        offset = width
        for port in outputs:
            offset -= _width(port)
            if not _dimensions(port):
                connections.append(f".{port.name}(all_v{index}[{offset + port.width_bits - 1}:{offset}])")
                continue
            elements = _elements(port)
            connections.append(f".{port.name}({port.name}_v{index})")
            yield f"  wire [{elements[0][1] - 1}:0] {port.name}_v{index} {_dimensions(port)};"
            for number, (name, bits) in enumerate(elements):
                end = offset + _width(port) - number * bits
                one = name.replace(port.name, f"{port.name}_v{index}", 1)
                yield f"  assign all_v{index}[{end - 1}:{end - bits}] = {one};"
        yield f"  {top}_v{index} variant{index} ({', '.join(connections)});"


def _compare(count: int, *, reference: bool) -> Iterator[str]:
    pairs = [(one, two) for two in range(count) for one in range(two)]
    yield f"  reg [{len(pairs)}:0] vl_seen = 0;"
    yield "  task compare; begin"
    for number, (one, two) in enumerate(pairs):
        # XOR with the reference twice leaves the other's bits, and x where the reference is x.
        other = f"(all_v{one} ^ all_v{two} ^ all_v{one})" if reference and one == 0 else f"all_v{two}"
        yield f"    if (!vl_seen[{number}] && all_v{one} !== {other}) begin"
        yield f'      vl_seen[{number}] = 1; $display("differs {one} {two} %0d", vl_cycle); end'
    yield "  end endtask"


def _count(count: int, outputs: Sequence[Port]) -> Iterator[str]:
    """Counts how often each output of each variant moves."""
    width = sum(map(_width, outputs))
    for index in range(count):
        yield f"  reg [{width - 1}:0] last_v{index};"
        yield from (f"  integer moves_v{index}_{number} = 0;" for number in range(len(outputs)))
    yield "  task count; begin"
    for index in range(count):
        offset = width
        for number, port in enumerate(outputs):
            offset -= _width(port)
            bits = f"[{offset + _width(port) - 1}:{offset}]"
            moved = f"moves_v{index}_{number}"
            yield f"    if (all_v{index}{bits} !== last_v{index}{bits}) {moved} = {moved} + 1;"
        yield f"    last_v{index} = all_v{index};"
    yield "  end endtask"
    yield "  task counted; begin"
    for index in range(count):
        for number in range(len(outputs)):
            yield f'    $display("moves {index} {number} %0d", moves_v{index}_{number});'
    yield "  end endtask"


def _value(name: str, width: int) -> str:
    """A new value by the mode of the phase: random, held, sparse, dense, small, counting, all or nothing."""
    word = "{" + ", ".join(["$random(vl_seed)"] * ((width + 31) // 32)) + "}"
    by_mode = {
        2: f"{word} & {word}",
        3: f"{word} | {word}",
        4: f"{word} & 3" if width > 1 else word,
        6: f"{name} + 1",
        7: f"{{{width}{{vl_coin}}}}",
    }
    return "".join(f"(vl_mode == {mode}) ? ({value}) : " for mode, value in by_mode.items()) + word


def _run(bench: Design, directory: Path, toolchain: Toolchain, cancel: CancelToken) -> Completed | None:
    icarus = toolchain.icarus
    if icarus is not None:
        binary = directory / "side_by_side.vvp"
        if icarus.build(bench, binary, cwd=directory, cancel=cancel, timeout_s=_TIMEOUT_S) is None:
            return icarus.simulate(binary, cwd=directory, timeout_s=_TIMEOUT_S, plusargs=(), cancel=cancel)
    built = toolchain.verilator.build(bench, directory / "obj", cwd=directory, cancel=cancel)
    if not isinstance(built, Binary):
        return None
    return toolchain.verilator.simulate(
        built, cwd=directory, timeout_s=_TIMEOUT_S, reset=1, seed=1, plusargs=(), cancel=cancel
    )
