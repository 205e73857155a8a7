"""From two versions of a module to an answer: a control run, a proof, a search, and a replay of what it finds."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from veriloop.assistant.design.elaborate import declared, elaborate
from veriloop.assistant.design.model import Design, Port
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed
from veriloop.assistant.verify import differential
from veriloop.assistant.verify.equivalence import scripts
from veriloop.assistant.verify.equivalence.reach import Answer, Start, abc_program, reachable
from veriloop.assistant.verify.equivalence.replay import Difference, replayed
from veriloop.assistant.verify.equivalence.scripts import Reset
from veriloop.assistant.verify.equivalence.yosys import Yosys
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.wave import Wave, value_at

DEPTHS = (12, 40)
"""Steps after the reset that are searched, one after the other."""
_READ_S = 60.0
_REACH_SHARE = 0.4
"""How much of the time that is left one proof over all that can be reached may take."""
_EDGE = re.compile(rb"\b(posedge|negedge)\s+([A-Za-z_][\w$]*)")
_FIRST_EDGE = re.compile(rb"@\s*\(\s*(posedge|negedge)\s+([A-Za-z_][\w$]*)")
_RESET = re.compile(r"rst|reset|clr|clear", re.I)
_ERROR = re.compile(r"^ERROR: (.*)$", re.M)
_PROVEN = re.compile(r"Equivalence successfully proven")
_FOUND = re.compile(r"model found(?: for base case)?: FAIL")
_BASE = re.compile(r"proved base case for (\d+) steps: SUCCESS|SAT proof finished - no model found: SUCCESS")
_STATE = re.compile(r"^\s+(?:\d+\s+)?\$(?:_?DFF|_?DLATCH|dff|adff|sdff|ff\b|mem|dlatch|anyinit)", re.M | re.I)


class Verdict(StrEnum):
    """What is known of two versions."""

    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    BOUNDED = "bounded"
    """No difference within so many steps after the reset; beyond that nothing is known."""
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """The answer about two versions of one module.

    Attributes:
        module: which.
        verdict: what is known.
        why: how it is known, or why not.
        steps: of `BOUNDED`, how many; else 0.
        difference: of `DIFFERENT`, what tells them apart, as it was seen in a simulation.
        assumed: what the answer rests on, a line each.
        seconds: that it took.
    """

    module: str
    verdict: Verdict
    why: str
    steps: int = 0
    difference: Difference | None = None
    assumed: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(slots=True)
class Prover:
    """Compares two versions of a module.

    Args:
        old: the first version, with the module as its toplevel; its paths are absolute.
        new: the second.
        yosys: proves.
        toolchain: replays.
        scratch: an existing directory.
        cancel: stops it.
        limit_s: seconds for all of it.
    """

    old: Design
    new: Design
    yosys: Yosys
    toolchain: Toolchain
    scratch: Path
    cancel: CancelToken
    limit_s: float = 60.0
    _started: float = field(default_factory=time.monotonic)

    def run(self) -> Equivalence:
        """The answer.

        Raises:
            Cancelled: the token was set.
        """
        ports = self._ports(self.old)
        if ports is None or ports != self._ports(self.new):
            return self._said(Verdict.UNDECIDED, "the ports are not the same, or are no plain inputs and outputs")
        if self._same_text():
            return self._said(Verdict.EQUIVALENT, "the texts are the same")
        with tempfile.TemporaryDirectory(dir=self.scratch) as place:
            return self._compared(Path(place), ports)

    def _compared(self, directory: Path, ports: Sequence[Port]) -> Equivalence:
        clocks = self._clocks(ports)
        resets = self._resets(ports)
        lines = scripts.prepare(self.old, self.new, slang=False, clocks=len(clocks))
        done = self._yosys([*lines, "stat"], directory, _READ_S)
        slang = False
        if self._failed(done) and self.yosys.slang:
            slang = True
            lines = scripts.prepare(self.old, self.new, slang=True, clocks=len(clocks))
            done = self._yosys([*lines, "stat"], directory, _READ_S)
        if self._failed(done):
            return self._by_simulation(ports, clocks, f"Yosys does not read it: {_error(done)}")
        if not _STATE.search(done.output):
            return self._combinational(directory, ports)
        return self._sequential(directory, ports, clocks, resets, slang=slang)

    # --- the ways ---

    def _combinational(self, directory: Path, ports: Sequence[Port]) -> Equivalence:
        # Without state one step says all.
        done = self._yosys(scripts.search([], steps=1, timeout_s=int(self._left_s)), directory, self._left_s)
        if _BASE.search(done.output):
            return self._said(Verdict.EQUIVALENT, "proved: no input tells them apart")
        if _FOUND.search(done.output):
            return self._played(directory, ports, "")
        return self._by_simulation(ports, [], f"not decided: {_error(done)}")

    def _sequential(
        self, directory: Path, ports: Sequence[Port], clocks: Sequence[str], resets: Sequence[Reset], *, slang: bool
    ) -> Equivalence:
        clock = clocks[0] if len(clocks) == 1 else ""
        # A shallow search first: most differences show soon, and it costs less than a proof.
        quick = self._search(directory, ports, clock, resets, DEPTHS[0])
        if isinstance(quick, Equivalence):
            return quick
        if quick and self._controlled(directory, clocks, resets, slang=slang):
            done = self._yosys(scripts.induction(resets, int(self._left_s)), directory, self._left_s)
            if _PROVEN.search(done.output) and _BASE.search(done.output):
                return self._said(Verdict.EQUIVALENT, "proved by induction", resets=resets, clocks=clocks)
        if quick and len(clocks) == 1:
            proof = self._by_reachability(directory, ports, clock, resets)
            if proof is not None:
                return proof
        reached = DEPTHS[0] if quick else 0
        for depth in DEPTHS[1:] if quick else ():
            found = self._search(directory, ports, clock, resets, depth)
            if isinstance(found, Equivalence):
                return found
            reached = depth if found else reached
        seen = self._by_simulation(ports, clocks, "")
        if seen.verdict is Verdict.DIFFERENT or not reached:
            return seen
        return replace(
            self._said(
                Verdict.BOUNDED, f"no input tells them apart within {reached} steps", resets=resets, clocks=clocks
            ),
            steps=reached,
        )

    def _by_reachability(
        self, directory: Path, ports: Sequence[Port], clock: str, resets: Sequence[Reset]
    ) -> Equivalence | None:
        """A proof for which no register has to be called as it was; none where there is none."""
        abc = abc_program()
        for start in Start if abc is not None else ():
            limit_s = self._left_s * _REACH_SHARE
            if abc is None or limit_s < 1:
                break
            found = reachable(
                directory,
                ports,
                clock,
                resets,
                start,
                yosys=self.yosys,
                abc=abc,
                limit_s=limit_s,
                cancel=self.cancel,
            )
            if found is not Answer.ALIKE:
                continue
            said = self._said(Verdict.EQUIVALENT, "proved over all that can be reached", resets=resets)
            if start is Start.ANY:
                return said
            # That rests on the registers being zero; a reset that was lost shows where they are unknown.
            deeper = self._search(directory, ports, clock, resets, DEPTHS[1])
            if isinstance(deeper, Equivalence):
                return deeper
            zeros = "registers that no reset reaches are zero at first in both"
            return replace(said, assumed=(*said.assumed, zeros)) if deeper else None
        return None

    def _search(
        self, directory: Path, ports: Sequence[Port], clock: str, resets: Sequence[Reset], depth: int
    ) -> Equivalence | bool:
        """A difference that was seen; else whether all of the depth was searched."""
        if self._left_s < 1:
            return False
        lines = scripts.search(resets, steps=depth, timeout_s=int(self._left_s))
        done = self._yosys(lines, directory, self._left_s)
        if _FOUND.search(done.output):
            return self._played(directory, ports, clock)
        return bool(_BASE.search(done.output))

    def _controlled(self, directory: Path, clocks: Sequence[str], resets: Sequence[Reset], *, slang: bool) -> bool:
        """Whether the old version is found to be equivalent to itself: else a proof here says nothing."""
        place = directory / "control"
        place.mkdir()
        lines = scripts.prepare(self.old, self.old, slang=slang, clocks=len(clocks))
        if self._failed(self._yosys(lines, place, _READ_S)):
            return False
        done = self._yosys(scripts.induction(resets, int(self._left_s)), place, self._left_s)
        return bool(_PROVEN.search(done.output) and _BASE.search(done.output))

    def _played(self, directory: Path, ports: Sequence[Port], clock: str) -> Equivalence:
        """What the search found, if a simulation shows it, too."""
        steps = _steps(directory / scripts.RECORD, ports)
        found = replayed(
            self.old,
            self.new,
            ports,
            clock,
            steps,
            names=self._names(),
            scratch=self.scratch,
            toolchain=self.toolchain,
            cancel=self.cancel,
        )
        if found is None:
            return self._by_simulation(
                ports, [clock] if clock else [], "the input that the search gives tells nothing apart in a simulation"
            )
        return replace(
            self._said(Verdict.DIFFERENT, f"{found.output} is {found.new}, was {found.old}, in step {found.step}"),
            difference=found,
        )

    def _by_simulation(self, ports: Sequence[Port], clocks: Sequence[str], why: str) -> Equivalence:
        """Random inputs: what they tell apart is different, and what they do not proves nothing."""
        files = [path for path in self.old.sources if path.name in {one.name for one in self.new.sources}]
        old = {path.name: path.read_bytes() for path in files}
        new = {path.name: path.read_bytes() for path in self.new.sources if path.name in old}
        seen = None
        if len(files) == len(self.old.sources) == len(self.new.sources):
            seen = differential.compare(
                [old, new],
                replace(self.old, sources=()),
                root=Path("/"),
                scratch=self.scratch,
                toolchain=self.toolchain,
                cancel=self.cancel,
                reference=True,
            )
        if seen is not None and (0, 1) in seen.differs:
            return self._said(Verdict.DIFFERENT, f"random inputs tell them apart in cycle {seen.differs[0, 1]}")
        return self._said(Verdict.UNDECIDED, why or "neither a proof nor a difference was found in the time")

    # --- what they are ---

    def _ports(self, design: Design) -> tuple[Port, ...] | None:
        module = elaborate(design).modules.get(design.toplevel)
        if module is None or any(port.direction not in ("input", "output") for port in module.ports):
            return None
        return tuple(replace(port, type="") for port in module.ports)

    def _same_text(self) -> bool:
        return [path.read_bytes() for path in self.old.sources] == [path.read_bytes() for path in self.new.sources]

    def _texts(self) -> bytes:
        return b"\n".join(path.read_bytes() for path in (*self.old.sources, *self.new.sources))

    def _clocks(self, ports: Sequence[Port]) -> list[str]:
        """The inputs that clock something; each edge of one that is used both ways counts."""
        inputs = {port.name for port in ports if port.direction == "input"}
        first = {(edge, name) for edge, name in _FIRST_EDGE.findall(self._texts())}
        named = {name.decode(): edge for edge, name in first}
        if len(first) > len(named):
            return [name.decode() for _, name in sorted(first)]
        return sorted(name for name in named if name in inputs) or sorted(named)

    def _resets(self, ports: Sequence[Port]) -> list[Reset]:
        text = self._texts()
        return [
            Reset(name=port.name, value=0 if differential.is_low(port.name, text) else 1)
            for port in ports
            if port.direction == "input" and port.width_bits == 1 and _RESET.search(port.name)
        ]

    def _names(self) -> frozenset[str]:
        found: set[str] = set()
        for path in (*self.old.sources, *self.new.sources):
            found |= set(declared(path.read_bytes())[0])
        return frozenset(found)

    # --- running ---

    def _yosys(self, lines: Sequence[str], directory: Path, limit_s: float) -> Completed:
        limit_s = max(1.0, min(limit_s, self._left_s))
        return self.yosys.run(lines, cwd=directory, timeout_s=limit_s, cancel=self.cancel)

    @staticmethod
    def _failed(done: Completed) -> bool:
        return done.cut_off or done.returncode != 0

    @property
    def _left_s(self) -> float:
        return max(0.0, self.limit_s - (time.monotonic() - self._started))

    def _said(
        self, verdict: Verdict, why: str, *, resets: Sequence[Reset] = (), clocks: Sequence[str] = ()
    ) -> Equivalence:
        assumed = []
        if resets:
            held = ", ".join(f"{reset.name} = {reset.value}" for reset in resets)
            assumed.append(f"{held} for {scripts.RESET_STEPS} steps first")
        if clocks:
            assumed.append("registers that no reset reaches start alike in both")
        if self.old.parameters:
            assumed.append("with " + ", ".join(f"{name} = {value}" for name, value in self.old.parameters))
        return Equivalence(
            module=self.old.toplevel,
            verdict=verdict,
            why=why,
            assumed=tuple(assumed),
            seconds=time.monotonic() - self._started,
        )


def _steps(record: Path, ports: Sequence[Port]) -> list[Mapping[str, str]]:
    """The inputs of each step that a search has recorded; a step starts with the change of a time."""
    wave = Wave.read(record)
    if not wave.changes:
        return []
    inputs = [port for port in ports if port.direction == "input"]
    named = {name.rpartition(".")[2].lstrip("\\"): changes for name, changes in wave.changes.items()}
    last = wave.end_fs // wave.step_fs
    found: list[Mapping[str, str]] = []
    for step in range(1, max(1, last) + 1):
        # A step is written at its number; the first one may stand at 0, beside the registers' first values.
        at_fs = step * wave.step_fs
        row = {}
        for port in inputs:
            bits = value_at(named.get(f"in_{port.name}", []), at_fs)
            row[port.name] = bits if bits and not set(bits) - set("01") else "0" * port.width_bits
        found.append(row)
    return found


def _error(done: Completed) -> str:
    found = _ERROR.search(done.output)
    if found:
        return found[1][:200]
    return f"it {done.why_cut_off}" if done.cut_off else "no answer"
