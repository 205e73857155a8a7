"""Hierarchies: a few designs wired into one, with their reference models."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from veriloop.assistant.training.corpus import Design, styled
from veriloop.assistant.training.draft import Choice, Draft, Family, Function, Machine, Outputs, Pins, State
from veriloop.assistant.training.render import Pin, render
from veriloop.assistant.training.row import Split
from veriloop.assistant.training.trace import make_trace

NAME = "composed"

_HELD_OUT = 0.1
"""Which share of the pairs of families is kept out of training."""
_OF_HELD_OUT = 0.1
"""Which share is made of families that are held out."""
_TRIES = 6
_MOST_PINS = 24


@dataclass(slots=True)
class Part:
    """One instance: a draft, its ports, and what they are wired to in the top module."""

    family: Family
    draft: Draft
    name: str
    module: str
    pins: tuple[Pin, ...]
    certain: frozenset[str]
    """Outputs whose value is always known."""
    wires: dict[str, str] = field(default_factory=dict)
    """The signal of the top module at each port."""
    feeds: dict[str, tuple[int, str]] = field(default_factory=dict)
    """The inputs that come from another part: its number, and its output."""


def compositions(families: Sequence[Family], seeds: Sequence[int]) -> Iterator[Design]:
    """A composition for each seed, styled; families that are held out compose among themselves only.

    A seed whose families do not fit together gives none.
    """
    for seed in seeds:
        random = Random(f"compose {seed}")
        held_out = random.random() < _OF_HELD_OUT
        pool = [one for one in families if one.held_out == held_out]
        for _ in range(_TRIES if len(pool) > 1 else 0):
            members = random.sample(pool, min(len(pool), random.choice((2, 2, 3, 3, 4))))
            parts = wired(members, seed)
            if len(parts) > 1:
                yield _design(parts, seed)
                break


def _design(parts: Sequence[Part], seed: int) -> Design:
    names = sorted(part.family.name for part in parts)
    apart = Random(" ".join(names[:2])).random() < _HELD_OUT
    held_out = any(part.family.held_out for part in parts)
    split: Split = "family" if held_out else "composed" if apart else "train"
    draft = compose(parts, seed)
    return styled(draft, family="+".join(names), kind=NAME, seed=seed, variant=0, split=split)


def wired(members: Sequence[Family], seed: int) -> list[Part]:
    """The members that fit together: each but the first takes something from those before it."""
    random = Random(f"wiring {seed}")
    parts: list[Part] = []
    for member in members:
        part = _part(member, seed, len(parts), random)
        if part is None or part.module in {one.module for one in parts}:
            continue
        if not parts or _wire(parts, part, random):
            parts.append(part)
    return parts


def compose(parts: Sequence[Part], seed: int) -> Draft:
    """The design that instantiates the parts."""
    clocked = any(isinstance(part.draft.model, Machine) for part in parts)
    return _top(parts, clocked, Random(f"top {seed}"))


def _part(member: Family, seed: int, number: int, random: Random) -> Part | None:
    """An instance of a member's design, unless it has several clocks."""
    draft = member.draft(seed)
    pins = render(draft).pins
    controls = {pin.canonical for pin in pins if pin.clock or pin.reset}
    if controls - {"clk", "rst"} or len(pins) > _MOST_PINS or draft.clocks:
        return None
    trace = make_trace(draft, pins, seed=seed)
    outputs = [pin.canonical for pin in pins if pin.output]
    running = [cycle for cycle in trace if not cycle.inputs.get("rst", 0)]
    certain = frozenset(name for name in outputs if all(name in cycle.expected for cycle in running))
    module = re.findall(r"\bmodule\s+(\w+)", draft.rtl)
    top = render(draft).top
    return Part(member, draft, f"u_{member.name}", top, pins, certain) if len(module) == 1 else None


def _wire(parts: Sequence[Part], part: Part, random: Random) -> bool:
    """Connects inputs of a part to outputs of those before it; whether something fits.

    An input that the part's protocol restricts stays with the stimulus.
    """
    if part.draft.drive is not None:
        return False
    free = [
        pin
        for pin in part.pins
        if not (pin.output or pin.clock or pin.reset) and not _restricted(part.draft.stimulus.get(pin.canonical))
    ]
    random.shuffle(free)
    for pin in free:
        sources = [
            (number, source.canonical)
            for number, other in enumerate(parts)
            for source in other.pins
            if source.output and source.canonical in other.certain and source.width_bits == pin.width_bits
        ]
        sources = [one for one in sources if one not in part.feeds.values()]
        if sources and (not part.feeds or random.random() < 0.5):
            part.feeds[pin.canonical] = random.choice(sources)
    return bool(part.feeds)


def _restricted(choice: Choice | None) -> bool:
    return choice is not None and not isinstance(choice, int | float)


def _top(parts: Sequence[Part], clocked: bool, random: Random) -> Draft:
    inputs: list[tuple[str, int]] = []
    outputs: list[tuple[str, int]] = []
    internal: list[tuple[str, int]] = []
    used = {feed for part in parts for feed in part.feeds.values()}
    names: set[str] = {"clk", "rst"}
    for number, part in enumerate(parts):
        for pin in part.pins:
            if pin.clock or pin.reset:
                part.wires[pin.canonical] = pin.canonical
                continue
            if pin.canonical in part.feeds:
                source, output = part.feeds[pin.canonical]
                part.wires[pin.canonical] = parts[source].wires[output]
                continue
            name = pin.canonical
            if name in names:
                name = f"{part.family.name.split('_')[-1]}_{name}"
            while name in names:
                name += "_2"
            names.add(name)
            part.wires[pin.canonical] = name
            hidden = pin.output and (number, pin.canonical) in used and random.random() < 0.5
            (internal if hidden else outputs if pin.output else inputs).append((name, pin.width_bits))
    if not outputs:
        outputs, internal = internal, []
    return Draft(
        rtl="\n".join([_top_text(parts, inputs, outputs, internal, clocked), *(part.draft.rtl for part in parts)]),
        about=_about(parts),
        model=_model(parts, [name for name, _ in outputs], clocked),
        stimulus=_stimulus(parts),
        drive=_drive(parts),
        cycles=max(part.draft.cycles for part in parts),
    )


def _top_text(
    parts: Sequence[Part],
    inputs: Sequence[tuple[str, int]],
    outputs: Sequence[tuple[str, int]],
    internal: Sequence[tuple[str, int]],
    clocked: bool,
) -> str:
    ports = [*(["input logic clk"] if clocked else [])]
    if any(pin.reset for part in parts for pin in part.pins):
        ports.append("input logic rst")
    ports += [f"input logic {_range(bits)}{name}" for name, bits in inputs]
    ports += [f"output logic {_range(bits)}{name}" for name, bits in outputs]
    wires = [f"  logic {_range(bits)}{name};" for name, bits in internal]
    instances = []
    for part in parts:
        connections = ", ".join(f".{pin.canonical}({part.wires[pin.canonical]})" for pin in part.pins)
        instances.append(f"\n  // {_purpose(parts, part)}\n  {part.module} {part.name} ({connections});")
    top = f"{parts[0].module}_with_{parts[1].module}"
    return "\n".join([f"module {top} (", ",\n".join(ports), ");", *wires, *instances, "endmodule", ""])


def _range(bits: int) -> str:
    return f"[{bits - 1}:0] " if bits > 1 else ""


def _purpose(parts: Sequence[Part], part: Part) -> str:
    fed = [f"`{part.wires[name]}`" for name in part.feeds]
    sources = [parts[number].family.name.replace("_", " ") for number, _ in part.feeds.values()]
    source = " and ".join(dict.fromkeys(sources))
    name = part.family.name.replace("_", " ")
    return f"{name}, which takes {' and '.join(fed)} from the {source}" if fed else name


def _about(parts: Sequence[Part]) -> str:
    texts = []
    for part in parts:
        about = part.draft.about if isinstance(part.draft.about, str) else part.draft.about[0]
        words = re.split(r"`(\w+)`", about)
        own = "".join(f"`{part.wires.get(word, word)}`" if index % 2 else word for index, word in enumerate(words))
        purpose = _purpose(parts, part)
        texts.append(f"{purpose[0].upper()}{purpose[1:]}: {' '.join(own.split())}")
    return f"Connects {len(parts)} modules. {' '.join(texts)}"


def _stimulus(parts: Sequence[Part]) -> Mapping[str, Choice]:
    return {
        part.wires[name]: choice
        for part in parts
        for name, choice in part.draft.stimulus.items()
        if name not in part.feeds
    }


def _drive(parts: Sequence[Part]) -> Callable[[Random, State], Mapping[str, int]] | None:
    driven = [(number, part) for number, part in enumerate(parts) if part.draft.drive is not None]
    if not driven:
        return None

    def drive(random: Random, state: State) -> dict[str, int]:
        found: dict[str, int] = {}
        for number, part in driven:
            assert part.draft.drive is not None
            own = getattr(state, f"part_{number}", State()) or State()
            found |= {part.wires[name]: value for name, value in part.draft.drive(random, own).items()}
        return found

    return drive


def _model(parts: Sequence[Part], outputs: Sequence[str], clocked: bool) -> Machine | Function:
    def reset(state: State) -> None:
        for number, part in enumerate(parts):
            own = State()
            if isinstance(part.draft.model, Machine):
                part.draft.model.reset(own)
            setattr(state, f"part_{number}", own)

    def step(state: State, pins: Pins) -> Outputs:
        values: dict[str, int | None] = dict(pins.__dict__)
        for number, part in enumerate(parts):
            # Only outputs whose value is always known feed others.
            inputs = [pin.canonical for pin in part.pins if not (pin.output or pin.reset)]
            given = {name: values[part.wires[name]] for name in inputs}
            own = Pins({name: value for name, value in given.items() if value is not None})
            model = part.draft.model
            part_state = getattr(state, f"part_{number}", State())
            answer = model.step(part_state, own) if isinstance(model, Machine) else model(own)
            values |= {part.wires[name]: value for name, value in answer.items()}
        return {name: values[name] for name in outputs}

    return Machine(reset, step) if clocked else (lambda pins: step(State(), pins))
