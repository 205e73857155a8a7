"""From a specification to RTL with what was run to check it.

What the specification gives as data is synthesised. The rest is answered several times independently, by a language
model and by people, in RTL and in Python, and the answers are cross-examined; where none of this helps, nothing is
made up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.generate.agreed_bench import agreed_bench
from veriloop.assistant.generate.bench_text import bench_text
from veriloop.assistant.generate.candidates import Candidates, candidates
from veriloop.assistant.generate.divergence import window
from veriloop.assistant.generate.interface import Interface, read_interface
from veriloop.assistant.generate.plan import Plan, plan
from veriloop.assistant.generate.port_conflicts import decided_ports
from veriloop.assistant.generate.quality import quality_steps
from veriloop.assistant.generate.questions import Decided, Question
from veriloop.assistant.generate.reference_text import reference_text
from veriloop.assistant.generate.refinement import refine
from veriloop.assistant.generate.selection import Selection, select
from veriloop.assistant.generate.synthesis import Abstained, Synthesis, synthesise, variants
from veriloop.assistant.verify.evidence import Evidence, Step
from veriloop.assistant.verify.simulation import conclude, run_testbench
from veriloop.assistant.verify.static import looked_at, static_steps
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.models.model import Model

_TIMEOUT_S = 30.0
_FEWEST = 2
"""Answers that have to agree, where there are so many."""
DATA, AGREEMENT = "the specification's data", "what the answers agree on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be made, and of what.

    Attributes:
        text: the specification.
        header: the module header to use, where it is given apart.
        top: the module's name, where it is to be another than the specification's.
        answers: modules that were written independently of each other.
        references: reference models in Python, as independent.
        model: a language model that is asked for more of both; none: nobody is asked.
        count: how many answers of each kind it is asked for.
        turns: how often it may correct an answer.
        planned: whether a plan of several modules is made first.
        decided: answers to questions that came up before.
    """

    text: str
    header: str | None = None
    top: str | None = None
    answers: Sequence[bytes] = ()
    references: Sequence[str] = ()
    model: Model | None = None
    count: int = 12
    turns: int = 2
    planned: bool = False
    decided: Decided = field(default_factory=Decided)

    @property
    def told(self) -> str:
        """The specification as a model is given it: with what was decided."""
        lines = "".join(f"- {line}\n" for line in self.decided.lines)
        return f"Decided already:\n{lines}\n{self.text}" if lines else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A module, and what it rests on.

    Attributes:
        toplevel: its name.
        rtl: its text, with the modules that it instantiates where there was a plan.
        how: what decided that it reads as it does.
        evidence: how far what was run reaches; `TESTS` means that the specification's data itself was played.
        steps: what was run.
        confidence: from 0 to 1, where answers were chosen from; none where the data decides.
        assumed: what the specification does not say.
        questions: what a person should decide, because the answers do not agree on it.
        window: where the best two behaviours part, as a table; empty where they never did.
        testbench: a self-checking testbench by the specification's data or the agreement; empty where there is none.
        reference: a reference model in Python, by the specification's data or one of the answers; empty where there is
            none.
    """

    toplevel: str
    rtl: bytes
    how: str
    evidence: Evidence
    steps: tuple[Step, ...]
    confidence: float | None = None
    assumed: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    window: str = ""
    testbench: str = ""
    reference: str = ""

    @property
    def refuted(self) -> bool:
        """Whether something that was run speaks against it."""
        return not all(step.passed for step in self.steps)


def generate(request: Request, *, toolchain: Toolchain, cancel: CancelToken) -> Run[Generated | Abstained]:
    """Makes a module, or says what is missing.

    Raises:
        ModelError: the language model does not answer.
        UsageError: what was decided does not fit its question.
    """
    yield Stage("specification")
    interface, conflicts = decided_ports(
        read_interface(request.text, header=request.header),
        request.text,
        header=request.header,
        decided=request.decided,
    )
    if conflicts:
        return Abstained(reason="the specification contradicts itself about the ports", questions=conflicts)
    if interface is None or not interface.outputs:
        return Abstained(reason="the specification names no ports")
    interface = replace(interface, toplevel=request.top or interface.toplevel)
    with tempfile.TemporaryDirectory(prefix="veriloop-generate-") as name:
        directory = Path(name)
        if request.planned and request.model is not None:
            found = yield from _planned(request, request.model, interface, directory, toolchain, cancel)
        else:
            found = yield from _module(request, interface, directory, toolchain, cancel)
        for question in request.decided.useless:
            yield Note(f"nothing asked: {question}")
        if isinstance(found, Abstained):
            return found
        lines = tuple(f"as you have decided: {line}" for line in request.decided.followed)
        found = replace(found, assumed=(*found.assumed, *lines))
        yield Stage("check")
        return _checked(found, request.text, directory, toolchain, cancel)


def _module(
    request: Request, interface: Interface, directory: Path, toolchain: Toolchain, cancel: CancelToken
) -> Run[Generated | Abstained]:
    """One module: by the specification's data, else by answers."""
    made = synthesise(request.text, interface, request.decided)
    if isinstance(made, Synthesis):
        return _synthesised(made)
    if made.questions and not request.answers:
        # A table with a gap or a contradiction is for a person to mend; a model would only guess it.
        return made
    found = Candidates(tuple(request.answers), tuple(request.references))
    if request.model is not None:
        more = yield from candidates(request.model, request.told, interface, count=request.count, cancel=cancel)
        found = Candidates((*found.rtl, *more.rtl), (*found.references, *more.references))
    if not found.rtl:
        return made if request.model is None else replace(made, reason="none of the model's answers holds a module")
    yield Stage("cross-examination")
    chosen = yield from select(
        found.rtl,
        interface,
        specification=request.text,
        references=found.references,
        variants=variants(request.text, interface, request.decided),
        decided=request.decided,
        scratch=directory,
        toolchain=toolchain,
        cancel=cancel,
    )
    if chosen is None and request.decided.needed:
        return Abstained(reason=f"none of the {len(found.rtl)} answers does what you have decided")
    if chosen is None:
        return Abstained(reason=f"none of the {len(found.rtl)} answers has these ports and elaborates")
    if request.model is not None and request.model.info.has_chat:
        chosen = yield from refine(
            chosen,
            request.model,
            request.told,
            interface,
            answers=found.rtl,
            references=found.references,
            decided=request.decided,
            turns=request.turns,
            count=max(2, request.count // 3),
            scratch=directory,
            toolchain=toolchain,
            cancel=cancel,
        )
    if chosen.agreeing < _FEWEST < chosen.examined + 1:
        return Abstained(reason=f"no two of the {chosen.examined} answers agree", questions=chosen.questions)
    return _selected(chosen, interface, directory, toolchain, cancel)


def _planned(
    request: Request,
    model: Model,
    interface: Interface,
    directory: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> Run[Generated | Abstained]:
    """The modules of a plan one by one, then the top over them."""
    made = yield from plan(model, request.text, interface, cancel=cancel)
    if not isinstance(made, Plan):
        return Abstained(reason="the model gives no plan of modules that fits the ports")
    texts: list[bytes] = []
    found: list[Generated] = []
    for part in made.parts[:-1]:
        yield Stage(f"module {part.interface.toplevel}")
        own = replace(request, text=part.specification, answers=(), references=())
        module = yield from _module(own, part.interface, directory, toolchain, cancel)
        if isinstance(module, Abstained):
            return replace(module, reason=f"{part.interface.toplevel}: {module.reason}")
        texts.append(module.rtl)
        found.append(module)
    yield Stage(f"module {interface.toplevel}")
    top = made.parts[-1]
    more = yield from candidates(model, top.specification, interface, count=request.count, cancel=cancel)
    below = b"\n".join(texts)
    whole = [below + b"\n" + text for text in more.rtl]
    chosen = yield from select(
        whole,
        interface,
        specification=request.text,
        references=more.references,
        decided=request.decided,
        scratch=directory,
        toolchain=toolchain,
        cancel=cancel,
    )
    if chosen is None:
        return Abstained(reason=f"none of the {len(whole)} answers for {interface.toplevel} fits the planned modules")
    said = _selected(chosen, interface, directory, toolchain, cancel)
    weakest = min((one.confidence for one in found if one.confidence is not None), default=1.0)
    parts = "; ".join(f"{one.toplevel}: {one.how}" for one in found)
    return replace(
        said,
        how=f"{said.how}; over {len(found)} planned modules ({parts})",
        confidence=round(min(weakest, said.confidence or 0.0), 3),
        assumed=(*said.assumed, *(f"{one.toplevel}: {line}" for one in found for line in one.assumed)),
        questions=(*said.questions, *(one for part in found for one in part.questions)),
    )


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
        reference=reference_text(made.reference, made.interface, made.kind),
    )


def _selected(
    chosen: Selection, interface: Interface, directory: Path, toolchain: Toolchain, cancel: CancelToken
) -> Generated:
    examined = chosen.examination
    bench = ""
    # One answer alone agrees with nobody.
    if examined is not None and examined.runs and chosen.agreeing > 1:
        steps = examined.runs[0].steps
        bench = agreed_bench(chosen.text, interface, steps, scratch=directory, toolchain=toolchain, cancel=cancel)
    return Generated(
        toplevel=interface.toplevel,
        rtl=chosen.text,
        how=chosen.how,
        evidence=Evidence.NONE,
        steps=(),
        confidence=chosen.confidence,
        assumed=chosen.notes,
        questions=chosen.questions,
        window=window(chosen.divergence, interface, ("chosen", "others")) if chosen.divergence else "",
        testbench=bench,
        reference=chosen.reference,
    )


def _checked(found: Generated, text: str, directory: Path, toolchain: Toolchain, cancel: CancelToken) -> Generated:
    """Lint, elaboration, latches, Yosys, and the testbench."""
    rtl, bench = Path(f"{found.toplevel}.sv"), Path(f"{found.toplevel}_tb.sv")
    root, scratch = directory / "tree", directory / "scratch"
    root.mkdir()
    scratch.mkdir()
    (root / rtl).write_bytes(found.rtl)
    design = Design(toplevel=found.toplevel, sources=(rtl,))
    looked = looked_at(design, root=root, toolchain=toolchain, cancel=cancel)
    static = tuple(one.step for one in static_steps(design, looked))
    if not all(step.passed for step in static):
        return replace(found, steps=static)
    latches = "latch" in text.lower() or "always_latch" in found.rtl.decode(errors="replace")
    quality = tuple(quality_steps(design, root=root, toolchain=toolchain, latches=latches, cancel=cancel))
    steps = (*static, *quality)
    if not found.testbench:
        return replace(found, steps=steps, evidence=Evidence.ELABORATES)
    (root / bench).write_text(found.testbench)
    agreed = found.confidence is not None
    played = VerilogTestbench(
        name=AGREEMENT if agreed else DATA,
        design=Design(toplevel=bench.stem, sources=(bench, rtl)),
        timeout_s=_TIMEOUT_S,
    )
    runs = run_testbench(played, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
    said = conclude(played, runs, root=root)
    step = Step(name=played.name, passed=said.passed, results=runs, detail="; ".join(said.notes))
    reached = min(said.evidence, Evidence.AGREEMENT) if agreed else said.evidence
    return replace(found, steps=(*steps, step), evidence=reached if said.passed else Evidence.ELABORATES)
