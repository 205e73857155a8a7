"""Simulates many texts of many designs against their traces in one run of Icarus Verilog.

Compiling and starting cost more than simulating: texts of one design share its stimulus, and several designs share a
compilation. A text that does not compile, or does not end, is found and left out, and the others run again.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from veriloop.assistant.errors import ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute
from veriloop.assistant.isolation.confinement import Confinement, Isolation
from veriloop.assistant.training.render import Pin
from veriloop.assistant.training.trace import Cycle
from veriloop.assistant.verify.icarus import Icarus

_SHOWN = 4
"""How many failing cycles of a text are told one by one."""
_TIMEOUT_S = 60.0
_CPU_LIMIT_S = 1
_MEMORY_LIMIT_BYTES = 2 << 30
"""A slip can ask for a vector of a thousand million bits, which the compiler tries to hold."""
"""Of a run, which takes some hundredths of a second: who needs more runs for ever. Not in wall seconds, so that the
rows are the same on a loaded machine."""
_SAID = re.compile(r"^@(?P<kind>[MED]) (?P<design>\d+) (?P<text>\d+)(?: (?P<rest>.*))?$", re.M)
_ERROR_AT = re.compile(
    # Icarus also mentions, of texts that it takes, which bits of a sensitivity list it does not tell apart.
    r"^(?P<path>[^:\n]+):(?P<line>\d+): (?!warning|sorry: .*will be included)",
    re.M,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text of a design, and how its ports are called in it."""

    text: str
    top: str
    modules: tuple[str, ...]
    pins: tuple[Pin, ...]
    reset_low: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """An output that was not what it had to be; `seen` in binary where a bit is unknown, else in decimal."""

    cycle: int
    output: str
    expected: int
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a simulation of a text showed; outputs by their canonical names."""

    compiled: bool = True
    ended: bool = True
    message: str = ""
    """Why it did not compile."""
    cycles: int = 0
    failures: int = 0
    """In how many cycles some output was wrong."""
    differences: tuple[Difference, ...] = ()
    """Those of the first failing cycles."""
    failing: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether it did what its reference model does."""
        return self.compiled and self.ended and self.cycles > 0 and self.failures == 0


@cache
def _icarus() -> Icarus:
    found = Icarus.find(configured=None, cancel=CancelToken())
    if found is None:
        raise ToolNotFound("Icarus Verilog is not installed", hint="veriloop doctor")
    return found


def simulate(designs: Sequence[tuple[Sequence[Cycle], Sequence[Text]]], *, cancel: CancelToken) -> list[list[Seen]]:
    """What each text of each design shows on the design's trace, in the same order.

    Raises:
        ToolNotFound: Icarus Verilog is not installed.
    """
    waiting = [(design, text) for design, (_, texts) in enumerate(designs) for text in range(len(texts))]
    with tempfile.TemporaryDirectory(prefix="veriloop-harness-") as folder:
        seen = _settle(designs, waiting, Path(folder), cancel)
    return [[seen[design, text] for text in range(len(texts))] for design, (_, texts) in enumerate(designs)]


def _settle(
    designs: Sequence[tuple[Sequence[Cycle], Sequence[Text]]],
    chosen: Sequence[tuple[int, int]],
    folder: Path,
    cancel: CancelToken,
) -> dict[tuple[int, int], Seen]:
    """Runs the chosen texts until each is settled."""
    seen: dict[tuple[int, int], Seen] = {}
    while chosen:
        found = _run(designs, chosen, folder, cancel)
        if not found:
            # One of them never ends, or breaks the simulator: each alone is quicker than looking for it by halves.
            for one in chosen:
                found |= _alone(designs, one, folder, cancel)
        seen |= found
        chosen = [one for one in chosen if one not in found]
    return seen


def _alone(
    designs: Sequence[tuple[Sequence[Cycle], Sequence[Text]]],
    one: tuple[int, int],
    folder: Path,
    cancel: CancelToken,
) -> dict[tuple[int, int], Seen]:
    return _run(designs, [one], folder, cancel) or {one: Seen(ended=False)}


def _run(
    designs: Sequence[tuple[Sequence[Cycle], Sequence[Text]]],
    chosen: Sequence[tuple[int, int]],
    folder: Path,
    cancel: CancelToken,
) -> dict[tuple[int, int], Seen]:
    """Compiles and runs the chosen texts; those that are settled, which are none where it did not end."""
    icarus = _icarus()
    sources: list[str] = []
    tops: list[str] = []
    harness_lines: dict[tuple[str, int], tuple[int, int]] = {}
    for design in dict.fromkeys(number for number, _ in chosen):
        trace, texts = designs[design]
        members = [text for number, text in chosen if number == design]
        name = f"harness_{design}.v"
        source, lines = _harness(design, trace, texts, members, folder)
        (folder / name).write_text(source)
        harness_lines |= {(name, line): (design, text) for line, text in lines.items()}
        sources.append(name)
        tops += ["-s", f"harness_{design}"]
        for text in members:
            path = f"text_{design}_{text}.sv"
            (folder / path).write_text(f"`default_nettype wire\n{unique(texts[text], f'__{design}_{text}')}")
            sources.append(path)
    argv = [str(icarus.compiler), "-g2012", "-o", "run.vvp", *tops, *sources]
    done = execute(argv, cwd=folder, timeout_s=_TIMEOUT_S, cancel=cancel, memory_limit_bytes=_MEMORY_LIMIT_BYTES)
    if not done.ok:
        return _blamed(done.output, harness_lines, alone=chosen[0] if len(chosen) == 1 else None)
    argv = [str(icarus.runtime), "-n", "run.vvp"]
    # A text may be a model's, and a simulation can do what any program can.
    held = Confinement(isolation=Isolation(), writable=(folder,))
    run = execute(argv, cwd=folder, timeout_s=_TIMEOUT_S, cancel=cancel, cpu_limit_s=_CPU_LIMIT_S, confine=held)
    if run.cut_off or not run.ok:
        # Zero-delay loops run for ever, or out of stack, and a slip can want more memory than it is given.
        return {}
    return _read(run.output, designs, chosen)


def _blamed(
    output: str, harness_lines: Mapping[tuple[str, int], tuple[int, int]], alone: tuple[int, int] | None
) -> dict[tuple[int, int], Seen]:
    """The texts that the compiler complains about."""
    found: dict[tuple[int, int], Seen] = {}
    for match in _ERROR_AT.finditer(output):
        path, line = match["path"], int(match["line"])
        message = output[match.end() :].split("\n", 1)[0].removeprefix("error: ")
        owner = harness_lines.get((path, line))
        if name := re.fullmatch(r"text_(\d+)_(\d+)\.sv", path):
            owner = int(name[1]), int(name[2])
            message = f"line {line - 1}: {message}"
        if owner is not None:
            found.setdefault(owner, Seen(compiled=False, message=message))
    if not found and alone is not None:
        found[alone] = Seen(compiled=False, message=output.strip()[:200])
    return found


def _harness(
    design: int, trace: Sequence[Cycle], texts: Sequence[Text], members: Sequence[int], folder: Path
) -> tuple[str, dict[int, int]]:
    """The module that drives the texts of one design; and which of its lines instantiates which text."""
    pins = texts[members[0]].pins
    inputs = [pin for pin in pins if not pin.output]
    outputs = [pin for pin in pins if pin.output]
    clocks = [pin for pin in inputs if pin.clock]
    ticks = "".join(f" {pin.canonical} = stimulus[{_offsets(inputs)[pin.canonical]}];" for pin in clocks)
    falls = "".join(f" {pin.canonical} = 0;" for pin in clocks)
    _write_memory(folder / f"in_{design}.hex", [_packed(cycle.inputs, inputs) for cycle in trace])
    _write_memory(folder / f"want_{design}.hex", [_packed(cycle.expected, outputs) for cycle in trace])
    care = [_packed(dict.fromkeys(cycle.expected, -1), outputs) for cycle in trace]
    _write_memory(folder / f"care_{design}.hex", care)
    in_bits = sum(pin.width_bits for pin in inputs)
    out_bits = sum(pin.width_bits for pin in outputs)
    lines = [
        "`timescale 1ns / 1ps",
        f"module harness_{design};",
        f"reg [{in_bits - 1}:0] inputs [0:{len(trace) - 1}]; reg [{in_bits - 1}:0] stimulus;",
        f"reg [{out_bits - 1}:0] want [0:{len(trace) - 1}], care [0:{len(trace) - 1}]; integer cycle;",
        *(f"reg {pin.canonical};" for pin in clocks),
    ]
    instances: dict[int, int] = {}
    for text in members:
        lines.append(f"wire [{out_bits - 1}:0] out_{text}; reg [{out_bits - 1}:0] bad_{text}; integer failed_{text};")
        lines.append(_instance(texts[text], design, text, inputs, outputs))
        instances[len(lines)] = text
    lines += [
        "initial begin",
        f'$readmemh("in_{design}.hex", inputs); $readmemh("want_{design}.hex", want);',
        f'$readmemh("care_{design}.hex", care);',
        *(f"bad_{text} = 0; failed_{text} = 0;" for text in members),
        f"{falls}",
        f"for (cycle = 0; cycle < {len(trace)}; cycle = cycle + 1) begin",
        "stimulus = inputs[cycle]; #4;",
    ]
    for text in members:
        lines += [
            f"if ((out_{text} & care[cycle]) !== (want[cycle] & care[cycle])) begin",
            f'if (failed_{text} < {_SHOWN}) $display("@M {design} {text} %0d %b", cycle, out_{text});',
            f"failed_{text} = failed_{text} + 1;",
            f"bad_{text} = bad_{text} | ((out_{text} ^ want[cycle]) & care[cycle]); end",
        ]
    lines += [f"#1;{ticks} #4;{falls} #1;", "end"]
    lines += [f'$display("@E {design} {text} %0d %b", failed_{text}, bad_{text});' for text in members]
    lines += ["end", "endmodule", ""]
    return "\n".join(lines), instances


def _instance(text: Text, design: int, number: int, inputs: Sequence[Pin], outputs: Sequence[Pin]) -> str:
    into, out = _offsets(inputs), _offsets(outputs)
    names = {pin.canonical: pin.name for pin in text.pins}
    ports = []
    for pin in (*inputs, *outputs):
        offset = (out if pin.output else into)[pin.canonical]
        place = f"[{offset + pin.width_bits - 1}:{offset}]" if pin.width_bits > 1 else f"[{offset}]"
        if pin.clock:
            value = pin.canonical
        elif pin.reset:
            value = f"{'~' if text.reset_low else ''}stimulus{place}"
        else:
            value = f"{f'out_{number}' if pin.output else 'stimulus'}{place}"
        ports.append(f".{names[pin.canonical]}({value})")
    return f"{text.top}__{design}_{number} dut_{number} ({', '.join(ports)});"


def unique(text: Text, suffix: str) -> str:
    """The text with a suffix on the names of its modules, so that several stand in one compilation."""
    source = text.text
    for name in text.modules:
        pattern = rf"(\bmodule\s+|\bendmodule\s*:\s*|^\s*){name}(?=\s*(?:#\s*\(|\(|;|$)|\s+[A-Za-z_]\w*\s*\()"
        source = re.sub(pattern, rf"\g<1>{name}{suffix}", source, flags=re.M)
    return source


def _offsets(pins: Sequence[Pin]) -> dict[str, int]:
    found, at = {}, 0
    for pin in pins:
        found[pin.canonical] = at
        at += pin.width_bits
    return found


def _packed(values: Mapping[str, int], pins: Sequence[Pin]) -> int:
    packed = 0
    for name, offset in _offsets(pins).items():
        bits = next(pin.width_bits for pin in pins if pin.canonical == name)
        packed |= (values.get(name, 0) & ((1 << bits) - 1)) << offset
    return packed


def _write_memory(path: Path, rows: Sequence[int]) -> None:
    path.write_text("\n".join(f"{row:x}" for row in rows) + "\n")


def _read(
    output: str, designs: Sequence[tuple[Sequence[Cycle], Sequence[Text]]], chosen: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Seen]:
    shown: dict[tuple[int, int], list[tuple[int, str]]] = {one: [] for one in chosen}
    found: dict[tuple[int, int], Seen] = {}
    for match in _SAID.finditer(output):
        key = int(match["design"]), int(match["text"])
        number, bits = match["rest"].split()
        if match["kind"] == "M":
            shown[key].append((int(number), bits))
            continue
        trace, texts = designs[key[0]]
        outputs = [pin for pin in texts[key[1]].pins if pin.output]
        bad = {name for name, value in _fields(bits, outputs).items() if set(value) != {"0"}}
        found[key] = Seen(
            cycles=len(trace),
            failures=int(number),
            differences=tuple(
                difference for cycle, seen in shown[key] for difference in _differences(trace, cycle, seen, outputs)
            ),
            failing=tuple(pin.canonical for pin in outputs if pin.canonical in bad),
            passing=tuple(pin.canonical for pin in outputs if pin.canonical not in bad),
        )
    return found


def _differences(trace: Sequence[Cycle], cycle: int, bits: str, outputs: Sequence[Pin]) -> list[Difference]:
    found = []
    for name, value in _fields(bits, outputs).items():
        expected = trace[cycle].expected.get(name)
        known = set(value) <= {"0", "1"}
        if expected is not None and not (known and int(value, 2) == expected):
            found.append(Difference(cycle, name, expected, str(int(value, 2)) if known else value))
    return found


def _fields(bits: str, outputs: Sequence[Pin]) -> dict[str, str]:
    """The bits of each output; the first output stands in the lowest ones."""
    found, end = {}, len(bits)
    for pin in outputs:
        found[pin.canonical] = bits[end - pin.width_bits : end]
        end -= pin.width_bits
    return found
