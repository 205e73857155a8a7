"""Whether a module can be driven by a testbench at all, and by which pins."""

from __future__ import annotations

from dataclasses import replace

from veriloop.assistant.design.clocking import Clocking, read_clocking
from veriloop.assistant.design.elaborate import Elaboration
from veriloop.assistant.design.model import Module
from veriloop.assistant.errors import NotVerified, UsageError
from veriloop.assistant.testbench.handshakes import with_handshakes
from veriloop.assistant.verify.stimulus.pins import Pins, pins_of

_NO_VECTORS = frozenset({"real", "realtime", "shortreal", "string", "event", "chandle"})


def driven_module(elaboration: Elaboration, top: str) -> tuple[Module, Clocking]:
    """A module with its clocks and resets.

    Raises:
        UsageError: it does not elaborate, or is not there.
        NotVerified: a port of it cannot be driven.
    """
    if elaboration.declared_modules and top not in elaboration.declared_modules:
        raise UsageError(
            f"there is no module {top}: the files declare {', '.join(elaboration.declared_modules)}",
            hint="--top MODULE",
        )
    if elaboration.errors:
        raise UsageError(f"the design does not elaborate: {elaboration.errors[0]}", hint="veriloop check --worktree")
    module = elaboration.modules.get(top)
    if module is None:
        raise UsageError(f"{top} is no module that can stand at the top", hint="--top MODULE")
    clocking = read_clocking(elaboration, top)
    if len(module.ports) != len(elaboration.bodies[top].body.portList):
        raise NotVerified(
            f"{top} has an interface as a port, which no testbench can drive by itself",
            hint="a wrapper module with plain ports, and --top WRAPPER",
        )
    for port in module.ports:
        if port.direction in ("inout", "ref") and port.name not in clocking.quiet:
            raise NotVerified(
                f"{port.name} of {top} is {port.direction}: who drives it when is not known",
                hint="a wrapper module that splits it into an input and an output, and --top WRAPPER",
            )
        if port.width_bits == 0 or "$" in port.type or port.type in _NO_VECTORS:
            raise NotVerified(
                f"{port.name} of {top} is of the type {port.type}, which is no vector of bits",
                hint="a wrapper module with packed ports, and --top WRAPPER",
            )
    return module, clocking


def pins_to_drive(module: Module, clocking: Clocking) -> Pins:
    """The pins, with the handshakes that their names show.

    Raises:
        NotVerified: no input clocks its registers, or it has no outputs.
    """
    pins = with_handshakes(pins_of(module, clocking))
    if clocking.registers and not pins.clocks:
        raise NotVerified(
            f"{pins.module} has registers, and none of its inputs clocks them",
            hint="test the module that the clock comes into: --top MODULE",
        )
    if not pins.outputs:
        raise NotVerified(f"{pins.module} has no output to compare", hint="--top MODULE")
    return pins


def other_polarity(pins: Pins) -> Pins | None:
    """The same with those resets turned round of which only the name says which way they are active."""
    if not any(reset.by_name for reset in pins.resets):
        return None
    turned = (replace(reset, active_low=not reset.active_low) if reset.by_name else reset for reset in pins.resets)
    return replace(pins, resets=tuple(turned))
