"""From a specification to RTL with what was run to check it.

What the specification gives as data is synthesised; where answers are given that were written independently, they are
cross-examined; where neither helps, nothing is made up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken, Run, Stage
from veriloop.assistant.generate.bench_text import bench_text
from veriloop.assistant.generate.interface import Interface, read_interface
from veriloop.assistant.generate.selection import select
from veriloop.assistant.generate.synthesis import Abstained, Synthesis, synthesise
from veriloop.assistant.verify.evidence import Evidence, Step
from veriloop.assistant.verify.simulation import conclude, run_testbench
from veriloop.assistant.verify.static import static_steps
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A module, and what it rests on.

    Attributes:
        toplevel: its name.
        rtl: its text.
        how: what decided that it reads as it does.
        evidence: how far what was run reaches; `TESTS` means that the specification's data itself was played.
        steps: what was run.
        confidence: from 0 to 1, where answers were chosen from; none where the data decides.
        assumed: what the specification does not say.
        testbench: a self-checking testbench by the specification's data; empty where there is none.
    """

    toplevel: str
    rtl: bytes
    how: str
    evidence: Evidence
    steps: tuple[Step, ...]
    confidence: float | None = None
    assumed: tuple[str, ...] = ()
    testbench: str = ""

    @property
    def refuted(self) -> bool:
        """Whether something that was run speaks against it."""
        return not all(step.passed for step in self.steps)


def generate(
    text: str,
    *,
    header: str | None,
    top: str | None,
    answers: Sequence[bytes],
    toolchain: Toolchain,
    cancel: CancelToken,
) -> Run[Generated | Abstained]:
    """Makes a module, or says what is missing.

    Args:
        text: the specification.
        header: the module header to use, where it is given apart.
        top: the module's name, where it is to be another than the specification's.
        answers: modules that were written independently of each other.
        toolchain: the simulators.
        cancel: stops it.
    """
    yield Stage("specification")
    interface = read_interface(text, header=header)
    if interface is None or not interface.outputs:
        return Abstained(reason="the specification names no ports")
    interface = replace(interface, toplevel=top or interface.toplevel)
    made = synthesise(text, interface)
    with tempfile.TemporaryDirectory(prefix="veriloop-generate-") as name:
        directory = Path(name)
        if isinstance(made, Synthesis):
            found = _synthesised(made)
        elif answers:
            yield Stage("cross-examination")
            chosen = _selected(answers, interface, directory, toolchain, cancel)
            if chosen is None:
                return Abstained(reason=f"none of the {len(answers)} answers has these ports and elaborates")
            found = chosen
        else:
            return made
        yield Stage("check")
        return _checked(found, directory, toolchain, cancel)


def _synthesised(made: Synthesis) -> Generated:
    top = made.interface.toplevel
    return Generated(
        toplevel=top,
        rtl=made.rtl.encode(),
        how=f"follows from the specification's {made.kind}",
        evidence=Evidence.NONE,
        steps=(),
        assumed=made.assumed,
        testbench=bench_text(made.interface, made.played, name=f"{top}_tb") if made.played else "",
    )


def _selected(
    answers: Sequence[bytes], interface: Interface, directory: Path, toolchain: Toolchain, cancel: CancelToken
) -> Generated | None:
    chosen = select(answers, interface, scratch=directory, toolchain=toolchain, cancel=cancel)
    if chosen is None:
        return None
    return Generated(
        toplevel=interface.toplevel,
        rtl=chosen.text,
        how=chosen.how,
        evidence=Evidence.NONE,
        steps=(),
        confidence=chosen.confidence,
        assumed=chosen.notes,
    )


def _checked(found: Generated, directory: Path, toolchain: Toolchain, cancel: CancelToken) -> Generated:
    rtl, bench = Path(f"{found.toplevel}.sv"), Path(f"{found.toplevel}_tb.sv")
    root, scratch = directory / "tree", directory / "scratch"
    root.mkdir()
    scratch.mkdir()
    (root / rtl).write_bytes(found.rtl)
    design = Design(toplevel=found.toplevel, sources=(rtl,))
    found_statically = static_steps(design, root=root, toolchain=toolchain, cancel=cancel)
    static = tuple(one.step for one in found_statically)
    if not all(step.passed for step in static) or not found.testbench:
        evidence = Evidence.ELABORATES if all(step.passed for step in static) else Evidence.NONE
        return replace(found, steps=static, evidence=evidence)
    (root / bench).write_text(found.testbench)
    played = VerilogTestbench(
        name="the specification's data",
        design=Design(toplevel=bench.stem, sources=(bench, rtl)),
        timeout_s=_TIMEOUT_S,
    )
    runs = run_testbench(played, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
    said = conclude(played, runs, root=root)
    step = Step(name=played.name, passed=said.passed, results=runs, detail="; ".join(said.notes))
    return replace(found, steps=(*static, step), evidence=said.evidence if said.passed else Evidence.ELABORATES)
