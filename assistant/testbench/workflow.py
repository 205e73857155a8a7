"""From a design to a testbench that passes on it, and is known to fail on what is wrong."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design, Module
from veriloop.assistant.errors import NotVerified
from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.generate.synthesis import Synthesis, synthesise
from veriloop.assistant.testbench.corners import corner_part
from veriloop.assistant.testbench.drivable import driven_module, other_polarity, pins_to_drive
from veriloop.assistant.testbench.expected import (
    Expected,
    Origin,
    from_model,
    from_recorded,
    from_reference,
    require_model,
)
from veriloop.assistant.testbench.killing import Arena, Fate, general_parts, kill
from veriloop.assistant.testbench.mutants import Mutant, mutants_of
from veriloop.assistant.testbench.reaching import BUDGET_CYCLES, Reached, reach_all
from veriloop.assistant.testbench.rounds import Part, all_rows
from veriloop.assistant.testbench.scoring import first_differences
from veriloop.assistant.testbench.text import Written
from veriloop.assistant.verify.cocotb import run_cocotb
from veriloop.assistant.verify.formal.prover import Prover
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.stimulus.coverage import Kind
from veriloop.assistant.verify.stimulus.pins import Pins, Row
from veriloop.assistant.verify.stimulus.player import Player, build_player
from veriloop.assistant.verify.stimulus.replay import Subject, replay
from veriloop.assistant.verify.testbench import CocotbTestbench
from veriloop.assistant.verify.toolchain import Toolchain

_TIMEOUT_S = 300.0
_KINDS: tuple[Kind, ...] = ("line", "branch", "toggle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a testbench is wanted for.

    Attributes:
        design: with the module to test as its toplevel; its paths count from `root`.
        files: those of its sources whose mutants it has to fail on.
        root: where relative paths start.
        folder: where the testbench will stand, from `root`.
        specification: a text that says what is expected; empty: none.
        model: the text of a reference model; empty: none.
        model_path: where that stands.
        target: coverage that is enough, in percent.
        mutants: how many to try it on.
    """

    design: Design
    files: tuple[Path, ...]
    root: Path
    folder: Path
    specification: str = ""
    model: str = ""
    model_path: Path = Path()
    target: float = 95.0
    mutants: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Testbench:
    """A testbench, and what is known about it.

    Attributes:
        name: of its file, without `.py`.
        files: names and contents.
        reached: the stimulus that covers, and what it covers.
        expected: where the expected values come from.
        holds: the handshakes that its drivers keep to, in words.
        cycles: how long it is.
        mutants: what it was tried on.
        fates: what became of each.
        runs: what the simulators said when it was run on the design.
        simulator: the one that it asks for.
        notes: what a person should know.
    """

    name: str
    files: dict[str, bytes]
    reached: Reached
    expected: Expected
    holds: tuple[str, ...]
    cycles: int
    mutants: tuple[Mutant, ...]
    fates: tuple[Fate, ...]
    runs: tuple[SimResult, ...]
    simulator: str
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the design passes in the simulator that the testbench asks for."""
        own = [run for run in self.runs if run.engine == self.simulator]
        return bool(own) and all(run.passed for run in own)

    @property
    def survivors(self) -> tuple[Mutant, ...]:
        """The holes: mutants that it passes, and that are not proved to be the same."""
        return tuple(one for one, fate in zip(self.mutants, self.fates, strict=True) if fate is Fate.UNDECIDED)

    def count(self, fate: Fate) -> int:
        """How many mutants met a fate."""
        return self.fates.count(fate)

    @property
    def score(self) -> float:
        """Percent of the mutants that can be killed that were; 100 where there were none."""
        total = self.count(Fate.KILLED) + len(self.survivors)
        return 100.0 * self.count(Fate.KILLED) / total if total else 100.0


def make_testbench(
    request: Request, *, toolchain: Toolchain, prover: Prover | None, cancel: CancelToken
) -> Run[Testbench]:
    """Makes a testbench for a design and runs it there.

    Raises:
        UsageError: the design does not elaborate, or the reference model is none.
        NotVerified: ports that cannot be driven, no clock, no way out of reset, a reference model that fails, a
            specification without data.
        ToolError: a tool broke or is missing.
    """
    yield Stage("elaboration")
    module, clocking = driven_module(elaborate(request.design.rooted(request.root)), request.design.toplevel)
    pins = pins_to_drive(module, clocking)
    # Said before the stimulus is made, which may take minutes.
    if request.model:
        require_model(request.model, str(request.model_path), pins)
    synthesis = _synthesis(request.specification, module) if request.specification and not request.model else None
    with tempfile.TemporaryDirectory(prefix="veriloop-testbench-") as name:
        making = _Making(request, synthesis, Path(name), toolchain, prover, cancel)
        reached = yield from making.reached(pins, resets_all=clocking.resets_all, registers=clocking.registers)
        return (yield from making.testbench(reached))


@dataclass(frozen=True, slots=True)
class _Making:
    """The steps from stimulus to files, with what all of them need."""

    request: Request
    synthesis: Synthesis | None
    """What follows from the specification, where it says what is expected."""
    scratch: Path
    toolchain: Toolchain
    prover: Prover | None
    cancel: CancelToken

    def reached(self, pins: Pins, *, resets_all: bool, registers: bool) -> Run[Reached]:
        """Stimulus that covers; with the resets turned round where nothing moves and only their names were known."""
        for number, tried in enumerate((pins, other_polarity(pins))):
            if tried is None:
                break
            directory = self.scratch / f"reach{number}"
            directory.mkdir()
            found = yield from reach_all(
                self.request.design,
                tried,
                root=self.request.root,
                directory=directory,
                toolchain=self.toolchain,
                prover=self.prover,
                cancel=self.cancel,
                resets_all=resets_all,
                budget_cycles=BUDGET_CYCLES // 2,
            )
            if not isinstance(found, Reached):
                why = found[0].message if found else "rejected"
                raise NotVerified(f"Verilator does not take the design: {why}", hint="veriloop doctor")
            if not registers or _moves(found):
                return found
        raise NotVerified(
            f"{pins.module} never leaves reset: whatever is driven, nothing in it changes",
            hint="look at the reset's polarity and at what gates the clock, or test another module: --top MODULE",
        )

    def testbench(self, reached: Reached) -> Run[Testbench]:
        """Mutants, expected values, files, and the run on the design."""
        request, pins = self.request, reached.pins
        yield Stage("mutants")
        mutants = mutants_of(request.design, request.files, pins, root=request.root, count=request.mutants)
        yield Note(f"{len(mutants)} mutants")
        arena = self._arena(reached)
        general = general_parts(pins, reached.inputs)
        parts: Sequence[Part] = (*reached.parts, *corner_part(pins, reached.inputs), *general)
        subjects = [Subject(module=pins.module, files={**self._contents, str(one.path): one.text}) for one in mutants]
        fates: tuple[Fate, ...] = ()
        if subjects:
            killing = kill(arena, subjects, parts, [one.what for one in mutants])
            parts, fates = killing.parts, killing.fates
        yield Stage("expected values")
        rows = arena.driven(all_rows(parts, reached.inputs, pins))
        expected = self._expected(pins, rows)
        notes = [*_notes(reached, self.prover, request)]
        scored = self._scored(arena, subjects, fates, rows, expected)
        if scored is None:
            notes.append("the RTL is not as expected, so that mutants of it say nothing about the testbench")
        bench = self._written(reached, tuple(parts), expected, mutants, scored)
        yield Stage("running it")
        runs = self._run(bench)
        notes += [
            f"{run.engine} does not agree with {bench.simulator}: {run.reason}"
            for run in runs
            if run.engine != bench.simulator and not run.passed and expected.origin is Origin.RTL
        ]
        return Testbench(
            name=bench.name,
            files=bench.files,
            reached=reached,
            expected=expected,
            holds=tuple(_held(pins)),
            cycles=len(rows),
            mutants=tuple(mutants) if scored is not None else (),
            fates=scored or (),
            runs=runs,
            simulator=bench.simulator,
            notes=tuple(notes),
        )

    @property
    def _contents(self) -> dict[str, bytes]:
        return {str(path): (self.request.root / path).read_bytes() for path in self.request.files}

    def _arena(self, reached: Reached) -> Arena:
        return Arena(
            reference=Subject(module=reached.pins.module, files=self._contents),
            pins=reached.pins,
            inputs=reached.inputs,
            design=self.request.design,
            root=self.request.root,
            scratch=self.scratch,
            toolchain=self.toolchain,
            prover=self.prover,
            cancel=self.cancel,
            player=self._player(reached.pins) if reached.pins.holds else None,
        )

    def _player(self, pins: Pins) -> Player:
        directory = self.scratch / "player"
        directory.mkdir()
        design, root = self.request.design.rooted(self.request.root), self.request.root
        built = build_player(self.toolchain.verilator, design, pins, directory, cwd=root, cancel=self.cancel)
        if not isinstance(built, Player):
            raise NotVerified("Verilator does not take the design", hint="veriloop doctor")
        return built

    def _expected(self, pins: Pins, rows: Sequence[Row]) -> Expected:
        request = self.request
        if request.model:
            return from_model(request.model, str(request.model_path), rows, pins, self.cancel)
        made = self.synthesis
        if made is None:
            return self._recorded(Subject(module=pins.module, files=self._contents), pins, rows, Origin.RTL, "")
        if made.reference is not None:
            found = from_reference(made.reference, rows, pins, made.kind)
        else:
            place = str(request.files[0])
            subject = Subject(module=pins.module, files={place: made.rtl.encode()})
            found = self._recorded(subject, pins, rows, Origin.SPECIFICATION, made.kind)
        return replace(found, assumed=made.assumed)

    def _recorded(self, subject: Subject, pins: Pins, rows: Sequence[Row], origin: Origin, detail: str) -> Expected:
        played = replay(
            [subject],
            pins,
            rows,
            design=self.request.design,
            root=self.request.root,
            scratch=self.scratch,
            toolchain=self.toolchain,
            cancel=self.cancel,
            record=True,
        )
        if played is None:
            raise NotVerified("the outputs cannot be recorded: no simulator plays the design to its end")
        return from_recorded(origin, [line[0] for line in played.outputs], pins, detail)

    def _scored(
        self, arena: Arena, subjects: Sequence[Subject], fates: Sequence[Fate], rows: Sequence[Row], expected: Expected
    ) -> tuple[Fate, ...] | None:
        """The fates by the testbench itself; none where the design is not as expected."""
        (own,) = first_differences(arena, [arena.reference], rows, expected.samples).values()
        if own is not None:
            return None
        places = first_differences(arena, subjects, rows, expected.samples)
        return tuple(_fate(fate, places, number) for number, fate in enumerate(fates))

    def _written(
        self,
        reached: Reached,
        parts: tuple[Part, ...],
        expected: Expected,
        mutants: Sequence[Mutant],
        fates: Sequence[Fate] | None,
    ) -> Written:
        request, design = self.request, self.request.design

        def from_folder(path: Path) -> str:
            return os.path.relpath(request.root / path, request.root / request.folder)

        icarus = self.toolchain.icarus
        taken = (
            icarus is not None
            and icarus.build(
                design.rooted(request.root), self.scratch / "taken.vvp", cwd=request.root, cancel=self.cancel
            )
            is None
        )
        return Written(
            name=f"test_{reached.pins.module}",
            pins=reached.pins,
            inputs=reached.inputs,
            parts=parts,
            expected=expected,
            sources=tuple(from_folder(path) for path in (*design.sources, *design.library_files)),
            include_dirs=tuple(from_folder(path) for path in design.include_dirs),
            defines=dict(design.defines),
            parameters=dict(design.parameters),
            model=from_folder(request.model_path) if request.model else "",
            simulator="icarus" if taken else "verilator",
            notes=tuple(_header_notes(reached, mutants, fates)),
        )

    def _run(self, bench: Written) -> tuple[SimResult, ...]:
        """Runs it here as a repository's own cocotb test is run, from a folder of its own."""
        folder = self.scratch / "bench"
        folder.mkdir()
        moved = bench
        if bench.model:
            (folder / "reference_model.py").write_text(self.request.model)
            moved = replace(bench, model="reference_model.py")
        for name, content in moved.files.items():
            (folder / name).write_bytes(content)
        testbench = CocotbTestbench(
            name=bench.name,
            design=self.request.design.rooted(self.request.root),
            module=bench.name,
            search_path=(folder,),
            timeout_s=_TIMEOUT_S,
        )
        return run_cocotb(
            testbench,
            root=folder,
            scratch=self.scratch,
            toolchain=self.toolchain,
            cancel=self.cancel,
            starts=((0, "zeros"),),
            four_state=bench.simulator == "icarus",
        )


def _moves(reached: Reached) -> bool:
    """Whether anything toggles but the inputs themselves."""
    pins = reached.pins
    names = {*(clock.name for clock in pins.clocks), *(port.name for port in pins.inputs)}
    inner = [
        count
        for point, count in reached.counts.items()
        if point.kind == "toggle" and point.what.partition("[")[0].partition(":")[0] not in names
    ]
    return not inner or any(inner)


def _fate(fate: Fate, places: dict[int, int | None], number: int) -> Fate:
    if number not in places:
        return Fate.UNUSABLE
    if places[number] is not None:
        return Fate.KILLED
    return Fate.UNDECIDED if fate is Fate.KILLED else fate


def _synthesis(specification: str, module: Module) -> Synthesis:
    ports = ", ".join(
        f"{port.direction} {f'[{port.width_bits - 1}:0] ' if port.width_bits > 1 else ''}{port.name}"
        for port in module.ports
    )
    own = {(port.name, port.direction, port.width_bits) for port in module.ports}
    interface = read_interface(specification)
    if interface is None or {(port.name, port.direction, port.width_bits) for port in interface.ports} != own:
        interface = read_interface(specification, header=f"module {module.name} ({ports});")
    if interface is not None:
        interface = replace(interface, toplevel=module.name)
    made = synthesise(specification, interface) if interface is not None else None
    if not isinstance(made, Synthesis):
        reason = "; ".join((made.reason, *map(str, made.questions))) if made is not None else "it names no ports"
        raise NotVerified(
            f"the specification gives no expected values: {reason}",
            hint="a reference model: --model-file FILE; or neither, which pins what the RTL does today",
        )
    return made


def _held(pins: Pins) -> list[str]:
    return [f"{hold.kind}: {hold.valid} is held until {hold.ready or 'the next cycle'}" for hold in pins.holds]


def _header_notes(reached: Reached, mutants: Sequence[Mutant], fates: Sequence[Fate] | None) -> list[str]:
    shares = reached.shares
    percents = ", ".join(f"{kind} {shares[kind].percent:.1f} %" for kind in _KINDS)
    notes = [f"Coverage when it was written: {percents} of what can be reached."]
    if fates is None:
        return [*notes, "When it was written, the RTL did not pass it."]
    alive = [one for one, fate in zip(mutants, fates, strict=True) if fate is Fate.UNDECIDED]
    killed, equal = fates.count(Fate.KILLED), fates.count(Fate.EQUIVALENT)
    notes.append(f"Mutants: {killed} of {killed + len(alive)} killed; {equal} more are proved to do the same.")
    return [*notes, *(f"It passes, perhaps wrongly: {one.path}:{one.line} {one.what}" for one in alive)]


def _notes(reached: Reached, prover: Prover | None, request: Request) -> list[str]:
    notes = _held(reached.pins)
    if len(reached.pins.clocks) > 1:
        names = ", ".join(clock.name for clock in reached.pins.clocks)
        notes.append(f"{names} rise independently of each other, at rates that are drawn for each phase")
    low = [kind for kind in _KINDS if reached.shares[kind].percent < request.target]
    if low:
        missed = "; ".join(f"line {point.line}: {point.kind} {point.what}" for point in reached.missed[:5])
        notes.append(f"below {request.target:g} %: {', '.join(low)}; a plateau: not met are {missed}")
    if prover is None:
        notes.append("yosys is not installed: nothing is proved unreachable or equivalent")
    if reached.unreachable:
        notes.append(f"{len(reached.unreachable)} coverage points are proved unreachable")
    return notes
