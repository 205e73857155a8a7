"""Telling plausible repairs apart: all of them pass the testbench, few of them mean the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.events import CancelToken
from veriloop.assistant.repair.search import State
from veriloop.assistant.verify.testbench import TraceTestbench, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The rivals in the order in which the gate is asked about them."""

    ranked: tuple[State, ...]
    groups: int = 1
    """How many kinds of behaviour the rivals have on the further stimuli; 0 where they could not be compared."""
    cycles: int = 0
    differences: tuple[str, ...] = ()
    """What still differs between the first and the others, a line each."""


def choose(
    rivals: Sequence[State],
    testbench: VerilogTestbench | TraceTestbench,
    *,
    spec: str,
    root: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> Choice:
    """Ranks rivals."""
    return Choice(ranked=tuple(sorted(rivals, key=lambda state: state.cost)), groups=0)
