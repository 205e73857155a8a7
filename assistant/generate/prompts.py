"""What a language model is asked: a module, a reference model, a correction, a plan. Pure functions."""

from __future__ import annotations

from veriloop.assistant.generate.interface import Interface
from veriloop.models.model import Message

_MOST_SPECIFICATION = 24_000
_MOST_CODE = 12_000

RTL_SYSTEM = (
    "You are a hardware engineer who writes synthesizable SystemVerilog (IEEE 1800-2017). You answer with one module "
    "in one ```verilog block and nothing else. No system tasks, no delays, no initial blocks unless nothing resets the "
    "registers. Every register has one clocked process with <=, everything else is assign or always_comb with a value "
    "on every path."
)
REFERENCE_SYSTEM = (
    "You are a verification engineer who writes reference models in Python from a specification alone. You answer with "
    "one ```python block and nothing else: a class with `__init__(self)`, which sets the state after power-up, and "
    "`eval(self, inputs: dict[str, int]) -> dict[str, int]`. No imports, no files, no printing."
)


def rtl_messages(specification: str, interface: Interface) -> tuple[Message, ...]:
    """The conversation that asks for a module."""
    return (
        Message(role="system", content=RTL_SYSTEM),
        Message(
            role="user",
            content=f"{_shown(specification)}\n\nThe module's header, which may not change:\n{_header(interface)}",
        ),
    )


def reference_messages(specification: str, interface: Interface) -> tuple[Message, ...]:
    """The conversation that asks for a reference model."""
    return (
        Message(role="system", content=REFERENCE_SYSTEM),
        Message(role="user", content=f"{_shown(specification)}\n\n{protocol(interface)}"),
    )


def protocol(interface: Interface) -> str:
    """What one call of `eval` means for these ports."""
    inputs = [port for port in interface.inputs if port is not interface.clock]
    names = ", ".join(f"{port.name} ({port.width_bits} bits)" for port in inputs) or "none"
    outputs = ", ".join(f"{port.name} ({port.width_bits} bits)" for port in interface.outputs)
    if interface.clock is None:
        when = "Nothing is clocked: the outputs of a call follow from its inputs alone, and nothing is remembered."
    else:
        reset = interface.reset
        when = (
            f"Each call of eval is one cycle of {interface.clock.name}: it takes the inputs as they are at the clock's "
            f"active edge, moves the state on, and returns the outputs just after the edge, the same inputs still "
            f"applied. {interface.clock.name} itself is not passed. "
        )
        when += f"{reset.name} is passed like any input." if reset is not None else "There is no reset."
    return f"Inputs of eval: {names}. Outputs, all of them in every answer, as unsigned integers: {outputs}. {when}"


def correction_messages(specification: str, interface: Interface, code: str, window: str) -> tuple[Message, ...]:
    """The conversation that shows a module where it differs from other answers and asks for a better one.

    Args:
        specification: the whole text.
        interface: the ports.
        code: the module.
        window: the first cycles in which it differs, as a table.
    """
    return (
        *rtl_messages(specification, interface),
        Message(role="assistant", content=f"```verilog\n{code[:_MOST_CODE].rstrip()}\n```"),
        Message(
            role="user",
            content=(
                "Independently written answers to the same specification behave differently. The first cycles in which "
                f"they do, yours beside the others':\n{window}\n"
                "Only the specification decides who is right. If you are, answer with the same module; else with a "
                "corrected one."
            ),
        ),
    )


def plan_messages(specification: str, interface: Interface) -> tuple[Message, ...]:
    """The conversation that asks for a hierarchy instead of one module."""
    return (
        Message(
            role="system",
            content=(
                "You divide a hardware specification into modules that one engineer each can write and test alone. "
                "Answer with a JSON array and nothing else. Each element: "
                '{"name": ..., "ports": [{"name": ..., "direction": "input" or "output", "width": bits}, ...], '
                '"specification": ...}. The last element is the top, with exactly the ports given; its specification '
                "says which modules it instantiates and how they are connected. Two to six elements."
            ),
        ),
        Message(role="user", content=f"{_shown(specification)}\n\nThe top's header:\n{_header(interface)}"),
    )


def _shown(specification: str) -> str:
    return specification.strip()[:_MOST_SPECIFICATION]


def _header(interface: Interface) -> str:
    return interface.header()
