"""Answers to one specification, made fit for comparing: RTL that elaborates with its ports, models that may run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.power_up import with_power_up
from veriloop.assistant.generate.reference_model.text import ReferenceModel, Refused, read_model
from veriloop.assistant.repair.compile_errors import compile_fixes

FILE = Path("answer.sv")
_SPEAKS = re.compile(
    rb"\$(?!clog2\b|signed\b|unsigned\b|bits\b|countones\b|onehot0?\b|size\b|high\b|low\b|isunknown\b)\w+"
)
_INCLUDES = re.compile(rb"^\s*`include\b", re.M)


@dataclass(frozen=True, slots=True)
class Rtl:
    """A module that can be used.

    Attributes:
        text: after typed fixes, if it took any.
        examined: the text that is simulated: registers that nothing resets start at 0, and so do memories.
        notes: what was changed.
        answer: the text as it was given.
    """

    text: bytes
    examined: bytes
    notes: tuple[str, ...] = ()
    answer: bytes = b""


def read_rtl(answer: bytes, interface: Interface) -> Rtl | Refused:
    """A module with the ports asked for, after typed fixes if it takes them; else why it cannot be used."""
    if _SPEAKS.search(answer) or _INCLUDES.search(answer):
        return Refused("calls the simulator or includes files, which no module to be built does")
    elaborator = Elaborator(Design(toplevel=interface.toplevel, sources=(FILE,)), {FILE: answer})

    def errors(content: bytes) -> Sequence[Diagnostic]:
        return elaborator.errors({FILE: content})

    given = answer
    notes: tuple[str, ...] = ()
    said = errors(answer)
    if said:
        fixed = compile_fixes(answer, errors, lambda diagnostic: True)
        if not fixed:
            return Refused(f"does not elaborate: {said[0].message}")
        answer, notes = fixed[0].content, tuple(f"fixed: {operator}" for operator in fixed[0].operators)
    module = elaborator.elaborate({FILE: answer}).modules.get(interface.toplevel)
    wanted = {(port.name, port.direction, port.width_bits) for port in interface.ports}
    if module is None:
        return Refused(f"holds no module {interface.toplevel}")
    if {(port.name, port.direction, port.width_bits) for port in module.ports} != wanted:
        return Refused("has other ports")
    text = answer
    if interface.clock is not None and interface.reset is None:
        started, registers = with_power_up(answer)
        if registers and not errors(started):
            text, notes = started, (*notes, f"no reset: {', '.join(registers)} start at 0")
    examined, memories = with_power_up(text, registers=False, memories=True)
    return Rtl(text, examined if memories and not errors(examined) else text, notes, given)


def read_reference(answer: str) -> ReferenceModel | Refused:
    """A reference model in Python, or why it cannot be used."""
    return read_model(answer)


_FENCE = re.compile(r"```[ \t]*(\w*)[^\n]*\n(.*?)(?:```|\Z)", re.S)
_MODULE = re.compile(r"\bmodule\b.*\bendmodule\b", re.S)


def code_in(answer: str, *, language: str) -> str:
    """The code in a model's answer: the last fenced block of its kind, or what looks like it; empty if there is none.

    Args:
        answer: what was said, thinking and explanations included.
        language: `verilog` or `python`.
    """
    answer = re.sub(r"<think>.*?(?:</think>|\Z)", "", answer, flags=re.S) or answer
    names = {"verilog": ("verilog", "systemverilog", "sv", "v"), "python": ("python", "py", "python3")}[language]
    blocks = [(name.lower(), text) for name, text in _FENCE.findall(answer)]
    own = [text for name, text in blocks if name in names] or [text for name, text in blocks if not name]
    if language == "verilog":
        for text in [*reversed(own), *(text for _, text in reversed(blocks)), answer]:
            module = _MODULE.search(text)
            if module is not None:
                return str(module[0]) + "\n"
        return ""
    return next((text for text in [*reversed(own), answer] if re.search(r"\bdef\s+eval\b", text)), "")
