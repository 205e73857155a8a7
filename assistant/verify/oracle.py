"""Comparing what a testbench recorded with what an oracle expects.

An oracle is a table (`time,signal,...`, a row a sample) or a VCD file. An x (or z) in the oracle matches anything, and
only the rows and the signals of the oracle count.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pywellen

from veriloop.assistant.errors import UsageError
from veriloop.assistant.verify.results import Mismatch

_NAMED_LIMIT = 20
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How much of the oracle was met: `checks` cells that are not x, of which `failures` differ or are missing."""

    checks: int
    failures: int
    failing: tuple[str, ...]
    passing: tuple[str, ...]
    mismatches: tuple[Mismatch, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Signals and, a time, their values as strings of 0, 1, x and z."""

    signals: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, path: Path) -> Table:
        """Reads a table of comma-separated values.

        Raises:
            UsageError: the file has no header of `time` and signals.
        """
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        rows = [tuple(cell.strip() for cell in line.split(",")) for line in lines if line.strip()]
        if not rows or rows[0][0].lower() != "time" or len(rows[0]) < 2:
            raise UsageError(f"{path.name} is no table of samples: its first line must be time,signal,...")
        return cls(rows[0][1:], {row[0]: row[1:] for row in rows[1:]})


def compare(oracle: Path, output: Path) -> Comparison:
    """Compares a recorded file with its oracle; both are tables, or both VCD files.

    A file that is missing, empty or cut off fails every check that it does not hold.

    Raises:
        UsageError: the oracle cannot be read.
    """
    if not oracle.is_file():
        raise UsageError(f"no such oracle: {oracle.name}")
    if oracle.suffix.lower() == ".vcd":
        return _compare_vcd(oracle, output)
    return _compare_tables(Table.read(oracle), _read_output(output))


def _read_output(path: Path) -> Table:
    try:
        return Table.read(path)
    except (UsageError, FileNotFoundError):
        return Table((), {})


def _compare_tables(oracle: Table, output: Table) -> Comparison:
    columns = [output.signals.index(name) if name in output.signals else None for name in oracle.signals]
    tally = _Tally()
    for time, expected in oracle.rows.items():
        row = output.rows.get(time, ())
        for name, want, column in zip(oracle.signals, expected, columns, strict=False):
            got = row[column] if column is not None and column < len(row) else ""
            tally.add(_signal(name), time, want, got)
    return tally.result()


def _signal(column: str) -> str:
    """`counter_out[3]` is a bit of `counter_out`."""
    return column.split("[", 1)[0]


def _compare_vcd(oracle: Path, output: Path) -> Comparison:
    expected = _Wave.read(oracle)
    if not expected.changes:
        raise UsageError(f"{oracle.name} is no VCD file that can be read, or an empty one")
    seen = _Wave.read(output)
    tally = _Tally()
    for name, wanted in expected.changes.items():
        got = seen.named(name)
        # Also where only the record changes: the oracle's values hold until they change.
        times = {time for time, _ in wanted} | {time for time, _ in got if wanted[0][0] <= time <= expected.end_fs}
        for time in sorted(times):
            # Where a file was cut off, its last values say nothing about what came later.
            value = _value_at(got, time) if time <= seen.end_fs else ""
            tally.add(name.rsplit(".", 1)[-1], f"{time // expected.step_fs}", _value_at(wanted, time), value)
    return tally.result()


@dataclass(frozen=True, slots=True)
class _Wave:
    """Every variable's changes, by its name: the time in fs and the value as a string of bits."""

    changes: Mapping[str, list[tuple[int, str]]]
    step_fs: int = 1
    end_fs: int = -1

    @classmethod
    def read(cls, path: Path) -> _Wave:
        """Reads a VCD file; one that is missing or cannot be read holds nothing."""
        if not path.is_file() or not _is_text(path):
            return cls({})
        try:
            return cls._loaded(pywellen.Waveform(str(path)))
        except RuntimeError:
            return cls({})
        except BaseException as error:
            # Some broken files make the library panic, which Python is told by an exception of a class of its own.
            if type(error).__name__ != "PanicException":
                raise
            return cls({})

    @classmethod
    def _loaded(cls, wave: pywellen.Waveform) -> _Wave:
        scale = wave.timescale
        exponent = scale.unit.to_exponent() if scale is not None else None
        # An oracle that Icarus recorded from files without a time scale counts in seconds.
        exponent = -9 if exponent == 0 else exponent
        step_fs = scale.factor * 10 ** max(0, 15 + exponent) if exponent is not None else 1
        changes = {
            # Verilator puts a scope of its own around the toplevel.
            str(variable.full_name).removeprefix("TOP."): [
                (int(time) * step_fs, _bits(value, variable.bitwidth)) for time, value in variable.tv
            ]
            for variable in wave.all_vars()
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


def _value_at(changes: list[tuple[int, str]], time: int) -> str:
    index = bisect.bisect_right(changes, time, key=lambda change: change[0])
    return changes[index - 1][1] if index else ""


class _Tally:
    def __init__(self) -> None:
        self._checks = 0
        self._failures = 0
        self._bad: dict[str, Mismatch] = {}
        self._good: dict[str, None] = {}

    def add(self, signal: str, time: str, expected: str, got: str) -> None:
        if not expected.strip("xXzZ"):
            return
        self._checks += 1
        if _matches(expected, got):
            self._good[signal] = None
            return
        self._failures += 1
        self._bad.setdefault(signal, Mismatch(signal=signal, time=time, expected=expected, got=got))

    def result(self) -> Comparison:
        return Comparison(
            checks=self._checks,
            failures=self._failures,
            failing=tuple(self._bad),
            passing=tuple(name for name in self._good if name not in self._bad),
            mismatches=tuple(self._bad.values())[:_NAMED_LIMIT],
        )


def _matches(expected: str, got: str) -> bool:
    if not got:
        return False
    width_bits = max(len(expected), len(got))
    pairs = zip(_widened(expected, width_bits), _widened(got, width_bits), strict=True)
    return all(want in "xXzZ" or want == value for want, value in pairs)


def _widened(value: str, width_bits: int) -> str:
    """Leading bits that a file leaves out: x and z go on, else they are 0 (IEEE 1800-2017, 21.7.2.1)."""
    return value.rjust(width_bits, value[0] if value[0] in "xXzZ" else "0")
