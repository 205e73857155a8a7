"""The text of a testbench: cocotb 2, run by plain pytest, without Veriloop."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from veriloop.assistant.testbench import drawing
from veriloop.assistant.testbench.drawing import Input, Phase
from veriloop.assistant.testbench.expected import Expected, Sample
from veriloop.assistant.testbench.rounds import Directed, Part
from veriloop.assistant.verify.stimulus.pins import Hold, Pins

_MARK = "# --- pasted ---\n"
_PARTS = re.compile(r"^# --- pasted: (\w+) ---\n(.*?)^# --- end ---$", re.M | re.S)
_REFERENCE = re.compile(r"^class (?:Recorded|Modelled):", re.M)
_ONLY_FOR_MODELS = re.compile(r"^import importlib\.util\n", re.M)
_COLUMNS = 118
_ABOUT_PARTS = (
    "# Phases are drawn from their seeds. What was worked out is a name and its cycles: the values of the inputs,",
    "# and which clocks rise (a bit each).",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a testbench's text needs to know; paths are relative to its own folder.

    Attributes:
        name: of the file, without `.py`; it starts with `test_`.
        pins: what is driven.
        inputs: what is drawn.
        parts: the stimulus.
        expected: what the outputs have to be.
        sources: the design's files in order.
        include_dirs: where `include` looks.
        defines: macros.
        parameters: of the toplevel.
        model: the reference model's file, where that is the origin.
        simulator: the one that takes the design.
        notes: lines for the header: coverage, mutants.
    """

    name: str
    pins: Pins
    inputs: tuple[Input, ...]
    parts: tuple[Part, ...]
    expected: Expected
    sources: tuple[str, ...]
    include_dirs: tuple[str, ...] = ()
    defines: Mapping[str, str]
    parameters: Mapping[str, str]
    model: str = ""
    simulator: str = "icarus"
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, bytes]:
        """The files by name: the testbench, and the expected values beside it unless a model works them out."""
        found = {f"{self.name}.py": testbench_text(self).encode()}
        if not self.model:
            found[f"{self.name}_expected.txt"] = expected_table(self.expected.samples).encode()
        return found


def expected_table(samples: Sequence[Sample | None]) -> str:
    """The samples as a file: a line each, a word an output: hexadecimal, or bits (`0b1-0`) where some are free."""
    return "".join(" ".join(map(_word, sample or ())) + "\n" for sample in samples)


def _word(bits: str) -> str:
    if "-" not in bits:
        return f"{int(bits, 2):x}"
    return "-" if not bits.strip("-") else f"0b{bits}"


def testbench_text(bench: Written) -> str:
    """The Python file."""
    template = resources.files("veriloop.assistant.testbench").joinpath("template.py").read_text(encoding="utf-8")
    pasted = {name: text.strip("\n") for name, text in _PARTS.findall(template)}
    # What draws stands in a module of its own, and needs one import more.
    pasted["imports"] = pasted["imports"].replace("import os\n", "import os\nimport random\n")
    imports = pasted["imports"] if bench.model else _ONLY_FOR_MODELS.sub("", pasted["imports"])
    if not bench.model:
        imports = imports.replace("import Callable, Iterator", "import Iterator")
    drawn = inspect.getsource(drawing).split(_MARK, 1)[1].strip()
    reference = _REFERENCE.sub("class Reference:", pasted["model" if bench.model else "recorded"])
    blocks = [
        _header(bench),
        f"{imports}\n\nHERE = Path(__file__).resolve().parent",
        f"# --- The design ---\n\n{_constants(bench)}",
        f"# --- Stimulus: what is drawn depends on the seeds alone ---\n\n{drawn}",
        stimulus_text(bench.inputs, bench.parts),
        *([f"# --- Drivers ---\n\n{pasted['handshakes']}"] if bench.pins.holds else []),
        _handshakes(bench.pins.holds),
        f"# --- Expected values: {bench.expected.origin.value} ---\n\n\n{reference}",
        f"# --- The test ---\n\n\n{pasted['test']}",
        f"# --- What pytest runs ---\n\n\n{pasted['run'].replace('def test_design', f'def {bench.name}')}",
    ]
    return "\n\n\n".join(block.strip("\n") for block in blocks) + "\n"


def _header(bench: Written) -> str:
    detail = f" ({bench.expected.detail})" if bench.expected.detail else ""
    lines = [
        f"Tests {bench.pins.module}, cycle by cycle. Written by Veriloop; it needs cocotb 2, pytest and a simulator.",
        "",
        f"Expected values come from {bench.expected.origin.value}{detail}.",
        *(f"Assumed: {line}" for line in bench.expected.assumed),
        *bench.notes,
        "",
        f"Run it: pytest {bench.name}.py    (another simulator: SIM=verilator; another design: RTL=FILE)",
    ]
    wrapped = [part for line in lines for part in (textwrap.wrap(line, _COLUMNS - 2) or [""])]
    body = "\n".join(wrapped).replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{body}\n"""'


def _constants(bench: Written) -> str:
    pins = bench.pins
    lines = [f"TOPLEVEL = {_quoted(pins.module)}"]
    lines += _filled("SOURCES: list[str] = [", [*map(_quoted, bench.sources)], "]")
    lines += _filled("INCLUDES: list[str] = [", [*map(_quoted, bench.include_dirs)], "]")
    lines += [f"DEFINES: dict[str, str] = {json.dumps(dict(bench.defines))}"]
    lines += [f"PARAMETERS: dict[str, str] = {json.dumps(dict(bench.parameters))}"]
    lines += [f"SIMULATOR = {_quoted(bench.simulator)}"]
    lines += _filled("CLOCKS: list[str] = [", [_quoted(clock.name) for clock in pins.clocks], "]")
    lines += _filled("OUTPUTS = [", [_quoted(port.name) for port in pins.outputs], "]")
    lines += [f"MODEL = {_quoted(bench.model)}"] if bench.model else []
    return "\n".join(lines)


def _handshakes(holds: Sequence[Hold]) -> str:
    if not holds:
        return "HANDSHAKES: list[Any] = []  # the names of the pins show none"
    lines = ["HANDSHAKES = ["]
    for hold in holds:
        payload = f"({', '.join(map(_quoted, hold.payload))}{',' if len(hold.payload) == 1 else ''})"
        words = [_quoted(hold.kind), _quoted(hold.valid), _quoted(hold.ready), payload]
        words += [f"enable={_quoted(hold.enable)}"] if hold.enable else []
        words += [f"along={_quoted(hold.along)}"] if hold.along else []
        lines += _filled("    Handshake(", words, "),")
    return "\n".join([*lines, "]"])


def stimulus_text(inputs: Sequence[Input], parts: Sequence[Part]) -> str:
    """The inputs and the parts as Python."""
    lines = ["INPUTS: tuple[Input, ...] = ("]
    for given in inputs:
        words = [_quoted(given.name), str(given.width)]
        words += [f"corners=({given.corners[0]}", *map(str, given.corners[1:-1])] if len(given.corners) > 1 else []
        words += [f"{given.corners[-1]})"] if len(given.corners) > 1 else []
        words += [f"reset={given.reset}"] if given.reset is not None else []
        lines += _filled("    Input(", words, "),")
    lines += [
        ")",
        "",
        "# Phases are drawn from their seeds. What was worked out is a name and its cycles: the values of",
    ]
    lines += ["# the inputs, and which clocks rise (a bit each).", "PARTS: list[Any] = ["]
    for part in parts:
        lines += _phase(part) if isinstance(part, Phase) else _directed(part)
    return "\n".join([*lines, "]"])


def _phase(part: Phase) -> Iterator[str]:
    words = [f"seed={part.seed}", f"cycles={part.cycles}"]
    words += [f"after={part.after}"] if part.after else []
    words += [f"{name}=True" for name in ("idle", "sweep") if getattr(part, name)]
    yield f"    Phase({', '.join(words)}),"


def _directed(part: Directed) -> Iterator[str]:
    yield "    ("
    yield f"        {_quoted(' '.join(part.note.split())[:100])},"
    yield "        ["
    for row in part.rows:
        values = [*map(str, row.values)]
        values[-1:] = [f"{values[-1]}{',' if len(values) == 1 else ''})"] if values else ["()"]
        yield from _filled(f"            ({'(' if row.values else ''}", [*values, str(row.clocks)], "),")
    yield "        ],"
    yield "    ),"


def _quoted(text: str) -> str:
    """As Python's formatters write it."""
    return json.dumps(text, ensure_ascii=False)


def _filled(start: str, items: Sequence[str], end: str) -> list[str]:
    """Items between a start and an end, broken between items where a line would grow too long."""
    lines = [start]
    indent = " " * (len(start) - len(start.lstrip()) + 4)
    for number, item in enumerate(items):
        last = number == len(items) - 1
        piece = f"{item}{end if last else ','}"
        if len(lines[-1]) + len(piece) + 1 > _COLUMNS and lines[-1].strip():
            lines.append(indent + piece)
        else:
            lines[-1] += piece if number == 0 else f" {piece}"
    return lines if items else [f"{start}{end}"]
