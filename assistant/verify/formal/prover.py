"""yosys and the ABC that comes with it, where they are installed: which assertions of a design can ever fail.

Two-valued, from a start state in which every register that has no initial value is 0, over all sequences of inputs.
Method: property-directed reachability (Een, Mishchenko, Brayton: "Efficient implementation of property directed
reachability", FMCAD 2011) after signal correspondence, both by ABC; bounded model checking for the shortest way there.
"""

from __future__ import annotations

import functools
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed, execute, find_program

INSTALL_HINT = "apt-get install yosys    (RHEL: dnf install yosys)"

_READ_TIMEOUT_S = 60.0
_MARGIN_S = 20.0
_MOST_ALONE = 12
"""Assertions that get a proof of their own where all together take too long."""
_VERSION = re.compile(r"Yosys (\d+)\.(\d+)")
_ASSERTED = re.compile(r"^Output\s+(\d+) was asserted in frame", re.M)
_COUNTS = re.compile(r"Properties:\s+All = (\d+)\. Proved = (\d+)\. Disproved = (\d+)\. Undecided = (\d+)\.")
_CELL = re.compile(r"cell \$assert (\S+)")
_INPUT = re.compile(r"^input (\d+) (\d+) (\S+)$", re.M)
_FRAME = re.compile(r"^(pi|lo)(\d+)@(\d+)=([01])", re.M)
_AIG, _MAP, _CELLS, _FRAMES, _LATCHES = "design.aig", "design.map", "cells.il", "frames.txt", "latches.txt"
_LATCH_REFUSED = "from always_comb process"
_COMBINATIONAL = re.compile(rb"\balways_(?:comb|latch)\b")
_LOWERED = (0, 38)
"""From this version on, assertions are `$check` cells that have to be turned into `$assert`."""


NOTHING_UNKNOWN: Mapping[str, str] = MappingProxyType({})


class Answer(StrEnum):
    """What is known of an assertion."""

    HOLDS = "holds"
    """It was proved: no sequence of inputs makes it fail."""
    FAILS = "fails"
    OPEN = "open"
    """Neither within the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer for one assertion.

    Attributes:
        answer: what is known.
        frames: the shortest sequence that makes it fail, a value for each input.
        stepwise: a frame is no cycle but a step between two changes of any input, the clocks among them.
    """

    answer: Answer
    frames: tuple[Mapping[str, int], ...] = ()
    stepwise: bool = False


@dataclass(frozen=True, slots=True)
class Prover:
    """One installed yosys with its ABC."""

    program: Path
    abc: Path
    version: tuple[int, int]

    @classmethod
    def find(cls, cancel: CancelToken) -> Prover | None:
        """The yosys of the PATH; none where it or its ABC is not installed."""
        program = find_program("yosys")
        if program is None:
            return None
        beside = program.parent / "yosys-abc"
        abc = beside if beside.is_file() else find_program("berkeley-abc") or find_program("abc")
        if abc is None:
            return None
        said = _VERSION.search(execute([program, "-V"], cwd=Path("/"), timeout_s=30, cancel=cancel).output)
        return cls(program, abc, (int(said[1]), int(said[2]))) if said else None

    def prove(
        self,
        design: Design,
        *,
        cwd: Path,
        scratch: Path,
        single_edge: bool,
        wanted: int = 0,
        timeout_s: float = 20.0,
        cancel: CancelToken,
        unknown: Mapping[str, str] = NOTHING_UNKNOWN,
    ) -> dict[str, Verdict] | None:
        """Decides every assertion of a design, each by the label that it carries.

        Args:
            design: with immediate assertions, `label: assert (...)`.
            cwd: where relative paths start.
            scratch: an existing directory.
            single_edge: one clock, rising edges only: a frame is then a cycle, unless there are latches, else a step
                between two changes of any input, the clocks among them.
            wanted: for how many of those that fail the shortest sequence is worked out.
            timeout_s: for the proof of all, for each sequence, and three times for each proof of one alone.
            cancel: stops it.
            unknown: what all that a text leaves unknown is in the modules whose names have this in them, `zero` or
                `one`: `x` in an expression, and registers at the start; elsewhere `x` is whatever is simplest.

        Returns:
            None where yosys does not take the design.
        """
        with tempfile.TemporaryDirectory(dir=scratch) as name:
            directory = Path(name)
            netlist = functools.partial(self._netlist, design, directory, cwd, unknown, cancel=cancel)
            labels = netlist(single_edge=single_edge)
            if labels is not None and single_edge and (directory / _LATCHES).read_text().strip():
                # Between an edge and the next frame a latch may take what is there for a moment only.
                single_edge = False
                labels = netlist(single_edge=False)
            if labels is None:
                return None
            names = _input_names(directory / _MAP)
            answers = self._answers(directory, len(labels), timeout_s, cancel)
            found = {}
            for number, label in enumerate(labels):
                frames: tuple[Mapping[str, int], ...] = ()
                if answers[number] is Answer.FAILS and wanted > 0:
                    wanted -= 1
                    frames = self._frames(directory, number, names, timeout_s, cancel)
                found[label] = Verdict(answer=answers[number], frames=frames, stepwise=not single_edge)
            return found

    def _netlist(
        self,
        design: Design,
        directory: Path,
        cwd: Path,
        unknown: Mapping[str, str],
        *,
        single_edge: bool,
        cancel: CancelToken,
    ) -> list[str] | None:
        """The assertions of the netlist that is written, in its order."""
        done = self._written(design, directory, cwd, unknown, single_edge=single_edge, cancel=cancel)
        if not done.ok and _LATCH_REFUSED in done.output:
            for number, path in enumerate((*design.sources, *design.library_files)):
                link = directory / f"source{number}.sv"
                link.unlink()
                link.write_bytes(_COMBINATIONAL.sub(b"always @*", (cwd / path).read_bytes()))
            done = self._written(design, directory, cwd, unknown, single_edge=single_edge, cancel=cancel)
        if not done.ok or not (directory / _AIG).is_file():
            return None
        cells = _CELL.findall((directory / _CELLS).read_text())
        return [cell.lstrip("\\") for cell in cells]

    def _written(
        self,
        design: Design,
        directory: Path,
        cwd: Path,
        unknown: Mapping[str, str],
        *,
        single_edge: bool,
        cancel: CancelToken,
    ) -> Completed:
        settled = "".join(f"setundef -undriven -{value} -init *{part}*\n" for part, value in unknown.items())
        lower = "chformal -lower\n" if self.version >= _LOWERED else ""
        clocks = "async2sync" if single_edge else "clk2fflogic"
        script = f"{read_commands(design, directory, cwd)}proc\n{settled}flatten\n{lower}{_LOWER % {'clocks': clocks}}"
        (directory / "script.ys").write_text(script)
        argv: list[str | Path] = [self.program, "-q", "-s", "script.ys"]
        return execute(argv, cwd=directory, timeout_s=_READ_TIMEOUT_S, cancel=cancel)

    def _answers(self, directory: Path, count: int, timeout_s: float, cancel: CancelToken) -> list[Answer]:
        if not count:
            return []
        done = self._ask(directory, f"pdr -a -T {max(1, round(timeout_s))}", timeout_s, cancel)
        failing = {int(number) for number in _ASSERTED.findall(done)}
        counts = _COUNTS.search(done)
        if counts is not None and int(counts[4]) == 0:
            return [Answer.FAILS if number in failing else Answer.HOLDS for number in range(count)]
        answers = [Answer.FAILS if number in failing else Answer.OPEN for number in range(count)]
        for number in [number for number in range(count) if number not in failing][:_MOST_ALONE]:
            answers[number] = self._alone(directory, number, timeout_s, cancel)
        return answers

    def _alone(self, directory: Path, number: int, timeout_s: float, cancel: CancelToken) -> Answer:
        each_s = max(1, round(timeout_s / 3))
        said = self._ask(directory, f"cone -s -O {number}; scorr; pdr -T {each_s}", timeout_s, cancel)
        if "Property proved" in said or "Networks are equivalent" in said:
            return Answer.HOLDS
        return Answer.FAILS if "was asserted" in said else Answer.OPEN

    def _frames(
        self, directory: Path, number: int, names: Mapping[int, tuple[str, int]], timeout_s: float, cancel: CancelToken
    ) -> tuple[Mapping[str, int], ...]:
        path = directory / _FRAMES
        path.unlink(missing_ok=True)
        command = f"cone -s -O {number}; bmc3 -T {max(1, round(timeout_s))}; write_cex -n {_FRAMES}"
        self._ask(directory, command, timeout_s, cancel)
        if not path.is_file():
            return ()
        found: dict[int, dict[str, int]] = {}
        for kind, index, frame, value in _FRAME.findall(path.read_text()):
            frames = found.setdefault(int(frame), {})
            if kind == "pi" and int(index) in names:
                name, bit = names[int(index)]
                frames[name] = frames.get(name, 0) | int(value) << bit
        return tuple(found[frame] for frame in sorted(found))

    def _ask(self, directory: Path, commands: str, timeout_s: float, cancel: CancelToken) -> str:
        done = execute(
            [self.abc, "-q", f"read_aiger {_AIG}; {commands}"],
            cwd=directory,
            timeout_s=timeout_s + _MARGIN_S,
            cancel=cancel,
        )
        return done.output


# Nothing that merges equal cells: two assertions that come to the same would become one.
_LOWER = """
setattr -mod -unset keep_hierarchy
opt_expr
memory -nomap
memory_map
setundef -undriven -zero -init
tee -q -o latches.txt select -list t:$dlatch t:$adlatch t:$dlatchsr t:$sr
%(clocks)s
delete -output w:*
opt_expr
opt_clean
techmap
opt_expr
opt_clean
dffunmap
dfflegalize -cell $_DFF_P_ 01 -mince 0 -minsrst 0
abc -fast -g AND
opt_clean
dump -o cells.il t:$assert
write_aiger -zinit -map design.map design.aig
"""


def read_commands(design: Design, directory: Path, cwd: Path) -> str:
    """The commands by which a yosys that runs in a directory reads a design.

    Links stand for its files and folders: no name of them can be taken for a command.
    """
    folders = dict.fromkeys([*design.include_dirs, *(path.parent for path in design.sources)])
    words = ["read_verilog", "-sv", "-formal"]
    for number, folder in enumerate(folders):
        _link(directory / f"include{number}", cwd / folder)
        words.append(f"-Iinclude{number}")
    words += [f"-D{name}={value}" if value else f"-D{name}" for name, value in design.defines]
    for number, path in enumerate((*design.sources, *design.library_files)):
        _link(directory / f"source{number}.sv", cwd / path)
        words.append(f"source{number}.sv")
    parameters = [word for name, value in design.parameters for word in ("-chparam", name, value)]
    return f"{' '.join(words)}\n{' '.join(['hierarchy', '-check', '-top', design.toplevel, *parameters])}\n"


def _link(link: Path, path: Path) -> None:
    # What is there already has taken its place.
    if not os.path.lexists(link):
        link.symlink_to(path)


def _input_names(path: Path) -> dict[int, tuple[str, int]]:
    return {int(index): (name.lstrip("\\"), int(bit)) for index, bit, name in _INPUT.findall(path.read_text())}
