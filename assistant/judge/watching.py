"""What the failing run's record shows: inputs that nothing drives, clocks that stand still, unknown outputs."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.errors import ToolError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.divergence import shown
from veriloop.assistant.judge.dispute import Subject
from veriloop.assistant.verify.divergence import record, time_text
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.testbench import CommandTest
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.wave import Wave, value_at

_BEFORE = 5
_UNITS_FS = {"s": 10**15, "ms": 10**12, "us": 10**9, "ns": 10**6, "ps": 10**3, "fs": 1}
_TIMESCALE = re.compile(r"`timescale\s+(\d+)\s*(m|u|n|p|f)?s\b")
_MOST_COLUMNS = 10


@dataclass(frozen=True, slots=True)
class Watched:
    """The design's ports in the failing run.

    Attributes:
        ports: the changes of each port, by its name.
        model: the changes of outputs of a module of the test that has outputs of the same names.
        step_fs: the record's unit.
    """

    ports: Mapping[str, list[tuple[int, str]]]
    model: Mapping[str, list[tuple[int, str]]]
    step_fs: int


def watch(subject: Subject, toolchain: Toolchain, cancel: CancelToken) -> Watched | None:
    """Records the failing run; none where it cannot be recorded, or the design is not found in the record."""
    testbench, dispute = subject.dispute.testbench, subject.dispute
    if isinstance(testbench, CommandTest) or not subject.instance:
        return None
    with tempfile.TemporaryDirectory(dir=dispute.scratch) as name:
        try:
            written = record(
                testbench,
                dispute.root,
                Path(name),
                toolchain,
                cancel,
                four_state=toolchain.icarus is not None,
            )
        except ToolError:
            return None
        model = _model_instance(subject)
        scopes = [subject.instance, *filter(None, (model,))]
        wave = Wave.read(written, scopes=scopes) if written is not None else Wave({})
        if written is not None:
            written.unlink(missing_ok=True)
    ports = _below(wave, subject.instance)
    if not ports:
        return None
    outputs = {port.name for port in subject.interface.outputs} if subject.interface is not None else set()
    expected = {name: changes for name, changes in _below(wave, model).items() if name in outputs} if model else {}
    return Watched(ports, expected, wave.step_fs)


def _below(wave: Wave, instance: str) -> dict[str, list[tuple[int, str]]]:
    found = {}
    for name, changes in wave.changes.items():
        scope, _, last = name.rpartition(".")
        if scope == instance:
            found[last.partition("[")[0]] = changes
    return found


def _model_instance(subject: Subject) -> str:
    """An instance of the test that has all outputs of the design, under their names; empty where there is none."""
    interface, whole = subject.interface, subject.whole
    if interface is None or whole is None:
        return ""
    names = {port.name for port in interface.outputs}
    for path, module in whole.hierarchy.items():
        known = whole.modules.get(module)
        if module == subject.module or known is None:
            continue
        if names <= {port.name for port in known.ports if port.direction == "output"}:
            return path
    return ""


def undriven(subject: Subject, watched: Watched) -> tuple[str, ...]:
    """The inputs of the design that never had a known bit in the whole run."""
    interface = subject.interface
    if interface is None:
        return ()
    return tuple(
        port.name
        for port in interface.inputs
        if port.name in watched.ports and not any(set(value) & {"0", "1"} for _, value in watched.ports[port.name])
    )


def standing_still(subject: Subject, watched: Watched) -> tuple[str, ...]:
    """The clock, where it has no edge in the whole run; nothing where it has, or there is none."""
    clock = subject.interface.clock if subject.interface is not None else None
    if clock is None or clock.name not in watched.ports:
        return ()
    known = {value for _, value in watched.ports[clock.name] if value in ("0", "1")}
    return (clock.name,) if len(known) < 2 else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An output at the first failure: what it was, and what the test's own model was, where it has one."""

    signal: str
    seen: str
    expected: str
    at_fs: int

    def __str__(self) -> str:
        wanted = f" where the test's model gives {shown(self.expected)}" if self.expected else ""
        return f"at {time_text(self.at_fs)} {self.signal} is {shown(self.seen)}{wanted}"


def moment(subject: Subject, watched: Watched, red: SimResult, signals: Sequence[str]) -> Moment | None:
    """The first failure, as far as the record tells: by the test's model, else by the time that the test prints."""
    parted = [
        (at_fs, name)
        for name in signals
        if name in watched.model and name in watched.ports
        if (at_fs := _parts(watched.model[name], watched.ports[name])) is not None
    ]
    if parted:
        at_fs, name = min(parted)
        return Moment(
            signal=name,
            seen=value_at(watched.ports[name], at_fs),
            expected=value_at(watched.model[name], at_fs),
            at_fs=at_fs,
        )
    first = first_failure(red)
    named = next((name for name in signals if name in watched.ports), None)
    if first is None or named is None:
        return None
    at_fs = int(first * _unit_fs(subject, watched))
    return Moment(signal=named, seen=value_at(watched.ports[named], at_fs), expected="", at_fs=at_fs)


def _parts(model: list[tuple[int, str]], seen: list[tuple[int, str]]) -> int | None:
    """The first time at which a known value of the model is another one than the design's, for longer than a moment."""
    times = sorted({at for at, _ in (*model, *seen)})
    for at, following in zip(times, [*times[1:], None], strict=True):
        wanted, got = value_at(model, at), value_at(seen, at)
        if following is not None and following == at:
            continue
        if any(a in "01" and a != b for a, b in zip(wanted, got.rjust(len(wanted), "0"), strict=False)):
            return at
    return None


def _unit_fs(subject: Subject, watched: Watched) -> int:
    """What one unit of the times that the test prints is, in fs."""
    for path in subject.bench_files():
        match = _TIMESCALE.search((subject.dispute.root / path).read_text(encoding="utf-8", errors="replace"))
        if match:
            return int(match[1]) * _UNITS_FS[f"{match[2] or ''}s"]
    return watched.step_fs


def table(subject: Subject, watched: Watched, at_fs: int) -> str:
    """What goes in and comes out in the steps up to a time, a row a change; values in decimal, unknown bits as such."""
    interface = subject.interface
    if interface is None:
        return ""
    names = [port.name for port in interface.ports if port.name in watched.ports][:_MOST_COLUMNS]
    times = sorted({at for name in names for at, _ in watched.ports[name] if at <= at_fs} | {at_fs})[-_BEFORE:]
    model = [name for name in names if name in watched.model]
    rows = [["time", *names, *(f"{name} (model)" for name in model)]]
    for at in times:
        values = [value_at(watched.ports[name], at) for name in names]
        values += [value_at(watched.model[name], at) for name in model]
        rows.append([time_text(at), *map(shown, values)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def first_failure(run: SimResult) -> float | None:
    """When a test first saw something wrong, in its own unit; none where it does not say."""
    times = [number for one in run.mismatches if (number := _number(one.time)) is not None]
    return min(times, default=None)


def _number(text: str) -> float | None:
    match = re.match(r"\d+(?:\.\d+)?", text)
    return float(match[0]) if match else None
