"""Comparing what a testbench recorded with what an oracle expects.

An oracle is a table (`time,signal,...`, a row a sample) or a VCD file. An x (or z) in the oracle matches anything, and
only the rows and the signals of the oracle count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.errors import UsageError
from veriloop.assistant.verify.results import Mismatch
from veriloop.assistant.verify.wave import Wave, value_at

_NAMED_LIMIT = 20


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
    expected = Wave.read(oracle)
    if not expected.changes:
        raise UsageError(f"{oracle.name} is no VCD file that can be read, or an empty one")
    seen = Wave.read(output)
    tally = _Tally()
    for name, wanted in expected.changes.items():
        got = seen.named(name)
        # Also where only the record changes: the oracle's values hold until they change.
        times = {time for time, _ in wanted} | {time for time, _ in got if wanted[0][0] <= time <= expected.end_fs}
        for time in sorted(times):
            # Where a file was cut off, its last values say nothing about what came later.
            value = value_at(got, time) if time <= seen.end_fs else ""
            tally.add(name.rsplit(".", 1)[-1], f"{time // expected.step_fs}", value_at(wanted, time), value)
    return tally.result()


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
