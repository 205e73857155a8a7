"""Cross-examination: independent answers to one specification on the same stimuli, and which to believe.

Answers that never differed form a group. The largest group is believed the more, the larger it is; an answer that
follows from the specification's own data is believed before all. Method: ChipMATE's and CorrectBench's agreement of
independent answers, by behaviour over all stimuli instead of pair by pair.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.power_up import with_power_up
from veriloop.assistant.generate.synthesis import Synthesis
from veriloop.assistant.repair.compile_errors import compile_fixes
from veriloop.assistant.verify.differential import compare
from veriloop.assistant.verify.toolchain import Toolchain

_FILE = Path("answer.sv")
_SEEDS = (1, 2)
_CYCLES = 2048
_SYNTHESISED = 0.97
_PRIOR = 0.8
"""The doubt, in answers, that stands against every group: an answer that is alone is believed half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The answer that is believed.

    Attributes:
        text: the module.
        confidence: how sure it is that the text is right, from 0 to 1.
        agreeing: answers in its group, as they came.
        examined: answers that could be compared.
        refused: answers that do not elaborate or have other ports, even after typed fixes.
        how: what decided.
        notes: what was changed in the answer.
    """

    text: bytes
    confidence: float
    agreeing: int
    examined: int
    refused: int
    how: str
    notes: tuple[str, ...] = ()


def select(
    answers: Sequence[bytes],
    interface: Interface,
    *,
    synthesis: Synthesis | None = None,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> Selection | None:
    """Chooses among answers without a test; none where no answer can be used.

    Args:
        answers: modules that were written independently of each other.
        interface: the ports that they must have.
        synthesis: what follows from the specification's data, where something does.
        scratch: an existing directory.
        toolchain: Icarus where it is installed (four-state), else Verilator.
        cancel: stops it.
    """
    usable: Counter[bytes] = Counter()
    notes: dict[bytes, tuple[str, ...]] = {}
    for answer in answers:
        cancel.check()
        made = _usable(answer, interface)
        if made is not None:
            usable[made[0]] += 1
            notes.setdefault(made[0], made[1])
    refused = len(answers) - usable.total()
    if synthesis is not None:
        return Selection(
            text=synthesis.rtl.encode(),
            confidence=_SYNTHESISED,
            agreeing=0,
            examined=usable.total(),
            refused=refused,
            how=f"follows from the specification's {synthesis.kind}",
            notes=synthesis.assumed,
        )
    if not usable:
        return None
    taken = _taken(list(usable), interface, scratch=scratch, toolchain=toolchain, cancel=cancel)
    if not taken:
        return None
    refused += usable.total() - sum(usable[text] for text in taken)
    texts = list(taken)
    groups = _groups(texts, interface, scratch=scratch, toolchain=toolchain, cancel=cancel)
    sizes: Counter[int] = Counter()
    for text, group in zip(texts, groups, strict=True):
        sizes[group] += usable[text]
    best = max(sizes, key=lambda group: (sizes[group], -group))
    members = [text for text, group in zip(texts, groups, strict=True) if group == best]
    # Of those that behave the same, the one that most answers are, then the shortest, changed the least.
    chosen = min(members, key=lambda text: (len(notes[text]), -usable[text], len(text)))
    total = sum(sizes.values())
    return Selection(
        text=chosen,
        confidence=round(sizes[best] / (total + _PRIOR), 3),
        agreeing=sizes[best],
        examined=total,
        refused=refused,
        how=f"{sizes[best]} of {total} independent answers agree on {_CYCLES * len(_SEEDS)} cycles",
        notes=notes[chosen],
    )


def _usable(answer: bytes, interface: Interface) -> tuple[bytes, tuple[str, ...]] | None:
    """An answer that elaborates with the ports asked for, after typed fixes if it takes them; and what they were."""
    design = Design(toplevel=interface.toplevel, sources=(_FILE,))
    elaborator = Elaborator(design, {_FILE: answer})

    def errors(content: bytes) -> Sequence[Diagnostic]:
        return elaborator.errors({_FILE: content})

    notes: tuple[str, ...] = ()
    if errors(answer):
        fixed = compile_fixes(answer, errors, lambda diagnostic: True)
        if not fixed:
            return None
        answer, notes = fixed[0].content, tuple(f"fixed: {operator}" for operator in fixed[0].operators)
    module = elaborator.elaborate({_FILE: answer}).modules.get(interface.toplevel)
    wanted = {(port.name, port.direction, port.width_bits) for port in interface.ports}
    if module is None or {(port.name, port.direction, port.width_bits) for port in module.ports} != wanted:
        return None
    if interface.clock is not None and interface.reset is None:
        started, registers = with_power_up(answer)
        if registers and not errors(started):
            return started, (*notes, f"no reset: {', '.join(registers)} start at 0")
    return answer, notes


def _taken(
    texts: Sequence[bytes], interface: Interface, *, scratch: Path, toolchain: Toolchain, cancel: CancelToken
) -> tuple[bytes, ...]:
    """The texts that the simulator takes, which knows less of the language than the elaborator does."""
    icarus = toolchain.icarus
    if icarus is None:
        return tuple(texts)
    found: list[bytes] = []
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        path = Path(name, _FILE)
        design = Design(toplevel=interface.toplevel, sources=(path,))
        for text in texts:
            path.write_bytes(text)
            if icarus.build(design, Path(name, "answer.vvp"), cwd=Path(name), cancel=cancel) is None:
                found.append(text)
    return tuple(found)


def _groups(
    texts: Sequence[bytes], interface: Interface, *, scratch: Path, toolchain: Toolchain, cancel: CancelToken
) -> list[int]:
    """For each text the number of its group; each is alone where they cannot be put side by side."""
    if len(texts) == 1:
        return [0]
    design = Design(toplevel=interface.toplevel, sources=(_FILE,))
    apart: set[tuple[int, int]] = set()
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        root = Path(name)
        (root / _FILE).write_bytes(texts[0])
        for seed in _SEEDS:
            found = compare(
                [{str(_FILE): text} for text in texts],
                design,
                root=root,
                scratch=scratch,
                toolchain=toolchain,
                cancel=cancel,
                cycles=_CYCLES,
                seed=seed,
            )
            if found is None:
                return list(range(len(texts)))
            apart |= set(found.differs)
    groups: list[int] = []
    for index in range(len(texts)):
        same = next((other for other in range(index) if (other, index) not in apart), None)
        groups.append(groups[same] if same is not None else max(groups, default=-1) + 1)
    return groups
