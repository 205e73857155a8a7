"""The scripts that Yosys is given: reading two versions, a proof by induction, and a search from the reset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.design.model import Design

BOTH, RECORD = "both.il", "difference.vcd"
INDUCTION_STEPS = 4
RESET_STEPS = 2
"""How long the reset is held before outputs are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """An input that resets, and the value by which it does."""

    name: str
    value: int


def read(design: Design, *, slang: bool) -> list[str]:
    """Reads one version; its paths are absolute. `slang` takes more of SystemVerilog."""
    parameters = [f"-chparam {name} {value}" for name, value in design.parameters]
    if slang:
        words = [f"-I{folder}" for folder in _folders(design)]
        words += [f"-D{name}={value}" if value else f"-D{name}" for name, value in design.defines]
        words += [f"-G{name}={value}" for name, value in design.parameters]
        lines = [f"read_slang --top {design.toplevel} {' '.join(words)} {_sources(design)}"]
    else:
        words = [f"-I{folder}" for folder in _folders(design)]
        words += [f"-D{name}={value}" if value else f"-D{name}" for name, value in design.defines]
        lines = [
            f"read_verilog -sv {' '.join(words)} {_sources(design)}",
            f"hierarchy -check -top {design.toplevel} {' '.join(parameters)}",
        ]
    return [*lines, "proc", "flatten", "opt_expr", "opt_clean", "memory_map"]


def prepare(old: Design, new: Design, *, slang: bool, clocks: int) -> list[str]:
    """Reads both versions into one file. With several clocks each change of one is a step of its own."""
    # With one clock a step is a cycle; an asynchronous reset counts as a synchronous one then.
    steps = ["clk2fflogic"] if clocks > 1 else ["async2sync"]
    after = [*steps, "dffunmap", "opt_clean"]
    return [
        *read(old, slang=slang),
        *after,
        f"rename {old.toplevel} gold",
        "design -stash gold",
        *read(new, slang=slang),
        *after,
        f"rename {new.toplevel} gate",
        "design -stash gate",
        "design -copy-from gold -as gold gold",
        "design -copy-from gate -as gate gate",
        f"write_rtlil {BOTH}",
    ]


def induction(resets: Sequence[Reset], timeout_s: int) -> list[str]:
    """Every pair of registers and outputs of one name is equal after the reset, and stays so."""
    return [
        f"read_rtlil {BOTH}",
        "equiv_make gold gate equiv",
        "hierarchy -top equiv",
        "equiv_miter -trigger -undef base equiv",
        "flatten base",
        f"sat {_from_reset(resets, prefix='')} -tempinduct-baseonly -maxsteps "
        f"{RESET_STEPS + INDUCTION_STEPS} -seq {RESET_STEPS} -timeout {timeout_s} base",
        "equiv_simple -undef equiv",
        f"equiv_induct -undef -seq {INDUCTION_STEPS} equiv",
        "equiv_status equiv",
    ]


def search(resets: Sequence[Reset], *, steps: int, timeout_s: int) -> list[str]:
    """Looks for inputs after the reset that make an output another one within so many steps."""
    skipped = f"-seq {RESET_STEPS}" if resets else ""
    return [
        f"read_rtlil {BOTH}",
        "miter -equiv -ignore_gold_x -flatten -make_outputs gold gate miter",
        "hierarchy -top miter",
        "opt_clean",
        f"sat {_from_reset(resets, prefix='in_')} -tempinduct-baseonly -maxsteps {steps} "
        f"{skipped} -timeout {timeout_s} -dump_vcd {RECORD} miter",
    ]


def _from_reset(resets: Sequence[Reset], *, prefix: str) -> str:
    held = [
        f"-set-at {step} {prefix}{reset.name} {reset.value}" for reset in resets for step in range(1, RESET_STEPS + 1)
    ]
    return " ".join(["-enable_undef -set-def-inputs -set-init-undef", *held, "-prove trigger 0"])


def _folders(design: Design) -> list[Path]:
    return list(dict.fromkeys([*design.include_dirs, *(path.parent for path in design.sources)]))


def _sources(design: Design) -> str:
    return " ".join(_quoted(str(path)) for path in design.sources)


def _quoted(word: str) -> str:
    return f'"{word}"'
