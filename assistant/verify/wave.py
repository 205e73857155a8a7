"""What a simulation recorded: VCD and FST files, read whole. Their designs are not trusted, and they may be broken."""

from __future__ import annotations

import bisect
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pywellen

_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Wave:
    """Every variable's changes, by its name: the time in fs and the value as a string of bits."""

    changes: Mapping[str, list[tuple[int, str]]]
    step_fs: int = 1
    end_fs: int = -1

    @classmethod
    def read(cls, path: Path, *, scopes: Collection[str] = ()) -> Wave:
        """Reads a VCD or FST file; one that is missing or cannot be read holds nothing.

        Args:
            path: the file.
            scopes: only what stands directly in these scopes; none: everything.
        """
        if not path.is_file() or not (path.suffix.lower() == ".fst" or _is_text(path)):
            return cls({})
        try:
            return cls._loaded(pywellen.Waveform(str(path)), scopes)
        except RuntimeError:
            return cls({})
        except BaseException as error:
            # Some broken files make the library panic, which Python is told by an exception of a class of its own.
            if type(error).__name__ != "PanicException":
                raise
            return cls({})

    @classmethod
    def _loaded(cls, wave: pywellen.Waveform, scopes: Collection[str]) -> Wave:
        scale = wave.timescale
        exponent = scale.unit.to_exponent() if scale is not None else None
        # An oracle that Icarus recorded from files without a time scale counts in seconds.
        exponent = -9 if exponent == 0 else exponent
        step_fs = scale.factor * 10 ** max(0, 15 + exponent) if exponent is not None else 1
        changes = {
            name: [(int(time) * step_fs, _bits(value, variable.bitwidth)) for time, value in variable.tv]
            for variable in wave.all_vars()
            # Verilator puts a scope of its own around the toplevel.
            for name in (str(variable.full_name).removeprefix("TOP."),)
            if not scopes or name.rpartition(".")[0] in scopes
        }
        written = {name: found for name, found in changes.items() if found}
        return cls(written, step_fs, max((found[-1][0] for found in written.values()), default=-1))

    def named(self, name: str) -> list[tuple[int, str]]:
        """The changes of a variable, found by its full name or, where only one has it, by the end of its name."""
        if name in self.changes:
            return self.changes[name]
        ending = [found for full, found in self.changes.items() if full.endswith(f".{name}")]
        return ending[0] if len(ending) == 1 else []


def _is_text(path: Path) -> bool:
    """Whether a file may be a VCD file: binary files hold control characters."""
    with path.open("rb") as file:
        return not any(_CONTROL.search(chunk) for chunk in iter(lambda: file.read(1 << 20), b""))


def _bits(value: object, width_bits: int | None) -> str:
    # The library gives a number where every bit is known, and the bits as text where one is not.
    return format(value, f"0{width_bits or 1}b") if isinstance(value, int) else str(value)


def value_at(changes: list[tuple[int, str]], time: int) -> str:
    """What a variable holds at a time, in fs; empty before its first value."""
    index = bisect.bisect_right(changes, time, key=lambda change: change[0])
    return changes[index - 1][1] if index else ""
