"""Plays stimuli to a reference model, in a process of its own that can do nothing but compute."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute
from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.reference_model.text import ReferenceModel, Refused
from veriloop.assistant.isolation.confinement import Confinement, Isolation

Values = Mapping[str, int]

_MEMORY_BYTES = 512 << 20
_CPU_S = 5
_TIMEOUT_S = 60.0
_OUTPUT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Answered:
    """The outputs after each step, each within its port's width; an output that the model does not name is left out."""

    outputs: tuple[Values, ...]


def play(
    model: ReferenceModel, steps: Sequence[Values], interface: Interface, *, cancel: CancelToken, cpu_s: int = _CPU_S
) -> Answered | Refused:
    """The model's outputs, or why it has none: it failed, ran out of time or memory, or keeps state where none is.

    Args:
        model: one that `read_model` let through.
        steps: values of all inputs but the clock, a step a clock cycle.
        interface: the ports; without a clock the outputs may depend on nothing but the inputs of the same step.
        cancel: stops it.
        cpu_s: seconds of a processor that it may take.

    Raises:
        ToolFailed: this kernel cannot lock a process up, so nothing was run.
    """
    found = answers(model, steps, cancel, cpu_s)
    if isinstance(found, Refused) or interface.clock is not None:
        return found if isinstance(found, Refused) else _within(found, interface)
    # Nothing clocks it: played backwards, it has to say the same, or something goes round in it.
    backwards = answers(model, steps[::-1], cancel, cpu_s)
    if isinstance(backwards, Refused):
        return backwards
    if found.outputs != backwards.outputs[::-1]:
        return Refused("remembers earlier inputs, and the module has no clock: a combinational loop")
    return _within(found, interface)


def answers(model: ReferenceModel, steps: Sequence[Values], cancel: CancelToken, cpu_s: int) -> Answered | Refused:
    """What the model says at each step, as it says it: of whatever width, and under whatever names."""
    task = {"source": model.source, "entry": model.entry, "steps": list(steps), "memory_bytes": _MEMORY_BYTES}
    program = resources.files("veriloop.assistant.generate.reference_model").joinpath("cage.py")
    with resources.as_file(program) as path, tempfile.TemporaryDirectory(prefix="veriloop-cage-") as empty:
        done = execute(
            [sys.executable, "-I", "-S", "-B", path],
            cwd=Path(empty),
            timeout_s=_TIMEOUT_S,
            cancel=cancel,
            stdin=json.dumps(task).encode(),
            cpu_limit_s=cpu_s,
            output_limit_bytes=_OUTPUT_BYTES,
            confine=Confinement(isolation=Isolation(), writable=(Path(empty),), readable=(path.parent,)),
        )
    if done.timed_out or done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return Refused(f"did not end within {cpu_s} s of a processor")
    try:
        said = json.loads(done.output)
    except ValueError:
        return Refused("broke its process: it needs more memory or depth than it may have")
    if said.get("unlocked"):
        raise ToolFailed(
            "reference models are not run here: this kernel cannot lock a process up (seccomp)", output=done.output
        )
    if "fault" in said:
        where = f" at step {said['step']}" if said["step"] >= 0 else ""
        return Refused(f"failed{where}: {said['fault']}")
    return Answered(tuple(said["outputs"]))


def _within(found: Answered, interface: Interface) -> Answered:
    """Values as the ports hold them; what is no output is dropped."""
    masks = {port.name: (1 << port.width_bits) - 1 for port in interface.outputs}
    return Answered(
        tuple({name: value & masks[name] for name, value in row.items() if name in masks} for row in found.outputs)
    )
