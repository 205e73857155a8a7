"""What a family of designs hands over: RTL with its intent in comments, and a reference model of it in Python."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

from veriloop.assistant.errors import UsageError

Outputs: TypeAlias = Mapping[str, int | None]
"""The value of each output, as an unsigned number; none where any value is right."""

Choice: TypeAlias = float | Sequence[int] | Callable[[Random], int]
"""How an input is drawn: the probability of a 1, the values to choose from, or a function."""


class Pins:
    """The inputs of one cycle, as unsigned numbers, by attribute."""

    def __init__(self, values: Mapping[str, int]) -> None:
        self.__dict__.update(values)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> int: ...


class State(SimpleNamespace):
    """What a reference model remembers from one cycle to the next."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Machine:
    """A reference model with state.

    `step` returns the outputs as they stand just before the clock edge, for the state and the inputs of this cycle, and
    then moves the state on. In a design of several clocks an input named after each clock says whether it ticks.
    """

    reset: Callable[[State], None]
    step: Callable[[State, Pins], Outputs]


Function: TypeAlias = Callable[[Pins], Outputs]
"""The reference model of a combinational design."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One design of a family.

    Attributes:
        rtl: SystemVerilog in the canonical form that `veriloop.assistant.training` describes.
        about: what the module does, for one who has to write it; names of signals in backquotes. Several texts that
            say the same are chosen from.
        model: the reference model.
        names: further names that a module of this kind goes by.
        stimulus: how inputs are drawn that uniform random values exercise badly.
        drive: draws all or some inputs of a cycle from the model's state, where the protocol needs it; it has the last
            word.
        cycles: how many cycles tell a right design from a wrong one.
        clocks: for designs with several clocks: in which cycles each ticks, as (period, phase).
    """

    rtl: str
    about: str | tuple[str, ...]
    model: Machine | Function
    names: tuple[str, ...] = ()
    stimulus: Mapping[str, Choice] = field(default_factory=dict)
    drive: Callable[[Random, State], Mapping[str, int]] | None = None
    cycles: int = 100
    clocks: Mapping[str, tuple[int, int]] = field(default_factory=dict)


Author: TypeAlias = Callable[[Random, int], Draft]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Designs that do the same kind of thing.

    Attributes:
        name: unique among all.
        kind: the module of `families` that it stands in.
        variants: in how many structurally different ways it is written.
        held_out: kept out of training, to measure what a model makes of a kind of design that it has not seen.
        author: draws a design: `author(random, variant)`.
    """

    name: str
    kind: str
    variants: int
    held_out: bool
    author: Author

    def draft(self, seed: int, variant: int | None = None) -> Draft:
        """The design of a seed; the same for the same seed, always."""
        chosen = variant if variant is not None else Random(f"variant {self.name} {seed}").randrange(self.variants)
        return self.author(Random(f"draft {self.name} {seed}"), chosen)


_FAMILIES: dict[str, Family] = {}


def family(*, variants: int, held_out: bool = False) -> Callable[[Author], Author]:
    """Registers a function as a family under its own name."""

    def register(author: Author) -> Author:
        name = author.__name__
        if name in _FAMILIES:
            raise ValueError(f"two families are called {name}")
        kind = author.__module__.rpartition(".")[2]
        _FAMILIES[name] = Family(name=name, kind=kind, variants=variants, held_out=held_out, author=author)
        return author

    return register


def families(pattern: str = "*") -> tuple[Family, ...]:
    """The families whose name or kind matches any of the patterns, which commas separate, in a fixed order.

    Raises:
        UsageError: none does.
    """
    package = importlib.import_module("veriloop.assistant.training.families")
    for module in sorted(entry.name for entry in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"{package.__name__}.{module}")
    wanted = ["*" if one.strip() == "all" else one.strip() for one in pattern.split(",")]
    found = tuple(
        one
        for _, one in sorted(_FAMILIES.items())
        if any(fnmatchcase(one.name, glob) or fnmatchcase(one.kind, glob) for glob in wanted)
    )
    if not found:
        raise UsageError(f"no family matches {pattern!r}", hint="veriloop train data --list")
    return found
