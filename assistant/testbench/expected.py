"""What the outputs have to be, and who says so."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from veriloop.assistant.errors import NotVerified, UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.interface import Bit
from veriloop.assistant.generate.reference import Reference
from veriloop.assistant.generate.reference_model.run import answers
from veriloop.assistant.generate.reference_model.text import ReferenceModel, Refused, read_model
from veriloop.assistant.verify.stimulus.pins import Pins, Row

_CPU_S = 8
_MODEL_HINT = "a class with eval(self, inputs) -> outputs, dictionaries of integers by port name, called once a cycle"


class Origin(Enum):
    """Where expected values come from, strongest first: the evidence class of a testbench."""

    MODEL = "the user's reference model"
    SPECIFICATION = "the specification's own data"
    RTL = "the present RTL: it pins today's behaviour, right or wrong"


Sample = tuple[str, ...]
"""Each output's bits, the highest first; `-` for one that may be anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Expected outputs, a sample for each time at which a testbench looks; none where nothing is expected then."""

    origin: Origin
    samples: tuple[Sample | None, ...]
    detail: str = ""
    assumed: tuple[str, ...] = ()
    """What the specification does not say and convention settled."""


def from_recorded(origin: Origin, outputs: Sequence[str], pins: Pins, detail: str = "") -> Expected:
    """Expected values as they were recorded, all outputs of a sample in one string; unknown bits may be anything."""
    return Expected(origin=origin, samples=tuple(tuple(_split(line, pins)) for line in outputs), detail=detail)


def _split(line: str, pins: Pins) -> Iterator[str]:
    position = 0
    for port in pins.outputs:
        bits = line[position : position + port.width_bits]
        yield "".join(bit if bit in "01" else "-" for bit in bits)
        position += port.width_bits


def from_reference(reference: Reference, rows: Sequence[Row], pins: Pins, detail: str) -> Expected:
    """What a specification's data says; what it leaves open may be anything."""
    model = copy.deepcopy(reference)
    samples: list[Sample | None] = []
    for row in rows:
        inputs = _inputs(row, pins)
        samples.append(_sample(model.outputs(inputs), pins))
        if pins.clocks:
            if row.clocks:
                model.tick(inputs)
            samples.append(_sample(model.outputs(inputs), pins))
    return Expected(origin=Origin.SPECIFICATION, samples=tuple(samples), detail=detail)


def _sample(values: Mapping[Bit, str], pins: Pins) -> Sample:
    found = []
    for port in pins.outputs:
        places = [None] if port.width_bits == 1 else range(port.width_bits - 1, -1, -1)
        found.append("".join(values.get(Bit(port.name, place), "-") for place in places))
    return tuple(found)


def _inputs(row: Row, pins: Pins) -> dict[str, int]:
    return {port.name: value for port, value in zip(pins.inputs, row.values, strict=True)}


def require_model(text: str, name: str, pins: Pins) -> ReferenceModel:
    """The reference model of a text, which is read and not run.

    Raises:
        UsageError: there is none.
        NotVerified: a model cannot be asked about such a design.
    """
    model = read_model(text)
    if isinstance(model, Refused):
        raise UsageError(f"{name} {model.why}", hint=_MODEL_HINT)
    if any(clock.falling for clock in pins.clocks):
        raise NotVerified(
            f"{pins.module} also works at falling edges, and a reference model is asked once a cycle",
            hint="leave out --model-file, which pins what the RTL does today",
        )
    return model


def from_model(text: str, name: str, rows: Sequence[Row], pins: Pins, cancel: CancelToken) -> Expected:
    """What a reference model answers: `eval(inputs)` once a cycle, with the outputs as they are after the edge.

    Where there are several clocks, `inputs` has each of them, 1 where it rises.

    Raises:
        UsageError: the file holds no model, or the model names no output.
        NotVerified: it fails, does not end, or gives a value that its port does not hold.
    """
    model = require_model(text, name, pins)
    found = answers(model, [_inputs(row, pins) | _rising(row, pins) for row in rows], cancel, _CPU_S)
    if isinstance(found, Refused):
        raise NotVerified(f"the reference model {name} {found.why}", hint=f"python -i {name}")
    samples: list[Sample | None] = []
    for number, values in enumerate(found.outputs):
        _check(values, number, name, pins)
        sample = tuple(
            f"{values[port.name]:0{port.width_bits}b}" if port.name in values else "-" * port.width_bits
            for port in pins.outputs
        )
        samples += [None, sample] if pins.clocks else [sample]
    if not any(sample is not None and any(bits.strip("-") for bits in sample) for sample in samples):
        said = ", ".join(found.outputs[0]) if found.outputs else ""
        raise UsageError(
            f"the reference model {name} names no output of {pins.module}: it answers {said or 'nothing'}",
            hint=f"its outputs are {', '.join(port.name for port in pins.outputs)}",
        )
    return Expected(origin=Origin.MODEL, samples=tuple(samples), detail=name)


def _rising(row: Row, pins: Pins) -> dict[str, int]:
    if len(pins.clocks) < 2:
        return {}
    return {clock.name: row.clocks >> index & 1 for index, clock in enumerate(pins.clocks)}


def _check(values: Mapping[str, int], number: int, name: str, pins: Pins) -> None:
    for port in pins.outputs:
        value = values.get(port.name, 0)
        if not 0 <= value < 1 << port.width_bits:
            bits = f"{port.width_bits} bit{'' if port.width_bits == 1 else 's'}"
            raise NotVerified(
                f"the reference model {name} gives {port.name} the value {value} in cycle {number}; it has {bits}",
                hint=f"mask it: {port.name} & {(1 << port.width_bits) - 1:#x}",
            )
