"""Plays rows of inputs into a design in Verilator: a program of its own, without a testbench in Verilog.

The program reads jobs: a start state and rows. It writes what the outputs were and, where it was built for that, how
often each coverage point was met. Building costs most, so one program plays as many jobs as it is given.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from veriloop.assistant.design.model import Design, Diagnostic, Port
from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute
from veriloop.assistant.isolation.confinement import Confinement, Isolation
from veriloop.assistant.verify.build import Features
from veriloop.assistant.verify.stimulus.coverage import Point, read_coverage_file
from veriloop.assistant.verify.stimulus.one_way import one_way_texts
from veriloop.assistant.verify.stimulus.pins import PATIENCE, Hold, Pins, Row
from veriloop.assistant.verify.verilator import Rejected, Verilator

_TIMEOUT_S = 120.0
_CPU_LIMIT_S = 60
_COVERAGE = ("--coverage-line", "--coverage-toggle", "--coverage-expr", "--coverage-max-width", "1024")
_PORT = re.compile(r"^ +VL_(?:IN|OUT|INOUT)(?:8|16|64|W)?\(&(\w+),", re.M)
_ESCAPED = re.compile(r"__0([0-9A-F]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Rows to play from power-up. `reset` is the start state: 0 zeros, 1 ones, 2 random by `seed`."""

    rows: Sequence[Row]
    reset: int = 0
    seed: int = 1
    record: bool = False
    """Whether the outputs are wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of a job.

    Attributes:
        rows: the inputs as they were driven, which a handshake may have held.
        outputs: a tuple of values a sample, `Pins.samples` of them a row; empty unless they were asked for.
        counts: how often each point was met, by its number in `Player.points`; only those that were.
    """

    rows: tuple[Row, ...] = ()
    outputs: tuple[tuple[int, ...], ...] = ()
    counts: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """A design that was built to be played; `points` are its coverage points in the order of their counters."""

    binary: Path
    pins: Pins
    isolation: Isolation
    points: tuple[tuple[Point, ...], ...] = ()
    """Each counter's points: more than one where Verilator lets places share a counter."""

    def play(self, jobs: Sequence[Job], *, cancel: CancelToken, timeout_s: float = _TIMEOUT_S) -> list[Played]:
        """Plays all jobs, each from power-up.

        Raises:
            ToolFailed: the program broke or did not end: the design loops within a cycle.
        """
        with tempfile.TemporaryDirectory(dir=self.binary.parent) as name:
            directory = Path(name)
            (directory / "jobs").write_text("".join(self._written(jobs)))
            done = execute(
                [self.binary, directory / "jobs", directory / "out"],
                cwd=directory,
                timeout_s=timeout_s,
                cancel=cancel,
                cpu_limit_s=_CPU_LIMIT_S,
                confine=Confinement(isolation=self.isolation, writable=(self.binary.parent,)),
            )
            if not done.ok:
                raise ToolFailed(f"the simulation of {self.pins.module} did not end", output=done.output[-2000:])
            return list(self._read((directory / "out").read_text(), jobs))

    def coverage(self, counts: Mapping[int, int]) -> dict[Point, int]:
        """The counts by point; every point is there."""
        found: dict[Point, int] = {}
        for number, points in enumerate(self.points):
            for point in points:
                found[point] = found.get(point, 0) + counts.get(number, 0)
        return found

    def _written(self, jobs: Sequence[Job]) -> Iterator[str]:
        for job in jobs:
            yield f"job {job.reset} {job.seed} {len(job.rows)} {int(job.record)}\n"
            for values, clocks in job.rows:
                yield f"{clocks:x} " + " ".join(f"{value:x}" for value in values) + "\n"

    def _read(self, text: str, jobs: Sequence[Job]) -> Iterator[Played]:
        parts = text.split("end\n")
        if len(parts) != len(jobs) + 1:
            raise ToolFailed(f"the simulation of {self.pins.module} broke off", output=text[-500:])
        for job, part in zip(jobs, parts, strict=False):
            lines = part.splitlines()
            counts = {
                int(number): int(count)
                for line in lines
                if line.startswith("c ")
                for number, _, count in (entry.partition(":") for entry in line[2:].split())
            }
            if not job.record:
                yield Played(counts=counts)
                continue
            driven = [tuple(int(word, 16) for word in line[2:].split()) for line in lines if line.startswith("i ")]
            outputs = tuple(
                tuple(int(word, 16) for word in line[2:].split()) for line in lines if line.startswith("o ")
            )
            rows = tuple(Row(values[1:], values[0]) for values in driven)
            yield Played(rows=rows, outputs=outputs, counts=counts)


def build_player(
    verilator: Verilator,
    design: Design,
    pins: Pins,
    directory: Path,
    *,
    cwd: Path,
    coverage: bool = False,
    optimize: int = 0,
    cancel: CancelToken,
) -> Player | tuple[Diagnostic, ...]:
    """Builds the program, or says why Verilator does not take the design.

    Args:
        verilator: the simulator.
        design: the design with the driven module as its toplevel.
        pins: of that module.
        directory: an empty directory, which the program needs as long as it is used.
        cwd: where relative paths start.
        coverage: whether it counts what is exercised.
        optimize: the C++ compiler's level.
        cancel: stops it.

    Raises:
        ToolFailed: a tool broke.
        ToolNotFound: no C++ compiler.
    """
    copies = {}
    for path, text in one_way_texts(design, pins, cwd=cwd).items():
        copies[path] = directory / f"one_way{path.suffix}"
        copies[path].write_bytes(text)
    played = replace(
        design,
        toplevel=pins.module,
        sources=tuple(copies.get(path, path) for path in design.sources),
        include_dirs=(*design.include_dirs, *(path.parent for path in copies)),
    )
    built = verilator.build(
        played,
        directory,
        cwd=cwd,
        cancel=cancel,
        features=Features(coverage=coverage),
        # Delays in the design say when something changes within a cycle, not what it is at its end.
        arguments=("--no-timing", "-Wno-BLKANDNBLK", "-Wno-MULTIDRIVEN", *(_COVERAGE if coverage else ())),
        own_main=lambda generated: _main(pins, (generated / "Vtop.h").read_text(encoding="utf-8"), coverage=coverage),
        optimize=optimize,
    )
    if isinstance(built, Rejected):
        return built.diagnostics
    player = Player(binary=built.path, pins=pins, isolation=verilator.isolation)
    names = {str(copy): str(path) for path, copy in copies.items()}
    return replace(player, points=_points(player, names, cancel)) if coverage else player


def _points(player: Player, names: Mapping[str, str], cancel: CancelToken) -> tuple[tuple[Point, ...], ...]:
    """Which point each counter stands for: every counter is set to its number, and the file is read.

    `names` says which files are copies of which.
    """
    path = player.binary.parent / "coverage.dat"
    confine = Confinement(isolation=player.isolation, writable=(path.parent,))
    done = execute([player.binary, "points", path], cwd=path.parent, timeout_s=60, cancel=cancel, confine=confine)
    if not done.ok or not path.is_file():
        raise ToolFailed("the coverage points cannot be read", output=done.output[-2000:])
    found: dict[int, list[Point]] = {}
    for point, number in read_coverage_file(path).items():
        found.setdefault(number, []).append(replace(point, path=names.get(point.path, point.path)))
    counters = int(done.output.split()[-1])
    return tuple(tuple(found.get(number, ())) for number in range(counters))


def _main(pins: Pins, header: str, *, coverage: bool) -> str:
    names = {_decoded(name): name for name in _PORT.findall(header)}
    clocks = "".join(
        f"    if (mask >> {index} & 1) top.{names[clock.name]} = level;\n" for index, clock in enumerate(pins.clocks)
    )
    index_of = {port.name: index for index, port in enumerate(pins.inputs)}
    reads = "".join(_read_input(port, names[port.name], index_of[port.name]) for port in pins.inputs)
    writes = "".join(_write(port, names[port.name]) for port in pins.outputs)
    inputs = "".join(_write(port, names[port.name]) for port in pins.inputs)
    return _PROGRAM % {
        "coverage": '#define COUNTS 1\n#include "verilated_cov.h"\n' if coverage else "",
        "words": len(pins.inputs),
        "clocks": clocks,
        "reads": reads,
        "keeps": "".join(_keep(hold, number, index_of) for number, hold in enumerate(pins.holds)),
        "waits": "".join(_waits(hold, number, names, pins) for number, hold in enumerate(pins.holds)),
        "holds": max(1, len(pins.holds)),
        "inputs": inputs,
        "outputs": writes,
        "clocked": int(bool(pins.clocks)),
    }


def _decoded(name: str) -> str:
    """A port's name as the design has it; Verilator escapes what C++ would take otherwise."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name.removeprefix("__SYM__")).replace("___05F", "__")


def _read_input(port: Port, name: str, index: int) -> str:
    if port.width_bits > 64:
        words = (port.width_bits + 31) // 32
        return f"    wide(word[{index}], top.{name}.data(), {words});\n"
    return f"    top.{name} = std::strtoull(word[{index}].c_str(), nullptr, 16);\n"


def _write(port: Port, name: str) -> str:
    if port.width_bits > 64:
        words = (port.width_bits + 31) // 32
        return f"    put_wide(out, top.{name}.data(), {words});\n"
    return f'    std::fprintf(out, " %llx", (unsigned long long)top.{name});\n'


def _keep(hold: Hold, number: int, index_of: Mapping[str, int]) -> str:
    """Keeps what was given while it was not taken; `kept` holds the words of the row before."""
    keep = "".join(f" word[{index_of[name]}] = kept[{index_of[name]}];" for name in (hold.valid, *hold.payload))
    lines = f"            if (waiting[{number}]) {{{keep} }}\n"
    if hold.enable:
        lines += f'            word[{index_of[hold.enable]}] = waiting[{number}] ? "1" : "0";\n'
    if hold.along:
        given = f'word[{index_of[hold.valid]}] != "0"'
        lines += f'            if ({given}) word[{index_of[hold.along]}] = "1";\n'
    return lines


def _waits(hold: Hold, number: int, names: Mapping[str, str], pins: Pins) -> str:
    """Counts for how many cycles it has been given and not taken."""
    given = " && ".join(
        [f"top.{names[hold.valid]}", *(f"top.{names[reset.name]} != {reset.active}" for reset in pins.resets)]
    )
    taken = " && ".join(f"top.{names[name]}" for name in (hold.enable, hold.ready) if name) or "true"
    more = f"waiting[{number}] < {PATIENCE} ? waiting[{number}] + 1 : 0"
    return f"            waiting[{number}] = {given} && !({taken}) ? ({more}) : 0;\n"


_PROGRAM = """
%(coverage)s
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>
#include "Vtop__Syms.h"

typedef std::vector<std::string> Words;

static void wide(const std::string& text, uint32_t* data, int words) {
    for (int i = 0; i < words; ++i) {
        const long end = (long)text.size() - 8L * i;
        const long start = end > 8 ? end - 8 : 0;
        data[i] = end > 0 ? (uint32_t)std::strtoul(text.substr(start, end - start).c_str(), nullptr, 16) : 0;
    }
}
static void put_wide(std::FILE* out, const uint32_t* data, int words) {
    std::fputc(' ', out);
    for (int i = words - 1; i >= 0; --i) std::fprintf(out, "%%08x", data[i]);
}
static void drive(Vtop& top, const Words& word) {
%(reads)s
}
static void clocks(Vtop& top, unsigned mask, int level) {
%(clocks)s
}
static void put_inputs(Vtop& top, std::FILE* out, unsigned mask) {
    std::fprintf(out, "i %%x", mask);
%(inputs)s
    std::fputc('\\n', out);
}
static void put_outputs(Vtop& top, std::FILE* out) {
    std::fputc('o', out);
%(outputs)s
    std::fputc('\\n', out);
}
static bool get(std::FILE* in, std::string& word) {
    char buffer[8192];
    if (std::fscanf(in, "%%8191s", buffer) != 1) return false;
    word = buffer;
    return true;
}
int main(int argc, char** argv) {
    if (argc != 3) return 2;
    if (!std::strcmp(argv[1], "points")) {
#ifdef COUNTS
        VerilatedContext context;
        Vtop top{&context, "TOP"};
        auto& counters = top.rootp->vlSymsp->__Vcoverage;
        const size_t count = sizeof counters / sizeof counters[0];
        for (size_t i = 0; i < count; ++i) counters[i] = (uint32_t)i;
        context.coveragep()->forcePerInstance(true);
        context.coveragep()->write(argv[2]);
        std::printf("%%zu\\n", count);
#endif
        return 0;
    }
    std::FILE* in = std::fopen(argv[1], "r");
    std::FILE* out = std::fopen(argv[2], "w");
    if (!in || !out) return 2;
    int reset, record;
    long seed, rows;
    while (std::fscanf(in, " job %%d %%ld %%ld %%d", &reset, &seed, &rows, &record) == 4) {
        VerilatedContext context;
        context.randReset(reset);
        context.randSeed((int)seed);
        Vtop top{&context, "TOP"};
        Words word(%(words)d), kept;
        std::string mask_text;
        // The inputs are the stimulus, not the design's state: they start at 0 whatever that is.
        for (std::string& one : word) one = "0";
        drive(top, word);
        clocks(top, ~0u, 0);
        top.eval();
        int waiting[%(holds)d] = {};
        for (long row = 0; row < rows; ++row) {
            if (!get(in, mask_text)) return 2;
            for (std::string& one : word) if (!get(in, one)) return 2;
            if (context.gotFinish()) continue;
            const unsigned mask = (unsigned)std::strtoul(mask_text.c_str(), nullptr, 16);
%(keeps)s
            drive(top, word);
            top.eval();
            if (record) { put_inputs(top, out, mask); put_outputs(top, out); }
            if (!%(clocked)d) continue;
%(waits)s
            clocks(top, mask, 1);
            top.eval();
            if (record) put_outputs(top, out);
            clocks(top, mask, 0);
            top.eval();
            kept = word;
        }
#ifdef COUNTS
        auto& counters = top.rootp->vlSymsp->__Vcoverage;
        std::fputc('c', out);
        std::fputc(' ', out);
        for (size_t i = 0; i < sizeof counters / sizeof counters[0]; ++i)
            if (counters[i]) std::fprintf(out, "%%zu:%%u ", i, counters[i]);
        std::fputc('\\n', out);
#endif
        std::fputs("end\\n", out);
    }
    std::fclose(out);
    return 0;
}
"""
