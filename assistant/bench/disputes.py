"""Failing tests of which it is known who is wrong, made from HDLBits' problems, mutants and recorded answers.

The golden RTL and testbench make the cases and score them; a judge is handed neither as such. Of each problem at most
one case a class: a wrong design (a detected mutant, or a recorded answer that fails) with the right testbench; a right
design (the golden one, or a recorded answer that passes) with a testbench whose reference is a mutant; both wrong in
different ways; a right design in a harness that was broken in one of seven ways.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.bench.problems import Problem, hdlbits, recorded
from veriloop.assistant.bench.scoring import Engine, scored
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.answers import Rtl, read_rtl
from veriloop.assistant.generate.interface import interface_of, read_interface
from veriloop.assistant.judge.verdict import Side
from veriloop.assistant.verify.results import Outcome
from veriloop.assistant.verify.toolchain import Toolchain

CLASSES = (Side.RTL, Side.TESTBENCH, Side.BOTH, Side.HARNESS)
_MUTANTS = "HDLBits_data_mutants.jsonl"
_MOST_TRIED = 6
"""Answers that are tried for one that fails, or passes, and pairs for two that differ."""
_COMMENTS = re.compile(rb"//[^\n]*|/\*.*?\*/", re.S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A problem with what cases are made of."""

    problem: Problem
    mutants: tuple[bytes, ...]
    """Without their comments, which say what was changed."""
    answers: tuple[bytes, ...]
    number: int
    """Its place among the problems, by which kinds of cases take turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeCase:
    """A failing test; `truth` says who is wrong."""

    name: str
    truth: Side
    made: str
    """Of what it was made, in a few words."""
    specification: str
    header: str | None
    rtl: bytes
    bench: bytes
    answers: tuple[bytes, ...]
    """Recorded answers, that one left out which is the design."""
    toplevel: str


def origins(data: Path, model: str) -> list[Origin]:
    """The problems; `model` is whose answers there are, empty: nobody's.

    Raises:
        UsageError: the set is not there.
    """
    path = data / _MUTANTS
    if not path.is_file():
        raise UsageError(f"{data} holds no HDLBits with its mutants: no {_MUTANTS}")
    records = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    mutants = {
        record["task_id"]: tuple(_COMMENTS.sub(b"", one.encode()) for one in record["mutants"]) for record in records
    }
    answers = recorded(data, model)
    return [
        Origin(
            problem=problem,
            mutants=mutants.get(problem.name, ()),
            answers=answers.get(problem.name, ()),
            number=number,
        )
        for number, problem in enumerate(hdlbits(data))
    ]


class Maker:
    """Makes the cases of one problem.

    Args:
        origin: the problem.
        toolchain: the simulators; Icarus scores where it is installed.
        cancel: stops it.
    """

    def __init__(self, origin: Origin, toolchain: Toolchain, cancel: CancelToken) -> None:
        self._origin = origin
        self._toolchain = toolchain
        self._cancel = cancel
        self._bench = origin.problem.bench["test.sv"]

    def cases(self) -> Iterator[DisputeCase]:
        """A case of each class that can be made."""
        makers: dict[Side, Callable[[], DisputeCase | None]] = {
            Side.RTL: self._wrong_design,
            Side.TESTBENCH: self._wrong_test,
            Side.BOTH: self._both_wrong,
            Side.HARNESS: self._broken_harness,
        }
        for make in makers.values():
            case = make()
            if case is not None:
                yield case

    def _wrong_design(self) -> DisputeCase | None:
        wrong = self._failing_answer() if self._origin.number % 2 else None
        made = "an answer that fails"
        if wrong is None:
            wrong, made = self._detected(), "a mutant"
        return None if wrong is None else self._case(Side.RTL, made, wrong, self._bench)

    def _wrong_test(self) -> DisputeCase | None:
        right = self._passing_answer() if self._origin.number % 2 else None
        made = "an answer that passes" if right is not None else "the golden design"
        right = self._origin.problem.golden if right is None else right
        for mutant in reversed(self._origin.mutants):
            bench = self._with_reference(mutant)
            if bench is not None and self._fails(right, bench) and self._fails(mutant, self._bench):
                return self._case(Side.TESTBENCH, f"{made} against a mutant", right, bench)
        return None

    def _both_wrong(self) -> DisputeCase | None:
        answer = self._failing_answer() if self._origin.number % 2 else None
        wrong, made = (answer, "an answer that fails") if answer is not None else (self._detected(), "a mutant")
        if wrong is None:
            return None
        for mutant in self._origin.mutants[::-1][:_MOST_TRIED]:
            bench = self._with_reference(mutant) if mutant != wrong else None
            if bench is not None and self._fails(mutant, self._bench) and self._fails(wrong, bench):
                return self._case(Side.BOTH, f"{made} against a mutant", wrong, bench)
        return None

    def _broken_harness(self) -> DisputeCase | None:
        ways = list(_WAYS.items())
        first = self._origin.number % len(ways)
        for name, way in (*ways[first:], *ways[:first]):
            bench = way(self._bench, self._origin.problem)
            if bench is not None and bench != self._bench:
                return self._case(Side.HARNESS, name, self._origin.problem.golden, bench)
        return None

    def _case(self, truth: Side, made: str, rtl: bytes, bench: bytes) -> DisputeCase:
        problem = self._origin.problem
        answers = list(self._origin.answers)
        if rtl in answers:
            answers.remove(rtl)
        return DisputeCase(
            name=f"{problem.name}/{truth.value}",
            truth=truth,
            made=made,
            specification=problem.specification,
            header=problem.header,
            rtl=rtl,
            bench=bench,
            answers=tuple(answers),
            toplevel=problem.toplevel,
        )

    # --- what is right and what is wrong, by the golden testbench ---

    def _detected(self) -> bytes | None:
        return next((one for one in self._origin.mutants[:_MOST_TRIED] if self._fails(one, self._bench)), None)

    def _failing_answer(self) -> bytes | None:
        return next((one for one in self._usable() if self._fails(one, self._bench)), None)

    def _passing_answer(self) -> bytes | None:
        return next((one for one in self._usable() if self._run(one, self._bench) is Outcome.PASS), None)

    def _usable(self) -> Sequence[bytes]:
        problem = self._origin.problem
        interface = read_interface(problem.specification, header=problem.header)
        found = list(dict.fromkeys(self._origin.answers))[:_MOST_TRIED]
        if interface is None:
            return []
        whole = [one for one in found if interface_of(one, problem.answer) is not None]
        return [one for one in whole if isinstance(read_rtl(one, interface), Rtl)]

    def _fails(self, rtl: bytes, bench: bytes) -> bool:
        return self._run(rtl, bench) is Outcome.FAIL

    def _run(self, rtl: bytes, bench: bytes) -> Outcome:
        self._cancel.check()
        problem = Problem(name="", specification="", header=None, bench={"test.sv": bench}, golden=b"")
        engine: Engine = "icarus" if self._toolchain.icarus is not None else "verilator"
        return scored(problem, rtl, engine, self._toolchain, self._cancel).outcome

    def _with_reference(self, mutant: bytes) -> bytes | None:
        """The testbench with a mutant in the place of its reference."""
        tree = SyntaxTree(self._bench)
        node = next((one for one in tree.modules if Structure(tree, one).name == "reference_module"), None)
        if node is None:
            return None
        text = re.sub(rb"\b" + self._origin.problem.answer.encode() + rb"\b", b"reference_module", mutant)
        return self._bench[: node.start_byte] + text.strip() + self._bench[node.end_byte :]


# --- ways to break a harness: each gives the testbench, or none where it has nothing to break ---


def _lost_semicolon(bench: bytes, problem: Problem) -> bytes | None:
    at = bench.find(b"tb_match;")
    return None if at < 0 else bench[: at + 8] + bench[at + 9 :]


def _lost_module(bench: bytes, problem: Problem) -> bytes | None:
    return re.sub(rb"\bmodule stimulus_gen\b", b"module stimulus_generator", bench, count=1)


def _other_port(bench: bytes, problem: Problem) -> bytes | None:
    start = bench.find(b" " + problem.answer.encode() + b"1 (")
    return (
        None
        if start < 0
        else bench[:start] + re.sub(rb"\.(\w+)\((\w+)_dut\)", rb".\1_o(\2_dut)", bench[start:], count=1)
    )


def _no_end(bench: bytes, problem: Problem) -> bytes | None:
    return re.sub(rb"\$finish\b[^;]*;", b";", bench)


def _no_word(bench: bytes, problem: Problem) -> bytes | None:
    return re.sub(rb"\$display\((?:[^()\"]|\"[^\"]*\"|\([^()]*\))*\);", b";", bench)


def _no_clock(bench: bytes, problem: Problem) -> bytes | None:
    return re.sub(rb"#5 clk = ~clk;", b"#5 clk = clk;", bench)


def _open_input(bench: bytes, problem: Problem) -> bytes | None:
    start = bench.find(b" " + problem.answer.encode() + b"1 (")
    if start < 0:
        return None
    return bench[:start] + re.sub(rb"\(\s*\.(\w+)\s*,", rb"(.\1(),", bench[start:], count=1)


_WAYS: dict[str, Callable[[bytes, Problem], bytes | None]] = {
    "a semicolon is missing": _lost_semicolon,
    "a module is called otherwise": _lost_module,
    "a port is called otherwise": _other_port,
    "the test never ends": _no_end,
    "the test says nothing": _no_word,
    "the clock stands still": _no_clock,
    "an input is not connected": _open_input,
}
